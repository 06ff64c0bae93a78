"""The losses as arithmetic, against fp64, against the public formula, fused against unfused."""

import math

import pytest
import torch
import torch.nn.functional as F
from fairseq.criterions.label_smoothed_cross_entropy import label_smoothed_nll_loss
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from fairseq_instr.criterions.unlikelihood import (
    default_chunk_size,
    fused_loss,
    target_log_odds,
    unlikelihood_loss,
)

PAD = 1
PROBABILITIES = [1e-6, 1e-4, 0.01, 0.3, 0.5, 0.9, 0.999, 1 - 1e-6, 1 - 1e-8, 1 - 1e-12]


def public_unlikelihood_loss(logits, target, ignore_index):
    """The formula of the public implementations: softmax, clamp 1e-9, log, sum."""
    probabilities = torch.softmax(logits, -1).gather(1, target[:, None]).squeeze(1)
    losses = -torch.log((1.0 - probabilities).clamp(min=1e-9))
    return losses.masked_fill(target.eq(ignore_index), 0.0).sum()


def logits_with_target_probability(probability, vocab=50, seed=0, dtype=torch.float64):
    """One row of logits whose softmax gives token 7 `probability`."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, vocab, generator=generator, dtype=torch.float64)
    others = logits.clone()
    others[0, 7] = -math.inf
    odds = math.log(probability) - math.log1p(-probability)
    logits[0, 7] = others.logsumexp(-1) + odds
    return logits.to(dtype)


def gradient_of(loss_function, logits, target, ignore_index=PAD):
    logits = logits.clone().requires_grad_()
    loss = loss_function(logits, target, ignore_index)
    (loss[0] if isinstance(loss, tuple) else loss).backward()
    return logits.grad


def test_one_token_of_probability_one_half():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2]]))
    loss, lprobs = unlikelihood_loss(logits, torch.tensor([0]), ignore_index=-100)
    assert loss.item() == pytest.approx(-math.log(1 - 0.5))  # 0.6931
    assert lprobs.item() == pytest.approx(math.log(0.5))


def test_gradient_is_p_at_the_target_and_minus_p_times_the_others_softmax():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2]]))
    gradient = gradient_of(unlikelihood_loss, logits, torch.tensor([0]), -100)
    # softmax over the other two: 0.3 / 0.5 and 0.2 / 0.5
    assert torch.allclose(gradient, torch.tensor([[0.5, -0.5 * 0.6, -0.5 * 0.4]]))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(2, 40), st.floats(0.0, 6.0))
def test_equals_the_public_formula_where_that_does_not_saturate(seed, vocab, spread):
    generator = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(8, vocab, generator=generator, dtype=torch.float64)
    target = torch.randint(vocab, (8,), generator=generator)
    saturated = torch.softmax(logits, -1).gather(1, target[:, None]).squeeze(1) > 1 - 1e-6
    target[saturated] = -100
    public_target = target.masked_fill(saturated, 0)
    public = public_unlikelihood_loss(logits[~saturated], public_target[~saturated], -100)
    ours, _ = unlikelihood_loss(logits, target, -100)
    assert ours.item() == pytest.approx(public.item(), abs=1e-6)


def test_gradient_where_the_public_formula_is_silent():
    logits = logits_with_target_probability(1 - 1e-12, dtype=torch.float32)
    target = torch.tensor([7])
    assert gradient_of(public_unlikelihood_loss, logits, target).abs().max() == 0
    assert gradient_of(unlikelihood_loss, logits, target)[0, 7] == pytest.approx(1.0)


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_fp32_agrees_with_the_closed_form_in_fp64(probability):
    logits = logits_with_target_probability(probability, dtype=torch.float32)
    target = torch.tensor([7])
    exact = logits.double()
    others = exact.clone()
    others[0, 7] = -math.inf
    log_odds = exact[0, 7] - others.logsumexp(-1)
    p = torch.sigmoid(log_odds)
    expected = -p * torch.softmax(others, -1)
    expected[0, 7] = p

    loss, lprobs = unlikelihood_loss(logits, target, PAD)
    gradient = gradient_of(unlikelihood_loss, logits, target)
    assert (gradient - expected).abs().max() <= 1e-6
    assert ((gradient - expected) / expected).abs().max() <= 3e-6  # in small components too
    assert loss.item() == pytest.approx(F.softplus(log_odds).item(), rel=3e-6)
    assert lprobs.item() == pytest.approx(F.logsigmoid(log_odds).item(), rel=3e-6)


def test_gradients_agree_with_finite_differences():
    generator = torch.Generator().manual_seed(2)
    logits = 3 * torch.randn(5, 9, generator=generator, dtype=torch.float64)
    target = torch.tensor([0, 3, PAD, 8, 2])
    assert torch.autograd.gradcheck(
        lambda logits: unlikelihood_loss(logits, target, PAD)[0], logits.requires_grad_()
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("probability", [1e-4, 0.5, 1 - 1e-4, 1 - 1e-8])
def test_half_precision_logits_give_the_loss_of_the_same_logits_in_fp32(dtype, probability):
    logits = logits_with_target_probability(probability, dtype=torch.float32).to(dtype)
    target = torch.tensor([7])
    loss, _ = unlikelihood_loss(logits, target, PAD)
    gradient = gradient_of(unlikelihood_loss, logits, target)
    expected = gradient_of(unlikelihood_loss, logits.float(), target)
    assert loss.dtype == torch.float32
    assert loss == unlikelihood_loss(logits.float(), target, PAD)[0]
    assert gradient.dtype == dtype
    assert torch.equal(gradient, expected.to(dtype))
    assert gradient[0, 7] > 0


def test_ignored_tokens_contribute_nothing():
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 9, generator=generator)
    target = torch.tensor([[4, 5, PAD, PAD], [6, 7, 8, PAD]])
    kept = target.ne(PAD)
    loss, lprobs = unlikelihood_loss(logits, target, PAD)
    without_padding, kept_lprobs = unlikelihood_loss(logits[kept], target[kept], PAD)
    assert torch.allclose(loss, without_padding)
    assert torch.equal(lprobs[kept], kept_lprobs)
    assert torch.equal(lprobs[~kept], torch.zeros(3))
    gradient = gradient_of(unlikelihood_loss, logits, target)
    assert gradient[~kept].abs().max() == 0 < gradient[kept].abs().min()


def test_log_odds_survive_targets_far_above_and_far_below_the_others():
    logits = torch.tensor([[0.0, 300.0, 0.0], [0.0, -300.0, 0.0]])
    log_odds = target_log_odds(logits, torch.tensor([1, 1]))
    assert torch.allclose(log_odds, torch.tensor([300.0, -300.0]) - math.log(2))


@pytest.mark.parametrize("function", [unlikelihood_loss, lambda *args: target_log_odds(*args[:2])])
def test_shapes_that_do_not_fit_are_named(function):
    with pytest.raises(ValueError, match=r"\(3, 5\).*\(2,\)"):
        function(torch.zeros(3, 5), torch.zeros(2, dtype=torch.long), PAD)


def rows(dtype=torch.float64, n=40, width=6, vocab=23, seed=0, bias=False):
    """Hidden states, a projection, targets with padding, every third row a conflict."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(n, width, generator=generator, dtype=torch.float64).to(dtype)
    weight = torch.randn(vocab, width, generator=generator, dtype=torch.float64).to(dtype)
    offset = torch.randn(vocab, generator=generator, dtype=torch.float64).to(dtype)
    target = torch.randint(2, vocab, (n,), generator=generator)
    target[::7] = PAD
    is_conflict = torch.arange(n) % 3 == 1
    tensors = [hidden, weight] + ([offset] if bias else [])
    return [tensor.requires_grad_() for tensor in tensors], target, is_conflict


