"""Instruction-following translation for fairseq: give `--user-dir fairseq_instr`.

Importing the package loads neither torch nor fairseq and changes nothing in the process; what
fairseq registers is registered when fairseq imports the folder `tasks`.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.2.0"

if TYPE_CHECKING:
    from fairseq_instr.curation import curate, distill, label
    from fairseq_instr.evaluation import evaluate
    from fairseq_instr.generation.translator import Translator
    from fairseq_instr.serving.translator import CTranslate2Translator

# public name -> module that has it; loaded when it is first asked for
_LAZY = {
    "CTranslate2Translator": "fairseq_instr.serving.translator",
    "Translator": "fairseq_instr.generation.translator",
    "curate": "fairseq_instr.curation",
    "distill": "fairseq_instr.curation",
    "evaluate": "fairseq_instr.evaluation",
    "label": "fairseq_instr.curation",
}

__all__ = [
    "CTranslate2Translator",
    "Translator",
    "__version__",
    "curate",
    "distill",
    "evaluate",
    "label",
]


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__():
    return sorted(__all__)
