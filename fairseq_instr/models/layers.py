"""The layer of the LLaMA family: RMSNorm, rotary grouped-query attention, SwiGLU.

What queries look at differs between the prompt, the target under teacher forcing and a step of
beam search: the layer is given a function of queries, keys and values. Parameters are named as
Hugging Face names them.
"""

from __future__ import annotations

from typing import Callable, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from fairseq_instr.models.rotary import Rotation, rotate, rotation_at

# queries B x H x T x d, keys and values B x K x T x d -> B x H x T x d
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


class _Norm(torch.autograd.Function):
    """x / rms(x) * weight, which keeps x alone for a backward of few passes."""

    @staticmethod
    def forward(ctx, x, weight, epsilon):
        ctx.epsilon = epsilon
        ctx.save_for_backward(x, weight)
        return weight * F.rms_norm(x.float(), weight.shape, eps=epsilon).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        x_dtype, x, gradient = x.dtype, x.float(), gradient.float()
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square() / x.size(-1)
        scale = (mean_square + ctx.epsilon).rsqrt()
        normed = x * scale
        products = gradient * normed
        on_weight = products.flatten(0, -2).sum(0).to(weight.dtype)
        # d normed / dx = scale * (1 - normed normed^T / dim)
        along = products.mul_(weight).mean(-1, keepdim=True)
        on_x = (gradient * weight).addcmul_(normed, along, value=-1).mul_(scale).to(x_dtype)
        return on_x, on_weight, None


class RMSNorm(nn.Module):
    """x / rms(x) * weight (Zhang and Sennrich, 2019), in fp32; epsilon joins the mean square."""

    def __init__(self, dim: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """`(..., dim)` -> the same, under autocast in its dtype: it goes into products alone."""
        normed = _Norm.apply(x, self.weight, self.epsilon)
        device = x.device.type
        # one cast, not one for each product; meta tensors know no autocast
        if not x.is_meta and torch.is_autocast_enabled(device):
            return normed.to(torch.get_autocast_dtype(device))
        return normed


class Attention(nn.Module):
    """Grouped-query attention (Ainslie et al., 2023): several query heads share keys and values.

    Args:
        dim: width.
        n_heads: heads of queries, H.
        n_key_value_heads: heads of keys and values, K; H is a multiple of it.
        head_dim: size of a head.
        bias: whether queries, keys and values have a bias.
        output_bias: whether the output has one.
    """

    def __init__(
        self,
        dim: int,
        n_heads: int,
        n_key_value_heads: int,
        head_dim: int,
        bias: bool = False,
        output_bias: bool = False,
    ):
        super().__init__()
        self.head_dim = head_dim
        self.q_proj = nn.Linear(dim, n_heads * head_dim, bias=bias)
        self.k_proj = nn.Linear(dim, n_key_value_heads * head_dim, bias=bias)
        self.v_proj = nn.Linear(dim, n_key_value_heads * head_dim, bias=bias)
        self.o_proj = nn.Linear(n_heads * head_dim, dim, bias=output_bias)

    def keys_values(self, x: Tensor, turned_by: Rotation) -> Tuple[Tensor, Tensor]:
        """Rotated keys and values of `(B, T, dim)`: each `(B, K, T, d)`."""
        return rotate(self._heads(self.k_proj(x)), turned_by), self._heads(self.v_proj(x))

    def forward(
        self, x: Tensor, turned_by: Rotation, attend: Attend, kept: Optional[Tensor] = None
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """`(B, T, dim)` -> the same at the places `kept`, and all keys and values."""
        keys, values = self.keys_values(x, turned_by)
        if kept is not None:
            x, turned_by = rows_at(x, kept), rotation_at(turned_by, kept)
        queries = rotate(self._heads(self.q_proj(x)), turned_by)
        context = attend(queries, keys, values)
        return self.o_proj(context.transpose(1, 2).flatten(2)), keys, values

    def _heads(self, projected: Tensor) -> Tensor:
        """B x T x (heads * d) -> B x heads x T x d."""
        return projected.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)


class _Gated(torch.autograd.Function):
    """silu(gate) * up; silu(gate) is not kept, but computed again in the backward."""

    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate, up)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx, gradient):
        gate, up = ctx.saved_tensors
        on_gate = torch.ops.aten.silu_backward(gradient * up, gate)
        return on_gate, F.silu(gate).mul_(gradient)


