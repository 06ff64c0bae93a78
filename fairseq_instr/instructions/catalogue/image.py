"""Words about the image that the source describes, given as an argument.

They help to choose a translation and need not stand in it: no verifier.
"""

from __future__ import annotations

from fairseq_instr.instructions.instruction import Instruction, Layer

INSTRUCTIONS = [
    Instruction(
        "image-context",
        "context",
        "with these words about the image; knowing what the image shows;"
        "seeing this in the image; the image shows this; use what the image shows;"
        "take the image into account",
        argument="text",
        layer=Layer.LANGUAGE,
    ),
]
