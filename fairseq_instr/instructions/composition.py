"""Composition: several instructions asked for at once.

The order in which they are named says nothing; the canonical order is the inventory's.
Two instructions of one axis exclude each other.
"""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Asked, argument_of, parse, split
from fairseq_instr.instructions.instruction import Context, Instruction, check_argument
from fairseq_instr.instructions.inventory import Inventory

__all__ = [
    "compose",
    "compose_positions",
    "excluding",
    "from_inside_out",
    "parse",
    "rewrite",
    "verify",
]


def compose(names: Iterable[str], inventory: Inventory, origin: str = "") -> Tuple[int, ...]:
    """Positions of the named instructions, in canonical order, each once.

    Args:
        names: instruction names or phrases in any order, those with a slot with their argument.
        inventory: what the model knows.
        origin: what the names come from, to begin an error with, such as `--instruct`.

    Raises:
        InputError: if a name is unknown, two different ones share an axis, or an argument is
            missing or not accepted.

    Example: `compose(["uppercase", "formal"], inventory) == compose(["formal", "uppercase"],
    inventory)`.
    """
    prefix = f"{origin}: " if origin else ""
    positions = []
    for name in names:
        try:
            positions.append(_position(name, inventory))
        except InputError as error:
            raise InputError(f"{prefix}{error}") from None
    return compose_positions(positions, inventory, origin)


def compose_positions(
    positions: Iterable[int], inventory: Inventory, origin: str = ""
) -> Tuple[int, ...]:
    """As `compose`, for positions (`Asked` where there is an argument).

    Raises:
        InputError: if two different ones share an axis.
    """
    prefix = f"{origin}: " if origin else ""
    chosen: Dict[str, int] = {}
    for position in positions:
        axis = inventory[position].axis
        other = chosen.setdefault(axis, position)
        if other != position or argument_of(other) != argument_of(position):
            raise InputError(
                f"{prefix}{inventory[other].name!r} and {inventory[position].name!r} exclude each "
                f"other: both answer the axis {axis!r}; choose one of "
                + ", ".join(inventory[i].name for i in inventory.members(axis))
            )
    return tuple(sorted(chosen.values()))


def _position(name: str, inventory: Inventory) -> int:
    """Position of what a user asked for, with its argument and the phrase, where there are any."""
    request = split(name)
    position = inventory.find(request.name)
    check_argument(inventory[position], request.argument)
    phrase = None if request.name in inventory else request.name
    if phrase is None and request.argument is None:
        return position
    return Asked(position, request.argument, phrase)


def excluding(instructions: Sequence[Instruction]) -> Optional[str]:
    """The axis that two of the instructions share, or None for a valid composition."""
    axes = [instruction.axis for instruction in instructions]
    return next((axis for axis in axes if axes.count(axis) > 1), None)


def from_inside_out(instructions: Iterable[Instruction]) -> Sequence[Instruction]:
    """Instructions in the order in which they act on a sentence; see `Layer`."""
    return sorted(instructions, key=lambda i: (i.layer, i.name))


def rewrite(instructions: Iterable[Instruction], reference: str, context: Context) -> Optional[str]:
    """The reference as it would read under all the instructions.

    Returns:
        The rewritten text, which obeys all of them, or None: if one does not apply to this
        sentence, or an outer one undoes an inner one (`a.m.` without its dots is two words).
    """
    instructions = tuple(instructions)
    for instruction in from_inside_out(instructions):
        if instruction.natural:
            continue  # what is found is judged below, when all is written
        if instruction.rewrite is None:
            return None
        rewritten = instruction.rewrite(reference, context)
        if rewritten is None:
            return None
        reference = rewritten
    return reference if all(verify(instructions, reference, context).values()) else None


def verify(instructions: Iterable[Instruction], output: str, context: Context) -> Dict[str, bool]:
    """Which of the instructions an output obeys.

    The outermost layer is judged first and then taken off, so that `"EIN MANN"` in quotation
    marks obeys both `uppercase` and `double-quotes`.

    Returns:
        name -> obeyed.

    Raises:
        InputError: if an instruction has no verifier, or none for the language.
    """
    verdict = {}
    for instruction in reversed(from_inside_out(instructions)):
        if instruction.obeys is None:
            raise InputError(f"instruction {instruction.name!r} has no verifier")
        if not instruction.serves(context.language):
            raise InputError(
                f"{instruction.name!r} has no verifier for {context.language!r}, only for "
                + ", ".join(sorted(instruction.languages or ()))
            )
        verdict[instruction.name] = bool(instruction.obeys(output, context))
        output = instruction.unwrap(output, context)
    return verdict
