r"""Triples as JSON lines, for other tools: a source, a target and the instructions it obeys.

    {"source": "Come in!", "target": "Kommen Sie herein!", "instructions": ["formal"]}

One object a line with exactly these entries. An instruction is written as after `--instruct`:
a name, or `begin-with="Heute"` where it has a slot. Both ways, a file is read line by line and
never held in memory; what is no triple is an error that names the line.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.curation.aligned_text import open_text
from fairseq_instr.curation.filters import CONTROL, well_formed
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path
from fairseq_instr.instructions.asking import (
    ARGUMENT_MARK,
    group_tokens,
    parse_line,
    quote,
    spell_line,
    split,
)
from fairseq_instr.instructions.composition import compose
from fairseq_instr.instructions.instruction import NAME_PATTERN
from fairseq_instr.instructions.inventory import Inventory

ENTRIES = ("source", "target", "instructions")
MAX_LINE = 1024 * 1024
"""Longest line, in bytes: none of a text is, and a file without line breaks is not held."""


class Triple(NamedTuple):
    """A sentence pair and what its target obeys; the instructions as in `asking.parse`."""

    source: str
    target: str
    instructions: Tuple[str, ...] = ()


def import_triples(
    path,
    outputs: Sequence,
    inventory: Optional[Inventory] = None,
    spell: Optional[Callable[[str], str]] = None,
    force: bool = False,
    progress: Optional[Callable[[int], object]] = None,
) -> int:
    """JSON lines -> three aligned files.

    Args:
        path: the JSON lines, plain or `.gz`.
        outputs: paths of sources, targets and instructions; they appear together, at the end.
        inventory: the instructions that are accepted; None for any name.
        spell: text -> subwords by spaces, for arguments; None leaves them in quotation marks.
        force: overwrite the outputs.
        progress: is told the bytes of each line, after decompression.

    Returns:
        number of triples.

    Raises:
        InputError: if a line is no triple or its instructions are refused, or an output exists.
    """
    if len(set(map(str, outputs))) < len(outputs):
        raise InputError(
            f"{', '.join(map(str, outputs))}: two outputs have one name; give two languages, "
            "neither of them instr"
        )
    count = 0
    with contextlib.ExitStack() as stack:
        files = []
        for output in outputs:
            temporary = stack.enter_context(atomic_path(output, force))
            # closed before the rename: the stack unwinds backwards
            files.append(stack.enter_context(_writing(temporary)))
        for where, line in _lines(path, progress):
            triple = read_triple(line, where, inventory)
            asked = " ".join(triple.instructions)
            asked = spell_line(asked, spell) if spell is not None else asked
            for file, text in zip(files, (triple.source, triple.target, asked)):
                file.write(f"{text}\n")
            count += 1
    return count


def export_triples(
    inputs: Sequence,
    output,
    inventory: Optional[Inventory] = None,
    unspell: Optional[Callable[[str], str]] = None,
    force: bool = False,
    progress: Optional[Callable[[int], object]] = None,
) -> int:
    """Three aligned files -> JSON lines; the inverse of `import_triples`.

    Args:
        inputs: paths of sources, targets and instructions, plain or `.gz`.
        output: JSON lines to write.
        inventory: the instructions that are accepted; None for any name.
        unspell: subwords by spaces -> text, for arguments that are spelled in them.
        force: overwrite the output.
        progress: is told the bytes of each source line.

    Returns:
        number of triples.

    Raises:
        InputError: if the files are not aligned, a line is not well formed, or its instructions
            are refused; if the output exists.
    """
    count = 0
    with atomic_path(output, force) as temporary, _writing(temporary) as file:
        readers = [_lines(inputs[0], progress), *map(_lines, inputs[1:])]
        for row in itertools.zip_longest(*readers):
            if None in row:
                short, long = (
                    inputs[next(i for i, cell in enumerate(row) if (cell is None) == ended)]
                    for ended in (True, False)
                )
                raise InputError(
                    f"{short} ends after {count} lines, {long} goes on: they must be aligned line "
                    "by line; give files of one extraction"
                )
            (where, source), (_, target), (asked_where, asked) = row
            instructions = read_instructions(asked, asked_where, unspell)
            triple = check(Triple(source, target, instructions), where, inventory)
            file.write(to_json(triple) + "\n")
            count += 1
    return count


def read_triple(line: str, where: str, inventory: Optional[Inventory] = None) -> Triple:
    """A triple of a JSON line.

    Args:
        line: of the file.
        where: file and line, to begin an error with.
        inventory: the instructions that are accepted; None for any name.

    Raises:
        InputError: if it is none.
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not JSON: {str(error) or 'nested too deeply'}") from None
    if not isinstance(content, dict) or set(content) != set(ENTRIES):
        found = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise InputError(
            f"{where} is no triple: expected an object with {', '.join(ENTRIES)} and nothing "
            f"else, found {found!s:.200}"
        )
    source, target, instructions = (content[entry] for entry in ENTRIES)
    if not isinstance(source, str) or not isinstance(target, str):
        raise InputError(f"{where}: source and target must be texts")
    if not isinstance(instructions, list) or not all(isinstance(i, str) for i in instructions):
        raise InputError(f'{where}: instructions must be a list of texts, such as ["formal"]')
    try:
        asked = tuple(str(split(instruction)) for instruction in instructions)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return check(Triple(source, target, asked), where, inventory)


