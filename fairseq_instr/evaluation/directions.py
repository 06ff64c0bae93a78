"""Translation directions of several systems: right language, right content, and by pivot.

A model that was trained on some directions is asked for others (zero-shot). Two things go wrong
there, and one hides the other: the output is in another language than the one asked for, or in
the right one and about something else. So off-target ratio, BLEU and chrF2 stand side by side,
with the same on the references (the floor), and with what the same model reaches by translating
through a pivot language, which any better zero-shot translation has to beat.

Nothing here knows how a system translates: outputs come from a function that is given.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Callable, Collection, Dict, List, Mapping, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.off_target import OffTarget, build_vocabulary, measure_off_target
from fairseq_instr.evaluation.quality import measure_quality
from fairseq_instr.evaluation.response import check_aligned
from fairseq_instr.files import write_atomically
from fairseq_instr.text.identification import LanguageIdentifier
from fairseq_instr.text.lines import read_lines

Direction = Tuple[str, str]
Translate = Callable[[Sequence[str], Direction, str], List[str]]
"""`(lines, (source language, target language), title of the progress bar) -> outputs`"""

ZERO_SHOT, SUPERVISED = "zero_shot", "supervised"
_DIGESTS = "digests.json"


@dataclass(frozen=True)
class Run:
    """One model with one way of decoding.

    Attributes:
        name: such as a checkpoint's path; for the report.
        digest: changes whenever the outputs might: of the checkpoint and of the decoding.
        translate: gives outputs for any direction; called only for those that are not kept yet.
    """

    name: str
    digest: str
    translate: Translate = field(repr=False)


@dataclass(frozen=True)
class System:
    """What is compared: the runs of one recipe that differ in their seed.

    Attributes:
        name: for reports and folders.
        runs: one a seed.
        pivot: whether zero-shot directions are also translated through the pivot language.
        decoding: options of decoding, for the report.
    """

    name: str
    runs: Sequence[Run]
    pivot: bool = False
    decoding: str = ""


@dataclass(frozen=True)
class TestSet:
    """Sources and references of one direction."""

    __test__ = False  # no test of pytest's

    sources: Sequence[str]
    references: Sequence[str]


def name_of(direction: Direction) -> str:
    """`("de", "fr") -> "de-fr"`."""
    return "-".join(direction)


def parse_directions(text: str, option: str) -> List[Direction]:
    """Directions of an option such as `de-fr,fr-de`.

    Raises:
        InputError: if an entry is not SOURCE-TARGET, or stands twice.
    """
    found: List[Direction] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        source, _, target = entry.partition("-")
        if not source or not target or source == target or (source, target) in found:
            raise InputError(
                f"{option} {text!r}: {entry!r} is not accepted; give each direction once, as "
                "SOURCE-TARGET, separated by commas"
            )
        found.append((source, target))
    return found


def read_test_sets(
    prefix: str, directions: Sequence[Direction], lines: Optional[int] = None
) -> Dict[Direction, TestSet]:
    """Read raw text: `PREFIX.SRC` and `PREFIX.TGT` for each direction.

    Args:
        prefix: may hold `{pair}`, which stands for `SRC-TGT`, where a direction has a test set
            of its own.
        directions: which ones.
        lines: only the first so many; None for all.

    Raises:
        InputError: if a file is missing or empty, or the two sides differ in length.
    """
    tests = {}
    for direction in directions:
        stem = prefix.replace("{pair}", name_of(direction))
        sources, references = (read_lines(f"{stem}.{language}") for language in direction)
        check_aligned(**{f"{stem}.{direction[0]}": sources, f"{stem}.{direction[1]}": references})
        if not sources:
            raise InputError(f"{stem}.{direction[0]} has no line; give --text that has some")
        tests[direction] = TestSet(sources[:lines], references[:lines])
    return tests


def read_vocabularies(prefix: str, languages: Collection[str]) -> Dict[str, Dict[str, int]]:
    """Words of the text `PREFIX.LANGUAGE` of each language."""
    return {
        language: build_vocabulary(read_lines(f"{prefix}.{language}"))
        for language in sorted(languages)
    }


# -- outputs --------------------------------------------------------------------------------


class KeptOutputs:
    """Outputs of one run in a folder, so that a broken-off evaluation goes on.

    Each output is kept with a digest of what it was made from: model, decoding and sources.

    Args:
        run: what translates.
        folder: `SRC-TGT.txt` and so on are written there.
        title: for progress bars.
        force: translate again where the kept output was made from something else.
    """

    def __init__(self, run: Run, folder, title: str, force: bool = False):
        self.run, self.folder, self.title = run, Path(folder), title
        self.force = force
        digests = self.folder / _DIGESTS
        self._digests: Dict[str, str] = (
            json.loads(digests.read_text(encoding="utf-8")) if digests.exists() else {}
        )

    def translate(self, lines: Sequence[str], direction: Direction, name: str = "") -> List[str]:
        """Outputs for some lines, read where they are kept, else made and kept.

        Args:
            lines: sources.
            direction: of the translation.
            name: of the file, without its ending; default: the direction.

        Raises:
            InputError: if a kept output was made from something else and `force` is not set.
        """
        name = name or name_of(direction)
        path = self.folder / f"{name}.txt"
        digest = _digest(self.run.digest, direction, list(lines))
        if path.exists():
            if self._digests.get(name) == digest:
                return read_lines(path)
            if not self.force:
                raise InputError(
                    f"{path} was made by another model, decoding or text; give --force to "
                    "translate again, or another --output"
                )
            path.unlink()
        outputs = self._find(digest)
        if outputs is None:
            outputs = self.run.translate(lines, direction, f"{self.title} {name}")
            outputs = [" ".join(output.split()) for output in outputs]  # one line each
        self._digests[name] = digest
        # the digest first: an output without one could not be told from somebody else's
        write_atomically(
            self.folder / _DIGESTS, json.dumps(self._digests, indent=2) + "\n", force=True
        )
        write_atomically(path, "".join(f"{output}\n" for output in outputs))
        return outputs

    def _find(self, digest: str) -> Optional[List[str]]:
        """The same outputs under another name: with multi-way text, pivots share their steps."""
        for name, known in self._digests.items():
            path = self.folder / f"{name}.txt"
            if known == digest and path.exists():
                return read_lines(path)
        return None


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()


def translate_by_pivot(
    outputs: KeptOutputs, sources: Sequence[str], direction: Direction, pivot: str
) -> List[str]:
    """Translate into the pivot language and from there into the target language.

    A direction from or into the pivot language has no pivot: its outputs are the plain ones.
    """
    source, target = direction
    if pivot in direction:
        return outputs.translate(sources, direction)
    name = f"{name_of(direction)}.{pivot}"
    first = outputs.translate(sources, (source, pivot), f"{name}.step")
    return outputs.translate(first, (pivot, target), name)


# -- scores ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judge:
    """What outputs of all systems are measured with.

    Attributes:
        identifier: of languages.
        languages: the stated set of the restricted off-target ratio.
        vocabularies: language -> its words; None for no share of foreign words.
    """

    identifier: LanguageIdentifier
    languages: Collection[str]
    vocabularies: Optional[Mapping[str, Collection[str]]] = None

    def languages_of(self, outputs: Sequence[str], direction: Direction) -> OffTarget:
        """`measure_off_target` of some lines."""
        return measure_off_target(
            outputs, *direction, self.languages, self.identifier, self.vocabularies
        )

    def scores(self, outputs: Sequence[str], direction: Direction) -> Dict[str, float]:
        """Figures of one direction's languages, shares in percent; see `evaluate`."""
        found = self.languages_of(outputs, direction)
        scores: Dict[str, float] = {
            "lines": found.lines,
            "empty": found.empty,
            "short": found.short,
        }
        for shares, suffix in ((found.restricted, ""), (found.unrestricted, "_unrestricted")):
            for name in ("off_target", "on_target", "in_source", "in_english"):
                scores[name + suffix] = _percent(getattr(shares, name))
        if found.foreign_words is not None:
            scores["foreign_words"] = _percent(found.foreign_words.share)
        return scores


