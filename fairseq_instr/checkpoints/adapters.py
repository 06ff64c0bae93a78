"""Merging the low-rank adapters of a checkpoint into the weights beside them."""

from __future__ import annotations

from typing import Any, Dict

from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.models.decoder_only_config import complete_options
from fairseq_instr.models.low_rank import A, B, merged

ADAPTERS = ("lora_rank", "lora_alpha", "lora_targets")
"""Options of a model that say what adapters it has."""


def merge_adapters(state: Dict[str, Any]) -> None:
    """Make an ordinary checkpoint of one with adapters, in place.

    Its outputs are the same but for rounding. The optimizer's state, which was the adapters', is
    left out.

    Args:
        state: content of the checkpoint; one without adapters stays as it is.
    """
    model = state["model"]
    adapted = [key[: -len(A)] for key in model if key.endswith(f".{A}")]
    if not adapted:
        return
    settings = settings_of(state, "model")
    options = complete_options(settings)
    scale = options["lora_alpha"] / options["lora_rank"]
    for prefix in adapted:
        a, b = model.pop(prefix + A), model.pop(prefix + B)
        model[f"{prefix}weight"] = merged(model[f"{prefix}weight"], a, b, scale)
    state["cfg"]["model"] = {**settings, **dict.fromkeys(ADAPTERS)}
    state.pop("last_optimizer_state", None)
