"""Gender of the person that the text is about. Such data come labelled.

A verifier would need to know which person is meant: MT-GenEval (Currey et al., 2022) compares
with annotated references instead.
"""

from __future__ import annotations

from fairseq_instr.instructions.instruction import Instruction, Layer

INSTRUCTIONS = [
    Instruction(
        "feminine",
        "gender",
        "feminine; about a woman; with feminine forms; use feminine forms;"
        "the person is a woman; speak of her",
        layer=Layer.LANGUAGE,
    ),
    Instruction(
        "masculine",
        "gender",
        "masculine; about a man; with masculine forms; use masculine forms;"
        "the person is a man; speak of him",
        layer=Layer.LANGUAGE,
    ),
]
