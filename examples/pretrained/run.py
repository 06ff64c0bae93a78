r"""Tune a published model, and take it back to where it came from.

    python examples/pretrained/run.py --config examples/pretrained/opus_mt.yaml \
        --model opus-mt-en-de --text DIR --work work/opus

The recipe of `examples/instruction_finetuning` on a folder that was downloaded: conversion, task
data, tuning, evaluation, conversion back. Without --model, a stand-in of the folder's format is
trained first; without --text, on the embedded sample corpus.
"""

import sys
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "instruction_finetuning"))
from recipe import read_config, recipe_parser, write_lines
from run import InstructionFinetuning
from stand_in import SIZE, make_stand_in

from fairseq_instr.text.lines import read_lines


class PretrainedTuning(InstructionFinetuning):
    """Finetune a published model.

    Args:
        config: of the model's family, see the YAML files.
        model: folder as it was published; None for a stand-in.
        *more: as for `InstructionFinetuning`.
    """

    def __init__(self, config: dict, model: Optional[Path], *more):
        shape = config["arch"] if model else f"{config['arch']} {SIZE}"
        super().__init__({**config, "model": f"{shape} {config['training']}"}, *more)
        self.model = model or self.work / "published"
        self.is_stand_in = model is None

    @property
    def steps(self):
        first = [("stand-in", self.make_stand_in)] if self.is_stand_in else []
        back = [("back", self.convert_back)] if self.in_hugging_face else []
        return [
            ("text", self.prepare_text),
            *first,
            ("conversion", self.convert),
            ("task-data", self.make_task_data),
            ("tuning", self.tune),
            ("evaluation", self.evaluate),
            ("results", self.write_results),
            *back,
        ]

    @property
    def in_hugging_face(self) -> bool:
        return "hugging_face" in self.config

    @property
    def subwords(self) -> Path:
        return self.work / "tokenizer" if self.in_hugging_face else self.model / "bpecodes"

    @property
    def base_model(self) -> Path:
        return self.work / "model.pt" if self.in_hugging_face else self.model / "model1.pt"

    def make_stand_in(self) -> None:
        make_stand_in(self.config, self.work, self.text, self.seed, self.model)

    def convert(self) -> None:
        """A checkpoint of a Hugging Face folder; a model of fairseq's gives its dictionary."""
        if self.in_hugging_face:
            self.subcommand(
                "convert", "from-hugging-face", self.model, "--output", self.work, "--force"
            )
        else:
            write_lines(self.work / "dict.txt", read_lines(self.model / f"dict.{self.source}.txt"))

    def convert_back(self) -> None:
        self.subcommand(
            "convert", "to-hugging-face", self.tuned_model, "--tokenizer", self.subwords,
            "--output", self.work / "tuned-hf", "--force",
        )  # fmt: skip


def main():
    parser = recipe_parser(__doc__)
    parser.add_argument("--model", type=Path, help="folder as it was published")
    args = parser.parse_args()
    config = read_config(args.config)
    PretrainedTuning(config, args.model, args.work, args.text, args.seed).run()


if __name__ == "__main__":
    main()
