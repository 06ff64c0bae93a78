"""Optimizers; importing this package registers them with fairseq."""

from fairseq_instr.optim import fused_adam  # noqa: F401
