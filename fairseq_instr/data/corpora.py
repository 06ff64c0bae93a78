"""Finding and loading corpora: binarised folders with source, target and instructions.

    data-bin/train.en-de.{en,de}.{bin,idx}                   a flat data-bin is one corpus
    data-bin/parallel/...                                    a group that is one corpus
    data-bin/task/formality/train.en-de.{en,de}.{bin,idx}    a group of corpora
                            train.instr-None.instr.{bin,idx}
                            dict.instr.txt
    data-bin/denoise/train.de-None.de.{bin,idx}              text of one language, noised on the fly
    data-bin/general/train.prompt-response.{prompt,response}.{bin,idx}   tasks with their prompts

The files are stock `fairseq-preprocess` output; the instructions are a third stream, made with
`--source-lang instr --only-source`. There, an argument is the tokens after its instruction, each
with `=` in front, spelled in the subwords of the source: `uppercase begin-with =▁Heu =te`.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch
from fairseq.data import Dictionary, LanguagePairDataset, data_utils

from fairseq_instr.data.denoise import Noise
from fairseq_instr.data.pairs import SentencePairs, TokenLines
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import ARGUMENT_MARK, Request, parse_line, split
from fairseq_instr.instructions.composition import compose_requests
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.inventory import direction as direction_name

logger = logging.getLogger(__name__)

PARALLEL = "parallel"
DENOISE = "denoise"
GENERAL = "general"
STREAM = "instr"
MAX_STREAM_TOKENS = 100_000
"""Longest line of instructions in tokens: more is a broken file."""
Pair = Tuple[str, str]
PROMPT_PAIR: Pair = ("prompt", "response")
"""What the files of general tasks are called: their sources are whole prompts."""


@dataclass
class InstructionStream:
    """What is asked of each pair of a corpus.

    Attributes:
        lines: symbols of `dict.instr.txt`, a line a pair.
        named: what each symbol of that dictionary asks for; empty for the pieces of arguments.
            Words that the dictionary lacks are refused when the corpus is loaded.
        pieces: id in the source's dictionary of each symbol that is a piece of an argument, -1
            for others; None without any.
    """

    lines: TokenLines
    named: Sequence[Tuple[Request, ...]]
    pieces: Optional[np.ndarray] = None

    def __len__(self) -> int:
        return len(self.lines)

    def requests(self, index: int) -> List[Request]:
        """What a line asks for; the pieces after an instruction are its argument."""
        if self.lines.sizes[index] == 1:  # eos alone
            return []
        asked: List[Request] = []
        for token in self.lines[index].tolist()[:-1]:
            asked += self.named[token]
            if self.pieces is not None and self.pieces[token] >= 0 and asked:
                position, argument = asked[-1].position, asked[-1].argument or ()
                asked[-1] = Request(position, (*argument, int(self.pieces[token])))
        return asked

    def n_tokens(self, index: np.ndarray) -> np.ndarray:
        """Upper bound of the tokens of some lines when rendered: int64 `(n,)`."""
        n_tokens = np.asarray(self.lines.sizes)[index].astype(np.int64) - 1
        n_tokens *= max(map(len, self.named), default=1) or 1
        # an instruction and one piece at least, for each symbol that comes again
        return n_tokens if self.pieces is None else n_tokens + n_tokens // 2


@dataclass
class Corpus:
    """One language pair of one binarised folder.

    Attributes:
        name: path of the folder below the data-bin (`.` for the data-bin itself).
        pair: source and target language.
        dataset: tokens of both sides.
        stream: instructions of each pair; None where there are none.
        fixed: requests that every pair gets: its direction, `--instruct`.
        direction: request that a line of the stream gets if it names none of `directions`; None
            to add nothing.
        directions: positions of that instruction and of those that exclude it.
        noise: makes the sources from the text; None where they are as they stand.
        is_prompt: whether sources are whole prompts, that nothing is added to.
    """

    name: str
    pair: Pair
    dataset: SentencePairs
    stream: Optional[InstructionStream] = None
    fixed: Tuple[Request, ...] = ()
    noise: Optional[Noise] = None
    is_prompt: bool = False
    direction: Optional[Request] = None
    directions: FrozenSet[int] = frozenset()

    def __len__(self) -> int:
        return len(self.dataset)

    def source(self, index: int, epoch: int, place: int) -> torch.Tensor:
        """Tokens of a source: LongTensor `(n,)`, ending in eos.

        Args:
            index: of the pair.
            epoch: and
            place: in it, which decide the noise.
        """
        tokens = self.dataset.src[index]
        return tokens if self.noise is None else self.noise(tokens, epoch, place)

    def requests(self, index: int) -> Tuple[Request, ...]:
        """What is asked of one pair, in canonical order."""
        if self.stream is None:
            return self.fixed
        asked = {request.position: request for request in self._asked(index)}
        return tuple(asked[position] for position in sorted(asked))

    def _asked(self, index: int) -> List[Request]:
        """As `requests`, unordered; what is asked for twice stands twice."""
        assert self.stream is not None
        asked = [*self.stream.requests(index), *self.fixed]
        positions = (request.position for request in asked)
        if self.direction is not None and self.directions.isdisjoint(positions):
            asked.append(self.direction)
        return asked

    def n_instructions(self, index: np.ndarray):
        """Upper bound of the tokens of the instructions of some pairs: int64 `(n,)`, or one int.

        One for an instruction; with an argument, its symbol twice and the argument's pieces. The
        words of a phrase that was asked for count too, since it may be longer than any listed one.
        """
        n_fixed = sum(
            1 + _argument_bound(request.argument) + len((request.phrase or "").split())
            for request in self.fixed
        )
        n_fixed += self.direction is not None
        return n_fixed if self.stream is None else self.stream.n_tokens(index) + n_fixed


def _argument_bound(argument) -> int:
    """Most tokens that an argument adds: of a text, one a byte and one for its first space."""
    if argument is None:
        return 0
    return 1 + (len(argument.encode("utf-8")) + 1 if isinstance(argument, str) else len(argument))


def find_groups(data: str, split: str) -> Dict[str, List[str]]:
    """Groups of a data-bin and the folders of their corpora, relative to the data-bin.

    A flat data-bin is the group `parallel` with the folder `.`; a folder below is a group,
    itself a corpus if it holds the split, with those of its folders that hold it. The corpora
    of the group `denoise` hold text of single languages, those of others language pairs.

    Args:
        data: path of the data-bin.
        split: such as `train`.

    Raises:
        InputError: if the data-bin is not there.
    """
    root = Path(data)
    if not root.is_dir():
        raise InputError(f"data-bin {data} does not exist; make it with fairseq-preprocess")
    groups: Dict[str, List[str]] = {}
    if _pairs_in(root, split):
        groups[PARALLEL] = ["."]
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        held = monolingual_in if folder.name == DENOISE else _pairs_in
        corpora = [folder] if held(folder, split) else []
        corpora += sorted(p for p in folder.iterdir() if p.is_dir() and held(p, split))
        if corpora:
            names = [os.path.relpath(corpus, root) for corpus in corpora]
            groups.setdefault(folder.name, []).extend(names)
    return groups


def _pairs_in(folder: Path, split: str) -> List[Pair]:
    """Language pairs that a folder holds of a split, by the names of its index files."""
    pairs = set()
    for path in folder.glob(f"{split}.*-*.*.idx"):
        source, _, target = path.name.split(".")[1].partition("-")
        if target != "None":
            pairs.add((source, target))
    return sorted(pairs)


def monolingual_in(folder: Path, split: str) -> List[str]:
    """Languages that a folder holds alone (`fairseq-preprocess --only-source`)."""
    paths = folder.glob(f"{split}.*-None.*.idx")
    languages = {path.name.split(".")[1].partition("-")[0] for path in paths}
    return sorted(languages - {STREAM})


def infer_pair(data: str, split: str = "train") -> Optional[Pair]:
    """The language pair of the first corpus found, or None."""
    for folders in find_groups(data, split).values():
        for folder in folders:
            for pair in _pairs_in(Path(data, folder), split):
                if pair != PROMPT_PAIR:
                    return pair
    return None


def holds_pair(folder: Path, split: str, pair: Pair) -> bool:
    """Whether a folder holds a split of a pair, in either direction.

    Instructions say how a target was written: a corpus with a stream has one direction.
    """
    pairs = _pairs_in(folder, split)
    return pair in pairs or (pair[::-1] in pairs and not _stream_index(folder, split).exists())


def pairs_from(folder: Path, split: str, language: str) -> List[Pair]:
    """Pairs of a folder's split that translate from a language, in either direction as above."""
    others = {other for pair in _pairs_in(folder, split) for other in pair if language in pair}
    pairs = [(language, other) for other in sorted(others - {language})]
    return [pair for pair in pairs if holds_pair(folder, split, pair)]


