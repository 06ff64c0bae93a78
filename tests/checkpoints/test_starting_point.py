"""What a training can start from."""

from argparse import Namespace

import pytest
import torch

from fairseq_instr.checkpoints.starting_point import StartingPoint
from fairseq_instr.checkpoints.task_state import TaskState
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory

OLD = Inventory([Instruction("formal", "formality"), Instruction("uppercase", "case")])
EXTENDED = Inventory([*OLD, Instruction("exclaim", "punctuation")])
N_WORDS = 10
SOURCE = "encoder.embed_tokens.weight"


def start(rows, inventory=None, resets=False, extra_state=None, **model):
    """A checkpoint of a vocabulary of so many rows, trained with an inventory or none."""
    state = {"model": {SOURCE: torch.zeros(rows, 2), **model}, "extra_state": extra_state or {}}
    if inventory is not None:
        state["task_state"] = TaskState(inventory, "source-prefix").to_dict()
    return StartingPoint("model.pt", "--restore-file", resets, state)


def check(point, inventory, placement="source-prefix", **options):
    own = TaskState(inventory, placement)
    return len(point.check(own, N_WORDS + len(inventory), **options))


def test_what_training_can_go_on_from():
    assert check(start(N_WORDS, resets=True), OLD) == 0
    assert check(start(N_WORDS + 2, OLD), OLD) == 2
    assert check(start(N_WORDS + 2, OLD, resets=True), EXTENDED) == 2
    assert check(start(N_WORDS), Inventory()) == 0


def test_an_optimizer_that_is_too_small_is_refused():
    with pytest.raises(InputError, match="--finetune-from-model"):
        check(start(N_WORDS), OLD)
    with pytest.raises(InputError, match="--finetune-from-model"):
        check(start(N_WORDS + 2, OLD), EXTENDED)


@pytest.mark.parametrize(
    "inventory",
    [Inventory(), Inventory(list(OLD)[:1]), Inventory(list(OLD)[::-1])],
    ids=["none", "shorter", "reordered"],
)
def test_another_inventory_is_refused(inventory):
    with pytest.raises(InputError, match=r"--restore-file model\.pt"):
        check(start(N_WORDS + 2, OLD, resets=True), inventory)


def test_another_placement_is_refused():
    with pytest.raises(InputError, match="--prompt-placement source-suffix: .*model.pt"):
        check(start(N_WORDS + 2, OLD), OLD, placement="source-suffix")
    assert check(start(N_WORDS + 2, OLD), OLD, placement="source-suffix", moved=True) == 2


@pytest.mark.parametrize("rows", [N_WORDS - 1, N_WORDS + 1, N_WORDS + 2])
def test_another_vocabulary_is_refused(rows):
    with pytest.raises(InputError, match=f"{rows} entries, expected 10"):
        check(start(rows, resets=True), OLD)


def test_adaptive_softmax_is_refused():
    head = {"decoder.adaptive_softmax.head.word_proj.weight": torch.zeros(1)}
    with pytest.raises(InputError, match="adaptive softmax"):
        check(start(N_WORDS, resets=True, **head), OLD)
    assert check(start(N_WORDS, **head), Inventory()) == 0


def test_a_moving_average_begins_with_its_checkpoint():
    """Fairseq looks for the parameters where it has thrown them away."""
    with pytest.raises(InputError, match="--store-ema"):
        check(start(N_WORDS), Inventory(), store_ema=True)
    with_average = start(N_WORDS, extra_state={"ema": {}})
    assert check(with_average, Inventory(), store_ema=True) == 0


def options(tmp_path, **changes):
    given = {
        "restore_file": "checkpoint_last.pt",
        "save_dir": str(tmp_path / "run"),
        "reset_optimizer": False,
        "continue_once": None,
        "finetune_from_model": None,
    }
    return Namespace(**{**given, **changes})


def test_which_checkpoint_it_is(base, tmp_path):
    """The last one of the run goes before --continue-once and that before --finetune-from-model."""
    assert StartingPoint.find(options(tmp_path)) is None
    finetuning = options(tmp_path, finetune_from_model=str(base))
    assert StartingPoint.find(finetuning)[:3] == (str(base), "--finetune-from-model", True)
    continued = options(tmp_path, continue_once=str(base), finetune_from_model="other.pt")
    assert StartingPoint.find(continued)[:3] == (str(base), "--continue-once", False)
    last = tmp_path / "run" / "checkpoint_last.pt"
    last.parent.mkdir()
    last.write_bytes(base.read_bytes())
    for begun in (finetuning, continued):
        assert StartingPoint.find(begun)[:3] == (str(last), "--restore-file", False)
    restored = options(tmp_path, restore_file=str(base), reset_optimizer=True)
    assert StartingPoint.find(restored)[:3] == (str(base), "--restore-file", True)


@pytest.mark.parametrize("option", ["continue_once", "finetune_from_model"])
def test_a_checkpoint_that_is_missing_is_refused(tmp_path, option):
    """Fairseq begins with random parameters where --continue-once names no file."""
    with pytest.raises(InputError, match=r"missing\.pt"):
        StartingPoint.find(options(tmp_path, **{option: "missing.pt"}))


def test_one_checkpoint_is_enough(base, tmp_path):
    with pytest.raises(InputError, match="--finetune-from-model .*: one checkpoint"):
        StartingPoint.find(options(tmp_path, finetune_from_model=f"{base}:{base}"))


def test_a_finished_run_ends(caplog):
    point = start(N_WORDS)
    point.state["optimizer_history"] = [{"num_updates": 5}]
    point.leave_if_finished(0)
    point.leave_if_finished(6)
    point._replace(resets_optimizer=True).leave_if_finished(5)
    with pytest.raises(SystemExit) as ended:
        point.leave_if_finished(5)
    assert ended.value.code == 0 and "--max-update" in caplog.text
