r"""Formal or informal German on request: text -> base model -> finetuning -> accuracy.

    python examples/formality/run.py \
        --config examples/formality/en_de.yaml --text DIR --work work/formality

Every step is a command that you could type; it is shown before it runs, its output goes to
WORK/logs. A step that is done is not done again: stopped by whatever, the same command goes on,
a training from its last checkpoint.
"""

import argparse
import json
import random
import shlex
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from address import address
from recipe import FAIRSEQ_INSTR, PLUGIN, BilingualRecipe, read_text, tool, words, write_lines

from fairseq_instr.curation.filters import length_ratio, not_in, well_formed
from fairseq_instr.errors import InputError, install_exception_hook
from fairseq_instr.files import write_atomically
from fairseq_instr.text.lines import read_lines

FORMALITIES = ("formal", "informal")
LABELLED, ADDRESS = "labelled", "address"  # groups of the mixture
Pairs = List[Tuple[str, str]]


class FormalityTuning(BilingualRecipe):
    """Train a base model, finetune it on labelled pairs, count Sie and du as IWSLT does."""

    @property
    def steps(self):
        return [
            ("text", self.prepare_text),
            ("subwords", self.train_subwords),
            ("base-data", self.binarise_base),
            ("base-model", self.train_base),
            ("task-text", self.prepare_task_text),
            ("task-data", self.binarise_tasks),
            *((name, lambda name=name: self.tune(name)) for name in self.config["systems"]),
            ("evaluation", self.evaluate),
            ("results", self.write_results),
        ]

    # -- text ---------------------------------------------------------------------------

    def prepare_text(self) -> None:
        """Training and validation text; no side of a pair stands in a test set, none is twice."""
        passes = (well_formed, length_ratio(3.0), not_in(self.test_files()))
        pairs = dict.fromkeys(
            pair
            for prefix in self.find(self.config["text"]["train"])
            for pair in self.read_pairs(prefix)
            if not any(check(*pair) for check in passes)
        )
        print(f"  {len(pairs)} pairs of training text")
        shuffled = list(pairs)
        random.Random(int(self.seed)).shuffle(shuffled)
        n_valid = self.config["valid"]
        self.write_pairs(self.text / "valid", shuffled[:n_valid])
        self.write_pairs(self.text / "train", shuffled[n_valid:])
        plain = self.given_text / self.config["text"]["plain"]
        self.write_pairs(self.text / "plain", self.read_pairs(plain))

    def find(self, patterns: List[str]) -> List[Path]:
        """Prefixes of the aligned files of some patterns, in order."""
        source, target = self.languages
        found = []
        for pattern in patterns:
            globs = [
                f"{pattern.format(pair=pair)}.{source}{packed}"
                for pair in (f"{source}-{target}", f"{target}-{source}")
                for packed in ("", ".gz")
            ]
            names = {str(path) for g in globs for path in self.given_text.glob(g)}
            if not names:
                raise InputError(f"--text: {self.given_text} has no {pattern}.{source}; fetch it")
            found += sorted({Path(name[: name.rindex(f".{source}")]) for name in names})
        return found

    def read_pairs(self, prefix: Path) -> Pairs:
        sides = [read_text(Path(f"{prefix}.{language}")) for language in self.languages]
        if len(sides[0]) != len(sides[1]):
            raise InputError(f"--text: the files of {prefix} must be aligned line by line")
        return list(zip(*sides))

    def write_pairs(self, prefix: Path, pairs: Pairs) -> None:
        for i, language in enumerate(self.languages):
            write_lines(Path(f"{prefix}.{language}"), [pair[i] for pair in pairs])

    def test_files(self) -> List[Path]:
        """Sources and plain references of the test sets."""
        text = self.config["text"]
        names = {
            f"{domain}{kind}"
            for domain in text["domains"]
            for kind in (
                f".{self.languages[0]}",
                *(f".{f}.{self.languages[1]}" for f in FORMALITIES),
            )
        }
        folder = self.given_text / text["test"]
        prefixes = [folder / name for name in sorted(names)]
        prefixes += [Path(f"{self.given_text / text['plain']}.{e}") for e in self.languages]
        return [path if path.exists() else Path(f"{path}.gz") for path in prefixes]

    def train_subwords(self) -> None:
        self.learn_subwords(*(self.text / f"train.{language}" for language in self.languages))

    # -- task data ----------------------------------------------------------------------

    def prepare_task_text(self) -> None:
        """The labelled pairs, and pairs of the training text that say how they address."""
        source, target = self.languages
        folder = self.work / "task" / LABELLED
        self.subcommand(
            "label", "formality", "--folder", self.given_text / self.config["text"]["labelled"],
            "-s", source, "-t", target, "--exclude", *self.test_files(),
            "--output", folder, "--force",
        )  # fmt: skip
        samples = list(zip(*(read_lines(folder / f"train.{e}") for e in (source, target, "instr"))))
        # nobody is addressed where both references are one: nothing to learn, and no conflict
        kinds: Dict[Tuple[str, str], set] = {}
        for *pair, kind in samples:
            kinds.setdefault(tuple(pair), set()).add(kind)
        self.write_samples(folder, [s for s in samples if len(kinds[s[:2]]) == 1])

        pairs = zip(*(read_lines(self.text / f"train.{e}") for e in self.languages))
        by_kind: Dict[str, list] = {kind: [] for kind in FORMALITIES}
        for pair in pairs:
            kind = address(*pair)
            if kind:
                by_kind[kind].append((*pair, kind))
        chooser = random.Random(int(self.seed))
        chosen = []
        for kind, found in by_kind.items():
            print(f"  {len(found)} pairs of the training text are {kind}")
            chosen += chooser.sample(found, min(len(found), self.config["address"]))
        self.write_samples(self.work / "task" / ADDRESS, chosen)

    def write_samples(self, folder: Path, samples: List[Tuple[str, str, str]]) -> None:
        for i, extension in enumerate((*self.languages, "instr")):
            write_lines(folder / f"train.{extension}", [sample[i] for sample in samples])

    # -- data ---------------------------------------------------------------------------

    @property
    def data(self) -> Path:
        return self.work / "data-bin"

    def binarise_base(self) -> None:
        self.binarise(
            self.base_data,
            self.languages,
            train=self.text / "train",
            valid=self.text / "valid",
        )

    def binarise_tasks(self) -> None:
        """What finetuning sees: parallel text, the groups of labelled pairs, an inventory."""
        self.binarise(self.data, self.languages, valid=self.text / "valid")
        self.binarise(self.data / "parallel", self.languages, train=self.text / "train")
        for group in (LABELLED, ADDRESS):
            text = self.work / "task" / group / "train"
            self.binarise(self.data / group, self.languages, train=text)
        self.write_inventory(self.data, FORMALITIES)

    # -- models -------------------------------------------------------------------------

    def tune(self, system: str) -> None:
        self.command(
            system, tool("fairseq-train"), self.data, *PLUGIN,
            "-s", self.languages[0], "-t", self.languages[1],
            "--finetune-from-model", self.base_model, *words(self.config["model"]),
            *words(self.config["tuning"]), *words(self.config["systems"][system]),
            *self.training_options, "--seed", self.seed, "--save-dir", self.model(system).parent,
        )  # fmt: skip

    @property
    def base_model(self) -> Path:
        return self.work / "base" / "checkpoint_last.pt"

    def model(self, system: str) -> Path:
        return self.work / "tuned" / system / "checkpoint_last.pt"

    # -- evaluation ---------------------------------------------------------------------

    def evaluate(self) -> None:
        decoding = self.config.get("decoding", {})
        systems = {name: self.model(name) for name in self.config["systems"]}
        systems.update({name: self.model(d["system"]) for name, d in decoding.items()})
        options = [f"{n}={d['options']}" for n, d in decoding.items() if d.get("options")]
        reranked = [name for name, d in decoding.items() if d.get("rerank")]
        self.command(
            "evaluate", *FAIRSEQ_INSTR, "formality",
            "--folder", self.given_text / self.config["text"]["test"],
            "--domains", ",".join(self.config["text"]["domains"]),
            "--plain", self.text / "plain", "--data", self.data, "--subwords", self.subwords,
            "-s", self.languages[0], "-t", self.languages[1], "--base", self.base_model,
            "--systems", *(f"{name}={path}" for name, path in systems.items()),
            *(["--decoding", *options] if options else []),
            *(["--rerank", *reranked] if reranked else []), *words(self.config["evaluation"]),
            "--output", self.work / "report", "--force",
            show=True,
        )  # fmt: skip

    def write_results(self) -> None:
        """The report under the command that made all of it, in WORK/results.json."""
        report = json.loads((self.work / "report" / "report.json").read_text(encoding="utf-8"))
        results = {"recipe": shlex.join(["python", *sys.argv]), **report}
        text = json.dumps(results, indent=2, ensure_ascii=False)
        write_atomically(self.work / "results.json", text + "\n", force=True)


def main():
    install_exception_hook()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path, help="YAML file of the experiment")
    parser.add_argument("--work", required=True, type=Path, help="folder for all that is made")
    parser.add_argument("--text", required=True, type=Path, help="folder with the text it names")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    config = yaml.safe_load(args.config.read_text(encoding="utf-8"))
    FormalityTuning(config, args.work, args.text, args.seed).run()


if __name__ == "__main__":
    main()