def _stream_index(folder: Path, split: str) -> Path:
    return folder / f"{split}.{STREAM}-None.{STREAM}.idx"


def load_stream(
    folder: Path,
    split: str,
    inventory: Inventory,
    dataset_impl=None,
    source_dictionary: Optional[Dictionary] = None,
) -> Optional[InstructionStream]:
    """The `.instr` stream of a folder's split; None where there is none.

    Raises:
        InputError: if `dict.instr.txt` is missing, or holds an instruction that the inventory
            lacks or a piece that the source's dictionary lacks.
    """
    if not _stream_index(folder, split).exists():
        return None
    prefix = str(_stream_index(folder, split).with_suffix(""))
    dictionary_file = folder / f"dict.{STREAM}.txt"
    if not dictionary_file.is_file():
        raise InputError(
            f"{dictionary_file} is missing beside the instructions of split {split!r}; "
            "fairseq-preprocess wrote it, copy it back"
        )
    try:
        dictionary = Dictionary.load(str(dictionary_file))
    except Exception as error:  # fairseq has no class of its own for what is no dictionary
        raise InputError(
            f"{dictionary_file} is not a dictionary ({error!s:.200}); binarise the stream again"
        ) from None
    named: List[Tuple[Request, ...]] = [()] * len(dictionary)
    pieces = np.full(len(dictionary), -1, dtype=np.int64)
    for symbol in dictionary.symbols[dictionary.nspecial :]:
        if symbol.startswith("madeupword"):
            continue
        index = dictionary.index(symbol)
        try:
            if symbol.startswith(ARGUMENT_MARK):
                pieces[index] = _piece(symbol[len(ARGUMENT_MARK) :], source_dictionary)
            else:
                named[index] = tuple(_named(name, inventory) for name in parse_line(symbol))
        except InputError as error:
            raise InputError(f"{dictionary_file}: {error}") from None
    lines = _open_stream(prefix, dictionary, dataset_impl)
    return InstructionStream(lines, named, pieces if (pieces >= 0).any() else None)


