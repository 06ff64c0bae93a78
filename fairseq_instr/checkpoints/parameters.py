"""Parameters in fairseq's checkpoints: their names, and what tells equal ones."""

from __future__ import annotations

import hashlib
import re
from typing import Dict, Mapping, NamedTuple, Optional

import torch
import torch.nn as nn

SOURCE_EMBEDDING = "encoder.embed_tokens.weight"
DECODER_EMBEDDING = "decoder.embed_tokens.weight"

# official fairseq 0.12.2 saves these of its fused encoder layers; later versions know them not
FUSED_LAYER_COPY = re.compile(r"encoder\.layers\.\d+\.(in_proj|out_proj|fc1|fc2)_(weight|bias)")
# buffers that no training sets: a version number, and what marked a table's device
NO_PARAMETER = re.compile(r"(.+\.)?(version|embed_positions\.(_float_tensor|weights))")


BASE_KEY = "base_extra_state"
"""Entry of a checkpoint's model that names the base of its adapters; see `AdapterBase`."""


class AdapterBase(NamedTuple):
    """The checkpoint that holds what a checkpoint of adapters leaves out."""

    path: str  # of the checkpoint, absolute
    digest: str  # of its parameters, see `digest`


def digest(parameters: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of names, dtypes, shapes and values: 64 hexadecimal digits."""
    found = hashlib.sha256()
    for name in sorted(parameters):
        tensor = parameters[name].detach().contiguous()
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def parameters_of(model: nn.Module) -> Dict[str, torch.Tensor]:
    """The state of a model, with the parameters that its checkpoints leave to a base."""
    state = model.state_dict()
    state.pop(BASE_KEY, None)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        state.setdefault(name, parameter.detach())
    return state


def source_embedding(parameters: Mapping[str, torch.Tensor]) -> Optional[torch.Tensor]:
    """The matrix that embeds the source: where there is no encoder, the decoder's."""
    has_encoder = any(key.startswith("encoder.") for key in parameters)
    return parameters.get(SOURCE_EMBEDDING if has_encoder else DECODER_EMBEDDING)


def trained_parameters(state: Mapping) -> Dict[str, torch.Tensor]:
    """Parameters that training sets: equal trainings have equal ones.

    Official fairseq 0.12.2 saves buffers of random content besides, and copies for its fused
    layers that are made anew whenever a model loads.
    """
    return {
        key: tensor
        for key, tensor in state["model"].items()
        if not NO_PARAMETER.fullmatch(key) and not FUSED_LAYER_COPY.fullmatch(key)
    }
