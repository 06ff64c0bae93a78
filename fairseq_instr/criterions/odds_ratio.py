"""The odds ratio of positives and conflicts, sentence by sentence (Hong et al., 2024, ORPO).

A sentence's probability is the geometric mean of its tokens' probabilities, exp(lp) with lp the
mean of their logarithms. With log odds(lp) = lp - log(1 - exp(lp)), the loss of a conflict is

    -log sigmoid(log odds(lp+) - log odds(lp-))                              (Eq. 6 and 7)

where lp+ is the sentence's under the right prompt, and lp- that under the wrong one.

Both start from the tokens' log odds of `unlikelihood`, so that 1 - exp(lp) keeps its digits where
a model is sure of every token: neither is clamped, and gradients stay bounded.
"""

from __future__ import annotations

from typing import Any, List, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from fairseq_instr.criterions.unlikelihood import (
    default_chunk_size,
    loss_dtype,
    project,
    under_autocast,
    without_target,
)


def sentence_log_odds(log_odds: Tensor, ignored: Tensor) -> Tensor:
    """Log odds of the geometric mean of a sentence's token probabilities.

    Args:
        log_odds: log odds of the tokens, `(n, T)`, fp32 or fp64.
        ignored: bool `(n, T)`, tokens that don't count (padding).

    Returns:
        Tensor: `(n,)`, in nats. A sentence of one token has that token's log odds. The gradient
        at a token with probability p is (1 - p) / (T * (1 - exp(lp))), and sums to 1 at most.
    """
    lengths = (~ignored).sum(1).clamp(min=1)
    lprobs = F.logsigmoid(log_odds).masked_fill(ignored, 0.0).sum(1) / lengths
    # a sentence without tokens, or surer than the numbers reach: far from 0, but finite
    lprobs = lprobs.clamp(max=-torch.finfo(lprobs.dtype).tiny)
    return lprobs - torch.log(-torch.expm1(lprobs))


def odds_ratio_loss(
    log_odds: Tensor, conflict_log_odds: Tensor, ignored: Tensor, conflict_ignored: Tensor
) -> Tensor:
    """Sum over conflicts of T * -log sigmoid(log odds(lp+) - log odds(lp-)): scalar in nats.

    T is the conflict's number of tokens: as in a mean over tokens, a sentence counts by its
    length, and a batch's loss is the sum of its parts'.

    Args:
        log_odds: of the tokens under the right prompt, a row for each conflict, `(C, T)`.
        conflict_log_odds: of the tokens under the wrong prompt, `(C, T)`.
        ignored: bool `(C, T)`, tokens of the first that don't count (padding).
        conflict_ignored: the same of the second.

    Example: one token, of probability 0.5 under the right prompt and 0.2 under the wrong one:
    -log sigmoid(0 - log(0.25)) = log(1 + 0.25) = 0.2231.
    """
    wrong = sentence_log_odds(conflict_log_odds, conflict_ignored)
    right = sentence_log_odds(log_odds, ignored)
    return ((~conflict_ignored).sum(1) * F.softplus(wrong - right)).sum()


class _FusedLogOdds(torch.autograd.Function):
    """`target_log_odds` of a projection; the backward projects each chunk once more."""

    @staticmethod
    def forward(ctx, hidden, weight, bias, target, chunk_size):
        log_odds = hidden.new_empty(len(hidden), dtype=loss_dtype(hidden))
        buffer = hidden.new_empty(min(chunk_size, len(hidden)), len(weight))
        for start in range(0, len(hidden), chunk_size):
            rows = slice(start, start + chunk_size)
            logits = project(hidden[rows], weight, bias, buffer)
            log_odds[rows] = without_target(logits, target[rows])[1]
        ctx.save_for_backward(hidden, weight, bias, target)
        ctx.chunk_size = chunk_size
        return log_odds

    @staticmethod
    def backward(ctx, grad_log_odds):
        hidden, weight, bias, target = ctx.saved_tensors
        dtype = loss_dtype(hidden)
        # Any: each is a tensor where it is needed
        grads: List[Any] = [
            tensor.new_zeros(tensor.shape, dtype=dtype) if needed else None
            for tensor, needed in zip((hidden, weight, bias), ctx.needs_input_grad)
        ]
        grad_hidden, grad_weight, grad_bias = grads
        buffer = hidden.new_empty(min(ctx.chunk_size, len(hidden)), len(weight))
        for start in range(0, len(hidden), ctx.chunk_size):
            rows = slice(start, start + ctx.chunk_size)
            logits = project(hidden[rows], weight, bias, buffer)
            grad = grad_log_odds[rows, None]
            z = without_target(logits, target[rows])[0].mul_(-grad)
            z = z.scatter_(1, target[rows, None], grad).to(hidden.dtype)
            if grad_hidden is not None:
                grad_hidden[rows] = z @ weight
            if grad_weight is not None:
                grad_weight += z.t() @ hidden[rows]
            if grad_bias is not None:
                grad_bias += z.sum(0, dtype=dtype)
        found = [
            None if g is None else g.to(t.dtype) for g, t in zip(grads, (hidden, weight, bias))
        ]
        return (*found, None, None)


def fused_log_odds(
    hidden: Tensor,
    weight: Tensor,
    target: Tensor,
    ignore_index: int,
    bias: Optional[Tensor] = None,
    chunk_size: Optional[int] = None,
) -> Tensor:
    """Log odds of target tokens straight from hidden states and the projection.

    As `target_log_odds` of `hidden @ weight.T + bias`, differentiable, a chunk of tokens at a
    time: tokens x vocabulary scores are never held. Arguments are those of `fused_loss`.

    Returns:
        Tensor: log odds in nats, `(...)`, fp32 (fp64 from fp64 states), zero where ignored.
    """
    hidden, weight, bias = map(under_autocast, (hidden, weight, bias))
    kept = target.ne(ignore_index).flatten().nonzero().squeeze(1)
    with torch.autocast(hidden.device.type, enabled=False):
        log_odds = _FusedLogOdds.apply(
            hidden.reshape(-1, hidden.size(-1)).index_select(0, kept),
            weight,
            bias,
            target.flatten().index_select(0, kept),
            chunk_size or default_chunk_size(len(weight)),
        )
    return log_odds.new_zeros(target.numel()).index_copy(0, kept, log_odds).view_as(target)
