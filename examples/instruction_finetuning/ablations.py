r"""Ablations of instruction finetuning: one part of the recipe is varied, the others stand still.

    python examples/instruction_finetuning/ablations.py --work work/ablations \
        --config examples/instruction_finetuning/ablations_sample_corpus.yaml

Text, base model and task data are made once, by the recipe that the config names; then one model
is tuned and measured for each value of each ablation. WORK/ablations.png shows obedience and
plain translation over each, WORK/results.json has the numbers. A step that is done is not done
again: stopped by whatever, the same command goes on.
"""

import json
import random
import shlex
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from recipe import SCRIPTS, read_config, write_lines
from run import InstructionFinetuning, main, read_report

from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, write_atomically
from fairseq_instr.text.lines import read_lines

HERE = Path(__file__).resolve().parent
TITLES = {
    "mixture": "mixture of an epoch",
    "samples": "samples an instruction, at most",
    "corrupted": "share of samples under a wrong instruction",
    "instructions": "instructions in one model",
    "vocabulary": "instructions in symbols appended, or in own words",
    "tuned_weight": "weight of the tuned model, the rest is the base",
}
OWN_WORDS = "own"
Setting = Dict[str, object]


class Ablations(InstructionFinetuning):
    """Tune one model for each value of each ablation, from one base model and one text."""

    @property
    def steps(self):
        shared = {"text", "subwords", "base-data", "base-model", "task-data"}
        return [
            *(step for step in super().steps if step[0] in shared),
            *((name, partial(self.measure, name, s)) for name, s in self.settings.items()),
            ("results", self.write_results),
        ]

    @property
    def settings(self) -> Dict[str, Setting]:
        """Each model's setting by its name; the reference first, and once."""
        reference = self.config["reference"]
        found = {"reference": reference}
        for ablation, values in self.config["ablations"].items():
            for value in values:
                if value != reference[ablation]:
                    found[name_of(ablation, value)] = {**reference, ablation: value}
        return found

    def folder(self, name: str) -> Path:
        return self.work / "models" / name

    # -- one model ----------------------------------------------------------------------

    def measure(self, name: str, setting: Setting) -> None:
        """Data, training, report of a setting."""
        folder, data = self.folder(name), self.task_data(setting)
        options = self.prompt_options(setting)
        if setting["tuned_weight"] == 1:
            model = folder / "checkpoint_last.pt"
            self.finetune(data, setting["mixture"], folder, *options, log=name)
        else:  # the reference's model, mixed with the base
            model = folder / "mixed.pt"
            self.command(
                "interpolate", sys.executable, SCRIPTS / "interpolate_checkpoints.py",
                "--base", self.base_model,
                "--tuned", self.folder("reference") / "checkpoint_last.pt",
                "--tuned-weight", setting["tuned_weight"], "--output", model, "--force",
            )  # fmt: skip
        decoding = shlex.join(map(str, options))
        self.compare(data, model, folder, *([f"--decoding={decoding}"] if decoding else []))

    def prompt_options(self, setting: Setting) -> List:
        if setting["vocabulary"] != OWN_WORDS:
            return []
        return ["--prompt-template", HERE / "words.yaml", "--prompt-subwords", self.subwords]

    def task_data(self, setting: Setting) -> Path:
        """A data-bin as the recipe makes it, but for the samples of its task group."""
        most, corrupted, n = (setting[k] for k in ("samples", "corrupted", "instructions"))
        data = self.work / "data" / f"samples={most},corrupted={corrupted},instructions={n}"
        if data.exists():
            return data
        asked = self.config["instructions"][:n]
        texts = [read_lines(self.work / "task" / f"train.{e}") for e in (*self.languages, "instr")]
        samples = choose(list(zip(*texts)), asked, most, corrupted, int(self.seed))
        unfinished = self.work / "data" / "unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        shutil.copytree(self.work / "data-bin", unfinished)
        text = unfinished / "task" / "text"
        for i, extension in enumerate((*self.languages, "instr")):
            write_lines(text / f"train.{extension}", [sample[i] for sample in samples])
        self.binarise_task(unfinished / "task", self.languages, text, [text])
        self.write_inventory(unfinished, asked)
        unfinished.rename(data)
        return data

    # -- results ------------------------------------------------------------------------

    def write_results(self) -> None:
        """The figures of all models, as JSON, as a table and as a plot."""
        fewest = min(
            self.config["ablations"].get("instructions", [len(self.config["instructions"])])
        )
        common = self.config["instructions"][:fewest]
        rows = {name: summarise(read_report(self.folder(name)), common) for name in self.settings}
        reference = self.config["reference"]
        ablations = {
            ablation: [
                {
                    "value": value,
                    **rows[
                        "reference" if value == reference[ablation] else name_of(ablation, value)
                    ],
                }
                for value in values
            ]
            for ablation, values in self.config["ablations"].items()
        }
        results = {
            "recipe": shlex.join(["python", *sys.argv]),
            "reference": {**reference, **rows["reference"]},
            "ablations": ablations,
        }
        text = json.dumps(results, indent=2, ensure_ascii=False)
        write_atomically(self.work / "results.json", text + "\n", force=True)
        write_atomically(self.work / "results.md", to_markdown(ablations), force=True)
        with atomic_path(self.work / "ablations.png", force=True) as path:
            draw(ablations, path)


