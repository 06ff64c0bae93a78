"""fairseq's checkpoints hold settings besides tensors; they load without executing anything."""

import argparse
import collections

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

import fairseq_instr  # noqa: F401 (registers the classes)


@pytest.mark.parametrize(
    "content",
    [
        argparse.Namespace(arch="transformer", lr=[0.1]),
        OmegaConf.create({"task": {"data": "x", "seed": 1, "pairs": ["a"]}}),
        collections.OrderedDict(a=torch.ones(1)),
        np.float64(1.5),
        np.float32(1.5),
        np.int64(3),
    ],
    ids=lambda content: type(content).__name__,
)
def test_what_fairseq_saves_is_loaded(tmp_path, content):
    torch.save({"content": content}, tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=True)["content"]
    assert type(loaded) is type(content)
    assert loaded == content


def test_arrays_of_counts_are_loaded(tmp_path):
    """The meters of --eval-bleu keep them."""
    torch.save({"content": np.array([3, 1])}, tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=True)["content"]
    assert loaded.tolist() == [3, 1]


def test_anything_else_is_not(tmp_path):
    torch.save({"content": tmp_path}, tmp_path / "model.pt")
    with pytest.raises(Exception, match="(?i)weights.only"):
        torch.load(tmp_path / "model.pt", weights_only=True)
