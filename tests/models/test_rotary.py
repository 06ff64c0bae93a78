import math

import torch

from fairseq_instr.models.rotary import FrequencyScaling, frequencies, rotate, rotation


def test_frequencies():
    assert torch.allclose(frequencies(4, 100.0), torch.tensor([1.0, 0.1]))


def test_scaling_keeps_fast_and_divides_slow():
    """With 1000 positions, f turns 1000 f / 2 pi times: 159, 1.59 and 0.0159 turns.

    The first is kept (more than 4), the last divided by 8 (fewer than 1), and between them
    (1.59 - 1) / (4 - 1) = 0.197 of it is kept: 0.01 * (0.197 + 0.803 / 8).
    """
    plain = frequencies(6, 1e6)
    assert torch.allclose(plain, torch.tensor([1.0, 0.01, 0.0001]))
    scaled = frequencies(6, 1e6, FrequencyScaling(8.0, 1.0, 4.0, 1000))
    share = (1000 * 0.01 / (2 * math.pi) - 1) / 3
    expected = torch.tensor([1.0, 0.01 * (share + (1 - share) / 8), 0.0001 / 8])
    assert torch.allclose(scaled, expected, rtol=1e-5)


def test_rotation_turns_pairs():
    """A quarter turn takes (1, 0) to (0, 1); the pairs are (0, 2) and (1, 3)."""
    quarter = rotation(torch.tensor([[1]]), torch.tensor([math.pi / 2, 0.0]), torch.float32)
    turned = rotate(torch.tensor([1.0, 2.0, 0.0, 3.0]).view(1, 1, 1, 4), quarter)
    assert torch.allclose(turned.flatten(), torch.tensor([0.0, 2.0, 1.0, 3.0]), atol=1e-6)


def test_products_depend_on_distance_alone():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 8)
    frequency = frequencies(8, 10000.0)

    def product(i, j):
        at = [rotation(torch.tensor([[p]]), frequency, torch.float32) for p in (i, j)]
        return (rotate(query, at[0]) * rotate(key, at[1])).sum()

    assert torch.allclose(product(7, 3), product(104, 100), atol=1e-4)
    assert not torch.allclose(product(7, 3), product(7, 4), atol=1e-2)


def test_half_precision_rounds_angles_last():
    """At position 1001 the angle itself, rounded to bf16, would be off by more than a radian."""
    cos, _ = rotation(torch.tensor([[1001]]), torch.tensor([1.0]), torch.bfloat16)
    assert abs(cos.item() - math.cos(1001)) < 0.005
