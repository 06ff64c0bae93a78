"""Rotary positions (Su et al., 2021), plain or with the frequency scaling of LLaMA 3.1.

Angles are computed in fp32 for each batch. A table would be a buffer, which fairseq halves under
`--fp16` and `--bf16`: a half-precision angle is wrong from position 256 on.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Optional, Tuple

import torch
from torch import Tensor

Rotation = Tuple[Tensor, Tensor]  # cosines and sines, each B x 1 x T x head_dim / 2


class FrequencyScaling(NamedTuple):
    """LLaMA 3.1's stretching of slow rotations, by which a model reads longer texts.

    Attributes:
        factor: what the slowest frequencies are divided by.
        low_factor: frequencies with fewer turns than this over `original_positions` are
            divided by the whole `factor`.
        high_factor: those with more turns than this are kept; in between it is interpolated.
        original_positions: longest text of pretraining, in tokens.
    """

    factor: float
    low_factor: float = 1.0
    high_factor: float = 4.0
    original_positions: int = 8192


def frequencies(head_dim: int, theta: float, scaling: Optional[FrequencyScaling] = None) -> Tensor:
    """Angle that each pair of a head's dimensions turns by at a step, in radians.

    Args:
        head_dim: size of a head, even.
        theta: base of the geometric series.
        scaling: None for plain frequencies.

    Returns:
        fp32 Tensor `(head_dim / 2,)`, on the CPU whatever the default device is.

    Example: `frequencies(4, 100.0)` is `[1.0, 0.1]`.
    """
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device="cpu") / head_dim
    plain = 1.0 / theta**exponents
    if scaling is None:
        return plain
    turns = scaling.original_positions * plain / (2 * math.pi)
    kept = (turns - scaling.low_factor) / (scaling.high_factor - scaling.low_factor)
    kept = kept.clamp(0.0, 1.0)
    return plain * (kept + (1.0 - kept) / scaling.factor)


def rotation(positions: Tensor, frequency: Tensor, dtype: torch.dtype) -> Rotation:
    """Cosines and sines at positions `(batch, T)`, or `(1, T)` where all are alike, in a dtype."""
    angles = positions.to(torch.float32)[:, None, :, None] * frequency
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotation_at(turned_by: Rotation, places: Tensor) -> Rotation:
    """The rotation of `(1, T)` positions at the places `(B, U)` among them."""
    cos, sin = (table[0, 0][places][:, None] for table in turned_by)
    return cos, sin


class _Rotate(torch.autograd.Function):
    """Four passes over the heads; the backward is the rotation back."""

    @staticmethod
    def forward(ctx, heads, cos, sin):
        ctx.save_for_backward(cos, sin)
        return _rotated(heads, cos, sin)

    @staticmethod
    def backward(ctx, gradient):
        cos, sin = ctx.saved_tensors
        return _rotated(gradient, cos, -sin), None, None


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = heads.chunk(2, dim=-1)
    turned = torch.empty_like(heads)
    turned_first, turned_second = turned.chunk(2, dim=-1)
    torch.mul(first, cos, out=turned_first).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=turned_second).addcmul_(first, sin)
    return turned


def rotate(heads: Tensor, turned_by: Rotation) -> Tensor:
    """Turn the pairs (i, i + head_dim / 2) of heads `(batch, n_heads, T, head_dim)`.

    This is Hugging Face's half-split layout. Meta's own checkpoints pair (2i, 2i + 1); Hugging
    Face's conversion permuted their rows.
    """
    cos, sin = turned_by
    return _Rotate.apply(heads, cos.to(heads.dtype), sin.to(heads.dtype))