def _named(text: str, inventory: Inventory) -> Request:
    name, argument = split(text)
    if argument is not None:
        raise InputError(
            f"{text!r:.80} has an argument that is not spelled in subwords; run fairseq-instr "
            "spell-arguments on the .instr file, then binarise it again"
        )
    return Request(inventory.position(name))


def _open_stream(prefix: str, dictionary: Dictionary, dataset_impl: Optional[str]) -> TokenLines:
    """Lines of a stream whose index fits its data.

    Raises:
        InputError: if it does not, or can't be read.
    """
    remedy = "it is broken or cut short: binarise the stream again"
    try:
        stream = data_utils.load_indexed_dataset(prefix, dictionary, dataset_impl)
    except Exception as error:  # assertions, and whatever numpy makes of the bytes
        raise InputError(f"{prefix}.idx can't be read ({error!s:.200}); {remedy}") from None
    if stream is None:
        raise InputError(f"{prefix}.idx and its .bin can't be read; {remedy}")
    sizes = np.asarray(stream.sizes)
    if len(sizes) and (sizes.min() < 1 or sizes.max() > MAX_STREAM_TOKENS):
        raise InputError(
            f"{prefix}.idx has a line of {sizes.min()} or {sizes.max()} tokens; {remedy}"
        )
    return stream


def _piece(piece: str, source_dictionary: Optional[Dictionary]) -> int:
    """Id of a piece of an argument in the dictionary of the source."""
    if source_dictionary is None or piece not in source_dictionary.indices:
        raise InputError(
            f"the piece {piece!r} of an argument is not in the source's dictionary; spell "
            "arguments with the subwords of the source, as fairseq-instr encode does"
        )
    return source_dictionary.index(piece)


