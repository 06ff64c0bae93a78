"""Growing a pretrained model by the inventory's symbols while its checkpoint loads.

The symbols' rows are appended below every old row, so no id moves, and the output projection
keeps to the old rows: a grown model has the base model's output vocabulary. Without an
instruction its logits are the base's, bit for bit, and no instruction can be generated.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

import torch
import torch.nn as nn

from fairseq_instr.checkpoints.parameters import (
    FUSED_LAYER_COPY,
    NO_PARAMETER,
    parameters_of,
    source_embedding,
)
from fairseq_instr.errors import InputError
from fairseq_instr.models.output_projection import BaseVocabularyProjection


def prepare_for_growth(
    model: nn.Module, n_target: int, n_new: int, n_trained: int = 0, training: bool = False
) -> None:
    """Make a model built with the grown source dictionary load ungrown checkpoints.

    Args:
        model: a fairseq encoder-decoder, just built.
        n_target: size of the target dictionary, which is not grown.
        n_new: number of appended symbols.
        n_trained: number of them that the checkpoint to come was trained with already.
        training: also load states of the grown model, as its moving average does at each update.

    Raises:
        InputError: if the model has an adaptive softmax, whose clusters can't grow.
    """
    decoder: Any = getattr(model, "decoder", None)
    if getattr(decoder, "adaptive_softmax", None) is not None and n_new:
        raise InputError(
            "--adaptive-softmax-cutoff: a model with adaptive softmax can't take instructions, "
            "its output is tied to ranges of ids; use a model with a full softmax"
        )
    projection: Any = getattr(decoder, "output_projection", None)
    weight = getattr(projection, "weight", None)
    if weight is not None and weight.size(0) > n_target:
        decoder.output_projection = BaseVocabularyProjection(weight, n_target, projection.bias)

    own_keys = set(parameters_of(model))

    def grow_on_load(module, state_dict, prefix, local_metadata, strict, *unused):
        for key in [k for k in state_dict if FUSED_LAYER_COPY.fullmatch(k)]:
            if key not in own_keys:
                del state_dict[key]
        fresh = parameters_of(module)
        saved, own = source_embedding(state_dict), source_embedding(fresh)
        grown = saved is not None and own is not None and len(saved) == len(own)
        grow_state(state_dict, fresh, 0 if training and grown else n_new - n_trained)
        if strict:
            check_fits(state_dict, fresh, training)

    model.register_load_state_dict_pre_hook(grow_on_load)


def check_fits(
    state: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], training: bool
) -> None:
    """Raise `InputError` unless a checkpoint has the parameters of a model, `own`, and no others.

    `training` says that the model was built by options, not by the checkpoint's settings.
    """
    what_to_do = "its settings are of another model"
    if training:
        what_to_do = "give --arch, and the options that change it, as in its training"
    for key, mine in own.items():
        if NO_PARAMETER.fullmatch(key) or FUSED_LAYER_COPY.fullmatch(key):
            continue  # the latter are made anew, layer by layer
        if key not in state:
            raise InputError(f"the checkpoint has no parameter {key}, the model has; {what_to_do}")
        if state[key].shape != mine.shape:
            if training and key.endswith("embed_positions.weight"):
                what_to_do = "give --max-source-positions and --max-target-positions as trained"
            raise InputError(
                f"the checkpoint's {key} is of shape {tuple(state[key].shape)}, the model's of "
                f"{tuple(mine.shape)}; {what_to_do}"
            )
    for key in state:
        if key not in own and not NO_PARAMETER.fullmatch(key):
            raise InputError(f"the checkpoint has a parameter {key}, the model none; {what_to_do}")


def grow_state(
    state: Dict[str, torch.Tensor], fresh: Mapping[str, torch.Tensor], n_missing: int
) -> None:
    """Give the vocabulary matrices of a checkpoint the rows that they lack, in place.

    Args:
        state: parameters of the checkpoint; the matrices that are short take the missing rows
            from `fresh`, so matrices that are tied stay equal.
        fresh: parameters of the grown model, newly initialised.
        n_missing: rows that the source embedding and what is tied to it lack; all other
            matrices have to fit as they are.

    Raises:
        InputError: if a matrix is of another vocabulary.
    """
    source = source_embedding(fresh)
    for key, own in fresh.items():
        saved = state.get(key)
        if saved is None or saved.dim() != 2:
            continue
        if not key.endswith(("embed_tokens.weight", "output_projection.weight")):
            continue
        tied = source is not None and own.data_ptr() == source.data_ptr()
        missing = n_missing if tied else 0
        if saved.shape != (own.size(0) - missing, own.size(1)):
            raise InputError(
                f"the checkpoint's {key} has {saved.size(0)} rows of {saved.size(1)}, expected "
                f"{own.size(0) - missing} of {own.size(1)} by the dictionaries and the "
                "inventory; use those, and the architecture, that it was trained with"
            )
        if missing:
            state[key] = own.to(saved.dtype).clone()
            state[key][: saved.size(0)] = saved
