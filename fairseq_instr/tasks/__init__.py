"""The fairseq task, and what else fairseq registers: criterion, architectures, `--bpe`.

fairseq imports this folder when it is given `--user-dir fairseq_instr`.
"""

import fairseq_instr.criterions
import fairseq_instr.models.decoder_only  # noqa: F401
from fairseq_instr.checkpoints import safe_globals
from fairseq_instr.errors import install_exception_hook

safe_globals.register()
install_exception_hook()
