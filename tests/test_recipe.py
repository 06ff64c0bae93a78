"""The whole recipe with fairseq's real commands: a tiny model is trained, tuned, and obeys."""

from __future__ import annotations

import random

import pytest

from fairseq_instr.instructions import Context, Inventory, catalogue, verify
from tests.conftest import WITH_INSTRUCTIONS as PLUGIN
from tests.conftest import column

N_WORDS = 12
MODEL = """
    --arch transformer --encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 64
    --decoder-embed-dim 64 --encoder-ffn-embed-dim 128 --decoder-ffn-embed-dim 128
    --encoder-attention-heads 4 --decoder-attention-heads 4 --share-all-embeddings
""".split()
TRAINING = """
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam --lr 0.005
    --lr-scheduler inverse_sqrt --warmup-updates 50 --max-tokens 800 --no-progress-bar
    --log-format none --cpu --num-workers 0 --data-buffer-size 0 --seed 1
""".split()
MARKS = {"html-bold": ("<b>", "</b>"), "guillemets": ("»", "«")}
TASKS = ("html-bold", "guillemets", "guillemets html-bold")


def pairs(n, seed):
    """Sources of two to four words, none of them twice, and their translations."""
    rng = random.Random(seed)
    sources = [
        " ".join(f"w{i}" for i in rng.sample(range(N_WORDS), rng.randint(2, 4))) for _ in range(n)
    ]
    return sources, [source.replace("w", "v") for source in sources]


def task_data(n, seed):
    """(sources, targets) under the tasks in turn, and the stream of instructions."""
    sources, targets = pairs(n, seed)
    streams = [TASKS[i % len(TASKS)] for i in range(n)]
    return (sources, list(map(marked, targets, streams))), streams


def marked(target, names):
    for name in names.split():  # from the inside out
        before, after = MARKS[name]
        target = f"{before} {target} {after}"
    return target


@pytest.fixture(scope="module")
def recipe(call, train_until, binarise, tmp_path_factory):
    """A data-bin, a base model trained by stock `translation`, and its tuned version."""
    root = tmp_path_factory.mktemp("recipe")
    dictionary = root / "dict.txt"
    words = [f"{side}{i}" for side in "wv" for i in range(N_WORDS)]
    words += [mark for marks in MARKS.values() for mark in marks]
    dictionary.write_text("".join(f"{word} 1\n" for word in words), encoding="utf-8")
    data = root / "data-bin"
    splits = {"train": pairs(600, 1), "valid": pairs(20, 2), "test": pairs(40, 3)}
    binarise(data, splits, dictionary=dictionary)
    train, train_streams = task_data(600, 4)
    valid, valid_streams = task_data(60, 5)
    binarise(
        data / "task",
        {"train": train, "valid": valid},
        streams={"train": train_streams, "valid": valid_streams},
        dictionary=dictionary,
    )
    Inventory(catalogue()[name] for name in MARKS).save(data / "instructions.yaml")
    call("train", data, "--task", "translation", *MODEL, *TRAINING,
         "--max-update", 120, "--save-dir", root / "base")  # fmt: skip
    train_until(0.12, data, *PLUGIN, *MODEL, *TRAINING, "--mixture", "parallel:1,task:1",
                "--finetune-from-model", root / "base" / "checkpoint_last.pt",
                "--valid-subset", "task/valid", "--save-dir", root / "tuned")  # fmt: skip
    return data, root


def generated(call, data, checkpoint, instruct=""):
    printed = call("generate", data, *PLUGIN, "--path", checkpoint,
                   "--instruct", instruct, "--beam", 2, "--max-len-b", 20, "--cpu",
                   "--num-workers", 0)  # fmt: skip
    return column(printed, "H")


@pytest.mark.parametrize("names", TASKS)
def test_the_tuned_model_obeys_and_still_translates(call, recipe, names):
    data, root = recipe
    asked = names.replace(" ", ", ")
    outputs = generated(call, data, root / "tuned" / "checkpoint_last.pt", asked)
    references = [marked(target, names) for target in pairs(40, 3)[1]]
    instructions = [catalogue()[name] for name in names.split()]
    obeyed = [all(verify(instructions, output, Context()).values()) for output in outputs]
    # of 40; the marks are in their places also where two words are not
    assert sum(obeyed) >= 30
    assert sum(map(str.__eq__, outputs, references)) >= 24


def test_the_base_model_ignores_instructions_that_it_never_saw(call, recipe):
    data, root = recipe
    outputs = generated(call, data, root / "base" / "checkpoint_last.pt", "html-bold")
    assert not any("<b>" in output for output in outputs)


def test_without_an_instruction_nothing_is_added(call, recipe):
    data, root = recipe
    outputs = generated(call, data, root / "tuned" / "checkpoint_last.pt")
    marks = {mark for marks in MARKS.values() for mark in marks}
    assert sum(not marks.isdisjoint(output.split()) for output in outputs) <= 4
    assert sum(map(str.__eq__, outputs, pairs(40, 3)[1])) >= 32
