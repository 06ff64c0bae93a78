"""Names of parameters in fairseq's checkpoints."""

from __future__ import annotations

import re
from typing import Dict, Mapping, Optional

import torch

SOURCE_EMBEDDING = "encoder.embed_tokens.weight"
DECODER_EMBEDDING = "decoder.embed_tokens.weight"

# official fairseq 0.12.2 saves these of its fused encoder layers; later versions know them not
FUSED_LAYER_COPY = re.compile(r"encoder\.layers\.\d+\.(in_proj|out_proj|fc1|fc2)_(weight|bias)")
# buffers that no training sets: a version number, and what marked a table's device
NO_PARAMETER = re.compile(r"(.+\.)?(version|embed_positions\.(_float_tensor|weights))")


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
