"""Checkpoints that can't be used are refused before anything is done with them."""

import pickle

import pytest
import torch

from fairseq_instr.checkpoints.inspection import (
    read_checkpoint,
    refuse_incomplete,
    trained_inventory,
)
from fairseq_instr.errors import InputError


class Marker:
    """Tells whether a checkpoint's content was executed."""

    executed = []

    def __reduce__(self):
        return (Marker.executed.append, ("executed",))


def test_real_checkpoints_are_read(base, tuned, inventory):
    assert trained_inventory(read_checkpoint(base)) is None
    assert trained_inventory(read_checkpoint(tuned)) == inventory


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.pt does not exist"):
        read_checkpoint(tmp_path / "nowhere.pt")


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99, "text"])
def test_what_is_broken_is_said_in_a_line(base, tmp_path, keep):
    content = base.read_bytes()
    if keep == "text":
        content = b"not a checkpoint\n"
    else:
        content = content[: keep if isinstance(keep, int) else int(len(content) * keep)]
    (tmp_path / "half.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"half\.pt is (broken|refused)") as info:
        read_checkpoint(tmp_path / "half.pt")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("write", [torch.save, lambda o, path: path.write_bytes(pickle.dumps(o))])
def test_nothing_in_a_checkpoint_is_executed(tmp_path, write):
    path = tmp_path / "model.pt"
    write({"model": Marker()}, path)
    with pytest.raises(InputError, match=r"model\.pt is (broken|refused)"):
        read_checkpoint(path)
    assert Marker.executed == []


@pytest.mark.parametrize("content", [[1], {"weights": {}}, {"model": 3}])
def test_a_checkpoint_has_a_model(tmp_path, content):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(InputError, match="is not a fairseq checkpoint"):
        read_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "part, kind",
    [("moe_layer.experts.0.fc1", "experts"), ("adapter_layers.de.down", "adapters")],
)
def test_experts_and_adapters_are_refused(base, tmp_path, part, kind):
    state = read_checkpoint(base)
    state["model"][f"encoder.layers.0.{part}.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(InputError, match=f"{part}.* {kind}"):
        read_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize("drop", ["optimizer_history", "extra_state"])
def test_a_stripped_checkpoint_can_be_completed(base, tmp_path, drop):
    state = read_checkpoint(base)
    refuse_incomplete(state, base)
    with pytest.raises(InputError, match="convert upgrade"):
        refuse_incomplete({key: value for key, value in state.items() if key != drop}, "x.pt")
    with pytest.raises(InputError, match="convert upgrade"):
        refuse_incomplete({**state, "optimizer_history": []}, "x.pt")


def test_tensors_can_stay_in_the_file(base, tmp_path):
    """Also of a file in the format of torch before 1.6, whose tensors can't."""
    old = tmp_path / "old.pt"
    state = read_checkpoint(base, mmap=True)
    torch.save(state, old, _use_new_zipfile_serialization=False)
    again = read_checkpoint(old, mmap=True)
    assert all(again["model"][key].equal(tensor) for key, tensor in state["model"].items())