def unfused_loss(tensors, target, is_conflict, epsilon, weight):
    """What `fused_loss` fuses, from the functions that it fuses, over all logits at once."""
    logits = F.linear(*tensors)
    lprobs = torch.log_softmax(logits, -1)
    positive = ~is_conflict
    loss, nll_loss = label_smoothed_nll_loss(lprobs[positive], target[positive], epsilon, PAD)
    ul_loss, _ = unlikelihood_loss(logits[is_conflict], target[is_conflict], PAD)
    return loss + weight * ul_loss, nll_loss, ul_loss, lprobs


def fused(tensors, target, is_conflict, epsilon, weight, **kwargs):
    hidden, projection, *bias = tensors
    return fused_loss(
        hidden, projection, target, is_conflict, epsilon, weight, PAD,
        bias=bias[0] if bias else None, **kwargs,
    )  # fmt: skip


@pytest.mark.parametrize("share", ["a third", "no conflict", "conflicts alone", "padding alone"])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("epsilon", [0.0, 0.1])
@pytest.mark.parametrize("chunk_size", [1, 7, 16, 1000])
def test_fused_equals_unfused(share, bias, epsilon, chunk_size):
    tensors, target, is_conflict = rows(bias=bias)
    if share != "a third":
        is_conflict = torch.full_like(is_conflict, share == "conflicts alone")
    if share == "padding alone":
        target = torch.full_like(target, PAD)
    losses = fused(tensors, target, is_conflict, epsilon, 0.7, chunk_size=chunk_size)
    loss, nll_loss, ul_loss, lprobs = unfused_loss(tensors, target, is_conflict, epsilon, 0.7)
    kept = target.ne(PAD)
    target_lprobs = lprobs.gather(1, target[:, None]).squeeze(1) * kept
    for ours, theirs in zip(losses, (loss, nll_loss, ul_loss, target_lprobs)):
        assert torch.allclose(ours, theirs)
    assert losses.n_correct == (lprobs.argmax(1).eq(target) & kept & ~is_conflict).sum()
    # Twice the loss, as a loss scale would have it: the incoming gradient is not forgotten.
    expected = torch.autograd.grad(2 * loss, tensors)
    for ours, theirs in zip(torch.autograd.grad(2 * losses.loss, tensors), expected):
        assert torch.allclose(ours, theirs)


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_fused_gradient_in_fp32_agrees_with_fp64(probability):
    # An identity projection: the hidden state is the row of logits.
    logits = logits_with_target_probability(probability, dtype=torch.float32)
    target = torch.tensor([7])
    expected = gradient_of(unlikelihood_loss, logits.double(), target)
    hidden = logits.clone().requires_grad_()
    fused([hidden, torch.eye(50)], target, torch.tensor([True]), 0.1, 1.0).loss.backward()
    assert (hidden.grad - expected).abs().max() <= 1e-6


