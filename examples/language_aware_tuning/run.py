r"""Zero-shot translation that stays on target: text -> stage 1 -> stage 2 -> report.

    python examples/language_aware_tuning/run.py \
        --config examples/language_aware_tuning/multi30k.yaml --text DIR --work work/zero_shot

A system is a model that was trained from another one, as the config says: its options, and its
seeds. The model is an encoder-decoder, or a decoder-only one with prompts in words. Every step
is a command that you could type; it is shown before it runs, its output goes to WORK/logs. A
step that is done is not done again: stopped by whatever, the same command goes on. Without
--text the embedded sample corpus is written and used.
"""

import itertools
import json
import random
import shlex
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from recipe import (
    FAIRSEQ_INSTR,
    PLUGIN,
    SPLITS,
    Recipe,
    read_report,
    read_text,
    recipe_parser,
    tool,
    words,
    write_columns,
    write_lines,
)

from fairseq_instr import sample
from fairseq_instr.data.data_bin import GENERAL
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, write_atomically

PIVOT = "en"
Pair = Tuple[str, str]
Pairs = List[Tuple[str, str]]


class LanguageAwareTuning(Recipe):
    """Train English-centric, tune with unlikelihood, measure the directions never trained.

    Args:
        config_file: YAML file of the experiment.
        pretrained: folder that `fairseq-instr convert from-hugging-face` wrote, which training
            begins with; None to train from nothing. Others are as in `Recipe`.
    """

    def __init__(
        self,
        config_file: Path,
        work: Path,
        text: Optional[Path],
        seed: int,
        pretrained: Optional[Path] = None,
    ):
        config = yaml.safe_load(config_file.read_text(encoding="utf-8"))
        if text is None and "sample" not in config:
            raise InputError(
                f"--text is missing: {config_file} is about {config['text']['train']}.*"
            )
        if pretrained is None and "vocabulary" not in config:
            raise InputError(f"--pretrained is missing: {config_file} begins with such a model")
        if pretrained is not None and "vocabulary" in config:
            raise InputError(f"--pretrained: {config_file} trains from nothing; leave it out")
        super().__init__(config, work, text, seed)
        self.pretrained = pretrained
        self.name, self.config_folder = config_file.stem, config_file.resolve().parent

    @property
    def steps(self):
        compared, drawn = [], []
        for name in self.config["systems"]:
            steps = drawn if name in self.only_drawn else compared
            if name == self.config.get("backtranslate", {}).get("before"):
                steps.append(("backtranslate", self.backtranslate))
            for seed in self.seeds(name):
                steps.append((f"{name}-{seed}", partial(self.train, name, seed)))
        return [
            ("text", self.prepare_text),
            ("subwords", self.train_subwords),
            ("data", self.binarise_all),
            *compared,
            *drawn,
            *([("curves", self.draw_curves)] if "curves" in self.config else []),
            ("evaluation", self.evaluate),
            ("results", self.write_results),
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

    @property
    def directions(self) -> List[str]:
        return self.zero_shot + self.supervised

    # -- text and data ------------------------------------------------------------------

    def prepare_text(self) -> None:
        """Raw text: train.PAIR and valid.PAIR, mono of each language, test.SET.DIRECTION.

        And where there are sentences in all languages, demonstrations of each language.
        """
        tests: Dict[str, Dict[str, Pairs]] = {}
        demonstrations: List[Tuple[str, ...]] = []
        if self.given_text is None:
            train, valid, tests, demonstrations = self.draw_sample_text()
        else:
            text = self.config["text"]
            if "demonstrations" in text:
                demonstrations = self.read_aligned(
                    self.given_text / text["demonstrations"], self.languages
                )
            pairs = [(PIVOT, other) for other in self.others]
            train = {pair: self.read_pairs(text["train"], pair) for pair in pairs}
            if isinstance(text["valid"], int):
                valid = self.hold_out(train, text["valid"])
            else:
                valid = {pair: self.read_pairs(text["valid"], pair) for pair in pairs}
            for name, prefix in {**text["test"], **text.get("selection", {})}.items():
                tests[name] = {
                    direction: self.read_pairs([prefix], tuple(direction.split("-")))
                    for direction in self.directions
                }
                if prefix in text["train"]:
                    for pair, lines in self.hold_out(train, text["held_out"]).items():
                        tests[name]["-".join(pair)] = lines
                        tests[name]["-".join(pair[::-1])] = [p[::-1] for p in lines]
        direct = {
            pair: self.read_pairs(self.config["text"]["direct"], pair) for pair in self.direct
        }
        for split, texts in (("train", {**train, **direct}), ("valid", valid)):
            for pair, lines in texts.items():
                self.write_pairs(f"{split}.{'-'.join(pair)}", pair, lines)
        if demonstrations:
            self.write_pairs("demonstrations", self.languages, demonstrations)
        mono = self.monolingual(train)
        for language, lines in mono.items():
            write_lines(self.text / f"mono.{language}", lines)
        for name, directions in tests.items():
            for direction, lines in directions.items():
                pair = tuple(direction.split("-"))
                seen = [set(mono[language]) for language in pair]
                new = [p for p in lines if not (p[0] in seen[0] or p[1] in seen[1])]
                if len(new) < len(lines):
                    n_seen = len(lines) - len(new)
                    print(f"  {name} {direction}: {n_seen} pairs dropped, a side is in training")
                self.write_pairs(f"test.{name}.{direction}", pair, new)

    def draw_sample_text(self):
        drawn = sample.split(self.config["sample"], int(self.seed))

        def pairs_of(split: str, languages: Sequence[str]) -> Pairs:
            return [tuple(s.texts[language] for language in languages) for s in drawn[split]]

        pairs = [(PIVOT, other) for other in self.others]
        train, valid = ({pair: pairs_of(split, pair) for pair in pairs} for split in SPLITS[:2])
        test = {d: pairs_of("test", tuple(d.split("-"))) for d in self.directions}
        return train, valid, {"sample": test}, pairs_of("valid", self.languages)

    def read_pairs(self, prefixes: List[str], pair: Pair) -> Pairs:
        """Lines of two languages; blank ones, missing in one language, are left out.

        `{pair}` in a prefix stands for the pair as the file has it, in one order or the other.
        """
        lines: Pairs = []
        for prefix in prefixes:
            names = [prefix.format(pair="-".join(p)) for p in (pair, pair[::-1])]
            held = [n for n in names if list(self.given_text.glob(f"{n}.{pair[0]}*"))]
            lines += self.read_aligned(self.given_text / (held[0] if held else names[0]), pair)
        return lines

    @staticmethod
    def read_aligned(stem: Path, languages: Sequence[str]) -> List[Tuple[str, ...]]:
        """Lines of `stem.LANGUAGE` side by side, those that no language lacks."""
        sides = [read_text(Path(f"{stem}.{language}")) for language in languages]
        for language, side in zip(languages, sides):
            if len(side) != len(sides[0]):
                raise InputError(
                    f"--text: {stem}.{languages[0]} has {len(sides[0])} lines, .{language} "
                    f"{len(side)}; they must be aligned line by line"
                )
        return [line for line in zip(*sides) if all(text.strip() for text in line)]

    def hold_out(self, train: Dict[Pair, Pairs], count: int) -> Dict[Pair, Pairs]:
        """Take up to `count` pairs a language out of `train`, with all that share their English."""
        english = {pair[0] for pairs in train.values() for pair in pairs}
        chosen = set(random.Random(int(self.seed)).sample(sorted(english), count))
        held = {}
        for key, pairs in train.items():
            held[key] = [pair for pair in pairs if pair[0] in chosen][:count]
            train[key] = [pair for pair in pairs if pair[0] not in chosen]
        return held

    def monolingual(self, train: Dict[Pair, Pairs]) -> Dict[str, List[str]]:
        """The distinct lines of each language in the training pairs."""
        lines: Dict[str, Dict[str, None]] = {language: {} for language in self.languages}
        for pair, pairs in train.items():
            for i, language in enumerate(pair):
                lines[language].update(dict.fromkeys(sides[i] for sides in pairs))
        return {language: list(found) for language, found in lines.items()}

    def write_pairs(self, name: str, languages: Sequence[str], lines: Sequence[tuple]) -> None:
        write_columns(self.text / name, languages, lines)

    @property
    def subwords(self) -> Path:
        return self.pretrained / "tokenizer" if self.pretrained else super().subwords

    def train_subwords(self) -> None:
        if self.pretrained:
            shutil.copyfile(self.pretrained / "dict.txt", self.work / "dict.txt")
            return
        self.learn_subwords(*(self.text / f"mono.{language}" for language in self.languages))

    def binarise_all(self) -> None:
        """Pairs with English for training, each language alone for denoising, an inventory."""
        for other in self.others:
            pair = (PIVOT, other)
            name = "-".join(pair)
            self.binarise(self.data / "parallel", pair, train=self.text / f"train.{name}")
            self.binarise(self.data, pair, valid=self.text / f"valid.{name}")
        for pair in self.direct:
            name = "-".join(pair)
            self.binarise(self.data / "direct", pair, train=self.text / f"train.{name}")
        for language in self.languages:
            self.binarise(self.data / "denoise", [language], train=self.text / "mono")
        for direction in self.supervised if self.instructions else []:
            self.binarise_samples(direction)
        for split in self.general:
            self.binarise_general(split)
        directions = [f"to:{language}" for language in self.languages]
        self.write_inventory(self.data, [*directions, *self.instructions])

    @property
    def general(self) -> Dict[str, List[str]]:
        """Files of general tasks in Alpaca's JSON, by split, in the folder of the text."""
        return self.config.get("text", {}).get("general", {})

    def binarise_general(self, split: str) -> None:
        """General tasks as the group `general`; the held-out ones have a folder of their own."""
        prefix = self.work / "general" / split
        self.subcommand(
            "general-tasks", "corpus", *(self.given_text / name for name in self.general[split]),
            "--subwords", self.subwords, "--output", prefix, "--force",
        )  # fmt: skip
        folder = self.data / GENERAL if split == "train" else self.work / "general-bin"
        self.command(
            f"general-{split}", tool("fairseq-preprocess"), "-s", "prompt", "-t", "response",
            f"--{split}pref", prefix, "--destdir", folder,
            "--srcdict", self.work / "dict.txt", "--tgtdict", self.work / "dict.txt",
        )  # fmt: skip

    @property
    def direct(self) -> List[Pair]:
        """Pairs without English, for a system that is no zero-shot one."""
        has_direct = "direct" in self.config.get("text", {})
        return list(itertools.combinations(self.others, 2)) if has_direct else []

    @property
    def instructions(self) -> List[str]:
        """Instructions beside the direction, if the config has any."""
        return self.config.get("task", {}).get("instructions", [])

    def binarise_samples(self, direction: str) -> None:
        """Samples of the instructions in one supervised direction: a corpus of its own."""
        languages, samples = direction.split("-"), self.work / "task" / direction
        pair = "-".join(sorted(languages, key=lambda language: language != PIVOT))
        self.curate(
            self.text / f"train.{pair}", languages, self.instructions,
            self.config["task"]["samples"], samples,
        )  # fmt: skip
        folders = [samples / name for name in self.instructions]
        self.binarise_task(self.data / "task" / direction, languages, samples, folders)

    @property
    def data(self) -> Path:
        return self.work / "data-bin"

    def words(self, text: str) -> List[str]:
        """Options of the config as words, with the paths that {text} and others stand for."""
        return words(self.with_paths(text))

    def with_paths(self, text: str) -> str:
        """Put paths in the places of {text}, {subwords}, and {config}, the config's own folder."""
        paths = {"text": self.text, "subwords": self.subwords, "config": self.config_folder}
        for name, path in paths.items():
            text = text.replace(f"{{{name}}}", shlex.quote(str(path)))
        return text

    # -- models -------------------------------------------------------------------------

    @property
    def only_drawn(self) -> List[str]:
        """Systems of the curves that are not compared with the others."""
        return self.config.get("curves", {}).get("only", [])

    def seeds(self, system: str) -> List[int]:
        return list(range(1, self.config["systems"][system].get("seeds", 1) + 1))

    def model(self, system: str, seed: int) -> Path:
        if system == "pretrained" and self.pretrained:
            return self.pretrained / "model.pt"
        return self.work / "systems" / system / str(seed) / "checkpoint_last.pt"

    def train(self, system: str, seed: int) -> None:
        """Train one system from the one that it is built on, or mix two that are trained."""
        settings = self.config["systems"][system]
        if "interpolate" in settings:
            mixed = settings["interpolate"]
            tuned = mixed["tuned"]
            self.subcommand(
                "interpolate", "--base", self.model(mixed["base"], 1),
                "--tuned", self.model(tuned, min(seed, max(self.seeds(tuned)))),
                "--tuned-weight", mixed["weight"],
                "--output", self.model(system, seed), "--force",
            )  # fmt: skip
            return
        start = settings.get("from") or ("pretrained" if self.pretrained else None)
        first = ["--finetune-from-model", self.model(start, 1)] if start else []
        self.command(
            f"{system}-{seed}", tool("fairseq-train"), self.data, *PLUGIN,
            "--lang-pairs", ",".join(self.supervised), *first,
            *self.words(self.config["model"]), *self.words(settings["options"]),
            *self.training_options, "--seed", seed,
            "--save-dir", self.model(system, seed).parent,
        )  # fmt: skip

    def export(self, model: Path, precision: str) -> Path:
        """A CTranslate2 folder beside a checkpoint; it translates several times faster."""
        folder = model.parent / f"served-{precision}"
        if not folder.exists():
            self.subcommand(
                "export", "--checkpoint", model, "--data", self.data, "--subwords", self.subwords,
                "-s", PIVOT, "-t", self.others[0], "--quantization", precision, "--output", folder,
            )  # fmt: skip
        return folder

    def backtranslate(self) -> None:
        """Synthetic pairs of the zero-shot directions, made by a system: a group of the data."""
        settings, made = self.config["backtranslate"], self.work / "backtranslate"
        model = self.model(settings["model"], 1)
        given = ["--data", self.data, "--subwords", self.subwords]
        if "export" in settings:
            model, given = self.export(model, settings["export"]), []
        self.command(
            "backtranslate", *FAIRSEQ_INSTR, "backtranslate", "--text", self.text / "train.{pair}",
            "--pairs", ",".join(f"{PIVOT}-{other}" for other in self.others), "--model", model,
            *given, *self.words(settings["options"]), "--seed", self.seed, "--output", made,
            show=True,
        )  # fmt: skip
        for direction in self.zero_shot:
            self.binarise(
                self.data / "backtranslate" / direction, direction.split("-"),
                train=made / direction / "train",
            )  # fmt: skip

    # -- evaluation ---------------------------------------------------------------------

    def evaluate(self) -> None:
        """All systems but those of curves on all directions of all test sets."""
        evaluation = self.config["evaluation"]
        models: Dict[str, List[Path]] = {
            name: [self.model(name, seed) for seed in self.seeds(name)]
            for name in evaluation.get("systems", self.config["systems"])
            if name not in self.only_drawn
        }
        if "export" in evaluation:
            for name, paths in models.items():
                models[name] = [self.export(path, evaluation["export"]) for path in paths]
        decoding = evaluation.get("decoding", {})
        models.update({name: [self.model(d["model"], 1)] for name, d in decoding.items()})
        options = [f"{name}={self.with_paths(d['options'])}" for name, d in decoding.items()]
        for test in self.tests:
            self.compare(
                models, self.directions, self.text / f"test.{test}.{{pair}}",
                self.work / "report" / test, "--pivot", ",".join(evaluation["pivot"]),
                *(["--decoding", *options] if options else []), *self.words(evaluation["options"]),
            )  # fmt: skip
        if "responses" in evaluation:
            self.measure_responses(evaluation["responses"])

    def measure_responses(self, asked: dict) -> None:
        """How the config's systems obey the instructions, in some directions of the first test."""
        for system, direction in itertools.product(asked["systems"], asked["directions"]):
            source, target = direction.split("-")
            text = self.text / f"test.{self.tests[0]}.{direction}"
            self.command(
                "responses", *FAIRSEQ_INSTR, "evaluate",
                "--data", self.data, "--subwords", self.subwords, "-s", source, "-t", target,
                "--base", self.model(asked["base"], 1), "--tuned", self.model(system, 1),
                "--source", f"{text}.{source}", "--reference", f"{text}.{target}",
                *self.words(asked["options"]), "--seed", self.seed,
                "--output", self.work / "report" / "responses" / system / direction, "--force",
            )  # fmt: skip

    def compare(
        self, models: Dict[str, List[Path]], directions: List[str], text: Path, output: Path, *more
    ) -> None:
        systems = [f"{name}={','.join(map(str, paths))}" for name, paths in models.items()]
        self.command(
            "evaluation", *FAIRSEQ_INSTR, "directions",
            "--directions", ",".join(directions), "--trained", ",".join(self.supervised),
            "--data", self.data, "--subwords", self.subwords, "--text", text,
            "--languages", ",".join(self.languages), "--training-text", self.text / "mono",
            "--systems", *systems, *more, "--output", output, "--force",
            show=True,
        )  # fmt: skip

    @property
    def tests(self) -> List[str]:
        """Names of the test sets."""
        return list(self.config["text"]["test"]) if "text" in self.config else ["sample"]

    @property
    def selection(self) -> str:
        """Name of the text that settings are chosen on: validation, where there is one."""
        return next(iter(self.config.get("text", {}).get("selection", self.tests)))

    def report(self, *path: str) -> dict:
        return read_report(self.work.joinpath("report", *path))

    def draw_curves(self) -> None:
        """Off-target ratio and BLEU over the updates of stage 2, on validation text."""
        curves = self.config["curves"]
        models, points = {}, []
        for system in curves["systems"]:
            start = self.config["systems"][system]["from"]
            saved = {0: self.model(start, 1)}
            for path in self.model(system, 1).parent.glob("checkpoint_*_*.pt"):
                saved[int(path.stem.rpartition("_")[2])] = path
            for updates, path in sorted(saved.items()):
                name = f"{system}-{updates}" if updates else start
                models[name] = [path]
                points.append((system, updates, name))
        self.compare(
            models, self.directions, self.text / f"test.{self.selection}.{{pair}}",
            self.work / "report" / "curves", *self.words(curves["options"]),
        )  # fmt: skip
        found = self.report("curves")["systems"]
        rows = [
            {
                "system": system,
                "updates": updates,
                **scores(found[name]["means"]["zero_shot"]),
                "supervised_bleu": found[name]["means"]["supervised"]["bleu"],
            }
            for system, updates, name in points
        ]
        write_atomically(self.work / "curves.json", json.dumps(rows, indent=2), force=True)
        plot_curves(rows, self.work / "curves.png")

    def write_results(self) -> None:
        """The figures in short, in WORK/results.json."""
        results = {}
        for test in self.tests:
            report = self.report(test)
            results[test] = short = {
                key: report[key] for key in ("command", "conditions", "signatures")
            }
            short["directions"] = {}
            for group in ("zero_shot", "supervised"):
                short[group] = {
                    name: scores(system["means"][group])
                    for name, system in report["systems"].items()
                    if group in system["means"]
                }
                short[group]["floor"] = {"otr": floor(report, group)}
            for name, system in report["systems"].items():
                if "pivot_bleu" in system["means"]["zero_shot"]:
                    means = system["means"]["zero_shot"]
                    key = "pivot" if name == self.config["evaluation"]["pivot"][-1] else None
                    short["zero_shot"][key or f"pivot_{name}"] = {
                        "otr": means["pivot_off_target"],
                        "bleu": means["pivot_bleu"],
                        "chrf2": means["pivot_chrf2"],
                    }
                short["directions"][name] = {
                    direction: scores(found) for direction, found in system["directions"].items()
                }
        if "responses" in self.config["evaluation"]:
            results[self.tests[0]]["responses"] = self.responses()
        write_atomically(
            self.work / "results.json", json.dumps(results, indent=2) + "\n", force=True
        )

    def responses(self) -> Dict[str, Dict[str, dict]]:
        """Response rates of each system, in 0 to 1, in each direction."""
        asked = self.config["evaluation"]["responses"]
        kept = ("response_rate", "adequacy", "command")
        found: Dict[str, Dict[str, dict]] = {}
        for system, direction in itertools.product(asked["systems"], asked["directions"]):
            report = self.report("responses", system, direction)
            found.setdefault(system, {})[direction] = {key: report[key] for key in kept}
        return found

    def record(self, path: Path) -> None:
        """Put the figures of WORK/results.json into a file for several configs, by their names.

        Those of a single test set stand at the top, those of several under their names.
        """
        results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        own = json.loads((self.work / "results.json").read_text(encoding="utf-8"))
        first, *others = self.tests
        results[self.name] = own if others else {"test": first, **own[first]}
        if "curves" in self.config:
            curves = json.loads((self.work / "curves.json").read_text(encoding="utf-8"))
            results[self.name]["curves"] = curves
        write_atomically(path, json.dumps(results, indent=2) + "\n", force=True)


def scores(found: dict) -> dict:
    """The figures that stand together."""
    shared = {name: found[name] for name in ("foreign_words", "bleu", "chrf2") if name in found}
    return {"otr": found["off_target"], **shared}


def floor(report: dict, group: str) -> float:
    """Mean off-target ratio of the references, in percent, over a group of directions."""
    found = [report["floor"][name]["off_target"] for name in report["directions"][group]]
    return round(sum(found) / len(found), 4) if found else 0.0


def plot_curves(rows: List[dict], path: Path) -> None:
    """Off-target ratio, BLEU and supervised BLEU over updates, a line for each system."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    labels = {
        "otr": "zero-shot off-target ratio, %",
        "bleu": "zero-shot BLEU",
        "supervised_bleu": "supervised BLEU",
    }
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 3.5), layout="constrained")
    for ax, (score, label) in zip(axes, labels.items()):
        for system in dict.fromkeys(row["system"] for row in rows):
            own = [row for row in rows if row["system"] == system]
            ax.plot([r["updates"] for r in own], [r[score] for r in own], "o-", label=system)
        ax.set_xlabel("updates of stage 2")
        ax.set_ylabel(label)
        if score != "supervised_bleu":  # its changes are small beside it
            ax.set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    with atomic_path(path, force=True) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    pyplot.close(figure)


def main():
    parser = recipe_parser(__doc__)
    parser.add_argument(
        "--pretrained",
        type=Path,
        help="folder of a converted model, for configs that begin with one",
    )
    parser.add_argument("--results", type=Path, help="file that the figures are put into too")
    args = parser.parse_args()
    recipe = LanguageAwareTuning(args.config, args.work, args.text, args.seed, args.pretrained)
    recipe.run()
    if args.results:
        recipe.record(args.results)


if __name__ == "__main__":
    main()
