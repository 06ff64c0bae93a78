"""Prompts in phrases on the embedded sample corpus: a tiny model is tuned, and obeys words.

The corpus is cut into words and marks, so that no subword model has to be trained.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Context, Inventory, catalogue, rewrite, verify
from fairseq_instr.sample import split
from tests.conftest import WITH_INSTRUCTIONS as PLUGIN

NAMES = ("exclamation", "question-mark", "no-punctuation")
HELD_OUT = 2
MODEL = """
    --arch transformer --encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 64
    --decoder-embed-dim 64 --encoder-ffn-embed-dim 128 --decoder-ffn-embed-dim 128
    --encoder-attention-heads 4 --decoder-attention-heads 4 --share-all-embeddings --dropout 0.1
""".split()
TRAINING = """
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam --lr 0.005
    --lr-scheduler inverse_sqrt --warmup-updates 30 --max-tokens 1000 --no-progress-bar
    --log-format none --cpu --num-workers 0 --data-buffer-size 0 --seed 1 --no-epoch-checkpoints
""".split()


def in_words(text):
    """Words and marks apart."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text))


def task_data(sources, targets):
    """(sources, targets, instructions) of the lines that can be rewritten, an instruction each."""
    found = []
    for i, (source, target) in enumerate(zip(sources, targets)):
        name = NAMES[i % len(NAMES)]
        rewritten = rewrite([catalogue()[name]], target, Context(source, "de"))
        if rewritten is not None:
            found.append((source, in_words(rewritten), name))
    return tuple(map(list, zip(*found)))


@pytest.fixture(scope="module")
def recipe(call, train_until, binarise, tmp_path_factory):
    """A data-bin, a base model of stock `translation`, and its version tuned with phrases."""
    root = tmp_path_factory.mktemp("phrases")
    sentences = split({"train": 600, "valid": 30, "test": 40}, seed=1)
    lines = {
        name: [[in_words(s.texts[code]) for s in drawn] for code in ("en", "de")]
        for name, drawn in sentences.items()
    }
    tasks = {name: task_data(*lines[name]) for name in ("train", "valid")}
    text = [line for sides in lines.values() for side in sides for line in side]
    text += [line for _, targets, _ in tasks.values() for line in targets]
    dictionary = root / "dict.txt"
    words = dict.fromkeys(word for line in text for word in line.split())
    dictionary.write_text("".join(f"{word} 1\n" for word in words), encoding="utf-8")
    data = root / "data-bin"
    binarise(data, lines, dictionary=dictionary)
    binarise(
        data / "task", {name: sides for name, (*sides, _) in tasks.items()},
        streams={name: streams for name, (*_, streams) in tasks.items()}, dictionary=dictionary,
    )  # fmt: skip
    Inventory(catalogue()[name] for name in NAMES).save(data / "instructions.yaml")
    call("train", data, "--task", "translation", *MODEL, *TRAINING,
         "--max-update", 40, "--save-dir", root / "base")  # fmt: skip
    train_until(1.2, data, *PLUGIN, *MODEL, *TRAINING, "--mixture", "parallel:1,task:3",
                "--finetune-from-model", root / "base" / "checkpoint_last.pt",
                "--prompt-rendering", "phrases", "--held-out-phrases", HELD_OUT,
                "--valid-subset", "task/valid", "--save-dir", root / "tuned")  # fmt: skip
    base, tuned = (root / name / "checkpoint_last.pt" for name in ("base", "tuned"))
    return SimpleNamespace(
        data=data, base=base, tuned=tuned, test=lines["test"], root=root,
        translator=Translator.from_pretrained(tuned, data, beam=1, max_len_a=2, max_len_b=5),
    )  # fmt: skip


def share_obeyed(recipe, name, phrase):
    """Of the lines that the instruction changes; on others a plain translation would obey."""
    asked = [catalogue()[name]]
    sources = [s for s, t in zip(*recipe.test) if rewrite(asked, t, Context(s, "de")) is not None]
    assert len(sources) >= 15
    outputs = recipe.translator.translate(sources, phrase)
    verdicts = [
        verify(asked, output, Context(source, "de"))[name]
        for source, output in zip(sources, outputs)
    ]
    return sum(verdicts) / len(verdicts)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_and_a_trained_phrase_are_obeyed(recipe, name):
    inventory = recipe.translator.inventory
    trained = inventory.trained_phrases(inventory.position(name))
    assert len(trained) == len(catalogue()[name].phrases) - HELD_OUT
    assert share_obeyed(recipe, name, name) >= 0.75
    assert share_obeyed(recipe, name, trained[-1]) >= 0.75


def test_a_phrase_that_training_held_out_goes_the_same_way(recipe):
    """Plain translations of these lines would obey none of the three."""
    held_out = recipe.translator.inventory.held_out
    rates = [share_obeyed(recipe, name, phrase) for name in NAMES for phrase in held_out[name]]
    assert len(rates) == 2 * len(NAMES)
    assert sum(rates) / len(rates) >= 0.5
    # listed nowhere, of known words
    assert share_obeyed(recipe, "no-punctuation", "leave out the punctuation") >= 0.3


def test_words_that_it_never_heard_are_refused(recipe):
    with pytest.raises(InputError, match="'semicolon', which is in no phrase .* nearest known: '"):
        recipe.translator.translate(recipe.test[0], "end with a semicolon")


def test_trained_and_unseen_phrases_are_measured_side_by_side(recipe, run_script):
    for side, lines in zip(("en", "de"), recipe.test):
        Path(recipe.root, f"test.{side}").write_text("\n".join(lines[:8]) + "\n", encoding="utf-8")
    done = run_script(
        "evaluate.py", "--data", recipe.data,
        "--base", recipe.base, "--tuned", recipe.tuned, "-s", "en", "-t", "de",
        "--source", recipe.root / "test.en", "--reference", recipe.root / "test.de",
        "--beam", 1, "--phrasings", "trained", "unseen",
        "--output", recipe.root / "report",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((recipe.root / "report" / "report.json").read_text(encoding="utf-8"))
    found = report["phrasings"]
    assert found["trained"] >= 0.6
    assert set(found["by_instruction"]) == set(NAMES)
    for name in NAMES:
        unseen = found["phrases"][name]["unseen"]
        assert tuple(unseen) == recipe.translator.inventory.held_out[name]
        assert set(unseen).isdisjoint(found["phrases"][name]["trained"])
    text = (recipe.root / "report" / "report.md").read_text(encoding="utf-8")
    assert "## Asked for in other words" in text
    assert f"{found['unseen']:.1%} under unseen phrases" in text
