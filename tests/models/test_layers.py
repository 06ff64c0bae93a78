"""Attention of the decoder-only model: the same on every path."""

import pytest
import torch
import torch.nn.functional as F

from fairseq_instr.models.layers import RMSNorm, attend_causally, attend_where


@pytest.fixture
def heads():
    """Queries of four heads, keys and values of two, `(2, heads, 7, 8)`."""
    torch.manual_seed(1)
    return [torch.randn(2, n, 7, 8, requires_grad=True) for n in (4, 2, 2)]


def run(attend, heads, dtype):
    context = attend(*(tensor.to(dtype) for tensor in heads))
    gradients = torch.autograd.grad(context.float().square().sum(), heads)
    return [context.detach().float(), *gradients]


@pytest.mark.parametrize("causal", [True, False])
def test_plain_products_in_bfloat16_are_near_fused_attention_in_fp32(heads, causal):
    mask = torch.rand(2, 1, 7, 7) < 0.7
    mask[..., 0] = True
    attend = attend_causally if causal else attend_where(mask)
    exact, mixed = (run(attend, heads, dtype) for dtype in (torch.float32, torch.bfloat16))
    for found, expected in zip(mixed, exact):
        assert (found - expected).norm() < 0.02 * expected.norm()
    keys, values = (tensor.repeat_interleave(2, dim=1) for tensor in heads[1:])
    allowed = torch.ones(7, 7).tril().bool() if causal else mask
    expected = F.scaled_dot_product_attention(heads[0], keys, values, attn_mask=allowed)
    assert torch.allclose(exact[0], expected, atol=1e-6)


def test_a_norm_is_cast_once_for_all_products_that_follow():
    norm, x = RMSNorm(8, 1e-5), torch.randn(3, 8)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = norm(x)
    assert (norm(x).dtype, mixed.dtype) == (torch.float32, torch.bfloat16)
    assert torch.equal(norm(x).bfloat16(), mixed)
