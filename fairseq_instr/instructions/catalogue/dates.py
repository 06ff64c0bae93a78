"""Dates: `3. März 2019` and `03.03.2019` as `2019-03-03` (ISO 8601)."""

from __future__ import annotations

import datetime
import functools
import re
from typing import Dict, Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

MONTHS = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio "
    "julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno "
    "luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho "
    "julho agosto setembro outubro novembro dezembro",
    "ro": "ianuarie februarie martie aprilie mai iunie "
    "iulie august septembrie octombrie noiembrie decembrie",
}
_YEAR = re.compile(r"\d{4}")
_ISO = re.compile(r"(?<![\w-])\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?![\w-])")


@functools.lru_cache(maxsize=None)
def _dates(language: str) -> Tuple[re.Pattern, Dict[str, int]]:
    """(pattern of a date that names day, month and year, month -> its number)."""
    months = {name.lower(): n for n, name in enumerate(MONTHS[language].split(), start=1)}
    month = rf"(?P<month>{'|'.join(months)})"
    day = r"(?P<day>\d{1,2})(?:\.|er|º|st|nd|rd|th)?"
    year = r"(?P<year>\d{4})"
    # `3. März 2019`, `3 de marzo de 2019`, `1er mars 2019`, `3rd of March 2019`
    forms = [rf"{day}(?: de| of)? {month}(?: de|,)? {year}"]
    if language == "en":
        forms.append(rf"{month} {day},? {year}")
    else:  # in English, the numbers of day and month stand in either order
        forms.append(rf"(?P<day>\d{{1,2}})(?P<mark>[./])(?P<month>\d{{1,2}})(?P=mark){year}")
    numbered = [
        re.sub(r"\(\?P([<=])(\w+)", rf"(?P\g<1>\g<2>{i}", form) for i, form in enumerate(forms)
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(numbered)})(?!\w)", re.IGNORECASE), months


def _iso(found: re.Match, months: Dict[str, int]) -> str:
    """A date in ISO form, or as it stands if no calendar has it."""
    part = {name[:-1]: value for name, value in found.groupdict().items() if value is not None}
    month = part["month"].lower()
    try:
        number = months[month] if month in months else int(month)
        return datetime.date(int(part["year"]), number, int(part["day"])).isoformat()
    except ValueError:
        return found.group()


def _is_iso(output: str, context: Context) -> bool:
    return _ISO.search(output) is not None and not _dates(context.language)[0].search(output)


def _to_iso(text: str, context: Context) -> Optional[str]:
    if not _YEAR.search(text):  # soon found out, and true of most texts
        return None
    pattern, months = _dates(context.language)
    rewritten = pattern.sub(lambda found: _iso(found, months), text)
    return rewritten if rewritten != text and _is_iso(rewritten, context) else None


INSTRUCTIONS = [
    Instruction(
        "iso-dates",
        "dates",
        (
            "with ISO dates",
            "dates as year and month and day",
            "with dates in ISO form",
            "write dates as YYYY-MM-DD",
            "use ISO dates",
            "put the year first in dates",
        ),
        obeys=_is_iso,
        rewrite=_to_iso,
        layer=Layer.WORDING,
        languages=frozenset(MONTHS),
    ),
]
