"""The settings of a checkpoint, whichever version of fairseq saved it.

up to 0.9     state["args"]         one Namespace for model, task and everything else
0.10 and on   state["cfg"]["model"] a map, or the whole Namespace for models without a
configuration of their own, such as `transformer`
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Dict, Mapping

from omegaconf import OmegaConf

from fairseq_instr.errors import InputError


def settings_of(state: Mapping, part: str) -> Dict[str, Any]:
    """Settings of the part `model` or `task`; empty where the checkpoint has none.

    Raises:
        InputError: if they are no settings.
    """
    saved = (state.get("cfg") or {}).get(part)
    settings = as_dict(state.get("args") if saved is None else saved)
    if isinstance(settings.get("lang_pairs"), list):  # of fairseq's own multilingual task
        settings["lang_pairs"] = ",".join(settings["lang_pairs"])
    if saved is not None:
        return settings
    longest = settings.get("max_positions")  # of both sides, before 0.5
    if longest is not None:
        settings.setdefault("max_source_positions", longest)
        settings.setdefault("max_target_positions", longest)
    return settings


def as_dict(settings) -> Dict[str, Any]:
    """A Namespace, a configuration or a map as a dict.

    Raises:
        InputError: if it is something else.
    """
    if settings is None:
        return {}
    if OmegaConf.is_dict(settings):
        settings = OmegaConf.to_container(settings, enum_to_str=True)
    if isinstance(settings, Namespace):
        settings = vars(settings)
    if not isinstance(settings, Mapping):
        raise InputError(
            f"the checkpoint is broken: its settings are a {type(settings).__name__}, no map"
        )
    return dict(settings)
