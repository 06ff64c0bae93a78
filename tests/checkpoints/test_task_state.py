"""What a checkpoint remembers of its task, and what a task must agree with."""

from argparse import Namespace

import pytest
from fairseq.data import Dictionary

from fairseq_instr.checkpoints.task_state import (
    TaskState,
    fingerprint,
    held_out_of,
    take_held_out,
    trained_language_tokens,
)
from fairseq_instr.data.dictionary import InstructedDictionary, base_symbols
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory, catalogue
from fairseq_instr.instructions.phrasing import PhrasedInventory
from fairseq_instr.prompts.language_tokens import PRESETS

NAMES = ("uppercase", "html-bold")
INVENTORY = Inventory([catalogue()[name] for name in NAMES])
FOREIGN = {"task_of_another": [1]}


def phrased(**held_out):
    return PhrasedInventory(INVENTORY, held_out)


@pytest.mark.parametrize(
    "state",
    [
        TaskState(
            INVENTORY,
            "source-prefix",
            "always",
            False,
            {"source": "12"},
            ("en-de",),
            PRESETS["m2m"],
        ),
        TaskState(INVENTORY, "decoder-prefix", "never"),
        TaskState(Inventory(), "source-prefix", "always", in_words=True),
        TaskState(Inventory(), "source-prefix", "always", in_words='{"prompt": "{source}"}'),
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
    base = TaskState.of(FOREIGN)
    assert base == (None, None, None, False, {}, (), None, None)
    TaskState(INVENTORY, "decoder-prefix").check_extends(base)
    TaskState(Inventory(), "source-prefix", in_words=True).check_extends(base)


@pytest.mark.parametrize(
    "trained, task, message",
    [
        (
            TaskState(INVENTORY, "source-prefix"),
            TaskState(INVENTORY, "source-suffix"),
            "--prompt-placement source-prefix",
        ),
        (TaskState(INVENTORY), TaskState(Inventory(), in_words=True), "--prompt-template"),
        (TaskState(INVENTORY), TaskState(phrased()), "--prompt-rendering"),
        (TaskState(Inventory(), in_words=True), TaskState(INVENTORY), "--prompt-template"),
        (
            TaskState(INVENTORY),
            TaskState(Inventory([Instruction("formal", "formality")])),
            "inventory",
        ),
        (
            TaskState(None, dictionaries={"source": "12", "target": "34"}),
            TaskState(INVENTORY, dictionaries={"source": "12", "target": "35"}),
            "target dictionary",
        ),
        (
            TaskState(None, language_tokens=PRESETS["m2m"]),
            TaskState(INVENTORY),
            "--language-tokens",
        ),
    ],
)
def test_what_differs_is_refused(trained, task, message):
    with pytest.raises(InputError, match=message):
        task.check_extends(trained)


def test_a_fingerprint_is_of_entries_and_their_order():
    words, reordered = Dictionary(), Dictionary()
    for first, second in zip("abc", "acb"):
        words.add_symbol(first)
        reordered.add_symbol(second)
    grown = InstructedDictionary.grow(words, ["<new>"])
    assert fingerprint(words.symbols) != fingerprint(reordered.symbols)
    assert fingerprint(words.symbols) == fingerprint(base_symbols(grown))
    assert fingerprint(words.symbols) != fingerprint(Dictionary().symbols)


def test_language_tokens_are_the_task_s_own_or_of_fairseq_s_task():
    settings = Namespace(task="translation_multi_simple_epoch", encoder_langtok="tgt")
    assert trained_language_tokens({"args": settings}) == PRESETS["tgt"]
    own = TaskState(None, language_tokens=PRESETS["m2m"]).base_dict()
    assert trained_language_tokens({"args": settings, "task_state": own}) == PRESETS["m2m"]
    assert trained_language_tokens({}) is None


def test_phrases_stay_held_out_and_others_can_t_be():
    trained = phrased(uppercase=("all caps",))
    inventory = phrased()
    take_held_out(inventory, trained, asked=None)
    assert inventory.held_out == trained.held_out
    take_held_out(phrased(uppercase=("all caps",)), trained, asked=1)
    with pytest.raises(InputError, match="--held-out-phrases 1: .* 'in capital letters'"):
        take_held_out(phrased(uppercase=("in capital letters",)), trained, asked=1)
