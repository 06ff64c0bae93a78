"""The catalogue: every instruction we can verify, one family a file.

A new entry in the list `INSTRUCTIONS` of one of these files, or a new file, adds an instruction
everywhere: curation, training, generation, evaluation.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import MappingProxyType
from typing import Dict, Iterable, Mapping, Optional

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import split
from fairseq_instr.instructions.catalogue.direction import ask_for_language
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.instructions.inventory import INVENTORY_FILE, did_you_mean, target_language


@functools.lru_cache(maxsize=None)
def catalogue() -> Mapping[str, Instruction]:
    """All instructions by name, in the order of the families' file names."""
    instructions = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        family = importlib.import_module(f"{__name__}.{module.name}")
        for instruction in family.INSTRUCTIONS:  # a misspelt list is an AttributeError
            if instruction.name in instructions:
                raise ValueError(f"{family.__name__}: {instruction.name!r} is already defined")
            instructions[instruction.name] = instruction
    return MappingProxyType(instructions)


def find(name: str) -> Optional[Instruction]:
    """The catalogue's instruction of that name, or None for an instruction of a user's own.

    `to:LANGUAGE` is made for any language. An argument, as in `begin-with="Heute"`, fills the slot.

    Raises:
        InputError: if an argument is not accepted.
    """
    written = split(name)
    instruction = catalogue().get(written.name)
    language = target_language(written.name)
    if instruction is None and language is not None:
        instruction = ask_for_language(language)
    if instruction is None or written.argument is None:
        return instruction
    return instruction.bind(written.argument)


def check_composition(names: Iterable[str]) -> None:
    """Refuse what no sentence can obey at once, as far as the catalogue has the instructions.

    Raises:
        InputError: if two instructions share an axis, or an argument is not accepted.
    """
    by_axis: Dict[str, str] = {}
    for name in names:
        instruction = find(name)
        other = name if instruction is None else by_axis.setdefault(instruction.axis, name)
        if instruction is not None and other != name:
            raise InputError(
                f"{other} and {name} exclude each other (axis {instruction.axis}); keep one of them"
            )


def look_up(name: str) -> Instruction:
    """As `find`, for a name that the catalogue must have.

    Raises:
        InputError: if it has none of that name; names the nearest.
    """
    instruction = find(name)
    if instruction is None:
        raise InputError(
            f"unknown instruction {name!r:.200}{did_you_mean(name, catalogue()) or ';'} "
            "fairseq-instr inventory --list shows the catalogue; an instruction of your own is "
            f"written into {INVENTORY_FILE} by hand"
        )
    return instruction
