"""Instructions, axes, composition, the catalogue and its verifiers. Knows nothing of torch."""

from fairseq_instr.instructions.catalogue import catalogue
from fairseq_instr.instructions.composition import compose, rewrite, verify
from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.instructions.inventory import Inventory

__all__ = [
    "Context",
    "Instruction",
    "Inventory",
    "Layer",
    "catalogue",
    "compose",
    "rewrite",
    "verify",
]
