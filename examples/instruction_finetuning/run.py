r"""The whole recipe in one go: text -> base model -> task data -> finetuning -> report.

    python examples/instruction_finetuning/run.py \
        --config examples/instruction_finetuning/multi30k.yaml --text DIR --work work/multi30k

Every step is a command that you could type; it is shown before it runs, its output goes to
WORK/logs. A step that is done is not done again: stopped by whatever, the same command goes on.
Without --text the embedded sample corpus is written and used.
"""

import argparse
import gzip
import os
import random
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import yaml

from fairseq_instr import sample, subwords
from fairseq_instr.errors import InputError
from fairseq_instr.files import read_lines, write_atomically
from fairseq_instr.instructions import Context, catalogue

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
PLUGIN = ["--user-dir", str(ROOT / "fairseq_instr"), "--task", "translation_with_instructions"]
SPLITS = ("train", "valid", "test")
CASES = ("uppercase", "lowercase", "titlecase")
SHOWN = re.compile(r"\| (train_inner|valid) \||Translated|samples;")


class Recipe:
    """The steps, in order; each leaves a file in `work/done` when it is complete."""

    def __init__(self, config: dict, work: Path, text: Path, seed: int):
        self.config = config
        self.source, self.target = config["source"], config["target"]
        self.work = work
        self.given_text = text
        self.text = work / "text"
        self.seed = str(seed)

    def run(self) -> None:
        steps = [
            ("text", self.prepare_text),
            ("subwords", self.train_subwords),
            ("base-data", self.binarise_base),
            ("base-model", self.train_base),
            ("task-data", self.make_task_data),
            ("tuning", self.tune),
            ("interpolation", self.interpolate),
            ("evaluation", self.evaluate),
        ]
        for number, (name, step) in enumerate(steps, start=1):
            done = self.work / "done" / name
            if done.exists():
                print(f"[{number}/{len(steps)}] {name}: done before", flush=True)
                continue
            print(f"[{number}/{len(steps)}] {name}", flush=True)
            start = time.time()
            step()
            write_atomically(done, f"{time.time() - start:.0f} s\n")
            print(f"[{number}/{len(steps)}] {name}: {time.time() - start:.0f} s", flush=True)

    # -- text ---------------------------------------------------------------------------

    def prepare_text(self) -> None:
        """Raw text of each split under one name, wherever it came from."""
        if self.given_text is None:
            self.write_sample_text()
        else:
            for split in SPLITS:
                for language in (self.source, self.target):
                    stem = self.given_text / f"{self.config['text'][split]}.{language}"
                    write_lines(self.text / f"{split}.{language}", read_text(stem))
        self.write_base_training_text()

    @property
    def samples(self) -> str:
        """Samples per instruction, and what some instructions get instead."""
        more = self.config.get("more_samples", {})
        return ",".join([str(self.config["samples"]), *(f"{n}:{c}" for n, c in more.items())])

    def write_sample_text(self) -> None:
        """The embedded sample corpus, with labelled data: the same English, formal or not."""
        sizes = {**self.config["sample"]}
        sizes["labelled"] = 3 * self.config["samples"]  # more than half address somebody
        drawn = sample.split(sizes, int(self.seed))
        for split in SPLITS:
            for language in self.languages:
                lines = [sentence.texts[language] for sentence in drawn[split]]
                write_lines(self.text / f"{split}.{language}", lines)
        for split, sentences in (("train", drawn["labelled"]), ("test", drawn["test"])):
            addressing = [s for s in sentences if "formality" in s.attributes]
            if split == "train":
                addressing = addressing[: self.config["samples"]]
            pairs = [
                (sentence.variant(formality=formality), formality)
                for formality in ("formal", "informal")
                for sentence in addressing
            ]
            prefix = self.text / "formality" / split
            for language in self.languages:
                write_lines(Path(f"{prefix}.{language}"), [s.texts[language] for s, _ in pairs])
            write_lines(Path(f"{prefix}.instr"), [formality for _, formality in pairs])

    def write_base_training_text(self) -> None:
        """Training text of the base model: as given, and some of it in other cases.

        Large corpora hold lines in capitals and titles; a small one needs a few, or the model
        never learns to read and write the pieces of such words.
        """
        pairs = list(zip(*(read_lines(self.text / f"train.{e}") for e in self.languages)))
        count = int(len(pairs) * self.config["case_copies"])
        chooser = random.Random(int(self.seed))
        copies = []
        for case in CASES:
            rewrite = catalogue()[case].rewrite
            for pair in chooser.sample(pairs, count):
                copies.append([rewrite(side, Context()) or side for side in pair])
        for i, language in enumerate(self.languages):
            lines = [pair[i] for pair in (*pairs, *copies)]
            write_lines(self.text / f"base_train.{language}", lines)

    @property
    def languages(self):
        return self.source, self.target

    def train_subwords(self) -> None:
        """A joint SentencePiece vocabulary with byte fallback, and its dictionary."""
        lines = [
            line
            for language in self.languages
            for line in read_lines(self.text / f"base_train.{language}")
        ]
        model = subwords.train(
            lines, self.work / "subwords", self.config["vocabulary"], int(self.seed), force=True
        )
        subwords.Subwords(model).write_dictionary(self.work / "dict.txt", force=True)

    # -- data ---------------------------------------------------------------------------

    def encode(self, prefix: Path) -> Path:
        """Write the pieces of `prefix.LANGUAGE` beside it; returns their prefix."""
        encoder = subwords.Subwords(self.work / "subwords.model")
        for language in self.languages:
            lines = read_lines(f"{prefix}.{language}")
            write_lines(Path(f"{prefix}.spm.{language}"), map(encoder.encode, lines))
        return Path(f"{prefix}.spm")

    def binarise(self, destination: Path, **prefixes: Path) -> None:
        """`fairseq-preprocess` with the one dictionary of both languages."""
        options = [f"--{split}pref={self.encode(prefix)}" for split, prefix in prefixes.items()]
        clear(destination)
        self.command(
            "preprocess", tool("fairseq-preprocess"), "-s", self.source, "-t", self.target,
            *options, "--srcdict", self.work / "dict.txt", "--tgtdict", self.work / "dict.txt",
            "--destdir", destination,
        )  # fmt: skip

    def binarise_base(self) -> None:
        self.binarise(
            self.work / "base-bin",
            train=self.text / "base_train",
            valid=self.text / "valid",
            test=self.text / "test",
        )

    def make_task_data(self) -> None:
        """Curate the rule-made instructions, take in the labelled ones, binarise both."""
        data, task = self.work / "data-bin", self.work / "task"
        names = [name for name in self.config["instructions"] if catalogue()[name].rewrite]
        self.command(
            "curate", sys.executable, SCRIPTS / "curate_instructions.py",
            "--source", self.text / f"train.{self.source}",
            "--target", self.text / f"train.{self.target}",
            "--source-language", self.source, "--target-language", self.target,
            "--instructions", ",".join(names), "--samples", self.samples,
            "--subwords", self.work / "subwords.model", "--dictionary", self.work / "dict.txt",
            "--seed", self.seed, "--output", task, "--force",
        )  # fmt: skip
        folders = [task / name for name in names]
        folders += [self.text / name for name in self.config.get("labelled", [])]
        for extension in (*self.languages, "instr"):
            lines = [line for f in folders for line in read_lines(f / f"train.{extension}")]
            write_lines(task / f"train.{extension}", lines)
        self.binarise(data, valid=self.text / "valid", test=self.text / "test")
        self.binarise(data / "parallel", train=self.text / "train")
        self.binarise(data / "task", train=task / "train")
        self.command(
            "preprocess", tool("fairseq-preprocess"), "-s", "instr", "--only-source",
            "--trainpref", task / "train", "--destdir", data / "task",
        )  # fmt: skip
        self.command(
            "inventory", sys.executable, SCRIPTS / "write_inventory.py",
            "--output", data / "instructions.yaml", "--force", *self.config["instructions"],
        )  # fmt: skip

    # -- models -------------------------------------------------------------------------

    def train_base(self) -> None:
        """A base model by stock `translation`.

        `--user-dir` is there for a run that goes on: torch 2.6 and later read fairseq's
        checkpoints only where the plugin has named what they hold.
        """
        self.command(
            "base", tool("fairseq-train"), self.work / "base-bin", *PLUGIN[:2],
            "--task", "translation", "-s", self.source, "-t", self.target,
            *words(self.config["model"]), *words(self.config["base"]), *self.training_options(),
            "--save-dir", self.work / "base", "--patience", "10", "--keep-last-epochs", "2",
        )  # fmt: skip

    def tune(self) -> None:
        """Three epochs on parallel and task data, 2:1."""
        self.command(
            "tuning", tool("fairseq-train"), self.work / "data-bin", *PLUGIN,
            "-s", self.source, "-t", self.target, "--mixture", self.config["mixture"],
            "--finetune-from-model", self.base_model,
            *words(self.config["model"]), *words(self.config["tuning"]),
            *self.training_options(), "--save-dir", self.work / "tuned",
        )  # fmt: skip

    def training_options(self):
        return ["--seed", self.seed, "--no-progress-bar", "--num-workers", "0"] + (
            [] if has_gpu() else ["--cpu"]
        )

    @property
    def base_model(self) -> Path:
        return self.work / "base" / "checkpoint_best.pt"

    @property
    def tuned_model(self) -> Path:
        return self.work / "tuned" / "checkpoint_last.pt"

    def mixed_model(self, weight: float) -> Path:
        return self.work / "mixed" / f"{weight:g}.pt"

    def interpolate(self) -> None:
        for weight in self.config["tuned_weights"]:
            self.command(
                "interpolate", sys.executable, SCRIPTS / "interpolate_checkpoints.py",
                "--base", self.base_model, "--tuned", self.tuned_model,
                "--tuned-weight", weight, "--output", self.mixed_model(weight), "--force",
            )  # fmt: skip

    def evaluate(self) -> None:
        mixed = [f"{w:g}={self.mixed_model(w)}" for w in self.config["tuned_weights"]]
        labelled = [self.text / name / "test" for name in self.config.get("labelled", [])]
        self.command(
            "evaluate", sys.executable, SCRIPTS / "evaluate.py",
            "--data", self.work / "data-bin", "--subwords", self.work / "subwords.model",
            "--base", self.base_model, "--tuned", self.tuned_model,
            *(["--mixed", *mixed] if mixed else []),
            *(["--labelled", *labelled] if labelled else []),
            "--source", self.text / f"test.{self.source}",
            "--reference", self.text / f"test.{self.target}",
            "-s", self.source, "-t", self.target, "--seed", self.seed,
            *words(self.config["evaluation"]), "--output", self.work, "--force",
            show=True,
        )  # fmt: skip

    # -- running ------------------------------------------------------------------------

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


