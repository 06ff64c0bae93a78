"""The odds ratio as arithmetic, against fp64, and fused against unfused."""

import math

import pytest
import torch
import torch.nn.functional as F

from fairseq_instr.criterions.odds_ratio import (
    fused_log_odds,
    odds_ratio_loss,
    sentence_log_odds,
)
from fairseq_instr.criterions.unlikelihood import target_log_odds
from tests.criterions.test_unlikelihood import PAD, LargestTensor, rows


def logit(p):
    return math.log(p) - math.log1p(-p)


def row(*probabilities, width=None, dtype=torch.float64):
    """Log odds of one sentence's tokens, and which of them are padding."""
    padding = (width or len(probabilities)) - len(probabilities)
    ignored = torch.tensor([[False] * len(probabilities) + [True] * padding])
    return torch.tensor([[logit(p) for p in probabilities] + [9.0] * padding], dtype=dtype), ignored


def loss_of(right, wrong):
    (right, right_ignored), (wrong, wrong_ignored) = right, wrong
    return odds_ratio_loss(right, wrong, right_ignored, wrong_ignored)


def test_one_token_by_hand():
    # odds 1 and 1/4: -log(1 / (1 + 1/4))
    assert loss_of(row(0.5), row(0.2)).item() == pytest.approx(math.log(1 + 0.25))


def test_two_tokens_by_hand():
    # geometric means 0.5 and 0.2: odds 1 and 1/4 again; the sentence counts by its two tokens
    assert loss_of(row(0.25, 1 - 1e-15), row(0.4, 0.1)).item() == pytest.approx(
        2 * math.log(1 + 0.25)
    )


@pytest.mark.parametrize(
    "probabilities",
    [(1e-9, 0.2, 1e-4), (0.1, 0.7, 0.5), (0.999, 1 - 1e-7, 1 - 1e-5), (1 - 1e-12,) * 4],
)
def test_fp32_agrees_with_fp64(probabilities):
    """Also where 1 - p is below the resolution of p in fp32."""
    lprob = math.fsum(map(math.log, probabilities)) / len(probabilities)
    if min(probabilities) > 0.9:  # there log(1 - x) needs the sum of the small parts
        lprob = -math.fsum(-math.log1p(-(1 - p)) for p in probabilities) / len(probabilities)
    exact = lprob - math.log(-math.expm1(lprob))
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 2e-6)):
        found = sentence_log_odds(*row(*probabilities, dtype=dtype)).item()
        assert found == pytest.approx(exact, rel=tolerance, abs=1e-6)


@pytest.mark.parametrize("wrong", [(1e-9, 1e-5), (0.1, 0.6), (1 - 1e-9, 1 - 1e-6)])
@pytest.mark.parametrize("right", [(1e-9, 1e-5), (0.3, 0.9), (1 - 1e-9, 1 - 1e-6)])
def test_gradients_are_those_by_hand(right, wrong):
    """At a token: -+ T * sigmoid(-ratio) * (1 - p) / (T * (1 - exp(lp)))."""
    sides = [row(*right), row(*wrong)]
    exact = [log_odds.requires_grad_() for log_odds, _ in sides]
    loss_of(*sides).backward()
    odds = [sentence_log_odds(*side).item() for side in sides]
    share = 1 / (1 + math.exp(odds[0] - odds[1]))
    for sign, log_odds, tokens in ((-1, exact[0], right), (1, exact[1], wrong)):
        mean = math.exp(math.fsum(map(math.log, tokens)) / len(tokens))
        by_hand = [sign * share * (1 - p) / (1 - mean) for p in tokens]
        assert log_odds.grad[0].tolist() == pytest.approx(by_hand, rel=1e-5)
    # and fp32 has the same
    halved = [row(*tokens, dtype=torch.float32) for tokens in (right, wrong)]
    inputs = [log_odds.requires_grad_() for log_odds, _ in halved]
    loss_of(*halved).backward()
    for ours, theirs in zip(inputs, exact):
        assert torch.allclose(ours.grad.double(), theirs.grad, rtol=1e-4, atol=1e-30)


def test_gradients_agree_with_finite_differences():
    generator = torch.Generator().manual_seed(0)
    right, wrong = (3 * torch.randn(4, 5, generator=generator, dtype=torch.float64) for _ in "ab")
    ignored = torch.arange(5).expand(4, 5) >= torch.tensor([5, 3, 1, 4])[:, None]
    right.requires_grad_(), wrong.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a, b: odds_ratio_loss(a, b, ignored, ignored), (right, wrong)
    )


