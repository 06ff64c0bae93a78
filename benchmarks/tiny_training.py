"""A tiny model and mixture, trained by fairseq's own command in processes that can be killed.

Shared by the benchmarks of interruption and of several processes. A process is forked from
this one, where fairseq is loaded already: a run takes a second or two.
"""

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
from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.parameters import trained_parameters
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
STAGES = {
    "stage 1": ["--lang-pairs", "en-de,de-en", *LIKELIHOOD],
    "mixture": ["--lang-pairs", "en-de,de-en", *LIKELIHOOD, "--mixture", "parallel:2,task:1"],
    "stage 2": [
        *["--lang-pairs", "en-de,de-en", "--mixture", "parallel:2,task:1"],
        *["--criterion", "label_smoothed_cross_entropy_with_unlikelihood"],
        *["--unlikelihood-weight", "0.3", "--conflict-axes", "all"],
    ],
}


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


def start(*arguments, log: Path, before=None) -> multiprocessing.Process:
    """Start `fairseq-train` in a process of its own.

    Args:
        arguments: of the command.
        log: file that gets what it prints, after what it holds.
        before: called in the process first.
    """

    def run():
        with open(log, "ab", buffering=0) as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        if before is not None:
            before()
        sys.argv = ["fairseq-train", *map(str, arguments)]
        train.cli_main()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def finish(process: multiprocessing.Process, log: Path) -> None:
    """Wait for a process, and show its log if it failed."""
    process.join()
    if process.exitcode != 0:
        sys.exit(f"a run ended with {process.exitcode}:\n{log.read_text(errors='replace')}")


def parameters(checkpoint: Path) -> dict:
    """Those of the model, and the second moments of the optimizer."""
    state = read_checkpoint(checkpoint)
    found = trained_parameters(state)
    for number, moments in state["last_optimizer_state"]["state"].items():
        found[f"optimizer.{number}"] = moments["exp_avg_sq"]
    return found


def identical(one: dict, other: dict) -> bool:
    """Whether two sets of parameters are the same bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def largest_difference(one: dict, other: dict) -> float:
    """Largest difference of a parameter of the model, to the largest value of its tensor.

    The bias of the attention's keys is left out: softmax does not see it, its gradient is
    rounding alone.
    """
    keys = [k for k in one if not k.startswith("optimizer.") and not k.endswith("k_proj.bias")]
    return max(
        float((one[k] - other[k]).abs().max() / one[k].abs().max().clamp(min=1e-30)) for k in keys
    )
