"""The fairseq task and what else fairseq registers: criterion, optimizer, architectures, a BPE.

fairseq imports this folder when it is given `--user-dir fairseq_instr`.
"""

import fairseq_instr.criterions
import fairseq_instr.models.decoder_only
import fairseq_instr.models.marian
import fairseq_instr.optim  # noqa: F401
from fairseq_instr.checkpoints.inspection import find_broken_checkpoint
from fairseq_instr.checkpoints.safe_globals import load_safely
from fairseq_instr.errors import install_exception_hook
from fairseq_instr.generation.interactive import find_undecodable_input

load_safely()
install_exception_hook(lambda tb: find_broken_checkpoint(tb) or find_undecodable_input(tb))
