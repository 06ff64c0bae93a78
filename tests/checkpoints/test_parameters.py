"""What tells equal parameters from others."""

import torch

from fairseq_instr.checkpoints.parameters import digest

MODEL = {"a": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "b": torch.tensor(2, dtype=torch.bfloat16)}


def test_digest():
    """It is of the content, whatever its order and layout; and of all of the content."""
    a = MODEL["a"]
    same = {"b": MODEL["b"].clone(), "a": a.t().contiguous().t()}
    assert digest(same) == digest(MODEL) and len(digest(MODEL)) == 64
    assert digest({"a": a.requires_grad_(), "b": MODEL["b"]}) == digest(same)
    others = [
        {"a": a}, {**MODEL, "c": a}, {"c": a, "b": MODEL["b"]},
        {**MODEL, "a": a.reshape(4)}, {**MODEL, "a": a.double()}, {**MODEL, "a": a.t()},
        {**MODEL, "a": torch.nextafter(a, a + 1)},
    ]  # fmt: skip
    assert len({*map(digest, others), digest(MODEL)}) == 1 + len(others)
