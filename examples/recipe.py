"""What the recipes of this folder share: steps that are done once, commands that show progress.

A recipe is a class with `steps`; each step that is complete leaves a file in WORK/done, so the
same command goes on where it was stopped. Every step is a command that you could type; it is shown.
"""

import argparse
import json
import logging
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterable, List, Sequence, Tuple, Type

import yaml

from fairseq_instr.cli import main as cli
from fairseq_instr.errors import InputError, install_exception_hook
from fairseq_instr.files import write_atomically, write_json
from fairseq_instr.text.lines import find_text, read_lines

ROOT = Path(__file__).resolve().parents[1]
FAIRSEQ_INSTR = [sys.executable, "-m", "fairseq_instr"]
USER_DIR = ["--user-dir", str(ROOT / "fairseq_instr")]
PLUGIN = [*USER_DIR, "--task", "translation_with_instructions"]
SPLITS = ("train", "valid", "test")
SHOWN = re.compile(r"\| (train_inner|valid) \||Translated")


class Recipe:
    """Steps over one work folder.

    Args:
        config: the content of the experiment's YAML file.
        work: folder for all that is made.
        text: folder of raw text; None for the embedded sample corpus.
        seed: seed of everything random.
    """

    def __init__(self, config: dict, work: Path, text: Path, seed: int):
        self.config = config
        self.work = work
        self.given_text = text
        self.text = work / "text"
        self.seed = str(seed)

    @property
    def steps(self) -> List[Tuple[str, Callable[[], None]]]:
        """Names and functions, in order."""
        raise NotImplementedError

    def run(self) -> None:
        """Do what is not done yet."""
        logging.getLogger().setLevel(logging.WARNING)  # importing fairseq's tasks sets DEBUG
        for number, (name, step) in enumerate(self.steps, start=1):
            label = f"[{number}/{len(self.steps)}] {name}"
            done = self.work / "done" / name
            if done.exists():
                print(f"{label}: done before", flush=True)
                continue
            print(label, flush=True)
            start = time.time()
            step()
            write_atomically(done, f"{time.time() - start:.0f} s\n")
            print(f"{label}: {time.time() - start:.0f} s", flush=True)

    def command(self, log: str, *arguments, show: bool = False) -> None:
        """Run a command; show it and its progress, keep all that it prints in a log.

        Raises:
            InputError: if it fails, with the end of what it printed.
        """
        line = [str(argument) for argument in arguments]
        print("  $ " + shlex.join(line), flush=True)
        log_file = self.work / "logs" / f"{log}.log"
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with open(log_file, "a", encoding="utf-8", buffering=1) as out:
            out.write("$ " + shlex.join(line) + "\n")
            process = subprocess.Popen(
                line,
                stdout=subprocess.PIPE,
                stderr=None if show else subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                env={**os.environ, "PYTHONUTF8": "1"},
            )
            last = []
            for printed in process.stdout:
                out.write(printed)
                last = [*last[-4:], printed.strip()]
                if show or SHOWN.search(printed):
                    print("  " + shorten(printed.rstrip()), flush=True)
        if process.wait():
            raise InputError(f"step {log} failed, see {log_file}: {' / '.join(last)[-600:]}")

    def subcommand(self, name: str, *arguments) -> None:
        """Run a subcommand of fairseq-instr in this process, which imports fairseq only once."""
        line = [name, *map(str, arguments)]
        print("  $ fairseq-instr " + shlex.join(line), flush=True)
        if cli.main(line):
            raise InputError(f"fairseq-instr {name} failed, see above")

    # -- subwords and binarised data ----------------------------------------------------

    @property
    def subwords(self) -> Path:
        return self.work / "subwords.model"

    def learn_subwords(self, *files: Path) -> None:
        """A joint SentencePiece model with byte fallback, and WORK/dict.txt."""
        self.subcommand(
            "subwords", "--input", *files, "--vocabulary-size", self.config["vocabulary"],
            "--seed", self.seed, "--output", self.work / "subwords", "--force",
        )  # fmt: skip

    def binarise(self, destination: Path, languages: Sequence[str], **prefixes: Path) -> None:
        """Binarise `prefixes`, by split, as one corpus, with `PREFIX.instr` where that exists.

        The files are linked under their splits' names in a folder of WORK/corpora.
        """
        corpus = "_".join((*destination.relative_to(self.work).parts, *languages))
        text = self.work / "corpora" / corpus
        text.mkdir(parents=True, exist_ok=True)
        for split, prefix in prefixes.items():
            for ending in (*languages, "instr"):
                file, link = Path(f"{prefix}.{ending}"), text / f"{split}.{ending}"
                link.unlink(missing_ok=True)
                if file.exists():
                    link.symlink_to(file.absolute())
        source, *target = languages
        self.subcommand(
            "binarise", "--input", text, "-s", source, *(["-t", *target] if target else []),
            "--subwords", self.subwords, "--dictionary", self.work / "dict.txt",
            "--output", destination, "--force",
        )  # fmt: skip

    def curate(
        self, prefix: Path, languages: Sequence[str], names: Sequence[str], samples, output: Path,
        *more,
    ) -> None:  # fmt: skip
        """Samples of instructions out of the pairs `prefix.LANGUAGE`, one folder for each."""
        source, target = languages
        self.subcommand(
            "curate", "--source", f"{prefix}.{source}", "--target", f"{prefix}.{target}",
            "-s", source, "-t", target, "--instructions", ",".join(names), "--samples", samples,
            "--subwords", self.subwords, "--dictionary", self.work / "dict.txt",
            "--seed", self.seed, "--output", output, "--force", *more,
        )  # fmt: skip

    def binarise_task(
        self, destination: Path, languages: Sequence[str], samples: Path, folders: Sequence[Path]
    ) -> None:
        """One corpus of the samples in several folders; their text is put together in `samples`."""
        endings = (*languages, "instr")
        rows = [row for folder in folders for row in read_columns(folder / "train", endings)]
        write_columns(samples / "train", endings, rows)
        self.binarise(destination, languages, train=samples / "train")

    def write_inventory(self, data: Path, names: Sequence[str]) -> None:
        """The inventory of a data-bin."""
        self.subcommand("inventory", "--output", data / "instructions.yaml", "--force", *names)

    @property
    def training_options(self) -> List[str]:
        device = [] if has_gpu() else ["--cpu"]
        return ["--no-progress-bar", "--num-workers", "0", *device]


