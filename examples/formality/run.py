r"""Formal or informal translation on request: text -> base model -> finetuning -> accuracy.

    python examples/formality/run.py \
        --config examples/formality/en_de.yaml --text DIR --work work/formality

Every step is a command that you could type; it is shown before it runs, its output goes to
WORK/logs. A step that is done is not done again: stopped by whatever, the same command goes on,
a training from its last checkpoint.
"""

import random
import sys
from pathlib import Path
from typing import Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from address import address
from recipe import (
    FAIRSEQ_INSTR,
    BilingualRecipe,
    read_columns,
    read_text,
    run_recipe,
    words,
    write_columns,
)

from fairseq_instr.curation.filters import length_ratio, not_in, well_formed
from fairseq_instr.errors import InputError

FORMALITIES = ("formal", "informal")
LABELLED, ADDRESS = "labelled", "address"  # groups of the mixture
Pairs = List[Tuple[str, str]]


class FormalityTuning(BilingualRecipe):
    """Train a base model, finetune it on labelled pairs, count forms of address as IWSLT does."""

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
            ("results", lambda: self.write_report(self.work / "report")),
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
        write_columns(self.text / "valid", self.languages, shuffled[:n_valid])
        write_columns(self.text / "train", self.languages, shuffled[n_valid:])
        plain = self.given_text / self.config["text"]["plain"]
        write_columns(self.text / "plain", self.languages, self.read_pairs(plain))

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

    def test_files(self) -> List[Path]:
        """Sources and plain references of the test sets."""
        text, (source, target) = self.config["text"], self.languages
        endings = (source, *(f"{kind}.{target}" for kind in FORMALITIES))
        names = sorted({f"{domain}.{ending}" for domain in text["domains"] for ending in endings})
        prefixes = [self.given_text / text["test"] / name for name in names]
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
            "label", "formality", "--folder", self.link_labelled(),
            "-s", source, "-t", target, "--exclude", *self.test_files(),
            "--output", folder, "--force",
        )  # fmt: skip
        streams = (source, target, "instr")
        samples = read_columns(folder / "train", streams)
        # nobody is addressed where both references are one: nothing to learn, and no conflict
        kinds: Dict[Tuple[str, str], set] = {}
        for *pair, kind in samples:
            kinds.setdefault(tuple(pair), set()).add(kind)
        write_columns(folder / "train", streams, [s for s in samples if len(kinds[s[:2]]) == 1])

        by_kind: Dict[str, list] = {kind: [] for kind in FORMALITIES}
        for pair in read_columns(self.text / "train", self.languages):
            kind = address(*pair, target)
            if kind:
                by_kind[kind].append((*pair, kind))
        chooser = random.Random(int(self.seed))
        chosen = []
        for kind, found in by_kind.items():
            print(f"  {len(found)} pairs of the training text are {kind}")
            chosen += chooser.sample(found, min(len(found), self.config["address"]))
        write_columns(self.work / "task" / ADDRESS / "train", streams, chosen)

    def link_labelled(self) -> Path:
        """A folder of links to all sentences in both addresses, each prefix a domain of its own."""
        folder, (source, target) = self.work / "labelled", self.languages
        folder.mkdir(exist_ok=True)
        for number, prefix in enumerate(self.find(self.config["text"]["labelled"])):
            for ending in (source, *(f"{kind}.{target}" for kind in FORMALITIES)):
                plain = Path(f"{prefix}.{ending}")
                path = plain if plain.exists() else Path(f"{plain}.gz")
                link = folder / f"{number}_{path.name}"
                link.unlink(missing_ok=True)
                link.symlink_to(path.absolute())
        return folder

    # -- data ---------------------------------------------------------------------------

    def binarise_base(self) -> None:
        text = {split: self.text / split for split in ("train", "valid")}
        self.binarise(self.base_data, self.languages, **text)

    def binarise_tasks(self) -> None:
        """What finetuning sees: parallel text, the groups of labelled pairs, an inventory."""
        data = self.work / "data-bin"
        self.binarise(data, self.languages, valid=self.text / "valid")
        self.binarise(data / "parallel", self.languages, train=self.text / "train")
        for group in (LABELLED, ADDRESS):
            text = self.work / "task" / group / "train"
            self.binarise(data / group, self.languages, train=text)
        self.write_inventory(data, FORMALITIES)

    # -- models -------------------------------------------------------------------------

    def tune(self, system: str) -> None:
        folder, options = self.model(system).parent, words(self.config["systems"][system])
        self.finetune(self.work / "data-bin", folder, *options, log=system)

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
            "--plain", self.text / "plain",
            "--data", self.work / "data-bin", "--subwords", self.subwords,
            "-s", self.languages[0], "-t", self.languages[1], "--base", self.base_model,
            "--systems", *(f"{name}={path}" for name, path in systems.items()),
            *(["--decoding", *options] if options else []),
            *(["--rerank", *reranked] if reranked else []), *words(self.config["evaluation"]),
            "--output", self.work / "report", "--force",
            show=True,
        )  # fmt: skip


if __name__ == "__main__":
    run_recipe(FormalityTuning, __doc__)
