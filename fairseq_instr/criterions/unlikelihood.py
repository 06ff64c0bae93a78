"""Exact unlikelihood, alone and fused with the output projection.

Everything rests on one number per token. With logits z, target y and p = softmax(z)_y,

    s = z_y - logsumexp(z without y) = log(p / (1 - p))

is the target's log odds, and -log(1 - p) = softplus(s). The sum over the other tokens is
taken directly: the difference of two logsumexps would cancel where p is small, and 1 - p
would where p is close to 1. Clamping 1 - p instead silences the gradient exactly where the
model is most sure of the token it should avoid.

The functions work on tensors alone; `label_smoothed_cross_entropy_with_unlikelihood`
routes batches into them and logs what they return.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

MIN_CHUNK_SIZE = 256
MIN_CHUNK_LOGITS = 2**22


def default_chunk_size(vocab):
    """Tokens that the fused loss projects at a time: 256, more where the vocabulary is small.

    Matrix products over fewer rows lose speed, and over more than these don't gain any.
    """
    return max(MIN_CHUNK_SIZE, MIN_CHUNK_LOGITS // vocab)


def loss_dtype(tensor):
    """fp32 for half precision, else the dtype of `tensor` itself."""
    return torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else tensor.dtype


def without_target(logits, target):
    """Softmax of the tokens other than the target, `(..., vocab)`, and its log odds, `(...)`."""
    index = target.unsqueeze(-1)
    others = logits.to(loss_dtype(logits), copy=True)
    target_logit = others.gather(-1, index)
    others.scatter_(-1, index, -torch.inf)
    maximum = others.amax(-1, keepdim=True)
    others.sub_(maximum).exp_()
    total = others.sum(-1, keepdim=True)
    return others.div_(total), (target_logit - maximum - total.log()).squeeze(-1)


class _TargetLogOdds(torch.autograd.Function):
    """s = z_y - logsumexp(z without y); ds/dz is 1 at y and -softmax(z without y) elsewhere."""

    @staticmethod
    def forward(ctx, logits, target):
        softmax_of_others, log_odds = without_target(logits, target)
        ctx.dtype = logits.dtype
        ctx.save_for_backward(softmax_of_others, target.unsqueeze(-1))
        return log_odds

    @staticmethod
    def backward(ctx, grad_log_odds):
        softmax_of_others, index = ctx.saved_tensors
        grad = grad_log_odds.unsqueeze(-1)
        return (softmax_of_others * -grad).scatter_(-1, index, grad).to(ctx.dtype), None


def target_log_odds(logits, target):
    """Log odds log(p / (1 - p)) of each target token, exact for p near 0 and near 1.

    Args:
        logits (Tensor): unnormalised scores, `(..., vocab)`; half precision is upcast to fp32.
        target (LongTensor): tokens, `(...)`.

    Returns:
        Tensor: log odds in nats, `(...)`, fp32 (fp64 from fp64 logits).

    Raises:
        ValueError: if `logits` and `target` disagree in their leading dimensions.

    Example: logits log([.5, .3, .2]), target 0 -> p = 0.5 -> 0.
    """
    if logits.shape[:-1] != target.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} don't fit a target of shape "
            f"{tuple(target.shape)}; give one row of logits for each target token"
        )
    return _TargetLogOdds.apply(logits, target)


def unlikelihood_loss(logits, target, ignore_index):
    """Sum of -log(1 - p(target)) over the target tokens (Welleck et al., 2020, Eq. 2).

    Computed as softplus of the target's log odds, which is exact and needs no clamp as p
    approaches 0 or 1. The gradient on the logits is p at the target and -p times the softmax
    over the other tokens elsewhere, so it is bounded.

    Args:
        logits (Tensor): unnormalised scores, `(..., vocab)`; half precision is upcast to fp32.
        target (LongTensor): tokens to make unlikely, `(...)`.
        ignore_index (int): target value that contributes nothing (padding).

    Returns:
        tuple:
            - the loss: scalar in nats, fp32 (fp64 from fp64 logits), not divided by anything
            - log p(target), `(...)`, detached, zero where ignored

    Raises:
        ValueError: if `logits` and `target` disagree in their leading dimensions.

    Example: p(target) = 0.5 on one token -> 0.6931.
    """
    ignored = target.eq(ignore_index)
    log_odds = target_log_odds(logits, target.masked_fill(ignored, 0))
    ul_loss = F.softplus(log_odds).masked_fill(ignored, 0.0).sum()
    return ul_loss, F.logsigmoid(log_odds.detach()).masked_fill(ignored, 0.0)


class Losses(NamedTuple):
    """Sums in nats over positives and conflicts; only `loss` is to be differentiated."""

    loss: Tensor
    """Label-smoothed NLL of the positives + weight * loss of the conflicts, scalar."""
    nll_loss: Tensor
    """Sum of -log p(target) over the positives' target tokens, scalar."""
    conflict_loss: Tensor
    """Sum over the conflicts of their loss, before its weight, scalar."""
    target_lprobs: Tensor
    """log p(target), shaped as the target, zero where ignored."""
    n_correct: Optional[Tensor]
    """How many of the positives' target tokens have the highest logit, if counted, scalar."""


