"""An output projection that leaves the instructions' rows out."""

from __future__ import annotations

from typing import Optional

import torch
import torch.nn as nn
import torch.nn.functional as F


class BaseVocabularyProjection(nn.Linear):
    """A linear projection onto the first `out_features` rows of a weight that has more.

    Where source and target share their embeddings, the weight has rows for the instructions,
    which the target side must neither score nor generate.

    Args:
        weight: `(rows, width)`, shared with the embeddings.
        out_features: size of the target dictionary, at most `rows`.
        bias: `(rows,)`, whose first `out_features` are kept; None for none.
    """

    def __init__(
        self, weight: torch.Tensor, out_features: int, bias: Optional[torch.Tensor] = None
    ):
        # not the parent's: it would make a weight of its own
        nn.Module.__init__(self)
        self.in_features, self.out_features = weight.size(1), out_features
        self.weight = weight
        kept = None if bias is None else nn.Parameter(bias.detach()[:out_features].clone())
        self.register_parameter("bias", kept)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """`(..., width)` -> `(..., out_features)`."""
        return F.linear(features, self.weight[: self.out_features], self.bias)
