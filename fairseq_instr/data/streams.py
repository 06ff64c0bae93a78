"""The third stream of a corpus: what is asked of each sentence pair.

Raw text is a line of names a pair, such as `uppercase begin-with="Heute"`. It is binarised with
`fairseq-preprocess --source-lang instr --only-source`, after its arguments were spelled in the
subwords of the source, each with `=` in front: `uppercase begin-with =▁Heu =te`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
from fairseq.data import Dictionary, data_utils

from fairseq_instr.data.data_bin import STREAM, stream_index
from fairseq_instr.data.pairs import TokenLines, reading
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import ARGUMENT_MARK, Request, parse_line, split
from fairseq_instr.instructions.composition import compose_requests
from fairseq_instr.instructions.inventory import Inventory

MAX_STREAM_TOKENS = 100_000  # longest line of instructions in tokens: more is a broken file
Composition = Tuple[int, ...]  # positions of the instructions of a line


@dataclass
class InstructionStream:
    """What is asked of each pair of a corpus."""

    lines: TokenLines  # symbols of `dict.instr.txt`, a line a pair
    # what each symbol of that dictionary asks for; empty for the pieces of arguments. Words that
    # the dictionary lacks are refused when the corpus is loaded
    named: Sequence[Tuple[Request, ...]]
    # id in the source's dictionary of each symbol that is a piece of an argument, -1 for others;
    # None without any
    pieces: Optional[np.ndarray] = None
    # how many lines ask for the same instructions, as `check` found them
    compositions: Counter[Composition] = field(default_factory=Counter)

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

    def check(
        self,
        all_asked: Callable[[Sequence[Request]], Sequence[Request]],
        inventory: Inventory,
        origin: str,
        others: str = "",
    ) -> None:
        """Make sure that each line can be read and composed.

        Args:
            all_asked: requests of a line -> those, and what else is asked of its pair.
            origin: corpus and split, to begin an error with.
            others: what else asks, such as ` and --instruct`, for the error of two that exclude
                each other.

        Raises:
            InputError: names the first line (counted from 1) with a fault.
        """
        unknown = Dictionary().unk()
        checked: Dict[bytes, Composition] = {}
        # compositions are few, lines many: each is checked once
        for index in np.flatnonzero(np.asarray(self.lines.sizes) > 1).tolist():
            where = f"{origin}, line {index + 1}"
            try:
                line = self.lines[index][:-1].numpy()
            except (ValueError, OverflowError, RuntimeError) as error:
                raise InputError(
                    f"{where} of the .{STREAM} stream can't be read ({error}): it is broken or "
                    "cut short, binarise it again"
                ) from None
            key = line.tobytes()
            if key not in checked:
                if line.min() < 0 or line.max() >= len(self.named):
                    raise InputError(
                        f"{where} of the .{STREAM} stream holds what is not in dict.{STREAM}.txt: "
                        "they are of different streams, binarise it again"
                    )
                if (line == unknown).any():
                    raise InputError(
                        f"{where}: an instruction is not in dict.{STREAM}.txt; binarise the stream "
                        "again with a dictionary that holds those of all splits"
                    )
                if self.pieces is not None and self.pieces[line[0]] >= 0:
                    raise InputError(
                        f"{where}: it begins with an argument; tokens that begin with "
                        f"{ARGUMENT_MARK!r} stand behind their instruction"
                    )
                asked = compose_requests(
                    all_asked(self.requests(index)), inventory, f"{where}{others}"
                )
                for request in asked:
                    instruction = inventory[request.position]
                    if (request.argument is None) != (instruction.argument is None):
                        verb = "needs an" if request.argument is None else "takes no"
                        raise InputError(
                            f"{where}: instruction {instruction.name!r} {verb} argument; the "
                            f"tokens after it that begin with {ARGUMENT_MARK!r} are one"
                        )
                if len(checked) >= MAX_STREAM_TOKENS:  # arguments are without end
                    checked.clear()
                checked[key] = tuple(request.position for request in asked)
            self.compositions[checked[key]] += 1


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
    if not stream_index(folder, split).exists():
        return None
    prefix = str(stream_index(folder, split).with_suffix(""))
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
            raise InputError(
                f"{dictionary_file}: {error}; what task data ask for must stand in the inventory"
            ) from None
    lines = _open_stream(prefix, dictionary, dataset_impl)
    return InstructionStream(lines, named, pieces if (pieces >= 0).any() else None)


def _named(text: str, inventory: Inventory) -> Request:
    name, argument = split(text)
    if argument is not None:
        raise InputError(
            f"the argument of {text!r:.80} is not spelled in subwords; run fairseq-instr encode on "
            "the .instr file, then binarise it again"
        )
    return Request(inventory.position(name))


def _open_stream(prefix: str, dictionary: Dictionary, dataset_impl: Optional[str]) -> TokenLines:
    with reading(prefix):
        stream = data_utils.load_indexed_dataset(prefix, dictionary, dataset_impl)
        sizes = np.asarray(stream.sizes)  # of None where a file is missing
    if len(sizes) and (sizes.min() < 1 or sizes.max() > MAX_STREAM_TOKENS):
        raise InputError(
            f"{prefix}.idx has a line of {sizes.min()} or {sizes.max()} tokens; it is broken or "
            "cut short: binarise the stream again"
        )
    return stream


def _piece(piece: str, source_dictionary: Optional[Dictionary]) -> int:
    if source_dictionary is None or piece not in source_dictionary.indices:
        raise InputError(
            f"the piece {piece!r} of an argument is not in the source's dictionary; spell "
            "arguments with the subwords of the source, as fairseq-instr encode does"
        )
    return source_dictionary.index(piece)