def _percent(share: float) -> float:
    return round(100 * share, 2)


def evaluate(
    systems: Sequence[System],
    tests: Mapping[Direction, TestSet],
    trained: Collection[Direction],
    judge: Judge,
    folder,
    pivot_language: str = "en",
    force: bool = False,
) -> dict:
    """Translate and score all directions by all systems.

    Args:
        systems: what is compared.
        tests: direction -> sources and references.
        trained: supervised directions; all others are zero-shot.
        judge: measures languages.
        folder: outputs are kept in `folder/SYSTEM/SEED`, the seeds counted from 1.
        pivot_language: what systems that have a pivot translate through.
        force: translate again what was made by another model, decoding or text.

    Returns:
        Plain lists, dicts, numbers and strings:

            directions   zero_shot, supervised: names such as de-fr
            signatures   of BLEU, chrF2 and language identification
            floor        direction -> scores of the references
            systems      name -> decoding
                                 seeds: [checkpoint, means, directions -> scores]
                                 directions -> scores, means over the seeds
                                 means: zero_shot, supervised -> scores, means over those
                                 deviations: the same, standard deviation of the seeds' means

        Scores of a direction: `off_target`, `on_target`, `in_source`, `in_english` (percent,
        among the stated languages; with `_unrestricted`, among all), `foreign_words` (percent
        of words), `empty`, `short` (lines), `bleu`, `chrf2`, and by pivot `pivot_bleu`,
        `pivot_chrf2`, `pivot_off_target`.
    """
    groups = {
        ZERO_SHOT: [name_of(d) for d in tests if d not in trained],
        SUPERVISED: [name_of(d) for d in tests if d in trained],
    }
    signatures: Dict[str, List[str]] = {"bleu": [], "chrf2": []}
    report_of_systems = {}
    for system in systems:
        seeds: List[Dict[str, Any]] = []
        for number, run in enumerate(system.runs, start=1):
            outputs = KeptOutputs(
                run, Path(folder, system.name, str(number)), f"{system.name}/{number}", force
            )
            scores = {}
            for direction, test in tests.items():
                by_pivot = system.pivot and direction not in trained
                scores[name_of(direction)] = _score(
                    outputs, test, direction, judge, pivot_language if by_pivot else None,
                    signatures,
                )  # fmt: skip
            seeds.append(
                {"checkpoint": run.name, "means": _means(groups, scores), "directions": scores}
            )
        over_seeds = {
            name: _combine([seed["directions"][name] for seed in seeds], mean)
            for name in map(name_of, tests)
        }
        report_of_systems[system.name] = {
            "decoding": system.decoding,
            "seeds": seeds,
            "directions": over_seeds,
            "means": _means(groups, over_seeds),
            "deviations": {
                group: _combine([seed["means"][group] for seed in seeds], _deviation)
                for group, members in groups.items()
                if members
            },
        }
    n_lines = sorted({len(test.sources) for test in tests.values()})
    return {
        "directions": groups,
        "signatures": {
            **{metric: "; ".join(found) for metric, found in signatures.items()},
            "language identification": f"lid:{judge.identifier.signature}"
            f"|set:{'+'.join(sorted(judge.languages))}|lines:{'/'.join(map(str, n_lines))}",
        },
        "floor": {
            name_of(direction): judge.scores(test.references, direction)
            for direction, test in tests.items()
        },
        "systems": report_of_systems,
    }