class BilingualRecipe(Recipe):
    """A recipe that finetunes a base model of one language pair."""

    @property
    def source(self) -> str:
        return self.config["source"]

    @property
    def target(self) -> str:
        return self.config["target"]

    @property
    def languages(self) -> Tuple[str, str]:
        return self.source, self.target

    @property
    def base_data(self) -> Path:
        """The data-bin of the base model."""
        return self.work / "base-bin"

    def train_base(self) -> None:
        """A base model by stock `translation`: it knows no instructions.

        `--user-dir` is there for a run that goes on: torch 2.6 and later read fairseq's
        checkpoints only where the plugin has named what they hold.
        """
        self.command(
            "base", tool("fairseq-train"), self.base_data, *USER_DIR,
            "--task", "translation", "-s", self.source, "-t", self.target,
            *words(self.config["model"]), *words(self.config["base"]),
            *self.training_options, "--seed", self.seed, "--save-dir", self.base_model.parent,
        )  # fmt: skip

    @property
    def base_model(self) -> Path:
        return self.work / "base" / "checkpoint_best.pt"

    def finetune(self, data: Path, folder: Path, *more, log: str) -> None:
        """Finetune the base model on a data-bin; the checkpoints go to `folder`."""
        self.command(
            log, tool("fairseq-train"), data, *PLUGIN, "-s", self.source, "-t", self.target,
            "--finetune-from-model", self.base_model,
            *words(self.config["model"]), *words(self.config["tuning"]), *more,
            *self.training_options, "--seed", self.seed, "--save-dir", folder,
        )  # fmt: skip

    def write_report(self, folder: Path, **more) -> None:
        """A report, and the command that made all of it, in WORK/results.json."""
        results = {"recipe": shlex.join(["python", *sys.argv]), **read_report(folder), **more}
        write_json(self.work / "results.json", results, force=True)


def shorten(line: str) -> str:
    """A line of fairseq's log as its beginning and its most telling numbers."""
    if "| train_inner |" not in line and "| valid |" not in line:
        return line
    told = r"\s*(epoch|loss|nll_loss|ul_loss|or_loss|ppl|wps|num_updates|valid)\b"
    kept = [field for field in line.replace("|", ",").split(",") if re.match(told, field)]
    return ", ".join(" ".join(field.split()) for field in kept)


def read_config(path: Path) -> dict:
    """A YAML file of an experiment, over the one that its `recipe` names, if it does."""
    if not path.exists():
        raise InputError(f"--config: {path} does not exist; give a YAML file of an experiment")
    own = yaml.safe_load(path.read_text(encoding="utf-8"))
    base = own.pop("recipe", None)
    return {**read_config(path.parent / base), **own} if base else own


def words(text: str) -> List[str]:
    """Options of a config as words."""
    return shlex.split(str(text))


def tool(name: str) -> str:
    """A fairseq command of the environment that this runs in."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def read_text(path) -> List[str]:
    """Lines of a text file, or of the same name with .gz."""
    return read_lines(find_text(path))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    write_atomically(path, "".join(f"{line}\n" for line in lines), force=True)


def write_columns(prefix: Path, endings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write the columns of some rows as aligned files, `PREFIX.ENDING` each."""
    rows = list(rows)
    for i, ending in enumerate(endings):
        write_lines(Path(f"{prefix}.{ending}"), [row[i] for row in rows])


def read_columns(prefix: Path, endings: Sequence[str]) -> List[tuple]:
    """Rows of aligned files."""
    return list(zip(*(read_lines(Path(f"{prefix}.{ending}")) for ending in endings)))


def read_report(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def recipe_parser(description: str) -> argparse.ArgumentParser:
    """The arguments that all recipes have; also shows what a user did wrong in one line."""
    install_exception_hook()
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path, help="YAML file of the experiment")
    parser.add_argument("--work", required=True, type=Path, help="folder for all that is made")
    parser.add_argument("--text", type=Path, help="folder with the text that the config names")
    parser.add_argument("--seed", type=int, default=1, help="of text, subwords and models")
    return parser


def run_recipe(kind: Type[Recipe], description: str) -> None:
    """Run a recipe with the config that the command line names."""
    args = recipe_parser(description).parse_args()
    config = read_config(args.config)
    if args.text is None and "sample" not in config:
        raise InputError(f"--text is missing: {args.config} is about {config['text']['train']}.*")
    kind(config, args.work, args.text, args.seed).run()
