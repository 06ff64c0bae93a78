"""Corpora: sentence pairs of two languages, with what is asked of each."""

from __future__ import annotations

import filecmp
import itertools
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, FrozenSet, Iterable, Iterator, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch
from fairseq.data import Dictionary, LanguagePairDataset, data_utils

from fairseq_instr.data.data_bin import DENOISE, STREAM, holds_pair, pairs_in
from fairseq_instr.data.denoise import Noise
from fairseq_instr.data.dictionary import base_symbols
from fairseq_instr.data.pairs import SentencePairs, TokenLines, reading
from fairseq_instr.data.streams import InstructionStream, load_stream
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.composition import compose_requests
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.inventory import direction as direction_name
from fairseq_instr.text.pairs import Pair

logger = logging.getLogger(__name__)

MAX_UNKNOWN = 0.05
"""Share of unknown tokens from which on a text was not encoded as the model's text was."""
MAX_LANGUAGE_TOKENS = 0.01
"""Share of language tokens from which on a text holds those that prompts would say again."""
N_LOOKED_AT = 1000  # lines of a corpus whose tokens are counted, evenly spread


@dataclass
class Corpus:
    """One language pair of one binarised folder."""

    name: str  # path of the folder below the data-bin (`.` for the data-bin itself)
    pair: Pair  # source and target language
    dataset: SentencePairs  # tokens of both sides
    # instructions of each pair; None where there are none
    stream: Optional[InstructionStream] = None
    fixed: Tuple[Request, ...] = ()  # requests that every pair gets: its direction, `--instruct`
    # makes the sources from the text; None where they are as they stand
    noise: Optional[Noise] = None
    is_prompt: bool = False  # whether sources are whole prompts, that nothing is added to
    # request that a line of the stream gets if it names none of `directions`; None to add nothing
    direction: Optional[Request] = None
    # positions of that instruction and of those that exclude it
    directions: FrozenSet[int] = frozenset()

    def __len__(self) -> int:
        return len(self.dataset)

    def source(self, index: int, epoch: int, place: int) -> torch.Tensor:
        """Tokens of a source: LongTensor `(n,)`, ending in eos; the place decides its noise."""
        text = self.dataset.src
        if self.noise is None:
            return text[index]
        return self.noise(text[index], epoch, place, text)

    def requests(self, index: int) -> Tuple[Request, ...]:
        """What is asked of one pair, in canonical order."""
        if self.stream is None:
            return self.fixed
        asked = self.all_asked(self.stream.requests(index))
        by_position = {request.position: request for request in asked}
        return tuple(by_position[position] for position in sorted(by_position))

    def all_asked(self, own: Sequence[Request]) -> Sequence[Request]:
        """What a line of the stream asks for, and what is asked of every pair, in no order."""
        asked = [*own, *self.fixed]
        positions = (request.position for request in asked)
        if self.direction is not None and self.directions.isdisjoint(positions):
            asked.append(self.direction)
        return asked

    @property
    def named(self) -> Iterator[Request]:
        """What the lines of the stream ask for, without arguments."""
        compositions = self.stream.compositions if self.stream is not None else ()
        return map(Request, itertools.chain.from_iterable(compositions))

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
    """Load one pair of the folder `name` of a data-bin with its instructions.

    Args:
        load_pair: `(folder, split, source, target) -> dataset` of the tokens of both sides.
        fixed: what is asked of every pair besides its own instructions.
        direction: request for the pair's target language, which a pair gets unless its line of
            the stream names one of that axis.

    Raises:
        InputError: if files are missing, or streams have different lengths.
    """
    folder = Path(data, name)
    if not holds_pair(folder, split, pair):
        held = ", ".join("-".join(p) for p in pairs_in(folder, split)) or "none"
        raise InputError(
            f"corpus {folder}: split {split!r} has no language pair {'-'.join(pair)}; pairs "
            f"there: {held}; binarise it with fairseq-preprocess or change -s, -t, --lang-pairs"
        )
    origin = f"corpus {folder}, split {split!r}"
    remedy = "they must be aligned line by line: binarise them again from aligned files"
    with reading(origin):
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
    if stream is None:
        if direction is not None:
            corpus.fixed = compose_requests((*fixed, direction), inventory, f"--instruct, {origin}")
        return corpus
    if direction is not None:
        corpus.direction = direction
        corpus.directions = frozenset(inventory.members(inventory[direction.position].axis))
    stream.check(corpus.all_asked, inventory, origin, " and --instruct" if fixed else "")
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
        language: whose direction instruction every sentence gets.
        dictionary: of source and target, which must be one.

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
    with reading(prefix):
        text = data_utils.load_indexed_dataset(prefix, dictionary, dataset_impl)
        dataset = SentencePairs(text, text, text.sizes, text.sizes, dictionary)
    fixed = (Request(inventory.position(asked)),)
    return Corpus(name, (language, language), dataset, None, fixed, noise)


def group_sizes(groups: Mapping[str, Iterable[Corpus]]) -> Dict[str, int]:
    """Number of samples of each group."""
    return {name: sum(map(len, corpora)) for name, corpora in groups.items()}


def check_dictionary(path: Path, expected: Path, dictionary: Dictionary) -> None:
    """Make sure that a corpus was binarised with the dictionary that it is read with.

    Args:
        path: dictionary beside the corpus, which fairseq-preprocess wrote; it may be missing.

    Raises:
        InputError: names both files and the first entry that differs.
    """
    if not path.is_file() or (expected.is_file() and filecmp.cmp(path, expected, shallow=False)):
        return
    theirs, ours = Dictionary.load(str(path)).symbols, base_symbols(dictionary)
    if theirs == ours:
        return
    differ = (i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b)
    at = next(differ, min(len(theirs), len(ours)))
    one, other = (repr(s[at]) if at < len(s) else "missing" for s in (theirs, ours))
    line = at - dictionary.nspecial + 1
    raise InputError(
        f"{path} differs from {expected}: line {line} is {one}, expected {other}; binarise this "
        f"corpus again with --srcdict {expected}"
    )


def token_share(lines: TokenLines, tokens: torch.Tensor) -> float:
    """Share that tokens, such as the unknown one, have in lines spread evenly over a text.

    The eos at the end of each line is left out.
    """
    indices = np.linspace(0, len(lines) - 1, min(len(lines), N_LOOKED_AT)).astype(int)
    found = [lines[int(index)][:-1] for index in indices]
    return sum(int(torch.isin(line, tokens.to(line)).sum()) for line in found) / max(
        sum(map(len, found)), 1
    )
