"""fairseq's commands, their options and batches, in the process of a benchmark."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import sys
from pathlib import Path
from typing import List

import torch
from fairseq import options, tasks, utils
from fairseq.data import Dictionary
from fairseq.data.data_utils import collate_tokens
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.trainer import Trainer

import fairseq_instr

PLUGIN = Path(fairseq_instr.__file__).parent
PAD, EOS = 1, 2


def load_plugin() -> None:
    """What `--user-dir` does, once for all processes that are forked later."""
    torch.set_num_threads(1)
    utils.import_user_module(argparse.Namespace(user_dir=str(PLUGIN)))
    tasks.import_tasks(str(PLUGIN / "tasks"), "fairseq_instr.tasks")


def call(command: str, *arguments, stdin: str = "") -> str:
    """Run one of fairseq's commands in this process; what it prints.

    Raises:
        RuntimeError: if it ends with a message.
    """
    module = importlib.import_module(f"fairseq_cli.{command}")
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = [f"fairseq-{command}", *map(str, arguments)], io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            module.cli_main()
    except SystemExit as error:
        if error.code:  # 0: a training that was finished before
            raise RuntimeError(f"fairseq-{command}: {error}") from error
    finally:
        sys.argv, sys.stdin = before
    return out.getvalue()


def outputs(printed: str) -> List[str]:
    """Translations that `fairseq-generate` or `-interactive` printed, in the order of the lines."""
    found = (line[2:].split("\t") for line in printed.splitlines() if line.startswith("H-"))
    texts = {int(number): text for number, _, text in found}
    return [texts[number] for number in sorted(texts)]


def write_lines(path: Path, lines) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def binarise(source: str, target: str, data: Path, dictionary: Path, **prefixes) -> None:
    """Binarise a pair of languages with one dictionary: splits by name, such as `train=PREFIX`."""
    with contextlib.suppress(FileNotFoundError):
        (data / f"dict.{source}.txt").unlink()
    splits = [f"--{split}pref={prefix}" for split, prefix in prefixes.items()]
    joined = ["--joined-dictionary", "--srcdict", dictionary]
    if target == "None":
        joined = ["--only-source"]
    call("preprocess", "-s", source, "-t", target, *joined, *splits, "--destdir", data,
         "--workers", 1)  # fmt: skip


def numbered_dictionary(size: int) -> Dictionary:
    """A dictionary of so many entries."""
    dictionary = Dictionary()
    for number in range(size - len(dictionary)):
        dictionary.add_symbol(f"w{number}")
    return dictionary


def configuration(arguments):
    """The configuration that `fairseq-train` makes of its arguments."""
    parser = options.get_training_parser()
    parsed = options.parse_args_and_arch(parser, [*map(str, arguments)])
    return convert_namespace_to_omegaconf(parsed)


def build_trainer(cfg, task) -> Trainer:
    """A trainer of a new model."""
    model = task.build_model(cfg.model)
    return Trainer(cfg, task, model, task.build_criterion(cfg.criterion))


def net_input(sources, previous) -> dict:
    """What a model reads of sources and of what the decoder begins with, a tensor a row."""
    return {
        "src_tokens": collate_tokens(sources, PAD, left_pad=True),
        "src_lengths": torch.tensor([len(source) for source in sources]),
        "prev_output_tokens": collate_tokens(previous, PAD),
    }


def batch(sources, previous, targets) -> dict:
    """A batch as criterions read it, of tensors as for `net_input`, and their targets."""
    target = collate_tokens(targets, PAD)
    return {
        "id": torch.arange(len(sources)),
        "nsentences": len(sources),
        "ntokens": int(target.ne(PAD).sum()),
        "net_input": net_input(sources, previous),
        "target": target,
    }


def conflicts(net_input: dict, target: torch.Tensor, every: int = 1) -> dict:
    """Conflicts of every n-th row, whose prompts `net_input` has in place of the right ones."""
    positive = torch.arange(0, len(target), every)
    wrong = {name: rows[positive] for name, rows in net_input.items()}
    copies = torch.zeros(len(positive), dtype=torch.bool)
    return {
        "positive": positive, "copies": copies, "net_input": wrong, "target": target[positive]
    }  # fmt: skip