def name_of(ablation: str, value) -> str:
    return f"{ablation}={value}".replace(",", "+").replace(":", "")


def choose(
    samples: List[Tuple[str, str, str]], asked: List[str], most: int, corrupted: float, seed: int
) -> List[Tuple[str, str, str]]:
    """Samples of the instructions asked for, some of them under a wrong one.

    Those that ask for nothing and carry marks are kept in proportion.

    Args:
        samples: source, target, instruction.
        asked: instructions that are kept.
        most: samples of each.
        corrupted: share of the samples whose instruction is swapped for another of `asked`.
        seed: of the choice.

    Raises:
        InputError: if there is no other instruction to swap for.
    """
    if corrupted and len(asked) < 2:
        raise InputError(f"corrupted: {corrupted} needs two instructions or more")
    chooser = random.Random(seed)
    groups: Dict[str, list] = {}
    for sample in samples:
        groups.setdefault(sample[2], []).append(sample)
    kept_share = sum(min(most, len(groups.get(name, ()))) for name in asked) / sum(
        len(group) for name, group in groups.items() if name
    )
    chosen = []
    for name, group in sorted(groups.items()):
        if name and name not in asked:
            continue
        count = min(most, len(group)) if name else round(kept_share * len(group))
        chosen += chooser.sample(group, count)
    labelled = [i for i, sample in enumerate(chosen) if sample[2]]
    for i in chooser.sample(labelled, round(corrupted * len(labelled))):
        *pair, name = chosen[i]
        chosen[i] = (*pair, chooser.choice([other for other in asked if other != name]))
    return chosen


def summarise(report: dict, common: List[str]) -> dict:
    """The figures of a report that are compared; shares, and chrF2 from 0 to 100."""
    by_instruction = report["response_rate"]["by_instruction"]
    return {
        "obeyed": report["response_rate"]["mean"],
        "obeyed_common": sum(by_instruction[name] for name in common) / len(common),
        "adequacy": report["adequacy"]["mean"],
        "chrf2": report["chrf2"]["tuned"],
        "chrf2_base": report["chrf2"]["base"],
    }


def to_markdown(ablations: Dict[str, List[dict]]) -> str:
    lines = []
    for ablation, rows in ablations.items():
        lines += [
            f"| {TITLES[ablation]} | obeyed | adequacy | plain chrF2 |",
            "|---|---|---|---|",
            *(
                f"| {row['value']} | {100 * row['obeyed']:.1f} % | {row['adequacy']:.2f} | "
                f"{row['chrf2']:.1f} |"
                for row in rows
            ),
            "",
        ]
    return "\n".join(lines)


def draw(ablations: Dict[str, List[dict]], path: Path) -> None:
    """A panel for each ablation: obedience on the left axis, plain chrF2 on the right."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = 3
    height = -(-len(ablations) // columns)
    figure, panels = pyplot.subplots(
        height, columns, figsize=(11, 3.1 * height), squeeze=False, layout="constrained"
    )
    lowest = min(
        min(row["chrf2"], row["chrf2_base"]) for rows in ablations.values() for row in rows
    )
    for panel in panels.flat[len(ablations) :]:
        panel.axis("off")
    for panel, (ablation, rows) in zip(panels.flat, ablations.items()):
        labels = [str(row["value"]).replace(",", "\n") for row in rows]
        panel.plot(labels, [row["obeyed"] for row in rows], "o-", color="#4477aa")
        panel.set_ylim(0, 1.02)
        panel.set_title(TITLES[ablation], fontsize=9)
        panel.set_ylabel("mean share that obeys", color="#4477aa", fontsize=8)
        panel.tick_params(axis="x", labelsize=7)
        right = panel.twinx()
        right.plot(labels, [row["chrf2"] for row in rows], "s--", color="#aa3377")
        right.axhline(rows[0]["chrf2_base"], color="#aa3377", linewidth=0.8, linestyle=":")
        right.set_ylim(lowest - 1, 100)
        right.set_ylabel("plain chrF2 (dotted: base)", color="#aa3377", fontsize=8)
    figure.savefig(path, format="png", dpi=120)
    pyplot.close(figure)


def load(path: Path) -> dict:
    """The config of the ablations, checked.

    Raises:
        InputError: if it says nothing of ablations, one is unknown, or the reference lacks a value.
    """
    config = read_config(path)
    if "ablations" not in config or "reference" not in config:
        raise InputError(
            f"--config {path} has no ablations and reference; give a file that says what to vary, "
            "such as ablations_sample_corpus.yaml"
        )
    for ablation in config["ablations"]:
        if ablation not in TITLES:
            raise InputError(
                f"{path}: ablation {ablation!r} is unknown; known: {', '.join(TITLES)}"
            )
    missing = [name for name in TITLES if name not in config["reference"]]
    if missing:
        raise InputError(f"{path}: reference has no {', '.join(missing)}; give where they stand")
    return config


if __name__ == "__main__":
    main(Ablations, load, __doc__)
