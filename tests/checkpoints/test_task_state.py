"""What a checkpoint remembers of its task, and what a task must agree with."""

import pytest

from fairseq_instr.checkpoints.task_state import TaskState, held_out_of, take_held_out
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory, catalogue
from fairseq_instr.instructions.phrasing import PhrasedInventory

NAMES = ("uppercase", "html-bold")
INVENTORY = Inventory([catalogue()[name] for name in NAMES])
FOREIGN = {"task_of_another": [1]}


def phrased(**held_out):
    return PhrasedInventory(INVENTORY, held_out)


@pytest.mark.parametrize(
    "state",
    [
        TaskState(INVENTORY, "source-prefix", "always", in_words=False),
        TaskState(INVENTORY, "decoder-prefix", "never", in_words=False),
        TaskState(Inventory(), "source-prefix", "always", in_words=True),
    ],
)
def test_what_is_written_is_read(state):
    read = TaskState.of({**FOREIGN, **state.to_dict()})
    assert read.inventory.to_dict() == state.inventory.to_dict()
    assert read[1:] == state[1:]
    assert TaskState.without({**FOREIGN, **state.to_dict()}) == FOREIGN


def test_phrases_that_were_held_out_are_remembered():
    held_out = {"uppercase": ("all caps",)}
    state = TaskState(phrased(**held_out), "source-prefix", "never").to_dict()
    assert held_out_of(TaskState.of(state).inventory) == held_out
    assert held_out_of(INVENTORY) == {}
    state["held_out_phrases"] = "all caps"
    with pytest.raises(InputError, match="is no map of names to phrases"):
        TaskState.of(state)


def test_a_base_model_agrees_with_every_task():
    state = TaskState.of(FOREIGN)
    assert state == (None, None, None, False)
    state.check(INVENTORY, "decoder-prefix", None)
    state.check(Inventory(), "source-prefix", "alpaca")


@pytest.mark.parametrize(
    "state, task, message",
    [
        (
            TaskState(INVENTORY, "source-prefix"),
            (INVENTORY, "source-suffix", None),
            "give --prompt-placement source-prefix",
        ),
        (TaskState(INVENTORY), (INVENTORY, "source-prefix", "alpaca"), "leave the option out"),
        (TaskState(INVENTORY), (phrased(), "source-prefix", None), "the checkpoint"),
        (
            TaskState(Inventory(), in_words=True),
            (INVENTORY, "source-prefix", None),
            "give --prompt-template",
        ),
        (
            TaskState(INVENTORY),
            (Inventory([Instruction("formal", "formality")]), "source-prefix", None),
            "the checkpoint",
        ),
    ],
)
def test_what_differs_is_refused(state, task, message):
    with pytest.raises(InputError, match=message):
        state.check(*task)


def test_phrases_stay_held_out_and_others_can_t_be():
    trained = phrased(uppercase=("all caps",))
    inventory = phrased()
    take_held_out(inventory, trained, asked=None)
    assert inventory.held_out == trained.held_out
    take_held_out(phrased(uppercase=("all caps",)), trained, asked=1)
    with pytest.raises(InputError, match="--held-out-phrases 1: .* 'in capital letters'"):
        take_held_out(phrased(uppercase=("in capital letters",)), trained, asked=1)