class _FusedLoss(torch.autograd.Function):
    """The fused loss over rows that all count; gradients are made in the forward."""

    @staticmethod
    def forward(
        ctx,
        hidden,  # N x d
        weight,  # V x d
        bias,  # V, or None
        target,  # N
        is_conflict,  # N
        epsilon,
        unlikelihood_weight,
        chunk_size,
        grad_enabled,
    ):
        ctx.dtypes = (hidden.dtype, weight.dtype, None if bias is None else bias.dtype)
        dtype = loss_dtype(hidden)
        # cast here, so that gradients of fp32 parameters are never rounded
        weight = weight.to(hidden.dtype)
        bias = None if bias is None else bias.to(hidden.dtype)
        n_rows, vocab = hidden.size(0), weight.size(0)
        needs_hidden, needs_weight, needs_bias = (
            grad_enabled and needed for needed in ctx.needs_input_grad[:3]
        )
        # Any: each is a tensor where it is needed
        grad_hidden: Any = hidden.new_empty(hidden.shape, dtype=dtype) if needs_hidden else None
        grad_weight: Any = weight.new_zeros(weight.shape, dtype=dtype) if needs_weight else None
        grad_bias: Any = bias.new_zeros(bias.shape, dtype=dtype) if needs_bias else None

        # Label smoothing adds to each positive row's gradient the same -eps_i for every token,
        # and to its loss -eps_i * sum(z). Both are linear in z, so that the sum of the
        # projection's rows gives them without another pass over the logits.
        eps_i = epsilon / (vocab - 1)
        if epsilon:
            weight_sum = weight.sum(0, dtype=dtype)
            bias_sum = 0.0 if bias is None else bias.sum(dtype=dtype)

        log_odds = hidden.new_empty(n_rows, dtype=dtype)
        loss = hidden.new_zeros((), dtype=dtype)
        n_correct = target.new_zeros(())
        buffer = hidden.new_empty(min(chunk_size, n_rows), vocab)
        for start in range(0, n_rows, chunk_size):
            rows = slice(start, start + chunk_size)
            h, index, conflict = hidden[rows], target[rows, None], is_conflict[rows, None]
            z = project(h, weight, bias, buffer).to(dtype)  # n x V; from here on in place

            # A conflict's sum leaves the target out: `score` is its log odds, but a
            # positive's log p.
            z_target = z.gather(1, index)
            z.scatter_(1, index, z_target.masked_fill(conflict, -torch.inf))
            maximum = z.amax(1, keepdim=True)
            total = z.sub_(maximum).exp_().sum(1, keepdim=True)
            score = z_target - maximum - total.log()
            log_odds[rows] = score.squeeze(1)
            n_correct += ((z_target >= maximum) & ~conflict).sum()

            row_loss = torch.where(conflict, unlikelihood_weight * F.softplus(score), -score)
            if epsilon:
                z_sum = h.to(dtype) @ weight_sum[:, None] + bias_sum
                smooth_loss = vocab * (maximum + total.log()) - z_sum
                smoothed = (1.0 - epsilon - eps_i) * -score + eps_i * smooth_loss
                row_loss = torch.where(conflict, row_loss, smoothed)
            loss += row_loss.sum()

            if not (needs_hidden or needs_weight or needs_bias):
                continue
            # d loss / dz = scale * z up to the smoothing's constant. Positive: p, less
            # 1 - eps - eps_i at the target. Conflict: -weight * p * softmax of the others, and
            # weight * p at the target. Rows are scaled after the products, where they are short.
            scale = torch.where(conflict, -unlikelihood_weight * torch.sigmoid(score), 1.0) / total
            positive_target = z.gather(1, index) - (1.0 - epsilon - eps_i) * total
            z.scatter_(1, index, torch.where(conflict, -total, positive_target))
            if dtype != hidden.dtype:  # half precision can't hold the unscaled sums
                z, scale = z.mul_(scale).to(hidden.dtype), torch.ones_like(scale)
            if needs_hidden:
                grad_hidden[rows] = (z @ weight).to(dtype).mul_(scale)
                if epsilon:
                    grad_hidden[rows] -= eps_i * weight_sum * ~conflict
            if needs_weight and dtype == hidden.dtype:
                grad_weight.addmm_(z.t(), h * scale)
            elif needs_weight:
                grad_weight += z.t() @ h
            if needs_bias:
                grad_bias += z.to(dtype).t().mv(scale.squeeze(1))

        if epsilon and needs_weight:
            grad_weight -= eps_i * hidden[~is_conflict].sum(0, dtype=dtype)
        if epsilon and needs_bias:
            grad_bias -= eps_i * (~is_conflict).sum()

        nll_loss = -log_odds[~is_conflict].sum()
        ul_loss = F.softplus(log_odds[is_conflict]).sum()
        target_lprobs = torch.where(is_conflict, F.logsigmoid(log_odds), log_odds)
        ctx.gradients = (grad_hidden, grad_weight, grad_bias)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(nll_loss, ul_loss, target_lprobs, n_correct)
        return loss, nll_loss, ul_loss, target_lprobs, n_correct

    @staticmethod
    def backward(ctx, grad_loss, *_):
        if ctx.gradients is None:
            raise RuntimeError("the fused loss can be differentiated once; compute it anew")
        # Scaled in place, so that a second copy of the weight's gradient is never held; given
        # away, so that autograd may keep the tensor itself.
        gradients, ctx.gradients = ctx.gradients, None
        scaled = [
            None if gradient is None or grad_loss is None else gradient.mul_(grad_loss).to(dtype)
            for gradient, dtype in zip(gradients, ctx.dtypes)
        ]
        return (*scaled, None, None, None, None, None, None)


