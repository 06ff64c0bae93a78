"""The fairseq task, and what else fairseq registers: criterion, architectures, `--bpe`.

fairseq imports this folder when it is given `--user-dir fairseq_instr`.
"""

import fairseq_instr.criterions
import fairseq_instr.models.decoder_only
import fairseq_instr.models.marian  # noqa: F401
from fairseq_instr.checkpoints.inspection import find_broken_checkpoint
from fairseq_instr.checkpoints.safe_globals import load_safely
from fairseq_instr.errors import install_exception_hook

load_safely()
install_exception_hook(find_broken_checkpoint)
