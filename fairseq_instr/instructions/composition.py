"""Composition: several instructions asked for at once.

The order in which they are named says nothing; the canonical order is the inventory's.
Two instructions of one axis exclude each other.
"""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Sequence, Tuple, Union

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request, parse, parse_item, split
from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.instructions.inventory import Inventory


def compose(
    names: Union[str, Iterable[str]], inventory: Inventory, origin: str = ""
) -> Tuple[Request, ...]:
    """Requests for the named instructions, in canonical order, each once.

    Args:
        names: what a user writes, see `asking`; or instruction names or phrases in any order, those
            with a slot with their argument.
        inventory: what the model knows.
        origin: where the names come from, to begin an error with, such as `--instruct`.

    Raises:
        InputError: if a name is unknown, two different requests share an axis, or an argument is
            missing or not accepted.

    Example: `compose(["uppercase", "formal"], inventory) == compose("formal, uppercase",
    inventory)`.
    """
    try:
        items = parse(names) if isinstance(names, str) else names
        written = [each for item in items for each in parse_item(item, inventory.__contains__)]
        return compose_requests(map(inventory.request, map(split, written)), inventory)
    except InputError as error:
        raise InputError(f"{origin}: {error}" if origin else str(error)) from None


def compose_requests(
    requests: Iterable[Request], inventory: Inventory, origin: str = ""
) -> Tuple[Request, ...]:
    """As `compose`, for requests. Of an instruction in two wordings, the first is taken."""
    chosen: Dict[str, Request] = {}
    for request in requests:
        axis = inventory[request.position].axis
        other = chosen.setdefault(axis, request)
        if (other.position, other.argument) != (request.position, request.argument):
            reason = _exclusion(other, request, inventory)
            raise InputError(f"{origin}: {reason}" if origin else reason)
    return tuple(sorted(chosen.values(), key=lambda request: request.position))


def _exclusion(one: Request, other: Request, inventory: Inventory) -> str:
    if one.position == other.position:
        said = " and with ".join(map(_said, (one.argument, other.argument)))
        return f"{inventory[one.position].name} is given twice, with {said}; give it once"
    names = (inventory[request.position].name for request in (one, other))
    axis = inventory[one.position].axis
    members = ", ".join(inventory[i].name for i in inventory.members(axis))
    return f"{' and '.join(names)} exclude each other (axis {axis}); give one of {members}"


def _said(argument: Union[None, str, Tuple[int, ...]]) -> str:
    if isinstance(argument, tuple):  # ids of tokens come from streams alone
        return "what the .instr line says"
    return "no argument" if argument is None else argument


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
        sentence or serve its language, or an outer one undoes an inner one (`a.m.` without its
        dots is two words).
    """
    instructions = tuple(instructions)
    if not all(instruction.serves(context.language) for instruction in instructions):
        return None
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
