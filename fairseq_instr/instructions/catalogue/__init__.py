"""The catalogue: every instruction we can verify, one family a file.

Each module of this folder has a list `INSTRUCTIONS`; adding an entry to one (or a module)
adds the instruction everywhere: curation, training, generation, evaluation.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import MappingProxyType
from typing import Mapping

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import split
from fairseq_instr.instructions.catalogue.direction import ask_for_language
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.instructions.inventory import target_language


@functools.lru_cache(maxsize=None)
def catalogue() -> Mapping[str, Instruction]:
    """All instructions by name, in the order of the families' file names."""
    instructions = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        family = importlib.import_module(f"{__name__}.{module.name}")
        for instruction in getattr(family, "INSTRUCTIONS", ()):
            if instruction.name in instructions:
                raise ValueError(f"{family.__name__}: {instruction.name!r} is already defined")
            instructions[instruction.name] = instruction
    return MappingProxyType(instructions)


def look_up(name: str) -> Instruction:
    """The catalogue's instruction of that name; `to:LANGUAGE` is made for any language.

    A name with an argument, such as `begin-with="Heute"`, gives the instruction with its slot
    filled; the name alone gives it as it is defined.

    Raises:
        InputError: if there is none; lists what there is. If an argument is not accepted.
    """
    request = split(name)
    if request.name in catalogue():
        instruction = catalogue()[request.name]
        return instruction if request.argument is None else instruction.bind(request.argument)
    language = target_language(name)
    if language is not None:
        return ask_for_language(language)
    raise InputError(
        f"unknown instruction {name!r}; the catalogue has to:LANGUAGE, " + ", ".join(catalogue())
    )
