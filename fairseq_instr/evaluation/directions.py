"""Translation directions of several systems: right language, right content, and by pivot.

A zero-shot output may be in another language, or in the right one about something else. So
off-target ratio, BLEU and chrF2 stand side by side, with the references' own (the floor) and those
of translating through a pivot language.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from statistics import mean, stdev
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
)  # fmt: skip

from fairseq_instr.errors import InputError, check_at_least
from fairseq_instr.evaluation import metrics
from fairseq_instr.evaluation.metrics import off_target
from fairseq_instr.evaluation.metrics.off_target import ENGLISH
from fairseq_instr.evaluation.report import DIRECTIONS, SUPERVISED, ZERO_SHOT, new_report
from fairseq_instr.evaluation.samples import Mark, draw_samples
from fairseq_instr.evaluation.systems import System
from fairseq_instr.files import write_atomically
from fairseq_instr.text.identification import (
    LangidIdentifier,
    LanguageIdentifier,
    identify,
    is_in,
)
from fairseq_instr.text.languages import language_of
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.pairs import Pair as Direction

_DIGESTS = "digests.json"


class MultilingualSystem(Protocol):
    """A model that translates several directions, such as a `Translator`.

    With an attribute `digest`, which changes whenever the outputs might, its outputs can be kept.
    """

    def for_direction(self, source: str, target: str) -> System: ...


class Pair(NamedTuple):
    """The test set of one direction: sources and references."""

    sources: Sequence[str]
    references: Sequence[str]


def evaluate_directions(
    systems: Mapping[str, Sequence[MultilingualSystem]],
    tests: Mapping[Direction, Pair],
    *,
    trained: Collection[Direction] = (),
    pivot: Collection[str] = (),
    pivot_language: str = ENGLISH,
    languages: Optional[Collection[str]] = None,
    inventory_languages: Collection[str] = (),
    identifier: Optional[LanguageIdentifier] = None,
    vocabularies: Optional[Mapping[str, Collection[str]]] = None,
    outputs: Any = None,
    force: bool = False,
    samples: int = 3,
    batch_size: int = 64,
    seed: int = 1,
    conditions: Optional[Mapping[str, str]] = None,
) -> Dict[str, Any]:
    """Translate and score all directions by all systems.

    Args:
        systems: name -> models of one recipe that differ in their seed.
        tests: direction, such as `("de", "fr")` -> sources and references.
        trained: supervised directions; all others are zero-shot.
        pivot: names of systems that also translate zero-shot directions through the pivot.
        languages: the stated set that languages are identified among; None for those of the
            directions, English, and `inventory_languages`.
        inventory_languages: languages that the models can be asked for.
        vocabularies: language -> its words, for the share of foreign words; None for none.
        outputs: folder that outputs are kept in, as `SYSTEM/SEED/SRC-TGT.txt`, the seeds counted
            from 1; what is kept there is not translated again. None to keep nothing.
        force: translate again what was made by another model, data-bin, decoding or text.
        conditions: more of what the report says about how it was made.

    Returns:
        A report, see `evaluation.report`. Figures are those of all metrics, by direction and as
        means over `zero_shot` and `supervised` ones; those by pivot begin with `pivot_`. `floor`
        has the references' figures, `deviations` the standard deviations of the seeds' means.

    Raises:
        InputError: if a number is not accepted, the stated set lacks a language, or outputs that
            are kept are another model's and `force` is not set.
    """
    check_at_least(0, samples=samples)
    check_at_least(1, batch_size=batch_size)
    identifier = identifier or LangidIdentifier()
    own = {language_of(code) for direction in tests for code in direction}
    wanted = own | {ENGLISH, *map(language_of, inventory_languages)}
    # a direction's language that can't be identified is refused where it is measured
    known = own | (wanted & set(identifier.languages))
    stated = known if languages is None else set(map(language_of, languages))
    judge = _Judge(tests, metrics.Languages(identifier, stated, vocabularies))
    floor = {name_of(direction): judge.floor(direction) for direction in tests}
    groups = {
        ZERO_SHOT: [name_of(d) for d in tests if d not in trained],
        SUPERVISED: [name_of(d) for d in tests if d in trained],
    }
    of_first_seed: Dict[str, Dict[str, List[str]]] = {name_of(d): {} for d in tests}
    of_systems = {}
    for name, models in systems.items():
        seeds = []
        for number, model in enumerate(models, start=1):
            title = f"{name}/{number}"
            folder = None if outputs is None else Path(outputs, title)
            kept = KeptOutputs(model, folder, title, batch_size, force)
            figures = {}
            for direction, test in tests.items():
                texts = kept.translate(test.sources, direction)
                of_first_seed[name_of(direction)].setdefault(name, texts)
                figures[name_of(direction)] = judge.figures(texts, direction)
                if name in pivot and direction not in trained:
                    through = texts  # with the pivot on a side, the way through it is direct
                    if pivot_language not in direction:
                        through = translate_by_pivot(kept, test.sources, direction, pivot_language)
                    by_pivot = judge.figures(through, direction, by_pivot=True)
                    figures[name_of(direction)].update(by_pivot)
            checkpoint = str(getattr(model, "name", title))
            own_means = _means(groups, figures)
            seeds.append({"checkpoint": checkpoint, "means": own_means, "directions": figures})
        of_systems[name] = _over_seeds(groups, seeds)
    return new_report(
        DIRECTIONS,
        {
            **(conditions or {}),
            "pivot language": pivot_language,
            "languages left out of the stated set": ", ".join(sorted(wanted - stated)) or "none",
        },
        directions=groups,
        signatures={metric: "; ".join(found) for metric, found in judge.signatures.items()},
        floor=floor,
        systems=of_systems,
        samples=[
            sample
            for direction, test in tests.items()
            for sample in draw_samples(
                name_of(direction),
                list(zip(*test)),
                of_first_seed[name_of(direction)],
                judge.marking(direction[1]),
                samples,
                str(seed),
            )
        ],
    )


class _Judge:
    """Measures outputs for some test sets, and collects the signatures."""

    def __init__(self, tests: Mapping[Direction, Pair], languages: metrics.Languages):
        self._tests, self._languages = tests, languages
        self.signatures: Dict[str, List[str]] = {}

    def _translations(self, texts: Sequence[str], direction: Direction) -> metrics.Translations:
        source, target = direction
        references = self._tests[direction].references
        return metrics.Translations(texts, references, target, source, self._languages)

    def figures(
        self, texts: Sequence[str], direction: Direction, by_pivot: bool = False
    ) -> Dict[str, float]:
        """Figures of all metrics, or those that are told by pivot under their names."""
        found, signed = metrics.measure(self._translations(texts, direction))
        for metric, signature in signed.items():
            if signature not in self.signatures.setdefault(metric, []):
                self.signatures[metric].append(signature)
        if not by_pivot:
            return found
        told = [score for score in metrics.all_scores() if score.by_pivot and score.name in found]
        return {score.of_pivot.name: found[score.name] for score in told}

    def floor(self, direction: Direction) -> Dict[str, float]:
        """Languages of the references; of quality there is no floor."""
        texts = self._tests[direction].references
        return off_target.measure(self._translations(texts, direction))[0]

    def marking(self, target: str) -> Mark:
        """Marks an output by whether it is in the target language."""

        def mark(output: str, index: int) -> Dict[str, bool]:
            stated = sorted(self._languages.stated)
            ((code,),) = identify([output], self._languages.identifier, stated)
            return {f"in {target}": is_in(code, target)}

        return mark


def name_of(direction: Direction) -> str:
    """`("de", "fr") -> "de-fr"`."""
    return "-".join(direction)


def read_test_sets(
    prefix: str, directions: Sequence[Direction], lines: Optional[int] = None
) -> Dict[Direction, Pair]:
    """Read raw text: the first lines of `PREFIX.SRC` and `PREFIX.TGT` for each direction.

    In a prefix, `{pair}` stands for `SRC-TGT`.

    Raises:
        InputError: if a file is missing or empty, or the two sides differ in length.
    """
    tests = {}
    for direction in directions:
        stem = prefix.replace("{pair}", name_of(direction))
        sides = {path: read_lines(path) for path in (f"{stem}.{code}" for code in direction)}
        metrics.check_aligned(**sides)
        if not all(sides.values()):
            raise InputError(f"--text {prefix}: {min(sides)} has no line; give text that has some")
        tests[direction] = Pair(*(side[:lines] for side in sides.values()))
    return tests


def read_vocabularies(
    prefix: str, languages: Collection[str], others: Collection[str] = ()
) -> Dict[str, Dict[str, int]]:
    """Words of the text `PREFIX.LANGUAGE` of languages, and of others that have such a file."""
    more = {language for language in others if Path(f"{prefix}.{language}").exists()}
    return {
        language: off_target.build_vocabulary(read_lines(f"{prefix}.{language}"))
        for language in sorted({*languages, *more})
    }


# -- outputs --------------------------------------------------------------------------------


class KeptOutputs:
    """Outputs of one model in a folder, so that an evaluation that was broken off goes on.

    Each output is kept with a digest of what it was made from: model with its data-bin, decoding
    and sources.
    Without a folder, or a model's `digest`, nothing is kept.
    """

    def __init__(
        self, model: MultilingualSystem, folder, title: str, batch_size: int, force: bool = False
    ):
        self._model, self._title = model, title
        self._batch_size, self._force = batch_size, force
        self._made_by = getattr(model, "digest", None)
        self._folder = None if folder is None or self._made_by is None else Path(folder)
        self._digests: Dict[str, str] = {}
        if self._folder and (self._folder / _DIGESTS).exists():
            self._digests = json.loads((self._folder / _DIGESTS).read_text(encoding="utf-8"))

    def translate(self, lines: Sequence[str], direction: Direction, name: str = "") -> List[str]:
        """Outputs for some lines, read from the file `NAME.txt`, else made and kept.

        Raises:
            InputError: if a kept output was made from something else and `force` is not set.
        """
        name = name or name_of(direction)
        if self._folder is None:
            return self._made(lines, direction, name)
        path = self._folder / f"{name}.txt"
        made_from = json.dumps([self._made_by, direction, list(lines)])
        digest = hashlib.sha256(made_from.encode("utf-8")).hexdigest()
        if path.exists():
            if self._digests.get(name) == digest:
                return read_lines(path)
            if not self._force:
                raise InputError(
                    f"{path} was made by another model, data-bin, decoding or text; give --force "
                    "to translate again, or another --output"
                )
            path.unlink()
        # the same under another name: with multi-way text, pivots share their steps
        same = (self._folder / f"{n}.txt" for n, known in self._digests.items() if known == digest)
        found = next((other for other in same if other.exists()), None)
        outputs = self._made(lines, direction, name) if found is None else read_lines(found)
        self._digests[name] = digest
        # the digest first: an output without one could not be told from somebody else's
        digests = json.dumps(self._digests, indent=2) + "\n"
        write_atomically(self._folder / _DIGESTS, digests, force=True)
        write_atomically(path, "".join(f"{output}\n" for output in outputs))
        return outputs

    def _made(self, lines: Sequence[str], direction: Direction, name: str) -> List[str]:
        system = self._model.for_direction(*direction)
        asked = [""] * len(lines)
        outputs = system.translate(
            lines, asked, batch_size=self._batch_size, progress=f"{self._title} {name}"
        )
        return [" ".join(output.split()) for output in outputs]  # one line each


def translate_by_pivot(
    outputs: KeptOutputs, sources: Sequence[str], direction: Direction, pivot: str
) -> List[str]:
    """Translate into the pivot language and from there into the target language."""
    source, target = direction
    name = f"{name_of(direction)}.{pivot}"
    first = outputs.translate(sources, (source, pivot), f"{name}.step")
    return outputs.translate(first, (pivot, target), name)


# -- figures --------------------------------------------------------------------------------


def _over_seeds(groups: Mapping[str, Sequence[str]], seeds: Sequence[dict]) -> Dict[str, Any]:
    """Means and deviations of a system's seeds."""
    over_seeds = {
        name: _combine([seed["directions"][name] for seed in seeds], mean)
        for name in seeds[0]["directions"]
    }
    return {
        "seeds": list(seeds),
        "directions": over_seeds,
        "means": _means(groups, over_seeds),
        "deviations": {
            group: _combine([seed["means"][group] for seed in seeds], _deviation)
            for group in seeds[0]["means"]
        },
    }


def _means(
    groups: Mapping[str, Sequence[str]], figures: Mapping[str, Mapping[str, float]]
) -> Dict[str, Dict[str, float]]:
    """Means over the directions of each group that has any."""
    return {
        group: _combine([figures[name] for name in names], mean)
        for group, names in groups.items()
        if names
    }


def _combine(figures: Sequence[Mapping[str, float]], how: Callable) -> Dict[str, float]:
    """Combine several figures by name; those that not all have are over the ones that do."""
    names = dict.fromkeys(name for each in figures for name in each)
    return {name: round(how([each[name] for each in figures if name in each]), 4) for name in names}


def _deviation(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0
