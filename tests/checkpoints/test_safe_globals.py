"""fairseq's checkpoints hold settings besides tensors; they load without executing anything."""

import argparse
import collections
import pickle

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from fairseq_instr.checkpoints.safe_globals import KINDS, load_safely
from tests.checkpoints.test_inspection import Marker

load_safely()


@pytest.fixture
def reload(tmp_path):
    """`reload(content)`: what is read of it after it was saved."""

    def reload(content):
        torch.save({"content": content}, tmp_path / "model.pt")
        return torch.load(tmp_path / "model.pt", weights_only=True)["content"]

    return reload


@pytest.mark.parametrize(
    "content",
    [
        argparse.Namespace(arch="transformer", lr=[0.1]),
        OmegaConf.create({"task": {"data": "x", "seed": 1, "pairs": ["a"]}}),
        collections.OrderedDict(a=torch.ones(1)),
    ],
    ids=lambda content: type(content).__name__,
)
def test_what_fairseq_saves_is_loaded(reload, content):
    assert type(reload(content)) is type(content) and reload(content) == content


def test_anything_else_is_not(reload, tmp_path):
    with pytest.raises(Exception, match="(?i)weights.only"):
        reload(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_fairseq_executes_nothing_when_it_loads_a_checkpoint(tmp_path, zipped):
    """It does not say how to load: torch's default, or its switch, has to be safe."""
    from fairseq.checkpoint_utils import load_checkpoint_to_cpu

    path = tmp_path / "model.pt"
    torch.save({"model": Marker()}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(Exception, match="(?i)weights.only|unsupported"):
        load_checkpoint_to_cpu(str(path))
    assert Marker.executed == []


def flagged(flags):
    """The type of a double, with flags that numpy never gives it."""

    class Tampered:
        def __reduce__(self):
            return np.dtype, ("f8", False, True), (3, "<", None, None, None, -1, -1, flags)

    return Tampered()


def number(kind, content):
    """An object that pickles as numpy's numbers do."""
    scalar = np.float64(1.5).__reduce__()[0]

    class Number:
        def __reduce__(self):
            return scalar, (kind, content)

    return Number()


@pytest.mark.parametrize("flags", range(64))
def test_a_number_is_what_its_bytes_say_whatever_its_flags(reload, flags):
    """Flags of types that hold pointers made numpy put an address there."""
    loaded = reload(number(flagged(flags), b"A" * 8))
    assert type(loaded) is np.float64
    assert loaded.tobytes() == b"A" * 8


class TypeOf:
    def __init__(self, *arguments, order="<"):
        self.arguments, self.order = arguments, order

    def __reduce__(self):
        return np.dtype, self.arguments, (3, self.order, None, None, None, -1, -1, 0)


@pytest.mark.parametrize(
    "kind, content",
    [
        (TypeOf("O"), b"A" * 8),
        (TypeOf("V8", False, True), b"A" * 8),
        (TypeOf("f8"), b"A" * 7),
        (TypeOf("f8"), "AAAAAAAA"),
        (TypeOf([("a", "O")]), b"A" * 8),
        (TypeOf("f8,O"), b"A" * 16),
    ],
)
def test_other_numbers_are_refused(reload, kind, content):
    with pytest.raises(pickle.UnpicklingError):
        reload(number(kind, content))


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_numbers_are_loaded(reload, kind):
    """Also in arrays: the meters of --eval-bleu keep counts in them."""
    kind = np.dtype(kind).type
    number, array = reload((kind(1), np.array([[0, 1]], kind)))
    assert type(number) is kind and number == 1
    assert type(array) is np.ndarray and array.dtype == kind and array.tolist() == [[0, 1]]
    pickle.dumps(array)  # a run that goes on saves it again


class HostileArray:
    def __init__(self, *state, made=(np.ndarray, (0,), b"b")):
        self.state, self.made = state, made

    def __reduce__(self):
        return np.array([1]).__reduce__()[0], self.made, self.state


@pytest.mark.parametrize(
    "array",
    [
        HostileArray(1, (2,), np.dtype("O"), False, [1, 2]),
        HostileArray(1, (2,), TypeOf("f8"), False, b"A" * 8),
        HostileArray(1, (2**62,), TypeOf("f8"), False, b"A" * 8),
        HostileArray(1, (1,), TypeOf("f8"), False, [1]),
        HostileArray(1, (0,), TypeOf("f8"), False, b"", made=(np.ndarray, (10**12,), b"b")),
        HostileArray(1, (0,), TypeOf("f8"), False, b"", made=(dict, (0,), b"b")),
    ],
)
def test_other_arrays_are_refused(reload, array):
    with pytest.raises((pickle.UnpicklingError, ValueError, MemoryError, TypeError)):
        reload(array)