def shorten(line: str) -> str:
    """A line of fairseq's log as its beginning and its most telling numbers."""
    if "| train_inner |" not in line and "| valid |" not in line:
        return line
    kept = [
        field
        for field in line.replace("|", ",").split(",")
        if re.match(r"\s*(epoch|loss|nll_loss|ppl|wps|num_updates|valid)\b", field)
    ]
    return ", ".join(" ".join(field.split()) for field in kept)


def words(text: str):
    return shlex.split(str(text))


def tool(name: str) -> str:
    """A fairseq command of the environment that this runs in."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def clear(folder: Path) -> None:
    """Remove dictionaries of an earlier, broken-off step: fairseq refuses to write over them."""
    for dictionary in folder.glob("dict.*.txt"):
        dictionary.unlink()


def read_text(path: Path):
    """Lines of a text file, or of the same name with .gz."""
    if path.exists():
        return read_lines(path)
    packed = Path(f"{path}.gz")
    if not packed.exists():
        raise InputError(f"--text: neither {path} nor {packed} exists; see the README for the text")
    with gzip.open(packed, "rt", encoding="utf-8", newline="\n") as lines:
        return [line.rstrip("\n") for line in lines]


def write_lines(path: Path, lines) -> None:
    write_atomically(path, "".join(f"{line}\n" for line in lines), force=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path, help="YAML file of the experiment")
    parser.add_argument("--work", required=True, type=Path, help="folder for all that is made")
    parser.add_argument("--text", type=Path, help="folder with the text that the config names")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    config = yaml.safe_load(args.config.read_text(encoding="utf-8"))
    if args.text is None and "sample" not in config:
        raise InputError(f"--text is missing: {args.config} is about {config['text']['train']}.*")
    Recipe(config, args.work, args.text, args.seed).run()


if __name__ == "__main__":
    main()
