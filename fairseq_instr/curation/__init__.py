"""Task data: samples of instructions from parallel text, labelled data and language models.

    from fairseq_instr.curation import Checks, curate

    curate("train.en", "train.de", "en", "de", ["uppercase", "html-bold"], "task",
           checks=Checks(exclude=["test.en"]))

Each function reads and writes files, as the subcommand of its name does.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairseq_instr.curation.binarisation import binarise
    from fairseq_instr.curation.distillation import distill
    from fairseq_instr.curation.distillation_endpoint import Endpoint
    from fairseq_instr.curation.encoding import encode
    from fairseq_instr.curation.filters import Checks
    from fairseq_instr.curation.from_parallel import curate
    from fairseq_instr.curation.labelled import label

# public name -> module that has it; loaded when it is first asked for
_LAZY = {
    "Checks": "filters",
    "Endpoint": "distillation_endpoint",
    "binarise": "binarisation",
    "curate": "from_parallel",
    "distill": "distillation",
    "encode": "encoding",
    "label": "labelled",
}

__all__ = ["Checks", "Endpoint", "binarise", "curate", "distill", "encode", "label"]


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