def project(hidden, weight, bias, buffer):
    """`hidden @ weight.T + bias`, `(n, vocab)`, in the first rows of a buffer."""
    if bias is None:
        return torch.mm(hidden, weight.t(), out=buffer[: len(hidden)])
    return torch.addmm(bias, hidden, weight.t(), out=buffer[: len(hidden)])


def under_autocast(tensor):
    """A tensor in the dtype that autocast, where it is on, has for matrix products; or None."""
    if tensor is None or tensor.is_meta or not torch.is_autocast_enabled(tensor.device.type):
        return tensor
    return tensor.to(torch.get_autocast_dtype(tensor.device.type))


def fused_loss(
    hidden: Tensor,
    weight: Tensor,
    target: Tensor,
    is_conflict: Tensor,
    epsilon: float,
    unlikelihood_weight: float,
    ignore_index: int,
    bias: Optional[Tensor] = None,
    chunk_size: Optional[int] = None,
) -> Losses:
    """Label-smoothed NLL and unlikelihood straight from hidden states and the projection.

    Positives get fairseq's `label_smoothed_nll_loss`, conflicts `unlikelihood_loss`; loss and
    gradients are those of the two on `hidden @ weight.T + bias`. Tokens go through the
    projection `chunk_size` at a time, and their gradients are made at once, so that
    tokens x vocabulary scores are never held: memory is that of the gradients and one chunk.
    That is why the weight of the unlikelihood is an argument and why the result can be
    differentiated only once. Ignored tokens never reach the projection.

    Args:
        hidden (Tensor): decoder states, `(..., d)`; any float dtype. Logits are computed in
            this dtype, the loss and the sums of gradients in fp32 at least.
        weight (Tensor): the output projection, `(vocab, d)`, cast to the dtype of `hidden`; may
            be tied to an embedding.
        target (LongTensor): target tokens, `(...)`.
        is_conflict (BoolTensor): tokens to make unlikely; broadcast to the target's shape.
        epsilon (float): label smoothing of the positives, 0 for none.
        unlikelihood_weight (float): what a conflict's token counts in the loss.
        ignore_index (int): target value that contributes nothing (padding).
        bias (Tensor, optional): the projection's bias, `(vocab,)`.
        chunk_size (int, optional): tokens projected at a time; `default_chunk_size` if None.

    Returns:
        Losses: the loss, and what is to be logged.

    Raises:
        RuntimeError: at the second backward through one result.
        ValueError: if `hidden` and `target` disagree in their leading dimensions.
    """
    if hidden.shape[:-1] != target.shape:
        raise ValueError(
            f"hidden states of shape {tuple(hidden.shape)} don't fit a target of shape "
            f"{tuple(target.shape)}; give one state for each target token"
        )
    hidden = under_autocast(hidden)
    kept = target.ne(ignore_index).flatten().nonzero().squeeze(1)
    with torch.autocast(hidden.device.type, enabled=False):
        loss, nll_loss, ul_loss, lprobs, n_correct = _FusedLoss.apply(
            hidden.reshape(-1, hidden.size(-1)).index_select(0, kept),
            weight,
            bias,
            target.flatten().index_select(0, kept),
            is_conflict.expand_as(target).flatten().index_select(0, kept),
            epsilon,
            unlikelihood_weight,
            chunk_size or default_chunk_size(len(weight)),
            torch.is_grad_enabled(),
        )
    target_lprobs = lprobs.new_zeros(target.numel()).index_copy(0, kept, lprobs)
    return Losses(loss, nll_loss, ul_loss, target_lprobs.view_as(target), n_correct)
