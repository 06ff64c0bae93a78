"""Checkpoints that can't be used are refused before anything is done with them."""

import pickle

import pytest
import torch

from fairseq_instr.checkpoints.inspection import (
    check_before_training,
    read_checkpoint,
    trained_inventory,
)
from fairseq_instr.checkpoints.task_state import INVENTORY_KEY
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory

OLD = Inventory([Instruction("formal", "formality"), Instruction("uppercase", "case")])
EXTENDED = Inventory([*OLD, Instruction("exclaim", "punctuation")])
N_WORDS = 10


class Marker:
    """Tells whether a checkpoint's content was executed."""

    executed = []

    def __reduce__(self):
        return (Marker.executed.append, ("executed",))


@pytest.fixture
def save(tmp_path):
    """Save a checkpoint of a vocabulary of so many rows, trained with an inventory or none."""

    def save(rows, inventory=None, **model):
        path = tmp_path / "model.pt"
        state = {"model": {"encoder.embed_tokens.weight": torch.zeros(rows, 2), **model}}
        if inventory is not None:
            state["task_state"] = {INVENTORY_KEY: inventory.to_dict()}
        torch.save(state, path)
        return path

    return save


def check(path, inventory, resets=False):
    n_source = N_WORDS + len(inventory)
    return len(check_before_training(path, inventory, n_source, resets, "--restore-file"))


def test_real_checkpoints_are_read(base, tuned, inventory):
    assert trained_inventory(read_checkpoint(base)) is None
    assert trained_inventory(read_checkpoint(tuned)) == inventory


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.pt does not exist"):
        read_checkpoint(tmp_path / "nowhere.pt")


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_broken(base, tmp_path, keep):
    content = base.read_bytes()
    path = tmp_path / "half.pt"
    path.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    with pytest.raises(InputError, match=r"half\.pt is (broken|refused)") as info:
        read_checkpoint(path)
    assert "\n" not in str(info.value)


def test_text_is_no_checkpoint(tmp_path):
    path = tmp_path / "model.pt"
    path.write_text("not a checkpoint\n")
    with pytest.raises(InputError, match=r"model\.pt is (broken|refused)"):
        read_checkpoint(path)


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


def test_what_training_can_go_on_from(save):
    assert check(save(N_WORDS), OLD, resets=True) == 0
    assert check(save(N_WORDS + 2, OLD), OLD) == 2
    assert check(save(N_WORDS + 2, OLD), EXTENDED, resets=True) == 2
    assert check(save(N_WORDS), Inventory()) == 0


def test_an_optimizer_that_is_too_small_is_refused(save):
    with pytest.raises(InputError, match="has 10 entries, with the instructions there are 12"):
        check(save(N_WORDS), OLD)
    with pytest.raises(InputError, match="use|start from it with --finetune-from-model"):
        check(save(N_WORDS + 2, OLD), EXTENDED)


@pytest.mark.parametrize(
    "inventory",
    [Inventory(), Inventory(list(OLD)[:1]), Inventory(list(OLD)[::-1])],
    ids=["none", "shorter", "reordered"],
)
def test_another_inventory_is_refused(save, inventory):
    with pytest.raises(InputError, match=r"inventory differs .*--restore-file .*model\.pt"):
        check(save(N_WORDS + 2, OLD), inventory, resets=True)


@pytest.mark.parametrize("rows", [N_WORDS - 1, N_WORDS + 1, N_WORDS + 2])
def test_another_vocabulary_is_refused(save, rows):
    with pytest.raises(InputError, match=f"has {rows} entries, expected 10"):
        check(save(rows), OLD, resets=True)


def test_adaptive_softmax_is_refused(save):
    path = save(N_WORDS, **{"decoder.adaptive_softmax.head.word_proj.weight": torch.zeros(1)})
    with pytest.raises(InputError, match="adaptive softmax can't take instructions"):
        check(path, OLD, resets=True)
    assert check(path, Inventory()) == 0
