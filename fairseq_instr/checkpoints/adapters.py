"""Low-rank adapters in checkpoints: saved without their base, and merged into it."""

from __future__ import annotations

from typing import Any, Dict, Optional

import torch.nn as nn

from fairseq_instr.checkpoints.inspection import ADAPTER_BASE, add_base
from fairseq_instr.checkpoints.parameters import BASE_KEY, AdapterBase
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.models.decoder_only_config import complete_options
from fairseq_instr.models.low_rank import A, B, merged

ADAPTERS = ("lora_rank", "lora_alpha", "lora_targets")
"""Options of a model that say what adapters it has."""


def merge_adapters(state: Dict[str, Any]) -> bool:
    """Make an ordinary checkpoint of one with adapters, in place, and tell whether it had any.

    Its outputs are the same but for rounding: what is merged is in fp32. The optimizer's state,
    which was the adapters', is left out. A checkpoint without adapters stays as it is.
    """
    model = state["model"]
    adapted = [key[: -len(A)] for key in model if key.endswith(f".{A}")]
    if not adapted:
        return False
    settings = settings_of(state, "model")
    options = complete_options(settings)
    scale = options["lora_alpha"] / options["lora_rank"]
    for prefix in adapted:
        a, b = model.pop(prefix + A), model.pop(prefix + B)
        model[f"{prefix}weight"] = merged(model[f"{prefix}weight"], a, b, scale)
    state["cfg"]["model"] = {**settings, **dict.fromkeys(ADAPTERS)}
    state.pop("last_optimizer_state", None)
    state.pop(ADAPTER_BASE, None)
    return True


def leave_base_out(model: nn.Module, base: Optional[AdapterBase]) -> None:
    """Make a new model with adapters load checkpoints that leave their base out, and save such.

    What is not trained is left out; with None for the base, it is saved too. To be called before
    other hooks look at what is loaded.
    """
    parameters = model.named_parameters(remove_duplicate=False)
    frozen = [name for name, parameter in parameters if not parameter.requires_grad]

    def load(module, state, prefix, *unused) -> None:
        add_base(state, "the checkpoint")

    def save(module, state, prefix, *unused) -> None:
        for name in frozen:
            state.pop(prefix + name, None)
        state[prefix + BASE_KEY] = named

    model.register_load_state_dict_pre_hook(load)
    if base is not None:
        named = base._asdict()
        model.register_state_dict_post_hook(save)
