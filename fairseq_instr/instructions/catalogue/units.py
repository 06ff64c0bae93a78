"""Units of measure: miles, feet, gallons and their kin in metric units."""

from __future__ import annotations

import functools
import re
from typing import Dict, Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

# imperial unit -> (metric unit, factor)
FACTORS = {
    "mile": ("kilometre", 1.609344),
    "foot": ("metre", 0.3048),
    "inch": ("centimetre", 2.54),
    "yard": ("metre", 0.9144),
    "ounce": ("gram", 28.349523),
    "gallon": ("litre", 3.785411784),
}
# all forms of each unit, the one to write first; a unit that is also another word is left out
FORMS = {
    "de": {
        "mile": "Meilen Meile", "foot": "Fuß Fuss", "inch": "Zoll", "yard": "Yards Yard",
        "ounce": "Unzen Unze", "gallon": "Gallonen Gallone",
        "kilometre": "Kilometer km Kilometern", "metre": "Meter m Metern",
        "centimetre": "Zentimeter cm Zentimetern",
        "gram": "Gramm g", "litre": "Liter l Litern",
    },
    "en": {
        "mile": "miles mile", "foot": "feet foot ft", "inch": "inches inch", "yard": "yards yard",
        "ounce": "ounces ounce oz", "gallon": "gallons gallon",
        "kilometre": "kilometres kilometre kilometers kilometer km",
        "metre": "metres metre meters meter m",
        "centimetre": "centimetres centimetre centimeters centimeter cm",
        "gram": "grams gram g",
        "litre": "litres litre liters liter l",
    },
    "fr": {
        "mile": "miles mile", "foot": "pieds pied", "inch": "pouces pouce", "yard": "yards yard",
        "gallon": "gallons gallon",
        "kilometre": "kilomètres kilomètre km", "metre": "mètres mètre m",
        "centimetre": "centimètres centimètre cm",
        "gram": "grammes gramme g", "litre": "litres litre l",
    },
    "nl": {
        "mile": "mijl", "foot": "voet", "inch": "inch inches", "yard": "yards yard",
        "gallon": "gallons gallon", "kilometre": "kilometer km kilometers",
        "metre": "meter m meters", "centimetre": "centimeter cm centimeters",
        "gram": "gram g", "litre": "liter l liters",
    },
}  # fmt: skip
_DIGIT = re.compile(r"\d")
_NUMBER = r"(?<![\w.,:/-])(?P<number>\d{1,3}(?:[.,]\d{3})+|\d+(?:[.,]\d{1,2})?)"


@functools.lru_cache(maxsize=None)
def _pattern(language: str, metric: bool) -> re.Pattern:
    """Finds a number and its unit of one system, `5 miles` or `5-mile`.

    Of the metric system, the words of the units are found without a number as well.
    """
    forms = " ".join(
        words for unit, words in FORMS[language].items() if (unit in FACTORS) != metric
    ).split()
    with_number = rf"{_NUMBER}[ \u00a0-](?P<unit>{'|'.join(forms)})\b"
    # `acht Kilometer` is metric too; feet may be those of a person, and `l` an article
    words = rf"|\b(?:{'|'.join(form for form in forms if len(form) > 3)})\b" if metric else ""
    return re.compile(with_number + words, re.IGNORECASE)


@functools.lru_cache(maxsize=None)
def _units(language: str) -> Dict[str, str]:
    """Any form of a unit in lower case -> the unit."""
    return {form.lower(): unit for unit, forms in FORMS[language].items() for form in forms.split()}


def _value(number: str, language: str) -> float:
    """The value of a number as the language writes it: `1.200` is 1200 in German."""
    decimal = "." if language == "en" else ","
    grouping = "," if decimal == "." else "."
    if decimal in number and len(number.rpartition(decimal)[2]) < 3:
        return float(number.replace(grouping, "").replace(decimal, "."))
    if grouping in number and len(number.rpartition(grouping)[2]) < 3:
        return float(number.replace(grouping, "."))  # a decimal written the foreign way
    return float(number.replace(grouping, "").replace(decimal, ""))


def _written(value: float, language: str) -> str:
    """A number to two or three significant figures, as the language writes it."""
    text = f"{value:.1f}" if value < 10 else f"{float(f'{value:.3g}'):.0f}"
    text = text[:-2] if text.endswith(".0") else text
    return text if language == "en" else text.replace(".", ",")


def _to_metric(text: str, context: Context) -> Optional[str]:
    language = context.language
    if not _DIGIT.search(text):
        return None

    def convert(found: re.Match) -> str:
        unit, factor = FACTORS[_units(language)[found["unit"].lower()]]
        value = _written(_value(found["number"], language) * factor, language)
        return f"{value} {FORMS[language][unit].split()[0]}"

    rewritten = _pattern(language, metric=False).sub(convert, text)
    return rewritten if rewritten != text and _is_metric(rewritten, context) else None


def _is_metric(output: str, context: Context) -> bool:
    language = context.language
    return (
        _pattern(language, metric=True).search(output) is not None
        and _pattern(language, metric=False).search(output) is None
    )


INSTRUCTIONS = [
    Instruction(
        "metric",
        "units",
        (
            "in metric units",
            "with kilometres instead of miles",
            "with metric measures",
            "use metric units",
            "convert measures to the metric system",
            "give measures in metres and litres",
        ),
        obeys=_is_metric,
        rewrite=_to_metric,
        layer=Layer.WORDING,
        languages=frozenset(FORMS),
    ),
]