class FeedForward(nn.Module):
    """SwiGLU (Shazeer, 2020): down(silu(gate(x)) * up(x))."""

    def __init__(self, dim: int, ffn_dim: int, bias: bool = False):
        super().__init__()
        self.gate_proj = nn.Linear(dim, ffn_dim, bias=bias)
        self.up_proj = nn.Linear(dim, ffn_dim, bias=bias)
        self.down_proj = nn.Linear(ffn_dim, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., dim)` -> the same."""
        return self.down_proj(_Gated.apply(self.gate_proj(x), self.up_proj(x)))


class DecoderLayer(nn.Module):
    """Attention and feed-forward, each normed before and added, after dropout, to what came in."""

    def __init__(
        self, self_attn: Attention, mlp: FeedForward, dim: int, epsilon: float, dropout: float
    ):
        super().__init__()
        self.self_attn = self_attn
        self.mlp = mlp
        self.input_layernorm = RMSNorm(dim, epsilon)
        self.post_attention_layernorm = RMSNorm(dim, epsilon)
        self.dropout = nn.Dropout(dropout)

    def keys_values(self, x: Tensor, turned_by: Rotation) -> Tuple[Tensor, Tensor]:
        """Keys and values alone: all that is needed of the last layer of a prompt."""
        return self.self_attn.keys_values(self.input_layernorm(x), turned_by)

    def forward(
        self, x: Tensor, turned_by: Rotation, attend: Attend, kept: Optional[Tensor] = None
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """One layer.

        Args:
            x: `(B, T, dim)`.
            turned_by: rotation at the T places.
            attend: what queries look at.
            kept: LongTensor `(B, U)`, the places whose output is wanted; None for all.

        Returns:
            tuple: `(B, U, dim)`; keys and values of all T places, `(B, K, T, d)` each.
        """
        added, keys, values = self.self_attn(self.input_layernorm(x), turned_by, attend, kept)
        if kept is not None:
            x = rows_at(x, kept)
        x = x + self.dropout(added)
        x = x + self.dropout(self.mlp(self.post_attention_layernorm(x)))
        return x, keys, values


def rows_at(x: Tensor, places: Tensor) -> Tensor:
    """`(B, T, dim)` at the places `(B, U)` -> `(B, U, dim)`."""
    return x.gather(1, places[..., None].expand(-1, -1, x.size(2)))


def _for_all_heads(shared: Tensor, n_heads: int) -> Tensor:
    """B x K x T x d -> B x H x T x d: each head of keys or values for its group of queries."""
    times = n_heads // shared.size(1)
    return shared if times == 1 else shared.repeat_interleave(times, dim=1)


def _attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Optional[Tensor] = None) -> Tensor:
    """Attention, causal if there is no mask.

    torch's fused attention, but for bfloat16 on a CPU: there its backward costs as much as all
    other products of a layer together, and plain products, with the query heads that share keys
    as rows of one, a fraction. Scores are in bfloat16 then, their softmax in fp32.
    """
    n_heads, shared, head_dim = queries.size(1), keys.size(1), queries.size(3)
    if queries.dtype != torch.bfloat16 or queries.device.type != "cpu":
        keys, values = _for_all_heads(keys, n_heads), _for_all_heads(values, n_heads)
        return F.scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, is_causal=mask is None
        )
    if mask is None:
        n = queries.size(2)
        mask = torch.ones(n, n, dtype=torch.bool, device=queries.device).tril()[None, None]
    forbidden = mask.new_zeros(mask.shape, dtype=queries.dtype).masked_fill(~mask, float("-inf"))
    with torch.autocast("cpu", enabled=False):  # it would make the softmax a copy in fp32
        rows = (queries * head_dim**-0.5).unflatten(1, (shared, -1)).flatten(2, 3)
        scores = (rows @ keys.transpose(2, 3)).unflatten(2, (-1, queries.size(2)))
        weights = (scores + forbidden[:, :, None]).softmax(dim=-1).flatten(2, 3)
        return (weights @ values).unflatten(2, (-1, queries.size(2))).flatten(1, 2)


def attend_causally(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Each token looks at itself and those before it, as in a prompt."""
    return _attend(queries, keys, values)


def attend_where(mask: Tensor) -> Attend:
    """Each query looks where `mask` is True: bool `(B, 1, T, n)`, some n keys."""
    return lambda queries, keys, values: _attend(queries, keys, values, mask)


def attend_behind(prompt_keys: Tensor, prompt_values: Tensor, mask: Tensor) -> Attend:
    """Each target token looks at its prompt, at itself and at the target tokens before it.

    Keys and values of the prompts are `(B, K, S, d)`; `mask`, bool `(B, 1, T, S + T)`, is True
    where a token may look.
    """

    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        keys = torch.cat((prompt_keys, keys), dim=2)
        return _attend(queries, keys, torch.cat((prompt_values, values), dim=2), mask)

    return attend


def attend_one_step(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    prompt_keys: Tensor,
    prompt_values: Tensor,
    prompt_mask: Optional[Tensor],
) -> Tensor:
    """One new token a hypothesis; the hypotheses of a sentence share its prompt.

    The scores of prompt and hypothesis go through one softmax. A sentence's hypotheses, and
    the query heads that share keys, stand as rows of one matrix product with the prompt, which
    so is neither copied for each nor read more than once.

    Args:
        queries: `(B * beam, H, 1, d)`, hypotheses of a sentence one after the other.
        keys: `(B * beam, K, T, d)`, with
        values: of the target tokens so far, the new one included.
        prompt_keys: `(B, K, S, d)`, with
        prompt_values: of the prompts.
        prompt_mask: bool `(B, 1, 1, S)`, True on real tokens; None if all are.

    Returns:
        `(B * beam, H, 1, d)`.
    """
    rows, n_heads, _, head_dim = queries.shape
    batch, shared, n_prompt, _ = prompt_keys.shape
    beam, group = rows // batch, n_heads // shared

    # (B * beam) x K x group x n -> B x K x (beam * group) x n, and back
    def by_sentence(x: Tensor) -> Tensor:
        x = x.view(batch, beam, shared, group, x.size(-1)).transpose(1, 2)
        return x.reshape(batch, shared, beam * group, x.size(-1))

    def by_hypothesis(x: Tensor) -> Tensor:
        x = x.view(batch, shared, beam, group, x.size(-1)).transpose(1, 2)
        return x.reshape(rows, shared, group, x.size(-1))

    queries = (queries * head_dim**-0.5).reshape(rows, shared, group, head_dim)
    on_prompt = by_sentence(queries) @ prompt_keys.transpose(2, 3)
    if prompt_mask is not None:
        on_prompt = on_prompt.masked_fill(~prompt_mask, float("-inf"))
    on_target = queries @ keys.transpose(2, 3)
    scores = torch.cat((on_prompt, by_sentence(on_target)), dim=-1)
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(values.dtype)
    context = by_hypothesis(weights[..., :n_prompt] @ prompt_values)
    context = context + by_hypothesis(weights[..., n_prompt:].contiguous()) @ values
    return context.reshape(rows, n_heads, 1, head_dim)
