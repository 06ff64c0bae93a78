"""A tiny model and mixture of the sample corpus, for benchmarks that need no better ones."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from pathlib import Path

import torch
from fairseq import tasks, utils
from fairseq_cli import preprocess, train

from fairseq_instr import sample
from fairseq_instr.instructions import Instruction, Inventory

PLUGIN = Path(__file__).resolve().parents[1] / "fairseq_instr"
TRAINING = """
    --task translation_with_instructions --arch transformer --encoder-layers 1
    --decoder-layers 1 --encoder-embed-dim 32 --decoder-embed-dim 32 --encoder-ffn-embed-dim 64
    --decoder-ffn-embed-dim 64 --encoder-attention-heads 2 --decoder-attention-heads 2
    --share-all-embeddings --label-smoothing 0.1 --optimizer adam --lr 0.002
    --lr-scheduler inverse_sqrt --warmup-updates 4 --max-tokens 500 --cpu --seed 1
    --no-progress-bar --log-interval 1
""".split()
LIKELIHOOD = ["--criterion", "label_smoothed_cross_entropy"]
MIXTURE = ["--lang-pairs", "en-de,de-en", *LIKELIHOOD, "--mixture", "parallel:2,task:1"]


def load_plugin() -> None:
    """What `--user-dir` does, once for all processes that are forked later."""
    torch.set_num_threads(1)
    utils.import_user_module(argparse.Namespace(user_dir=str(PLUGIN)))
    tasks.import_tasks(str(PLUGIN / "tasks"), "fairseq_instr.tasks")


def binarise(folder: Path, n_pairs: int = 300) -> Path:
    """A data-bin of the sample corpus: `parallel`, and `task/case` in upper and lower case."""
    text = folder / "text"
    sample.write(text, {"train": n_pairs, "valid": 20}, ["en", "de"], seed=1)
    sources, targets = (
        (text / f"train.{language}").read_text(encoding="utf-8").splitlines()[: n_pairs // 3]
        for language in ("en", "de")
    )
    cased = [line.upper() if i % 2 else line.lower() for i, line in enumerate(targets)]
    names = [f"to:de {'uppercase' if i % 2 else 'lowercase'}" for i in range(len(targets))]
    for suffix, lines in (("en", sources), ("de", cased), ("instr", names)):
        path = text / f"case.{suffix}"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    words = set("\n".join(p.read_text(encoding="utf-8") for p in text.iterdir()).split())
    dictionary = folder / "dict.txt"
    dictionary.write_text("".join(f"{word} 1\n" for word in sorted(words)), encoding="utf-8")
    data = folder / "data-bin"
    pair = ["-s", "en", "-t", "de", "--joined-dictionary", "--srcdict", dictionary]
    stream = ["-s", "instr", "-t", "None", "--only-source"]
    splits = ["--trainpref", text / "train", "--validpref", text / "valid"]
    _preprocess(*pair, *splits, "--destdir", data / "parallel")
    for arguments in (pair, stream):
        _preprocess(*arguments, "--trainpref", text / "case", "--destdir", data / "task" / "case")
    for language in ("en", "de"):
        os.link(dictionary, data / f"dict.{language}.txt")
    directions = [Instruction(f"to:{language}", "target-language") for language in ("en", "de")]
    cases = [Instruction(name, "case") for name in ("uppercase", "lowercase")]
    Inventory([*directions, *cases]).save(data / "instructions.yaml")
    return data


def _preprocess(*arguments) -> None:
    before = sys.argv
    sys.argv = ["fairseq-preprocess", *map(str, arguments), "--workers", "1"]
    try:
        preprocess.cli_main()
    finally:
        sys.argv = before


def train_model(data: Path, folder: Path, max_update: int) -> Path:
    """Train on the mixture, in a forked process; the last checkpoint."""
    options = ["--save-dir", folder, "--max-update", max_update, "--no-epoch-checkpoints"]

    def run():
        sys.argv = ["fairseq-train", *map(str, [data, *TRAINING, *MIXTURE, *options])]
        train.cli_main()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    if process.exitcode != 0:
        sys.exit(f"the training of a tiny model ended with {process.exitcode}")
    return folder / "checkpoint_last.pt"
