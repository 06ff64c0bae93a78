"""Instruction-following translation for fairseq: give `--user-dir fairseq_instr`.

Importing the package registers its criterions, models and `--bpe`; fairseq itself imports `tasks`.
The parts that need no torch (`fairseq_instr.instructions`, `fairseq_instr.sample`,
`fairseq_instr.evaluation`) can be imported where fairseq is not installed.
"""

import importlib.util

from fairseq_instr.errors import install_exception_hook

__version__ = "0.1.0"

install_exception_hook()

if importlib.util.find_spec("fairseq") is not None:
    from fairseq_instr.checkpoints import safe_globals

    safe_globals.register()
    import fairseq_instr.checkpoints.hugging_face_tokenizer
    import fairseq_instr.criterions
    import fairseq_instr.models.decoder_only  # noqa: F401