def test_fused_gradient_of_a_weight_that_also_embeds():
    """Tied embeddings: both uses of the matrix add up in one gradient."""
    (hidden, weight), target, is_conflict = rows()
    tokens = target.roll(1)

    def gradient(loss_function):
        state = torch.tanh(hidden + weight[tokens])
        loss = loss_function([state, weight], target, is_conflict, 0.1, 0.7)[0]
        return torch.autograd.grad(loss, weight)[0]

    assert torch.allclose(gradient(fused), gradient(unfused_loss))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_fused_loss_in_half_precision(dtype):
    tensors, target, is_conflict = rows(dtype)
    in_fp32 = [tensor.detach().float().requires_grad_() for tensor in tensors]
    losses = fused(tensors, target, is_conflict, 0.1, 0.7, chunk_size=16)
    loss, *_ = unfused_loss(in_fp32, target, is_conflict, 0.1, 0.7)
    rounding = torch.finfo(dtype).eps
    assert losses.loss.dtype == torch.float32
    assert losses.loss.item() == pytest.approx(loss.item(), rel=rounding)
    expected = torch.autograd.grad(1024 * loss, in_fp32)  # a loss scale
    for ours, theirs in zip(torch.autograd.grad(1024 * losses.loss, tensors), expected):
        assert ours.dtype == dtype
        assert (ours.float() - theirs).norm() <= 4 * rounding * theirs.norm()


