r"""A small English-German model to try: text -> base model -> finetuning -> folder -> figures.

    python examples/en_de_instruct/build.py \
        --config examples/en_de_instruct/en_de.yaml --text DIR --work work/en_de

The recipe of `examples/instruction_finetuning`, with text of several folders, samples of formality
and of pairs of instructions, and an export to WORK/model, which is what is measured.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "instruction_finetuning"))
from recipe import run_recipe, words
from run import InstructionFinetuning, sample_sizes
from task import write_hard_pairs, write_task
from text import COCOA, write_text

from fairseq_instr.curation.curators import FORMATTED


class EnDeInstruct(InstructionFinetuning):
    """Train a base model, finetune it, export it, measure the export."""

    @property
    def steps(self):
        return [
            ("text", self.prepare_text),
            ("subwords", self.train_subwords),
            ("base-data", self.binarise_base),
            ("base-model", self.train_base),
            ("task-data", self.make_task_data),
            ("tuning", self.tune),
            ("hard-data", self.make_hard_data),
            ("second-round", self.tune_again),
            ("export", self.export),
            ("measure", self.measure),
        ]

    def prepare_text(self) -> None:
        seed = int(self.seed)
        write_text(self.given_text, self.text, self.config["held_out"], seed)
        write_task(self.text, self.config["instructions"], self.config["composed"], seed)

    def make_hard_data(self) -> None:
        """The group `hard`: new samples of the instructions that the first round leaves weak."""
        second, seed = self.config["second_round"], int(self.seed) + 1
        names, rules = second["instructions"], self.work / "hard"
        formats = ",".join(self.config["format_axes"])
        self.curate(
            self.text / "train", self.languages, names, sample_sizes(second), rules, "--seed", seed,
            "--formatted", self.config["formatted"], "--format-axes", formats,
        )  # fmt: skip
        write_hard_pairs(self.text, self.config["instructions"], names, second["pairs"], seed)
        folders = [*(rules / name for name in (*names, FORMATTED)), self.text / "hard_pairs"]
        self.binarise_task(self.work / "data-bin" / "hard", self.languages, rules, folders)

    def tune_again(self) -> None:
        """The second round: the first one's mixture, and the group `hard`."""
        self.finetune(
            self.work / "data-bin", self.tuned_model.parent,
            "--finetune-from-model", self.work / "tuned" / "checkpoint_last.pt",
            "--seed", int(self.seed) + 1, *words(self.config["second_round"]["options"]),
            log="second-round",
        )  # fmt: skip

    @property
    def tuned_model(self) -> Path:
        return self.work / "tuned_again" / "checkpoint_last.pt"

    def export(self) -> None:
        """The tuned model and the base model, for CTranslate2."""
        for checkpoint, data, output in (
            (self.tuned_model, self.work / "data-bin", self.work / "model"),
            (self.base_model, self.base_data, self.work / "base-model"),
        ):
            self.subcommand(
                "export", "--checkpoint", checkpoint, "--data", data, "--subwords", self.subwords,
                "-s", self.source, "-t", self.target, "--output", output, "--force",
                "--quantization", self.config["quantization"],
            )  # fmt: skip

    def measure(self) -> None:
        self.command(
            "measure", sys.executable, Path(__file__).with_name("measure.py"),
            "--model", self.work / "model", "--base", self.work / "base-model",
            "--text", self.text / "test",
            "--cocoa", self.given_text / COCOA.format(split="test"),
            *words(self.config["evaluation"]), "--output", self.work / "report",
            show=True,
        )  # fmt: skip


if __name__ == "__main__":
    run_recipe(EnDeInstruct, __doc__)