def load_corpus(
    data: str,
    name: str,
    split: str,
    pair: Pair,
    inventory: Inventory,
    load_pair: Callable[[str, str, str, str], LanguagePairDataset],
    fixed: Tuple[Request, ...] = (),
    direction: Optional[Request] = None,
    dataset_impl: Optional[str] = None,
) -> Corpus:
    """Load one pair of one folder with its instructions.

    Args:
        data: path of the data-bin.
        name: folder of the corpus, relative to it.
        split: such as `train`.
        pair: source and target language.
        inventory: what the instructions of the stream may be.
        load_pair: `(folder, split, source, target) -> dataset` of the tokens of both sides.
        fixed: what is asked of every pair besides its own instructions.
        direction: request for the pair's target language, which a pair gets unless its line of
            the stream names one of that axis.
        dataset_impl: fairseq's name of the storage; None to find out.

    Raises:
        InputError: if files are missing, or streams have different lengths.
    """
    folder = Path(data, name)
    if not holds_pair(folder, split, pair):
        held = ", ".join("-".join(p) for p in _pairs_in(folder, split)) or "none"
        raise InputError(
            f"corpus {folder}: split {split!r} has no language pair {'-'.join(pair)}; pairs "
            f"there: {held}; binarise it with fairseq-preprocess or change -s, -t, --lang-pairs"
        )
    origin = f"corpus {folder}, split {split!r}"
    remedy = "they must be aligned line by line: binarise them again from aligned files"
    try:
        dataset = SentencePairs.of(load_pair(str(folder), split, *pair))
    except AssertionError as error:  # fairseq's own check of source and target
        raise InputError(f"{origin}: {error}; {remedy}") from None
    stream = load_stream(folder, split, inventory, dataset_impl, dataset.src_dict)
    if stream is not None and len(stream) != len(dataset):
        raise InputError(
            f"{origin}: the .{STREAM} stream has {len(stream)} lines, source and target have "
            f"{len(dataset)}; {remedy}"
        )
    corpus = Corpus(name, pair, dataset, stream, fixed)
    if stream is None and direction is not None:
        corpus.fixed = compose_requests((*fixed, direction), inventory, origin=origin)
    elif direction is not None:
        corpus.direction = direction
        corpus.directions = frozenset(inventory.members(inventory[direction.position].axis))
    check_stream(corpus, inventory, origin)
    return corpus


def load_monolingual(
    data: str,
    name: str,
    split: str,
    language: str,
    inventory: Inventory,
    noise: Noise,
    dictionary: Dictionary,
    dataset_impl: Optional[str] = None,
) -> Corpus:
    """Load text of one language as a corpus that is denoised into itself.

    Args:
        data: path of the data-bin.
        name: folder of the corpus, relative to it.
        split: such as `train`.
        language: whose direction instruction every sentence gets.
        inventory: where it must be.
        noise: makes the sources.
        dictionary: of source and target, which must be one.
        dataset_impl: fairseq's name of the storage; None to find out.

    Raises:
        InputError: if the language has no direction instruction.
    """
    asked = direction_name(language)
    if asked not in inventory:
        raise InputError(
            f"group {DENOISE}: {Path(data, name)} holds text in {language!r}, whose instruction "
            f"{asked!r} is not in the inventory; languages there: "
            f"{', '.join(inventory.target_languages) or 'none'}; add it, or remove the text"
        )
    prefix = str(Path(data, name, f"{split}.{language}-None.{language}"))
    text = data_utils.load_indexed_dataset(prefix, dictionary, dataset_impl)
    dataset = SentencePairs(text, text, text.sizes, text.sizes, dictionary)
    fixed = (Request(inventory.position(asked)),)
    return Corpus(name, (language, language), dataset, None, fixed, noise)


def check_stream(corpus: Corpus, inventory: Inventory, origin: str) -> None:
    """Make sure that a stream holds known instructions, and at most one of each axis in a line.

    Raises:
        InputError: names the first line (counted from 1) where it does not.
    """
    stream = corpus.stream
    if stream is None:
        return
    unknown = Dictionary().unk()
    checked = set()
    # compositions are few, lines many: check each composition once
    for index in np.flatnonzero(np.asarray(stream.lines.sizes) > 1):
        try:
            line = stream.lines[int(index)][:-1]
        except (ValueError, OverflowError, RuntimeError) as error:
            raise InputError(
                f"{origin}, line {index + 1} of the .{STREAM} stream can't be read ({error}): "
                "it is broken or cut short, binarise it again"
            ) from None
        if ((line < 0) | (line >= len(stream.named))).any():
            raise InputError(
                f"{origin}, line {index + 1} of the .{STREAM} stream holds what is not in "
                f"dict.{STREAM}.txt: they are of different streams, binarise it again"
            )
        if (line == unknown).any():
            raise InputError(
                f"{origin}, line {index + 1}: an instruction is not in dict.{STREAM}.txt; "
                f"binarise the stream again with a dictionary that holds those of all splits"
            )
        requests = corpus._asked(int(index))
        composition = tuple((r.position, r.argument is not None) for r in requests)
        if composition not in checked:
            checked.add(composition)
            where = f"{origin}, line {index + 1}"
            compose_requests(requests, inventory, origin=where)
            for position, given in composition:
                instruction = inventory[position]
                if given != (instruction.argument is not None):
                    verb = "takes no" if given else "needs an"
                    raise InputError(
                        f"{where}: instruction {instruction.name!r} {verb} argument; the tokens "
                        f"after it that begin with {ARGUMENT_MARK!r} are one"
                    )


def group_sizes(groups: Mapping[str, Iterable[Corpus]]) -> Dict[str, int]:
    """Number of samples of each group."""
    return {name: sum(map(len, corpora)) for name, corpora in groups.items()}
