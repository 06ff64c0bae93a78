"""`--optimizer fused_adam`: fairseq's Adam in one pass."""

import copy

import pytest
import torch
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig

from fairseq_instr.errors import InputError
from fairseq_instr.optim.fused_adam import FusedAdam


def config(**options):
    return FairseqAdamConfig(
        lr=[0.01], adam_betas="(0.9, 0.98)", weight_decay=0.1, tpu=False, **options
    )


def train(kind, layer, n_updates, state=None):
    """Parameters after some updates with gradients that are the same for all."""
    optimizer = kind(config(), list(layer.parameters()))
    if state is not None:
        optimizer.load_state_dict(copy.deepcopy(state))
    generator = torch.Generator().manual_seed(1)
    for _ in range(n_updates):
        for parameter in layer.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in layer.parameters()]), optimizer


@pytest.fixture
def layer():
    torch.manual_seed(1)
    return torch.nn.Linear(7, 5)


def test_parameters_are_those_of_fairseqs_adam(layer):
    expected, _ = train(FairseqAdam, copy.deepcopy(layer), 5)
    found, optimizer = train(FusedAdam, copy.deepcopy(layer), 5)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert not torch.allclose(found, torch.cat([p.flatten() for p in layer.parameters()]))
    assert optimizer.param_groups[0]["fused"]


def test_it_goes_on_from_the_state_of_fairseqs_adam(layer):
    continued = copy.deepcopy(layer)
    _, first = train(FairseqAdam, continued, 3)
    expected, _ = train(FairseqAdam, copy.deepcopy(continued), 2, first.state_dict())
    found, optimizer = train(FusedAdam, continued, 2, first.state_dict())
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert optimizer.param_groups[0]["fused"]


def test_statistics_in_half_precision_are_refused(layer):
    with pytest.raises(InputError, match="--fp16-adam-stats"):
        FusedAdam(config(fp16_adam_stats=True), list(layer.parameters()))


def test_fairseq_finds_it_by_name():
    from fairseq.optim import OPTIMIZER_REGISTRY

    assert OPTIMIZER_REGISTRY["fused_adam"] is FusedAdam
