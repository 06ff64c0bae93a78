"""Units of measure: miles, feet, gallons and their kin in metric units."""

from __future__ import annotations

import functools
import re
from typing import Mapping, Optional, Sequence

from fairseq_instr.instructions.catalogue.kept import outside_kept
from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import canonical

# imperial unit -> (metric unit, factor)
FACTORS = {
    "mile": ("kilometre", 1.609344),
    "foot": ("metre", 0.3048),
    "inch": ("centimetre", 2.54),
    "yard": ("metre", 0.9144),
    "ounce": ("gram", 28.349523),
    "gallon": ("litre", 3.785411784),
}
_NUMBER = r"(?<![\w.,:/-])(?P<number>\d{1,3}(?:[.,]\d{3})+|\d+(?:[.,]\d{1,2})?)"
_GAP = r"[ \u00a0\u202f-]"


@functools.lru_cache(maxsize=None)
def _pattern(language: str, metric: bool) -> re.Pattern:
    """Finds a number and its unit of one system; of the metric one, the words alone as well."""
    units = facts(language).units.items()
    forms = " ".join(words for unit, words in units if (unit in FACTORS) != metric).split()
    longer = "|".join(form for form in forms if len(form) > 1)  # 5m may be millions, 4g a network
    unit = rf"(?:(?P<gap>{_GAP})(?P<unit>{'|'.join(forms)})|(?P<joined>{longer}))\b"
    fahrenheit = "" if metric else rf"|{_NUMBER.replace('number', 'degrees')}{_GAP}?°{_GAP}?F\b"
    # `acht Kilometer` is metric too; feet may be those of a person, and `l` an article
    words = rf"|\b(?:{'|'.join(form for form in forms if len(form) > 3)})\b" if metric else ""
    return re.compile(_NUMBER + unit + fahrenheit + words, re.IGNORECASE)


@functools.lru_cache(maxsize=None)
def _units(language: str) -> Mapping[str, str]:
    """Any form of a unit in lower case -> the unit."""
    units = facts(language).units.items()
    return {form.lower(): unit for unit, forms in units for form in forms.split()}


def _value(number: str, language: str) -> float:
    decimal, grouping = ".," if facts(language).code == "en" else ",."
    if decimal in number and len(number.rpartition(decimal)[2]) < 3:
        return float(number.replace(grouping, "").replace(decimal, "."))
    if grouping in number and len(number.rpartition(grouping)[2]) < 3:
        return float(number.replace(grouping, "."))  # a decimal written the foreign way
    return float(number.replace(grouping, "").replace(decimal, ""))


def _written(value: float, language: str) -> str:
    """A number to two or three significant figures, as the language writes it."""
    text = f"{value:.1f}" if value < 10 else f"{float(f'{value:.3g}'):.0f}"
    text = text[:-2] if text.endswith(".0") else text
    return text if facts(language).code == "en" else text.replace(".", ",")


def _singular(forms: Sequence[str]) -> str:
    """The shortest form that is no symbol: `kilometre` of `kilometres kilometre km`."""
    return min((form for form in forms if len(form) > 3), key=len)


def _is_one(value: str, language: str) -> bool:
    """Whether a unit is singular behind a number as it is written; French is below two."""
    below_two = value.partition(",")[0] in ("0", "1")
    return value == "1" or facts(language).code == "fr" and below_two


def _to_metric(text: str, context: Context) -> Optional[str]:
    language = context.language
    if not re.search(r"\d", text):
        return None

    def convert(found: re.Match) -> str:
        form = found["unit"] or found["joined"]
        if form is None:  # degrees Fahrenheit
            return found.group()
        unit, factor = FACTORS[_units(language)[form.lower()]]
        value = _written(_value(found["number"], language) * factor, language)
        forms = facts(language).units[unit].split()
        if found["gap"] == "-":  # `a 100-mile race`
            return f"{value}-{_singular(forms)}"
        return f"{value} {_singular(forms) if _is_one(value, language) else forms[0]}"

    text = canonical(text)
    imperial = _pattern(language, metric=False)
    rewritten = outside_kept(text, lambda part: imperial.sub(convert, part))
    return rewritten if rewritten != text and _is_metric(rewritten, context) else None


def _is_metric(output: str, context: Context) -> bool:
    text, language = canonical(output), context.language
    metric, imperial = (_pattern(language, metric) for metric in (True, False))
    return metric.search(text) is not None and imperial.search(text) is None


INSTRUCTIONS = [
    Instruction(
        "metric",
        "units",
        "in metric units; with kilometres instead of miles; with metric measures;"
        "use metric units; convert measures to the metric system;"
        "give measures in metres and litres",
        obeys=_is_metric,
        rewrite=_to_metric,
        languages=languages_with("units"),
    ),
]