def _score(
    outputs: KeptOutputs,
    test: TestSet,
    direction: Direction,
    judge: Judge,
    pivot: Optional[str],
    signatures: Dict[str, List[str]],
) -> Dict[str, float]:
    plain = outputs.translate(test.sources, direction)
    scores = judge.scores(plain, direction)
    quality = measure_quality(plain, test.references, direction[1])
    for metric, seen in signatures.items():
        scores[metric] = quality[metric]
        if quality["signatures"][metric] not in seen:
            seen.append(quality["signatures"][metric])
    if pivot is not None and pivot not in direction:
        through = translate_by_pivot(outputs, test.sources, direction, pivot)
        quality = measure_quality(through, test.references, direction[1])
        scores["pivot_bleu"], scores["pivot_chrf2"] = quality["bleu"], quality["chrf2"]
        scores["pivot_off_target"] = judge.scores(through, direction)["off_target"]
    return scores


def _means(
    groups: Mapping[str, Sequence[str]], scores: Mapping[str, Dict[str, float]]
) -> Dict[str, Dict[str, float]]:
    """Means over the directions of each group that has any."""
    return {
        group: _combine([scores[name] for name in names], mean)
        for group, names in groups.items()
        if names
    }


def _combine(scores: Sequence[Dict[str, float]], how: Callable) -> Dict[str, float]:
    """Combine several scores by name; those that not all have are over the ones that do."""
    names = dict.fromkeys(name for each in scores for name in each)
    return {name: round(how([each[name] for each in scores if name in each]), 2) for name in names}


def _deviation(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0