def read_instructions(
    line: str, where: str, unspell: Optional[Callable[[str], str]] = None
) -> Tuple[str, ...]:
    """Instructions of a line of an `.instr` file, arguments in quotation marks or in subwords.

    Raises:
        InputError: if an argument is in subwords and there is nothing to read them with, or
            it stands before any instruction.
    """
    try:
        if not any(token.startswith(ARGUMENT_MARK) for token in parse_line(line)):
            return parse_line(line)
        if unspell is None:
            raise InputError("an argument is spelled in subwords; give --subwords to read it")
        return tuple(
            f"{name}={quote(unspell(' '.join(pieces)))}" if pieces else name
            for name, pieces in group_tokens(parse_line(line))
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def check(triple: Triple, where: str, inventory: Optional[Inventory] = None) -> Triple:
    """The triple, if it can stand in three aligned files.

    Raises:
        InputError: if a text is empty or would break its line, or an instruction is refused.
    """
    reason = well_formed(triple.source, triple.target)
    if reason is None and _surrogates(triple.source + triple.target):
        reason = "holds half a character (a lone surrogate)"
    if reason is not None:
        raise InputError(
            f"{where}: the pair {reason}" if reason == CONTROL else f"{where}: {reason}"
        )
    for instruction in triple.instructions:
        request = split(instruction)
        if not NAME_PATTERN.fullmatch(request.name):
            raise InputError(
                f"{where}: instruction {instruction!r:.80} is not accepted: write a name, or "
                'NAME="ARGUMENT"'
            )
        if well_formed(instruction, instruction) or _surrogates(instruction):
            raise InputError(f"{where}: instruction {instruction!r:.80} {CONTROL}")
    if inventory is not None:
        compose(triple.instructions, inventory, where)
    return triple


def to_json(triple: Triple) -> str:
    """The triple as a JSON line, without its end."""
    return json.dumps(dict(zip(ENTRIES, triple)), ensure_ascii=False)


def _surrogates(text: str) -> bool:
    return re.search("[\ud800-\udfff]", text) is not None


def _writing(path):
    return open(path, "w", encoding="utf-8", newline="\n")


def _lines(path, progress: Optional[Callable[[int], object]] = None) -> Iterator[Tuple[str, str]]:
    """(file and line as words, the line) of a file, plain or `.gz`."""
    if not Path(path).is_file():
        raise InputError(f"{path} does not exist or is no file")
    with open_text(path) as file:
        for number in itertools.count(1):
            where = f"{path}: line {number}"
            try:
                line = file.readline(MAX_LINE + 1)
            except (OSError, EOFError) as error:
                raise InputError(f"{where} can't be read: {error}; fetch it again") from None
            if not line:
                return
            if len(line) > MAX_LINE:
                raise InputError(f"{where} is longer than {MAX_LINE} bytes")
            if progress is not None:
                progress(len(line))
            try:
                yield where, line.rstrip(b"\r\n").decode("utf-8")
            except UnicodeDecodeError:
                raise InputError(f"{where} is not UTF-8") from None
