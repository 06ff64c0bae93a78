"""Interpolating the weights of a base model and its tuned version.

(1 - w) base + w tuned, parameter by parameter, as in Raunak et al. (2024) and WiSE-FT
(Wortsman et al., 2022). The rows of the instructions, which the base model does not have, are
the tuned model's.
"""

from __future__ import annotations

from typing import Dict

import torch

from fairseq_instr.checkpoints.growth import FUSED_LAYER_COPY
from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, refuse_to_overwrite

State = Dict[str, torch.Tensor]


def interpolate(base: State, tuned: State, tuned_weight: float) -> State:
    """Mix two sets of parameters.

    Args:
        base: parameters of the base model.
        tuned: parameters of the tuned one; vocabulary matrices may have more rows.
        tuned_weight: w, from 0 (base) to 1 (tuned).

    Returns:
        Parameters of the shapes and dtypes of `tuned`; with weight 0 or 1 exactly the base's
        (where it has them) or the tuned model's.

    Raises:
        InputError: if the weight is outside 0..1 or the architectures differ.

    Example: a base of 1.0 and a tuned of 3.0 with weight 0.25 give 1.5.
    """
    if not 0 <= tuned_weight <= 1:
        raise InputError(
            f"--tuned-weight {tuned_weight} is not accepted: give a number from 0 to 1"
        )
    # one of them may be of a version of fairseq that does not save these
    tuned = {k: v for k, v in tuned.items() if k in base or not FUSED_LAYER_COPY.fullmatch(k)}
    missing = sorted(set(tuned) - set(base))
    if missing:
        raise InputError(f"--base has no parameter {missing[0]!r}: the architectures differ")
    mixed = {}
    for key, new in tuned.items():
        old = base[key]
        mixed[key] = new.clone()
        rows = old.size(0) if old.dim() == 2 == new.dim() else None
        grown = rows is not None and rows < new.size(0) and old.size(1) == new.size(1)
        if old.shape != new.shape and not grown:
            raise InputError(
                f"--base has {key} of shape {tuple(old.shape)}, --tuned of {tuple(new.shape)}: "
                "the architectures differ"
            )
        if not new.is_floating_point() or tuned_weight == 1:
            continue
        part = mixed[key][:rows] if grown else mixed[key]
        part.copy_(old if tuned_weight == 0 else _mix(old, part, tuned_weight))
    return mixed


def _mix(old: torch.Tensor, new: torch.Tensor, weight: float) -> torch.Tensor:
    # in fp32, so that half-precision checkpoints are rounded once
    return torch.lerp(old.float(), new.float(), weight)


def interpolate_checkpoints(base, tuned, tuned_weight: float, output, force: bool = False) -> None:
    """Write the interpolation of two checkpoints as a checkpoint like the tuned one.

    The optimizer's state, which fits neither, is left out: train on with
    `--finetune-from-model`.

    Raises:
        InputError: if a checkpoint is refused, they don't fit, or `output` exists and `force`
            is not set.
    """
    refuse_to_overwrite(output, force)
    state = read_checkpoint(tuned)
    state["model"] = interpolate(read_checkpoint(base)["model"], state["model"], tuned_weight)
    state.pop("last_optimizer_state", None)
    with atomic_path(output, force) as temporary:
        torch.save(state, temporary)
