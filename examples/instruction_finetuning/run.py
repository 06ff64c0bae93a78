r"""The whole recipe in one go: text -> base model -> task data -> finetuning -> report.

    python examples/instruction_finetuning/run.py \
        --config examples/instruction_finetuning/multi30k.yaml --text DIR --work work/multi30k

Every step is a command that you could type; it is shown before it runs, its output goes to
WORK/logs. A step that is done is not done again: stopped by whatever, the same command goes on.
Without --text the embedded sample corpus is written and used.
"""

import random
import sys
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from recipe import (
    FAIRSEQ_INSTR,
    SPLITS,
    BilingualRecipe,
    read_columns,
    read_report,
    read_text,
    run_recipe,
    words,
    write_columns,
    write_lines,
)

from fairseq_instr import sample
from fairseq_instr.curation.curators import FORMATTED
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context, catalogue

CASES = ("uppercase", "lowercase", "titlecase")


class InstructionFinetuning(BilingualRecipe):
    """Train a base model, finetune it on instructions, measure both.

    Raises:
        InputError: if an instruction of the config is not in the catalogue, or `copies` names
            another; before the first step, as the base model takes longest.
    """

    def __init__(self, config: dict, work: Path, text: Optional[Path], seed: int):
        super().__init__(config, work, text, seed)
        for name in config["instructions"]:
            if name not in catalogue():
                known = ", ".join(catalogue())
                raise InputError(f"--config: instruction {name!r} is unknown; known: {known}")
        repeated(config["instructions"], config.get("copies", {}))

    @property
    def steps(self):
        return [
            ("text", self.prepare_text),
            ("subwords", self.train_subwords),
            ("base-data", self.binarise_base),
            ("base-model", self.train_base),
            ("task-data", self.make_task_data),
            ("tuning", self.tune),
            ("interpolation", self.interpolate),
            ("evaluation", self.evaluate),
            ("results", self.write_results),
        ]

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

    def write_sample_text(self) -> None:
        """The embedded sample corpus, with labelled data: the same English, formal or not."""
        sizes = {**self.config["sample"]}
        sizes["labelled"] = 3 * self.config["samples"]  # more than half address somebody
        drawn = sample.split(sizes, int(self.seed))
        for split in SPLITS:
            rows = [[s.texts[language] for language in self.languages] for s in drawn[split]]
            write_columns(self.text / split, self.languages, rows)
        for split, sentences in (("train", drawn["labelled"]), ("test", drawn["test"])):
            addressing = [s for s in sentences if "formality" in s.attributes]
            if split == "train":
                addressing = addressing[: self.config["samples"]]
            samples = [
                (*(s.variant(formality=kind).texts[code] for code in self.languages), kind)
                for kind in ("formal", "informal")
                for s in addressing
            ]
            write_columns(self.text / "formality" / split, (*self.languages, "instr"), samples)

    def write_base_training_text(self) -> None:
        """Training text of the base model: as given, and some of it in other cases.

        Large corpora hold lines in capitals and titles; a small one needs a few, or the model
        never learns to read and write the pieces of such words.
        """
        pairs = read_columns(self.text / "train", self.languages)
        count = int(len(pairs) * self.config["case_copies"])
        chooser = random.Random(int(self.seed))
        copies = [
            tuple(catalogue()[case].rewrite(side, Context()) or side for side in pair)
            for case in CASES
            for pair in chooser.sample(pairs, count)
        ]
        write_columns(self.text / "base_train", self.languages, [*pairs, *copies])

    def train_subwords(self) -> None:
        self.learn_subwords(*(self.text / f"base_train.{language}" for language in self.languages))

    # -- data ---------------------------------------------------------------------------

    def binarise_base(self) -> None:
        text = {"train": "base_train", "valid": "valid", "test": "test"}
        prefixes = {split: self.text / name for split, name in text.items()}
        self.binarise(self.base_data, self.languages, **prefixes)

    def make_task_data(self) -> None:
        """Curate what parallel text gives, take in what is labelled, binarise both."""
        data, task = self.work / "data-bin", self.work / "task"
        names = [n for n in self.config["instructions"] if has_source(n, "rule", "natural")]
        counted = repeated(names, self.config.get("copies", {}))
        formatted = self.config.get("formatted", 0)
        options = ["--formatted", formatted]
        if "format_axes" in self.config:
            options += ["--format-axes", ",".join(self.config["format_axes"])]
        self.curate(
            self.text / "train", self.languages, names, sample_sizes(self.config), task, *options
        )
        if self.natural:
            split, output = self.text / "test", self.work / "natural_test"
            self.curate(split, self.languages, self.natural, 1000, output)
        folders = [task / name for name in (*counted, *([FORMATTED] if formatted else []))]
        folders += [self.text / name for name in self.config.get("labelled", [])]
        self.binarise(data, self.languages, valid=self.text / "valid", test=self.text / "test")
        self.binarise(data / "parallel", self.languages, train=self.text / "train")
        self.binarise_task(data / "task", self.languages, task, folders)
        self.write_inventory(data, self.config["instructions"])

    @property
    def natural(self) -> List[str]:
        """Instructions that some references obey as they stand; those are their test lines."""
        return [name for name in self.config["instructions"] if has_source(name, "natural")]

    # -- models -------------------------------------------------------------------------

    def tune(self) -> None:
        """Parallel and task data in the mixture that the config states."""
        mixture = ("--mixture", self.config["mixture"])
        self.finetune(self.work / "data-bin", self.work / "tuned", *mixture, log="tuning")

    @property
    def tuned_model(self) -> Path:
        return self.work / "tuned" / "checkpoint_last.pt"

    def mixed_model(self, weight: float) -> Path:
        return self.work / "mixed" / f"{weight:g}.pt"

    def interpolate(self) -> None:
        for weight in self.config["tuned_weights"]:
            self.subcommand(
                "interpolate", "--base", self.base_model, "--tuned", self.tuned_model,
                "--tuned-weight", weight, "--output", self.mixed_model(weight), "--force",
            )  # fmt: skip

    def evaluate(self) -> None:
        """Base against tuned; where the config asks for guidance, with it and without."""
        decoding = self.config.get("decoding", "")
        mixed = [f"{w:g}={self.mixed_model(w)}" for w in self.config["tuned_weights"]]
        plain = self.work / "unguided" if decoding else self.work
        self.compare(self.work / "data-bin", self.tuned_model, plain, "--mixed", *mixed)
        if decoding:
            guided = f"--decoding={decoding}"
            self.compare(self.work / "data-bin", self.tuned_model, self.work, guided)

    def write_results(self) -> None:
        """The report, and beside it that without guidance."""
        unguided = {}
        if self.config.get("decoding"):
            report = read_report(self.work / "unguided")
            unguided["unguided"] = {k: v for k, v in report.items() if k != "examples"}
        self.write_report(self.work, **unguided)

    def compare(self, data: Path, tuned: Path, output: Path, *more) -> None:
        """Write the report of a tuned model beside the base model into `output`."""
        labelled = [self.text / name / "test" for name in self.config.get("labelled", [])]
        labelled += [self.work / "natural_test" / name / "train" for name in self.natural]
        self.command(
            "evaluate", *FAIRSEQ_INSTR, "evaluate",
            "--data", data, "--subwords", self.subwords,
            "--base", self.base_model, "--tuned", tuned,
            *(["--labelled", *labelled] if labelled else []),
            "--source", self.text / f"test.{self.source}",
            "--reference", self.text / f"test.{self.target}",
            "-s", self.source, "-t", self.target, "--seed", self.seed,
            *words(self.config["evaluation"]), *more, "--output", output, "--force",
            show=True,
        )  # fmt: skip


def sample_sizes(config: Mapping) -> str:
    """Samples per instruction, and what some instructions get instead, as `curate` wants them."""
    more = config.get("more_samples", {})
    return ",".join([str(config["samples"]), *(f"{name}:{count}" for name, count in more.items())])


def has_source(name: str, *sources: str) -> bool:
    """Whether task data for an instruction come from one of these."""
    return catalogue()[name].source_of_data in sources


def repeated(names: Sequence[str], copies: Mapping[str, int]) -> List[str]:
    """Each name as often as its samples stand in the task data, once where `copies` is silent.

    Raises:
        InputError: if `copies` has another name, or a number that is none or below 1.
    """
    for name, count in copies.items():
        if name not in names:
            raise InputError(f"copies: {name} is not among the instructions {', '.join(names)}")
        if not isinstance(count, int) or count < 1:
            raise InputError(f"copies: {name}: {count!r} is not accepted; give 1 or more")
    return [name for name in names for _ in range(copies.get(name, 1))]


if __name__ == "__main__":
    run_recipe(InstructionFinetuning, __doc__)
