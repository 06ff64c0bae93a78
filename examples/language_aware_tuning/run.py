r"""Zero-shot translation that stays on target: text -> stage 1 -> stage 2 -> report.

    python examples/language_aware_tuning/run.py \
        --config examples/language_aware_tuning/multi30k.yaml --text DIR --work work/zero_shot

A system is a model that was trained from another one, as the config says: its options, and its
seeds. Every step is a command that you could type; it is shown before it runs, its output goes
to WORK/logs. A step that is done is not done again: stopped by whatever, the same command goes
on. Without --text the embedded sample corpus is written and used.
"""

import argparse
import itertools
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from recipe import (
    PLUGIN,
    SCRIPTS,
    SPLITS,
    Recipe,
    read_text,
    tool,
    words,
    write_lines,
)

from fairseq_instr import sample
from fairseq_instr.errors import InputError

PIVOT = "en"


class LanguageAwareTuning(Recipe):
    """Train English-centric, tune with unlikelihood, measure the directions never trained."""

    @property
    def steps(self):
        return [
            ("text", self.prepare_text),
            ("subwords", self.train_subwords),
            ("data", self.binarise_all),
            *(
                (f"{name}-{seed}", lambda name=name, seed=seed: self.train(name, seed))
                for name in self.config["systems"]
                for seed in self.seeds(name)
            ),
            ("evaluation", self.evaluate),
        ]

    @property
    def languages(self) -> List[str]:
        return [PIVOT, *self.others]

    @property
    def others(self) -> List[str]:
        return self.config["languages"]

    @property
    def supervised(self) -> List[str]:
        """Directions that are trained, both ways for every language."""
        return [d for other in self.others for d in (f"{PIVOT}-{other}", f"{other}-{PIVOT}")]

    @property
    def zero_shot(self) -> List[str]:
        return ["-".join(pair) for pair in itertools.permutations(self.others, 2)]

    # -- text and data ------------------------------------------------------------------

    def prepare_text(self) -> None:
        """Raw text as SPLIT.PAIR.LANGUAGE, PAIR being English and another language."""
        if self.given_text is None:
            drawn = sample.split(self.config["sample"], int(self.seed))
            texts = {
                split: {
                    language: [sentence.texts[language] for sentence in drawn[split]]
                    for language in self.languages
                }
                for split in SPLITS
            }
        else:
            texts = {
                split: {
                    language: read_text(Path(self.given_text, f"{name}.{language}"))
                    for language in self.languages
                }
                for split, name in self.config["text"].items()
            }
        for split, sides in texts.items():
            for language, lines in sides.items():
                write_lines(self.text / f"{split}.{language}", lines)

    def train_subwords(self) -> None:
        self.learn_subwords(
            line
            for language in self.languages
            for line in read_text(self.text / f"train.{language}")
        )

    def binarise_all(self) -> None:
        """Pairs with English for training, each language alone for denoising, an inventory."""
        for other in self.others:
            pair = (PIVOT, other)
            self.binarise(self.data / "parallel", pair, train=self.text / "train")
            self.binarise(self.data, pair, valid=self.text / "valid")
        for language in self.languages:
            self.binarise(self.data / "denoise", [language], train=self.text / "train")
        self.command(
            "inventory", sys.executable, SCRIPTS / "write_inventory.py",
            "--output", self.data / "instructions.yaml", "--force",
            *(f"to:{language}" for language in self.languages),
        )  # fmt: skip

    @property
    def data(self) -> Path:
        return self.work / "data-bin"

    # -- models -------------------------------------------------------------------------

    def seeds(self, system: str) -> List[int]:
        return list(range(1, self.config["systems"][system].get("seeds", 1) + 1))

    def model(self, system: str, seed: int) -> Path:
        return self.work / "systems" / system / str(seed) / "checkpoint_last.pt"

    def train(self, system: str, seed: int) -> None:
        """Train one system from the one that it is built on."""
        settings = self.config["systems"][system]
        start = settings.get("from")
        first = ["--finetune-from-model", self.model(start, 1)] if start else []
        self.command(
            f"{system}-{seed}", tool("fairseq-train"), self.data, *PLUGIN,
            "--lang-pairs", ",".join(self.supervised), *first,
            *words(self.config["model"]), *words(settings["options"]),
            *self.training_options, "--seed", seed,
            "--save-dir", self.model(system, seed).parent,
        )  # fmt: skip

    # -- evaluation ---------------------------------------------------------------------

    def evaluate(self) -> None:
        """All systems on all test directions."""
        evaluation = self.config["evaluation"]
        decoding = evaluation.get("decoding", {})
        models: Dict[str, Tuple[str, List[int]]] = {
            name: (name, self.seeds(name)) for name in self.config["systems"]
        }
        models.update({name: (d["model"], [1]) for name, d in decoding.items()})
        systems = [
            f"{name}=" + ",".join(str(self.model(model, seed)) for seed in seeds)
            for name, (model, seeds) in models.items()
        ]
        options = [f"{name}={d['options']}" for name, d in decoding.items()]
        self.command(
            "evaluation", sys.executable, SCRIPTS / "evaluate.py",
            "--directions", ",".join(self.zero_shot + self.supervised),
            "--trained", ",".join(self.supervised), "--pivot", ",".join(evaluation["pivot"]),
            "--data", self.data, "--subwords", self.subwords,
            "--text", self.text / "test", "--training-text", self.text / "train",
            "--systems", *systems, *(["--decoding", *options] if options else []),
            *words(evaluation["options"]), "--output", self.work / "report", "--force",
            show=True,
        )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path, help="YAML file of the experiment")
    parser.add_argument("--work", required=True, type=Path, help="folder for all that is made")
    parser.add_argument("--text", type=Path, help="folder with the text that the config names")
    parser.add_argument("--seed", type=int, default=1, help="of text and subwords")
    args = parser.parse_args()
    config = yaml.safe_load(args.config.read_text(encoding="utf-8"))
    if args.text is None and "sample" not in config:
        raise InputError(f"--text is missing: {args.config} is about {config['text']['train']}.*")
    LanguageAwareTuning(config, args.work, args.text, args.seed).run()


if __name__ == "__main__":
    main()
