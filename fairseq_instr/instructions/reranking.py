"""Verified reranking: among the n best translations, the first that does what was asked for.

Of the hypotheses that beam search has at its end anyway, the most probable one that all verifiers
accept is chosen, or the most probable one where they accept none. Needs no torch.
"""

from __future__ import annotations

from typing import List, Sequence

from fairseq_instr.instructions.asking import Written
from fairseq_instr.instructions.catalogue import find
from fairseq_instr.instructions.composition import compose, verify
from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.instructions.inventory import Inventory


def first_obeying(
    outputs: Sequence[str], instructions: Sequence[Instruction], context: Context
) -> int:
    """Index of the first output that obeys all instructions; 0 if none does.

    Instructions whose verifiers don't serve the language judge nothing.

    Example: asked for `uppercase`, of `["Zwei", "ZWEI!", "ZWEI"]` it is 1.
    """
    instructions = [i for i in instructions if i.serves(context.language)]
    for index, output in enumerate(outputs):
        if all(verify(instructions, output, context).values()):
            return index
    return 0


def verifiable(instruct: str, inventory: Inventory) -> List[Instruction]:
    """What is asked for as instructions that have a verifier, arguments filled in.

    Raises:
        InputError: if a name is unknown, two exclude each other, or an argument is not accepted.
    """
    found = []
    for request in compose(instruct, inventory):
        assert not isinstance(request.argument, tuple)  # only streams have ids
        instruction = find(str(Written(inventory[request.position].name, request.argument)))
        if instruction is not None and instruction.obeys is not None:
            found.append(instruction)
    return found
