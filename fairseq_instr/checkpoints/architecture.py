"""Which options make a model what it is: those of a checkpoint and of a task must agree.

Other sizes fail while parameters load. Other heads, another activation or another scale of the
embeddings leave all shapes as they are: training would go on from a model that computes
something else.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Dict, List, Mapping

from omegaconf import OmegaConf

from fairseq_instr.checkpoints.adapters import ADAPTERS
from fairseq_instr.checkpoints.settings import as_dict
from fairseq_instr.errors import InputError
from fairseq_instr.models.decoder_only_config import complete_options

_OF_A_SIDE = (
    "attention_heads conv_dim conv_type embed_dim ffn_embed_dim glu kernel_size_list layers "
    "learned_pos normalize_before"
).split()
_OF_ALL = (
    "activation_fn adaptive_input cross_self_attention decoder_input_dim decoder_output_dim "
    "layernorm_embedding no_cross_attention no_decoder_final_norm no_scale_embedding "
    "no_token_positional_embeddings share_all_embeddings share_decoder_input_output_embed "
    "weight_softmax"
).split()
_OF_DECODER_ONLY = (
    "attention_bias decoder_head_dim decoder_key_value_heads ffn_bias norm_epsilon prompt_bos "
    "rope_high_factor rope_low_factor rope_original_positions rope_scaling_factor rope_theta"
).split()
ARCHITECTURE = (
    *(f"{side}_{name}" for side in ("encoder", "decoder") for name in _OF_A_SIDE),
    *_OF_ALL,
    *_OF_DECODER_ONLY,
)


def settle_architecture(
    cfg, saved: Mapping[str, Any], origin: str, allow_change: bool = False
) -> None:
    """Give a model that will load a checkpoint the checkpoint's architecture.

    Options that are None are taken from the checkpoint, in place.

    Args:
        cfg: options of the model, a Namespace or a configuration.
        saved: the checkpoint's settings of its model.
        origin: option and path of the checkpoint, for the error.
        allow_change: value of `--allow-architecture-change`.

    Raises:
        InputError: if an option of the architecture differs, and no change is allowed.
    """
    own = as_dict(cfg)
    if OmegaConf.is_config(cfg):
        for name, value in own.items():
            if value is None and saved.get(name) is not None:
                own[name] = cfg[name] = saved[name]
    differing = [] if allow_change else differences(own, saved)
    if differing:
        raise InputError(
            f"{origin} was trained with {', '.join(differing[:5])}: give the same, or "
            "--allow-architecture-change if another model is meant"
        )


def differences(own: Mapping[str, Any], saved: Mapping[str, Any]) -> List[str]:
    """Options of the architecture in which two models differ, by the values of `saved`.

    Example: `["--activation-fn gelu (not relu)"]`.
    """
    own, saved = _completed(own), _completed(saved)
    adapters = ADAPTERS if saved.get("lora_rank") else ()  # a model without can be given some
    return [
        _said(f"--{name.replace('_', '-')}", saved[name], own[name])
        for name in (*ARCHITECTURE, *adapters)
        if name in own and name in saved and own[name] != saved[name]
    ]


def _said(option: str, saved: Any, own: Any) -> str:
    if option == "--prompt-bos":  # takes a value
        return f"{option} {saved} (not {own})".lower()
    if saved is True or own is True:  # a switch
        return option if saved else f"no {option}"
    return f"{option} {saved} (not {own})"


def _completed(settings: Mapping[str, Any]) -> Dict[str, Any]:
    """Settings with the defaults of their architecture: old checkpoints lack newer options."""
    from fairseq.models import ARCH_CONFIG_REGISTRY, MODEL_DATACLASS_REGISTRY

    name = settings.get("arch") or settings.get("_name")
    completed = Namespace(**settings)
    if "rope_theta" in settings:
        completed = Namespace(**complete_options(settings))
    if name in ARCH_CONFIG_REGISTRY and name not in MODEL_DATACLASS_REGISTRY:
        ARCH_CONFIG_REGISTRY[name](completed)
    if getattr(completed, "share_all_embeddings", False):
        completed.share_decoder_input_output_embed = True  # as fairseq sets it when it builds
    # an enumeration compares by its name
    found = {key: getattr(value, "value", value) for key, value in vars(completed).items()}
    return {key: value for key, value in found.items() if value is not None}
