"""Checkpoints of earlier versions of fairseq as today's.

fairseq's own models know how their parameters were named before. `upgrade_parameters` asks
them, so that what interpolation mixes is what loading would load. `complete` adds what later
versions expect around the parameters, and what a stripped checkpoint has lost.
"""

from __future__ import annotations

import logging
from argparse import Namespace
from types import SimpleNamespace
from typing import Any, Dict, Mapping

import torch
import torch.nn as nn
from fairseq.data import Dictionary

from fairseq_instr.checkpoints.inspection import read_checkpoint, write_checkpoint
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.errors import InputError
from fairseq_instr.files import refuse_to_overwrite

logger = logging.getLogger(__name__)

State = Dict[str, torch.Tensor]


def empty_model(settings: Mapping[str, Any], n_source: int, n_target: int) -> nn.Module:
    """A fairseq model of some settings, with `arch` or `_name`; it has shapes but takes no memory.

    Raises:
        Exception: whatever fairseq raises where it knows no such architecture.
    """
    from fairseq.models import build_model

    dictionaries = {size: _dictionary(size) for size in (n_source, n_target)}
    source, target = dictionaries[n_source], dictionaries[n_target]
    task = SimpleNamespace(source_dictionary=source, target_dictionary=target)
    with torch.device("meta"):
        return build_model(Namespace(**settings), task)


def _dictionary(size: int) -> Dictionary:
    dictionary = Dictionary()
    for number in range(size - len(dictionary)):
        dictionary.add_symbol(str(number))
    return dictionary


def upgrade_parameters(state: Mapping[str, Any]) -> State:
    """The parameters of a checkpoint, named as today's models name them.

    They stay as they are where this fairseq does not know the architecture.
    """
    parameters = dict(state["model"])
    sizes = [
        len(parameters[key])
        for side in ("encoder", "decoder")
        for key in (f"{side}.embed_tokens.weight", "decoder.embed_tokens.weight")
        if key in parameters
    ]
    try:
        model = empty_model(settings_of(state, "model"), sizes[0], sizes[-1])
    except Exception as error:  # of an architecture that is unknown here, or of no settings
        logger.debug(f"parameters are taken as they are saved: {error}")
        return parameters
    model.upgrade_state_dict(parameters)  # type: ignore[operator]  # of fairseq's models
    return parameters


def complete(state: Mapping[str, Any]) -> Dict[str, Any]:
    """A checkpoint with all that fairseq reads in one: settings, parameters, no updates made."""
    args = state.get("args")
    return {
        "args": None if args is None else Namespace(**{"task": "translation", **vars(args)}),
        "cfg": state.get("cfg") if args is None else None,
        "model": state["model"],
        "criterion": state.get("criterion"),
        "optimizer_history": [
            {
                "criterion_name": "",
                "optimizer_name": "",
                "lr_scheduler_state": {"best": None},
                "num_updates": 0,
            }
        ],
        "task_state": state.get("task_state") or {},
        "extra_state": {"train_iterator": {"version": 2, "epoch": 1, "iterations_in_epoch": 0}},
        "last_optimizer_state": None,
    }


def upgrade_checkpoint(path, output, use_ema: bool = False, force: bool = False) -> None:
    """Write a checkpoint of any version of fairseq, stripped or not, as today's.

    Args:
        output: checkpoint to write; it has no optimizer.
        use_ema: take the moving average that `--store-ema` kept, not the last parameters.

    Raises:
        InputError: if the checkpoint is refused, has no settings or no moving average, or if
            the output exists.
    """
    refuse_to_overwrite(output, force)
    state = read_checkpoint(path)
    if not settings_of(state, "model"):
        raise InputError(f"checkpoint {path} has no settings of its model, neither args nor cfg")
    if use_ema:
        average = (state.get("extra_state") or {}).get("ema")
        if average is None:
            raise InputError(f"--ema: checkpoint {path} has no moving average; leave --ema out")
        state = {**state, "model": average}
    upgraded = complete({**state, "model": upgrade_parameters(state)})
    write_checkpoint(upgraded, output, force)


def load_model(state: Mapping[str, Any], task, path) -> nn.Module:
    """The model of a checkpoint, stripped or not, loaded as fairseq loads it to generate.

    Raises:
        InputError: if the task refuses it, or its parameters and settings make no model.
    """
    settings = Namespace(**settings_of(state, "model"))
    task.load_state_dict(state.get("task_state") or {})
    try:
        model = task.build_model(settings, from_checkpoint=True)
        model.load_state_dict(dict(state["model"]), strict=True, model_cfg=settings)
    except Exception as error:  # whatever fairseq's models raise
        reason = " ".join(str(error).split())
        raise InputError(f"checkpoint {path} can't be loaded: {reason:.300}") from None
    return model
