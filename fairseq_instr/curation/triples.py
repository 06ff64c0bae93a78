r"""Triples as JSON lines, for other tools: a source, a target and the instructions it obeys.

    {"source": "Come in!", "target": "Kommen Sie herein!", "instructions": ["formal"]}

One object a line with exactly these entries. An instruction is written as after `--instruct`:
a name, or `begin-with="Heute"` where it has a slot. No file is held in memory.
"""

from __future__ import annotations

import itertools
import json
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence

from fairseq_instr.curation.filters import CONTROL, well_formed
from fairseq_instr.errors import InputError
from fairseq_instr.files import writing_lines
from fairseq_instr.instructions.asking import (
    ARGUMENT_MARK,
    group_tokens,
    parse_line,
    quote,
    split,
)
from fairseq_instr.instructions.catalogue import check_composition
from fairseq_instr.instructions.composition import compose
from fairseq_instr.instructions.instruction import NAME_PATTERN
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.plain_data import build, parse_json
from fairseq_instr.text.lines import iterate_lines

MAX_LINE = 1024 * 1024
"""Longest line, in bytes: none of a text is, and a file without line breaks is not held."""


class Triple(NamedTuple):
    """A sentence pair and what its target obeys."""

    source: str
    target: str
    instructions: List[str]


Watch = Callable[[Iterable], Iterable]
"""Passes an iterable on and shows how far it is, as `tqdm` does."""


def import_triples(
    path,
    outputs: Sequence,
    inventory: Optional[Inventory] = None,
    force: bool = False,
    watch: Watch = iter,
) -> int:
    """JSON lines -> three aligned files of raw text.

    Args:
        outputs: paths of sources, targets and instructions; they appear together, at the end.
        inventory: the instructions that are accepted; None for any name.

    Returns:
        Number of triples.

    Raises:
        InputError: if a line is no triple or its instructions are refused, or an output exists.
    """
    count = 0
    with writing_lines(outputs, force) as files:
        for line in watch(iterate_lines(path, MAX_LINE)):
            count += 1
            triple = read_triple(line, f"{path}: line {count}", inventory)
            for file, text in zip(files, (*triple[:2], " ".join(triple.instructions))):
                file.write(f"{text}\n")
    return count


def export_triples(
    inputs: Sequence,
    output,
    inventory: Optional[Inventory] = None,
    unspell: Optional[Callable[[str], str]] = None,
    force: bool = False,
    watch: Watch = iter,
) -> int:
    """Three aligned files -> JSON lines; the inverse of `import_triples`.

    Args:
        inputs: paths of sources, targets and instructions, plain or `.gz`.
        unspell: subwords by spaces -> text, for arguments that are spelled in them.

    Returns:
        Number of triples.

    Raises:
        InputError: if the files are not aligned, a line is not well formed, or its instructions
            are refused; if the output exists.
    """
    count = 0
    with writing_lines([output], force) as [file]:
        readers = [iterate_lines(path, MAX_LINE) for path in inputs]
        for row in watch(itertools.zip_longest(*readers)):
            if None in row:
                short, long = (
                    inputs[next(i for i, cell in enumerate(row) if (cell is None) == ended)]
                    for ended in (True, False)
                )
                raise InputError(
                    f"{short} ends after {count} lines, {long} goes on: they must be aligned line "
                    "by line; give files of one extraction"
                )
            count += 1
            source, target, asked = row
            instructions = read_instructions(asked, f"{inputs[2]}: line {count}", unspell)
            where = f"{inputs[0]}: line {count}"
            triple = check(Triple(source, target, instructions), where, inventory)
            file.write(to_json(triple) + "\n")
    return count


def read_triple(line: str, where: str, inventory: Optional[Inventory] = None) -> Triple:
    """A triple of a JSON line; `where`, its file and line, begins an error."""
    triple = build(Triple, parse_json(line, where), where)
    try:
        asked = [str(split(instruction)) for instruction in triple.instructions]
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return check(triple._replace(instructions=asked), where, inventory)


def read_instructions(
    line: str, where: str, unspell: Optional[Callable[[str], str]] = None
) -> List[str]:
    """Instructions of a line of an `.instr` file, arguments in quotation marks or in subwords."""
    try:
        tokens = parse_line(line)
        if not any(token.startswith(ARGUMENT_MARK) for token in tokens):
            return list(tokens)
        if unspell is None:
            raise InputError("an argument is spelled in subwords; give --subwords to read it")
        return [
            f"{name}={quote(unspell(' '.join(pieces)))}" if pieces else name
            for name, pieces in group_tokens(tokens)
        ]
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def check(triple: Triple, where: str, inventory: Optional[Inventory] = None) -> Triple:
    """The triple, if it can stand in three aligned files."""
    reason = well_formed(triple.source, triple.target)
    if reason is not None:
        raise InputError(f"{where}: the pair is refused: {reason}")
    for instruction in triple.instructions:
        if not NAME_PATTERN.fullmatch(split(instruction).name):
            raise InputError(
                f"{where}: instruction {instruction!r:.80} is not accepted: write a name, or "
                'NAME="ARGUMENT"'
            )
        if well_formed(instruction, instruction):
            raise InputError(f"{where}: instruction {instruction!r:.80} {CONTROL}")
    try:
        if inventory is not None:
            compose(triple.instructions, inventory)
        else:
            check_composition(triple.instructions)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return triple


def to_json(triple: Triple) -> str:
    """The triple as a JSON line, without its end."""
    return json.dumps(triple._asdict(), ensure_ascii=False)