@pytest.mark.parametrize("value", [-1e4, -200.0, 200.0, 1e4])
def test_loss_and_gradients_stay_finite(value):
    for right, wrong in ((value, 0.0), (0.0, value), (value, value), (value, -value)):
        sides = [torch.full((1, 3), x, requires_grad=True) for x in (right, wrong)]
        none = torch.zeros(1, 3, dtype=torch.bool)
        loss = odds_ratio_loss(*sides, none, none)
        loss.backward()
        for tensor in (loss, *(side.grad for side in sides)):
            assert tensor.isfinite().all()
        assert all(side.grad.abs().sum() <= 3.001 for side in sides)


def test_padding_and_batching_change_nothing():
    rows = [(row(0.5, 0.1), row(0.2, 0.9)), (row(0.7, 0.3, 0.4), row(0.6, 0.2, 0.1))]
    alone = sum(loss_of(*sides) for sides in rows)
    together = [
        (torch.cat([F.pad(a, (0, 4 - a.size(1)), value=99.0) for a, _ in side]),
         torch.cat([F.pad(b, (0, 4 - b.size(1)), value=True) for _, b in side]))
        for side in zip(*rows)
    ]  # fmt: skip
    torch.testing.assert_close(loss_of(*together), alone)


def test_a_conflict_without_tokens_costs_nothing():
    right, ignored = row(0.5, 0.4)
    wrong = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    loss = odds_ratio_loss(right, wrong, ignored, torch.ones_like(ignored))
    loss.backward()
    assert loss == 0 and wrong.grad.eq(0).all()


# -- fused with the projection ----------------------------------------------------------


def tensors(dtype=torch.float64, **options):
    return rows(dtype, bias=True, **options)[:2]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("chunk_size", [1, 7, 1000, None])
def test_fused_equals_unfused(bias, chunk_size):
    (hidden, weight, *offset), target, _ = rows(bias=bias)
    coefficients = torch.linspace(-1, 2, len(target), dtype=torch.float64)
    inputs = [hidden, weight, *offset]
    plain = target_log_odds(F.linear(*inputs), target).masked_fill(target.eq(PAD), 0.0)
    expected = torch.autograd.grad((coefficients * plain).sum(), inputs)
    fused = fused_log_odds(hidden, weight, target, PAD, *(offset or [None]), chunk_size)
    torch.testing.assert_close(fused, plain)
    # twice, as nothing is used up
    for retain in (True, False):
        ours = torch.autograd.grad((coefficients * fused).sum(), inputs, retain_graph=retain)
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_fused_with_a_frozen_side(frozen):
    found, target = tensors()
    found[frozen].requires_grad_(False)
    hidden, weight, offset = found
    fused_log_odds(hidden, weight, target, PAD, offset).sum().backward()
    assert [tensor.grad is None for tensor in found] == [i == frozen for i in range(3)]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_fused_in_half_precision(dtype):
    (hidden, weight, offset), target = tensors(dtype)
    exact = [t.detach().double().requires_grad_() for t in (hidden, weight, offset)]
    expected = fused_log_odds(exact[0], exact[1], target, PAD, exact[2])
    found = fused_log_odds(hidden, weight, target, PAD, offset)
    assert found.dtype == torch.float32
    rounding = torch.finfo(dtype).eps
    torch.testing.assert_close(found.double(), expected, rtol=8 * rounding, atol=40 * rounding)
    expected.sum().backward()
    found.sum().backward()
    for ours, theirs in zip((hidden, weight, offset), exact):
        assert ours.grad.dtype == dtype
        error = (ours.grad.double() - theirs.grad).norm()
        assert error <= 30 * rounding * theirs.grad.norm()


def test_fused_under_autocast():
    (hidden, weight, offset), target = tensors(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = fused_log_odds(hidden, weight, target, PAD, offset)
    assert found.dtype == torch.float32
    found.sum().backward()
    assert hidden.grad.dtype == weight.grad.dtype == torch.float32


def test_tokens_by_vocabulary_is_never_held():
    (hidden, weight, offset), target = tensors(n=64, vocab=50)
    with LargestTensor() as held:
        fused_log_odds(hidden, weight, target, PAD, offset, chunk_size=4).sum().backward()
    assert held.elements <= max(hidden.numel(), weight.numel(), 4 * 50)


def test_padding_alone_reaches_no_projection():
    (hidden, weight, offset), target = tensors()
    assert fused_log_odds(hidden, weight, torch.full_like(target, PAD), PAD, offset).eq(0).all()
