"""Growing a pretrained model by the inventory's symbols while its checkpoint loads.

The symbols' rows are appended below every old row, so no id moves, and the output projection
keeps to the old rows: a grown model has the base model's output vocabulary. Without an
instruction its logits are the base's, bit for bit, and no instruction can be generated.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, Optional

import torch
import torch.nn as nn

from fairseq_instr.errors import InputError
from fairseq_instr.models.output_projection import BaseVocabularyProjection

SOURCE_EMBEDDING = "encoder.embed_tokens.weight"
DECODER_EMBEDDING = "decoder.embed_tokens.weight"

# official fairseq 0.12.2 saves these of its fused encoder layers; later versions know them not
FUSED_LAYER_COPY = re.compile(r"encoder\.layers\.\d+\.(in_proj|out_proj|fc1|fc2)_(weight|bias)")


def source_embedding(parameters: Mapping[str, torch.Tensor]) -> Optional[torch.Tensor]:
    """The matrix that embeds the source: where there is no encoder, the decoder's."""
    has_encoder = any(key.startswith("encoder.") for key in parameters)
    return parameters.get(SOURCE_EMBEDDING if has_encoder else DECODER_EMBEDDING)


def trained_parameters(state: Mapping) -> Dict[str, torch.Tensor]:
    """Those of a checkpoint that training sets, which two equal trainings have in common.

    Official fairseq 0.12.2 saves buffers of random content besides, and copies for its fused
    layers that are made anew whenever a model loads.

    Args:
        state: a checkpoint, as it is read.
    """
    return {
        key: tensor
        for key, tensor in state["model"].items()
        if not key.endswith("._float_tensor") and not FUSED_LAYER_COPY.fullmatch(key)
    }


def prepare_for_growth(model: nn.Module, n_target: int, n_new: int, n_trained: int = 0) -> None:
    """Make a model built with the grown source dictionary load ungrown checkpoints.

    Args:
        model: a fairseq encoder-decoder, just built.
        n_target: size of the target dictionary, which is not grown.
        n_new: number of appended symbols.
        n_trained: number of them that the checkpoint to come was trained with already.

    Raises:
        InputError: if the model has an adaptive softmax, whose clusters can't grow.
    """
    decoder: Any = getattr(model, "decoder", None)
    if getattr(decoder, "adaptive_softmax", None) is not None and n_new:
        raise InputError(
            "--adaptive-softmax-cutoff: a model with adaptive softmax can't take instructions, "
            "its output is tied to ranges of ids; use a model with a full softmax"
        )
    projection = getattr(decoder, "output_projection", None)
    weight = getattr(projection, "weight", None)
    if weight is not None and weight.size(0) > n_target:
        decoder.output_projection = BaseVocabularyProjection(weight, n_target)

    def grow_on_load(module, state_dict, prefix, *unused):
        for key in [k for k in state_dict if FUSED_LAYER_COPY.fullmatch(k)]:
            if key not in own_keys:
                del state_dict[key]
        grow_state(state_dict, module.state_dict(), n_new - n_trained)

    own_keys = set(model.state_dict())
    model.register_load_state_dict_pre_hook(grow_on_load)


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
