"""Interpolating the weights of a base model and its tuned version.

(1 - w) base + w tuned, parameter by parameter, as in Raunak et al. (2024) and WiSE-FT
(Wortsman et al., 2022). Rows of instructions that the base model does not have are the tuned
model's.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

import torch

from fairseq_instr.checkpoints.adapters import merge_adapters
from fairseq_instr.checkpoints.architecture import differences
from fairseq_instr.checkpoints.inspection import read_checkpoint, write_checkpoint
from fairseq_instr.checkpoints.parameters import (
    FUSED_LAYER_COPY,
    NO_PARAMETER,
    source_embedding,
)
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.task_state import task_state_of
from fairseq_instr.checkpoints.upgrading import State, upgrade_parameters
from fairseq_instr.errors import InputError
from fairseq_instr.files import refuse_to_overwrite
from fairseq_instr.instructions.inventory import Inventory


def interpolate(base: State, tuned: State, tuned_weight: float) -> State:
    """Mix two sets of parameters of the same shapes.

    Args:
        base: parameters of the base model.
        tuned: parameters of the tuned one.
        tuned_weight: w, from 0 (base) to 1 (tuned).

    Returns:
        Parameters of the dtypes of `tuned`; the ends are exactly the base's and the tuned model's.

    Raises:
        InputError: if the weight is outside 0..1 or the architectures differ.

    Example: a base of 1.0 and a tuned of 3.0 with weight 0.25 give 1.5.
    """
    if not 0 <= tuned_weight <= 1:
        raise InputError(
            f"--tuned-weight {tuned_weight} is not accepted: give a number from 0 to 1"
        )
    mixed = {}
    for key in dict.fromkeys((*tuned, *base)):
        old, new = base.get(key), tuned.get(key)
        if NO_PARAMETER.fullmatch(key):
            if new is not None:
                mixed[key] = new.clone()
            continue
        if old is None or new is None:
            if FUSED_LAYER_COPY.fullmatch(key):
                continue  # one of the two versions of fairseq makes it anew when it loads
            lacking = "--base" if old is None else "--tuned"
            raise InputError(f"{lacking} has no parameter {key!r}: the architectures differ")
        if old.shape != new.shape:
            raise InputError(
                f"--base has {key} of shape {tuple(old.shape)}, --tuned of {tuple(new.shape)}: "
                "the architectures or dictionaries differ"
            )
        mixed[key] = new.clone()
        if new.is_floating_point() and tuned_weight < 1:
            # in fp32, so that half-precision checkpoints are rounded once
            mix = torch.lerp(old.float(), new.float(), tuned_weight)
            mixed[key].copy_(mix if tuned_weight else old)
    return mixed


def align_instructions(
    base: State, tuned: State, base_inventory: Inventory, tuned_inventory: Inventory
) -> State:
    """The base's parameters with the instructions' rows in the order of the tuned model.

    Rows that the base lacks are the tuned model's. Instructions are the last rows of the source
    embedding, and of what is tied to it.

    Raises:
        InputError: if the base has instructions that the tuned model has not.
    """
    names = {(i.name, i.axis) for i in tuned_inventory}
    missing = [i for i in base_inventory if (i.name, i.axis) not in names]
    known, wanted = base_inventory.symbols, tuned_inventory.symbols
    if missing or not set(known) <= set(wanted):
        lacking = missing[0].name if missing else min(set(known) - set(wanted))
        raise InputError(
            f"--base was trained with the instruction {lacking!r}, --tuned without: mix models of "
            "the same instructions, or with a base that has none"
        )
    old_source, new_source = source_embedding(base), source_embedding(tuned)
    if known == wanted or old_source is None or new_source is None:
        return base
    n_words = len(old_source) - len(known)
    aligned = dict(base)
    for key, old in base.items():
        new = tuned.get(key)
        # the source embedding, and what is tied to it
        if new is None or old.shape != old_source.shape or new.shape != new_source.shape:
            continue
        if not torch.equal(old, old_source) or len(new) != n_words + len(wanted):
            continue
        rows = [
            old[n_words + known.index(symbol)] if symbol in known else new[n_words + place]
            for place, symbol in enumerate(wanted)
        ]
        aligned[key] = torch.cat((old[:n_words], torch.stack(rows).to(old.dtype)))
    return aligned


def check_related(base: Mapping[str, Any], tuned: Mapping[str, Any]) -> None:
    """Make sure that two checkpoints are of one architecture, and prompted alike.

    Raises:
        InputError: names what differs.
    """
    differing = differences(settings_of(tuned, "model"), settings_of(base, "model"))
    if differing:
        raise InputError(
            f"--base was trained with {', '.join(differing[:5])}: the architectures differ"
        )
    old, new = task_state_of(base), task_state_of(tuned)
    compared: Dict[str, tuple] = {
        f"the {side} dictionary": (old.dictionaries.get(side), new.dictionaries.get(side))
        for side in ("source", "target")
    }
    if old.inventory and new.inventory:
        compared["--prompt-placement"] = (old.placement, new.placement)
        compared["--prompt-rendering"] = (old.inventory.rendering, new.inventory.rendering)
    if old.in_words or old.inventory:
        compared["whether prompts are in words"] = (bool(old.in_words), bool(new.in_words))
    for what, (its, others) in compared.items():
        if None not in (its, others) and its != others:
            raise InputError(
                f"{what} differs, --base {its}, --tuned {others}: mix models that were trained "
                "with the same"
            )


def interpolate_checkpoints(base, tuned, tuned_weight: float, output, force: bool = False) -> None:
    """Write the interpolation of two checkpoints as a checkpoint like the tuned one.

    The base may be of any version of fairseq. The optimizer's state, which fits neither, is left
    out: train on with `--finetune-from-model`.

    Raises:
        InputError: if a checkpoint is refused, they don't fit, or `output` exists and `force`
            is not set.
    """
    refuse_to_overwrite(output, force)
    old, state = read_checkpoint(base, mmap=True), read_checkpoint(tuned, base=base)
    for checkpoint in (old, state):
        merge_adapters(checkpoint)
    check_related(old, state)
    parameters, new_parameters = upgrade_parameters(old), upgrade_parameters(state)
    inventories = [task_state_of(s).inventory or Inventory() for s in (old, state)]
    parameters = align_instructions(parameters, new_parameters, *inventories)
    state["model"] = interpolate(parameters, new_parameters, tuned_weight)
    state.pop("last_optimizer_state", None)
    write_checkpoint(state, output, force)
