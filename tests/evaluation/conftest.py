"""A tiny multilingual model: English, German and French, trained on pairs with English alone."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairseq_instr.instructions import Instruction, Inventory

# the words are real, for identification to tell the languages apart
WORDS = {
    "en": "the dog plays with two children near old houses while somebody sleeps".split(),
    "de": "der Hund spielt mit zwei Kindern neben alten Häusern während jemand schläft".split(),
    "fr": "le chien joue avec deux enfants près vieilles maisons pendant quelqu'un dort".split(),
}
TRAINED = ("en-de", "de-en", "en-fr", "fr-en")


def lines(n, seed):
    """`n` aligned lines in each language: language -> lines."""
    rng = random.Random(seed)
    drawn = [[rng.randrange(12) for _ in range(rng.randint(4, 8))] for _ in range(n)]
    return {
        language: [" ".join(words[i] for i in line) for line in drawn]
        for language, words in WORDS.items()
    }


@pytest.fixture(scope="session")
def multilingual(call, binarise, tmp_path_factory):
    """A data-bin, raw test text and the arguments of a training; two checkpoints of it.

    The corpus `zero` of the data-bin holds the zero-shot direction de-fr for validation.
    """
    root = tmp_path_factory.mktemp("multilingual")
    dictionary = root / "dict.txt"
    words = dict.fromkeys(word for words in WORDS.values() for word in words)
    dictionary.write_text("".join(f"{word} 1\n" for word in words), encoding="utf-8")
    data = root / "data-bin"
    train, valid = lines(200, 1), lines(12, 2)
    for other in ("de", "fr"):
        splits = {"train": (train["en"], train[other]), "valid": (valid["en"], valid[other])}
        (data / "dict.en.txt").unlink(missing_ok=True)
        binarise(data, splits, pair=("en", other), dictionary=dictionary)
    binarise(
        data / "zero", {"valid": (valid["de"], valid["fr"])}, pair=("de", "fr"),
        dictionary=dictionary,
    )  # fmt: skip
    Inventory(Instruction(f"to:{language}", "target-language") for language in WORDS).save(
        data / "instructions.yaml"
    )
    for language, text in lines(9, 3).items():
        Path(root, f"test.{language}").write_text("\n".join(text) + "\n", encoding="utf-8")
    for language, text in train.items():
        Path(root, f"train.{language}").write_text("\n".join(text) + "\n", encoding="utf-8")
    training = [
        data, "--user-dir", "fairseq_instr", "--task", "translation_with_instructions",
        "--lang-pairs", ",".join(TRAINED), *"""
        --arch transformer --encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 32
        --decoder-embed-dim 32 --encoder-ffn-embed-dim 64 --decoder-ffn-embed-dim 64
        --encoder-attention-heads 2 --decoder-attention-heads 2 --share-all-embeddings
        --criterion label_smoothed_cross_entropy --optimizer adam --lr 0.01
        --lr-scheduler inverse_sqrt --warmup-updates 20 --max-tokens 800 --no-progress-bar
        --log-format none --cpu --num-workers 0 --data-buffer-size 0
        """.split(),
    ]  # fmt: skip
    checkpoints = []
    for seed in (1, 2):
        call("train", *training, "--max-update", 60, "--seed", seed, "--save-dir",
             root / f"model{seed}", "--no-epoch-checkpoints")  # fmt: skip
        checkpoints.append(root / f"model{seed}" / "checkpoint_last.pt")
    return SimpleNamespace(
        root=root, data=data, training=training, checkpoints=checkpoints, call=call
    )
