"""Metrics: how a figure is computed, called and shown, in one file each.

A module of this folder that has `SCORES` and `measure` is a metric. Its figures appear in the
reports of every evaluation that translates: directions, plain translation, formality. This is a
whole one, `length_ratio.py`:

    SCORES = (Score("length_ratio", "length ratio", decimals=3),)

    def measure(translations):
        own, expected = (sum(map(len, lines)) for lines in translations[:2])
        return {"length_ratio": own / expected}, {"length_ratio": "unit:characters"}
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType
from typing import Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.text.identification import LanguageIdentifier


class Score(NamedTuple):
    """A figure of a metric."""

    name: str  # key in `report.json`
    title: str  # heading of its column
    decimals: int = 2  # digits shown behind the point
    in_means: bool = True  # whether tables of means show it, beside those of single directions
    by_pivot: bool = False  # whether it is also measured on translations through a pivot language

    @property
    def of_pivot(self) -> Score:
        """The same figure of translations through a pivot language."""
        return self._replace(name=f"pivot_{self.name}", title=f"pivot {self.title}")


class Languages(NamedTuple):
    """What the languages of outputs are identified with."""

    # such as `LangidIdentifier()`; loading one takes a second, so share it
    identifier: LanguageIdentifier
    # codes of the stated set; must hold the source's and the target's language
    stated: Collection[str]
    # language -> its words (`build_vocabulary`); None for no foreign words
    vocabularies: Optional[Mapping[str, Collection[str]]] = None


class Translations(NamedTuple):
    """What a metric looks at: outputs of one system for one test set."""

    outputs: Sequence[str]  # raw text
    references: Sequence[str]  # as many
    target_language: str  # code of the language asked for
    source_language: str = ""  # code of the sources' language; empty where nobody asks
    # what languages are identified with; None for no figures about languages
    languages: Optional[Languages] = None


@functools.lru_cache(maxsize=None)
def _metrics() -> Tuple[ModuleType, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module for module in modules if hasattr(module, "SCORES"))


def all_scores() -> List[Score]:
    """Figures of all metrics, in the order of reports."""
    return [score for metric in _metrics() for score in metric.SCORES]


def measure(translations: Translations) -> Tuple[Dict[str, float], Dict[str, str]]:
    """Figures of all metrics.

    Returns:
        (name -> figure, what is measured -> signature); a metric that does not apply adds none.
    """
    check_aligned(outputs=translations.outputs, references=translations.references)
    figures: Dict[str, float] = {}
    signatures: Dict[str, str] = {}
    for metric in _metrics():
        own, signed = metric.measure(translations)
        figures.update(own)
        signatures.update(signed)
    return figures, signatures


def check_aligned(**lists: Sequence) -> None:
    """Raise `InputError` unless all lists are of one length."""
    if len({len(lines) for lines in lists.values()}) > 1:
        counts = ", ".join(f"{name} {len(lines)}" for name, lines in lists.items())
        raise InputError(f"lines must be aligned, but there are {counts}; give as many of each")