def test_fused_loss_under_autocast():
    tensors, target, is_conflict = rows(torch.float32)
    in_half = [tensor.detach().bfloat16().requires_grad_() for tensor in tensors]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = fused(tensors, target, is_conflict, 0.1, 0.7)
    losses.loss.backward()
    expected = fused(in_half, target, is_conflict, 0.1, 0.7)
    expected.loss.backward()
    assert losses.loss == expected.loss
    for ours, theirs in zip(tensors, in_half):
        assert ours.grad.dtype == torch.float32
        assert torch.equal(ours.grad.bfloat16(), theirs.grad)
    # those of the parameters were never in half precision
    assert not torch.equal(tensors[1].grad, in_half[1].grad.float())


def test_fused_loss_without_gradients():
    tensors, target, is_conflict = rows()
    with torch.no_grad():
        losses = fused(tensors, target, is_conflict, 0.1, 0.7)
    assert not losses.loss.requires_grad
    assert torch.equal(losses.loss, fused(tensors, target, is_conflict, 0.1, 0.7).loss)


@pytest.mark.parametrize("frozen", [0, 1])
def test_fused_loss_with_a_frozen_side(frozen):
    tensors, target, is_conflict = rows()
    expected = torch.autograd.grad(
        unfused_loss(tensors, target, is_conflict, 0.1, 0.7)[0], tensors
    )[1 - frozen]
    tensors[frozen].requires_grad_(False)
    fused(tensors, target, is_conflict, 0.1, 0.7).loss.backward()
    assert tensors[frozen].grad is None
    assert torch.allclose(tensors[1 - frozen].grad, expected)


def test_padding_rows_never_reach_the_projection():
    (hidden, weight), target, is_conflict = rows()
    poisoned = hidden.detach().clone()
    poisoned[target.eq(PAD)] = math.nan
    poisoned.requires_grad_()
    losses = fused([poisoned, weight], target, is_conflict, 0.1, 0.7)
    losses.loss.backward()
    assert torch.equal(losses.loss, fused([hidden, weight], target, is_conflict, 0.1, 0.7).loss)
    assert torch.equal(poisoned.grad[target.eq(PAD)], torch.zeros_like(hidden[::7]))


class LargestTensor(TorchDispatchMode):
    """Elements of the largest tensor that any operation returned."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(result):
            if torch.is_tensor(tensor):
                self.elements = max(self.elements, tensor.numel())
        return result


def test_tokens_by_vocabulary_is_never_held():
    tensors, target, is_conflict = rows(n=400, width=4, vocab=100)
    with LargestTensor() as held:
        fused(tensors, target, is_conflict, 0.1, 0.7, chunk_size=50).loss.backward()
    assert held.elements == 50 * 100  # one chunk of logits; all of them are 400 x 100
    with LargestTensor() as held:
        unfused_loss(tensors, target, is_conflict, 0.1, 0.7)
    assert held.elements == 400 * 100


def test_chunks_grow_where_the_vocabulary_is_small():
    assert default_chunk_size(2**17) == 256
    assert default_chunk_size(2**13) * 2**13 == default_chunk_size(2**12) * 2**12 > 256 * 2**13


def test_a_second_backward_is_refused():
    tensors, target, is_conflict = rows()
    loss = fused(tensors, target, is_conflict, 0.1, 0.7).loss
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="differentiated once"):
        loss.backward()


def test_fused_shapes_that_do_not_fit_are_named():
    tensors, target, is_conflict = rows()
    with pytest.raises(ValueError, match=r"\(40, 6\).*\(39,\)"):
        fused(tensors, target[1:], is_conflict[1:], 0.1, 0.7)
