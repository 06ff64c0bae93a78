"""Gender of the person that the text is about. Such data come labelled.

A verifier would need to know which person is meant: MT-GenEval (Currey et al., 2022) compares
with annotated references instead.
"""

from __future__ import annotations

from fairseq_instr.instructions.instruction import Instruction, Layer

_PHRASES = {
    "feminine": "feminine; about a woman; with feminine forms; use feminine forms;"
    "the person is a woman; speak of her",
    "masculine": "masculine; about a man; with masculine forms; use masculine forms;"
    "the person is a man; speak of him",
}
INSTRUCTIONS = [
    Instruction(name, "gender", phrases, layer=Layer.LANGUAGE) for name, phrases in _PHRASES.items()
]
