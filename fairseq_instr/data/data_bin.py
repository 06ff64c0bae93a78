"""What a data-bin holds: groups, corpora and language pairs, by the names of its files.

    data-bin/train.en-de.{en,de}.{bin,idx}                   a flat data-bin is one corpus
    data-bin/parallel/...                                    a group that is one corpus
    data-bin/task/formality/train.en-de.{en,de}.{bin,idx}    a group of corpora
                            train.instr-None.instr.{bin,idx}
                            dict.instr.txt
    data-bin/denoise/train.de-None.de.{bin,idx}              text of one language, noised on the fly
    data-bin/general/train.prompt-response.{prompt,response}.{bin,idx}   tasks with their prompts

The files are stock `fairseq-preprocess` output.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.text.pairs import Pair, split_pair

PARALLEL = "parallel"
TASK = "task"
DENOISE = "denoise"
GENERAL = "general"
STREAM = "instr"
PROMPT_PAIR: Pair = ("prompt", "response")
"""What the files of general tasks are called: their sources are whole prompts."""


def find_groups(data: str, split: str) -> Dict[str, List[str]]:
    """Groups of a data-bin and the folders of their corpora, relative to the data-bin.

    A flat data-bin is the group `parallel` with the folder `.`. A folder in a data-bin is a group:
    a corpus if it holds the split (`*` for any), besides those of its folders that do. The group
    `denoise` holds text of single languages, other groups hold language pairs.

    Raises:
        InputError: if the data-bin is not there.
    """
    root = Path(data)
    if not root.is_dir():
        raise InputError(f"data-bin {data} does not exist; make it with fairseq-preprocess")
    groups: Dict[str, List[str]] = {}
    if pairs_in(root, split):
        groups[PARALLEL] = ["."]
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        held = monolingual_in if folder.name == DENOISE else pairs_in
        corpora = [folder] if held(folder, split) else []
        corpora += sorted(p for p in folder.iterdir() if p.is_dir() and held(p, split))
        if corpora:
            names = [os.path.relpath(corpus, root) for corpus in corpora]
            groups.setdefault(folder.name, []).extend(names)
    return groups


def pairs_in(folder: Path, split: str) -> List[Pair]:
    """Language pairs of a split that a folder holds."""
    return sorted({pair for pair in _files(folder, split) if pair[1] != "None"})


def monolingual_in(folder: Path, split: str) -> List[str]:
    """Languages that a folder holds alone (`fairseq-preprocess --only-source`)."""
    languages = {source for source, target in _files(folder, split) if target == "None"}
    return sorted(languages - {STREAM})


def _files(folder: Path, split: str) -> Iterator[Pair]:
    """Source and target language, or None, in the name of each index file of a split."""
    for path in folder.glob(f"{split}.*-*.*.idx"):
        # train.zh-CN-en.en.idx: the language of the file says which hyphen parts the pair
        pair, language = path.name[: -len(".idx")].split(".")[-2:]
        first, last = pair.startswith(f"{language}-"), pair.endswith(f"-{language}")
        if first and last:  # train.pt-BR-pt.pt.idx
            yield split_pair(pair) or (language, language)
        elif first:
            yield language, pair[len(language) + 1 :]
        elif last:
            yield pair[: -len(language) - 1], language


def all_pairs(data: str) -> List[Pair]:
    """Language pairs of all splits and groups of a data-bin, each in one direction.

    Raises:
        InputError: if the data-bin is not there.
    """
    found: Dict[Tuple[str, ...], Pair] = {}
    for folders in find_groups(data, "*").values():
        for folder in folders:
            for pair in pairs_in(Path(data, folder), "*"):
                if pair != PROMPT_PAIR:
                    found.setdefault(tuple(sorted(pair)), pair)
    return list(found.values())


def only_pair(data: str) -> Pair:
    """The language pair of a data-bin.

    Raises:
        InputError: if it holds none, or several.
    """
    pairs = all_pairs(data)
    if len(pairs) != 1:
        held = ", ".join(map("-".join, pairs)) or "none"
        raise InputError(
            f"-s and -t are not given, and {data} does not hold one language pair: pairs there: "
            f"{held}; give -s and -t, or --lang-pairs in training"
        )
    return pairs[0]


def holds_pair(folder: Path, split: str, pair: Pair) -> bool:
    """Whether a folder holds a split of a pair, in either direction.

    Instructions say how a target was written: a corpus with a stream has one direction.
    """
    pairs = pairs_in(folder, split)
    return pair in pairs or (pair[::-1] in pairs and not stream_index(folder, split).exists())


def pairs_from(folder: Path, split: str, language: str) -> List[Pair]:
    """Pairs of a folder's split that translate from a language, in either direction as above."""
    others = {other for pair in pairs_in(folder, split) for other in pair if language in pair}
    pairs = [(language, other) for other in sorted(others - {language})]
    return [pair for pair in pairs if holds_pair(folder, split, pair)]


def stream_index(folder: Path, split: str) -> Path:
    """Where the index of a split's `.instr` stream is."""
    return folder / f"{split}.{STREAM}-None.{STREAM}.idx"
