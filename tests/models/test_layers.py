"""Attention of the decoder-only model: the same on every path."""

import copy

import pytest
import torch
import torch.nn.functional as F

from fairseq_instr.models.layers import FeedForward, RMSNorm, attend_causally, attend_where


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


def kept_by(module, x):
    """Tensors that a module keeps for its backward, parameters left out, by their addresses."""
    own = {parameter.data_ptr() for parameter in module.parameters()}
    kept = {}

    def pack(tensor):
        kept[tensor.data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(x)
    return {address: tensor for address, tensor in kept.items() if address not in own}


def test_a_norm_keeps_its_input_alone():
    x = torch.randn(3, 8, requires_grad=True)
    assert set(kept_by(RMSNorm(8, 1e-5), x)) == {x.data_ptr()}


def test_a_feed_forward_keeps_three_tensors_of_its_width():
    """gate, up and their product."""
    kept = kept_by(FeedForward(8, 12), torch.randn(3, 8, requires_grad=True))
    assert sum(tensor.shape[-1] == 12 for tensor in kept.values()) == 3


def plain_norm(norm, x):
    wide = x.float()
    normed = wide * (wide.square().mean(-1, keepdim=True) + norm.epsilon).rsqrt()
    return norm.weight * normed.to(x.dtype)


def plain_feed_forward(layer, x):
    return layer.down_proj(F.silu(layer.gate_proj(x)) * layer.up_proj(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "layer, plain", [(RMSNorm(8, 1e-2), plain_norm), (FeedForward(8, 12), plain_feed_forward)]
)
def test_gradients_are_those_of_the_formula(layer, plain, dtype):
    torch.manual_seed(2)
    layer = copy.deepcopy(layer).to(dtype)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(3, 5, 8, dtype=dtype, requires_grad=True)
    outputs = layer(x), plain(layer, x)
    weights = torch.randn(3, 5, 8)
    found, expected = (
        torch.autograd.grad((output.float() * weights).sum(), [x, *layer.parameters()])
        for output in outputs
    )
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 0.02}[dtype]
    for own, other in zip((outputs[0], *found), (outputs[1], *expected)):
        assert own.dtype == dtype
        assert (own - other).norm() <= tolerance * other.norm()
