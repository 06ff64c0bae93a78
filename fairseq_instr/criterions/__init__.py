"""Training losses; importing this package registers them with fairseq."""

from fairseq_instr.criterions import (  # noqa: F401
    label_smoothed_cross_entropy_with_unlikelihood,
)
