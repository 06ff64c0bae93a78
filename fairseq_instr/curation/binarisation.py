"""Folders of raw text -> a data-bin, or a group of one, in one process.

    task/uppercase/train.{en,de,instr}  ->  data-bin/task/uppercase/train.en-de.{en,de}.{bin,idx}
                                            data-bin/task/uppercase/train.instr-None.instr.{bin,idx}
                                            data-bin/task/uppercase/dict.instr.txt

The files are those that `fairseq-preprocess` writes of the same text in subwords.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Optional, Tuple

from fairseq_instr.curation.encoding import refuse_unknown, spelled, watched
from fairseq_instr.curation.samples import STREAM
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, refuse_to_overwrite, write_atomically
from fairseq_instr.instructions.asking import ARGUMENT_MARK
from fairseq_instr.text.dictionary import check_vocabulary, read_entries
from fairseq_instr.text.lines import find_text, read_lines
from fairseq_instr.text.subwords import Encoder, load_subwords

if TYPE_CHECKING:
    from fairseq.binarizer import BinarizeSummary
    from fairseq.data import Dictionary

STREAM_PAIR = f"{STREAM}-None"
N_ABOVE = 2  # folders above a group in which its data-bin's dictionaries may be


class Corpus(NamedTuple):
    """A folder of raw text, and where its binary files go."""

    text: Path  # folder of raw text
    data: Path  # folder of binary files
    splits: List[str]  # names of the splits, such as `train`
    instructed: List[str]  # names of the splits that have instructions


class Binarised(NamedTuple):
    """One split of one corpus that was binarised."""

    # path of the binary files up to the split, such as `data-bin/task/uppercase/train`
    prefix: Path
    n_lines: int  # number of pairs
    unknown: float  # share of the subwords that the dictionaries lack, from 0 to 1
    instructions: Tuple[str, ...]  # names in the corpus's instructions; empty without any


def binarise(
    text,
    output,
    subwords,
    source_language: str,
    target_language: Optional[str] = None,
    dictionary=None,
    allow_unknown: bool = False,
    force: bool = False,
    show_progress: bool = False,
) -> List[Binarised]:
    """Write a folder of raw text, and the folders in it, as a data-bin or a group of one.

    Args:
        text: folder with `SPLIT.SOURCE`, `SPLIT.TARGET` and, where a split has instructions,
            `SPLIT.instr`, plain or `.gz`; or with folders of these, each a corpus of its own.
        output: data-bin to write, or a folder in one.
        target_language: ending of the target files; None for text of one language.
        dictionary: the model's dictionary, for both languages; copied into `output` unless the
            data-bin has it. None if the data-bin has `dict.LANGUAGE.txt`.
        allow_unknown: accept text of which the dictionary lacks more than 5 % of the subwords,
            and subwords of another vocabulary than the dictionary's.

    Raises:
        InputError: if there is no dictionary, there is no text or an empty file, files are not
            aligned or exist, the subwords are of another vocabulary, or the dictionary lacks too
            many of them. Nothing is written then.
    """
    languages = [source_language, *([] if target_language is None else [target_language])]
    pair = f"{source_language}-{target_language}"
    corpora = _find_corpora(Path(text), Path(output), source_language)
    for corpus in corpora:
        for split in corpus.splits:
            refuse_to_overwrite(corpus.data / f"{split}.{pair}.{source_language}.idx", force)
    encoders = load_subwords(subwords, source_language, target_language or source_language)
    in_data_bin = {language: _dictionary_in_data_bin(output, language) for language in languages}
    chosen = {
        language: _choose_dictionary(output, language, found, dictionary)
        for language, found in in_data_bin.items()
    }
    for file in [] if allow_unknown else set(chosen.values()):
        check_vocabulary(encoders, read_entries(file), f"--subwords {subwords}", str(file))
    dictionaries = {language: _load(file) for language, file in chosen.items()}
    done: List[Binarised] = []
    with contextlib.ExitStack() as stack:  # all files appear together
        for corpus in corpora:
            stream = _stream_dictionary(corpus, encoders.source, dictionaries[source_language])
            words = stream.symbols[stream.nspecial :]
            instructions = tuple(word for word in words if not word.startswith(ARGUMENT_MARK))
            for split in corpus.splits:
                sides = {f"{pair}.{language}": dictionaries[language] for language in languages}
                if split in corpus.instructed:
                    sides[f"{STREAM_PAIR}.{STREAM}"] = stream
                summaries = {}
                for side, entries in sides.items():
                    ending = side.rpartition(".")[2]
                    encoder = encoders.target if ending == target_language else encoders.source
                    path = find_text(corpus.text / f"{split}.{ending}")
                    binary, index = (
                        stack.enter_context(atomic_path(corpus.data / f"{split}.{side}.{e}", force))
                        for e in ("bin", "idx")
                    )
                    lines = watched(spelled(path, encoder), str(path), show_progress)
                    summaries[path] = summary = _write(lines, entries, binary, index)
                    if not allow_unknown:
                        n_pieces = summary.num_tok - summary.num_seq  # without the ends of lines
                        refuse_unknown(path, summary.replaced or {}, n_pieces)
                n_lines = _count_lines(summaries)
                if not n_lines:
                    raise InputError(f"{next(iter(summaries))} is empty; leave such files out")
                n_tokens = sum(summary.num_tok for summary in summaries.values())
                n_unknown = sum(summary.num_replaced for summary in summaries.values())
                share = n_unknown / max(1, n_tokens)
                done.append(Binarised(corpus.data / split, n_lines, share, instructions))
            if corpus.instructed:
                path = corpus.data / f"dict.{STREAM}.txt"
                stream.save(str(stack.enter_context(atomic_path(path, force=True))))
    for language in (language for language, found in in_data_bin.items() if found is None):
        content = "".join(f"{line}\n" for line in read_lines(dictionary))
        write_atomically(Path(output, f"dict.{language}.txt"), content)
    return done


def _find_corpora(text: Path, output: Path, language: str) -> List[Corpus]:
    if not text.is_dir():
        raise InputError(f"--input {text} is no folder; give one with SPLIT.{language}")
    corpora = []
    for folder in sorted((text, *(path for path in text.rglob("*") if path.is_dir()))):
        splits, instructed = (
            sorted(
                {  # a file may lie there packed as well
                    path.name.split(".")[0]
                    for ending in ("", ".gz")
                    for path in folder.glob(f"[!.]*.{side}{ending}")
                }
            )
            for side in (language, STREAM)
        )
        if splits:
            corpora.append(Corpus(folder, output / folder.relative_to(text), splits, instructed))
    if not corpora:
        raise InputError(f"--input {text} and the folders in it hold no SPLIT.{language}")
    return corpora


def _dictionary_in_data_bin(output, language: str) -> Optional[Path]:
    data = Path(output).absolute()
    files = (f / f"dict.{language}.txt" for f in (data, *list(data.parents)[:N_ABOVE]))
    return next((file for file in files if file.is_file()), None)


def _load(dictionary: Path) -> "Dictionary":
    from fairseq.data import Dictionary

    read_entries(dictionary)  # says what is wrong in one sentence
    return Dictionary.load(str(dictionary))


def _choose_dictionary(output, language: str, found: Optional[Path], given) -> Path:
    if found is None and given is None:
        raise InputError(
            f"--output {output}: neither this folder nor its data-bin has dict.{language}.txt; "
            "give the model's --dictionary"
        )
    if found is not None and given is not None and read_entries(found) != read_entries(given):
        raise InputError(
            f"--dictionary {given} differs from {found}, which the data-bin has; leave the option "
            "out, or write another data-bin"
        )
    return found or Path(given)


def _stream_dictionary(corpus: Corpus, encoder: Encoder, source: "Dictionary") -> "Dictionary":
    """A dictionary of the instructions of a corpus; ids in streams that stay don't move."""
    from fairseq.data import Dictionary

    path = corpus.data / f"dict.{STREAM}.txt"
    rewritten = {f"{split}.{STREAM_PAIR}.{STREAM}.idx" for split in corpus.instructed}
    written = {idx.name for idx in corpus.data.glob(f"*.{STREAM_PAIR}.{STREAM}.idx")}
    stays = path.is_file() and not written <= rewritten
    dictionary = Dictionary.load(str(path)) if stays else Dictionary()
    for split in corpus.instructed:
        path = find_text(corpus.text / f"{split}.{STREAM}")
        for number, line in enumerate(spelled(path, encoder), start=1):
            for token in line.split():
                piece = token[len(ARGUMENT_MARK) :]
                if token.startswith(ARGUMENT_MARK) and piece not in source.indices:
                    raise InputError(
                        f"{path}: line {number}: the source's dictionary lacks {piece!r}, a piece "
                        "of the argument; leave such lines out"
                    )
                dictionary.add_symbol(token)
    return dictionary


def _write(lines: Iterable[str], dictionary: "Dictionary", binary: Path, index: Path):
    from fairseq.binarizer import BinarizeSummary, VocabularyDatasetBinarizer
    from fairseq.data import indexed_dataset

    binarizer, summary = VocabularyDatasetBinarizer(dictionary), BinarizeSummary()
    builder = indexed_dataset.make_builder(str(binary), "mmap", len(dictionary))
    for line in lines:
        builder.add_item(binarizer.binarize_line(line, summary))
    builder.finalize(str(index))
    return summary


def _count_lines(summaries: Dict[Path, "BinarizeSummary"]) -> int:
    counts = {path: summary.num_seq for path, summary in summaries.items()}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{path} has {n}" for path, n in counts.items())
        raise InputError(f"files must be aligned line by line, but their lines differ: {shown}")
    return next(iter(counts.values()))
