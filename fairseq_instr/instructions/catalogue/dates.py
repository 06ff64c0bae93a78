"""Dates: `3. März 2019` and `03.03.2019` as `2019-03-03` (ISO 8601)."""

from __future__ import annotations

import datetime
import functools
import re
from typing import Mapping, Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import canonical, fold_to_ascii

ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(\d\d)-(\d\d)(?![\w-])")


@functools.lru_cache(maxsize=None)
def _dates(language: str) -> Tuple[re.Pattern, Mapping[str, int]]:
    """(pattern of a date that names day, month and year, month -> its number)."""
    names = facts(language).months.lower().split()
    months = {name: n for n, name in enumerate(names, start=1)}
    months.update({fold_to_ascii(name, language): n for name, n in months.items()})
    month = rf"(?P<month>{'|'.join(months)})"
    day = r"(?P<day>\d{1,2})(?:\.|er|º|st|nd|rd|th)?"
    year = r"(?P<year>\d{4})"
    # `3. März 2019`, `3 de marzo de 2019`, `1er mars 2019`, `3rd of March 2019`
    forms = [rf"{day}(?: de| of)? {month}(?: de|,)? {year}"]
    if facts(language).code == "en":
        forms.append(rf"{month} {day},? {year}")
    else:  # in English, the numbers of day and month stand in either order
        forms.append(rf"(?P<day>\d{{1,2}})(?P<mark>[./])(?P<month>\d{{1,2}})(?P=mark){year}")
    numbered = [
        re.sub(r"\(\?P([<=])(\w+)", rf"(?P\g<1>\g<2>{i}", form) for i, form in enumerate(forms)
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(numbered)})(?!\w)", re.IGNORECASE), months


def _date(year: str, month: int, day: str) -> Optional[datetime.date]:
    try:
        return datetime.date(int(year), month, int(day))
    except ValueError:
        return None


def _is_iso(output: str, context: Context) -> bool:
    written = ISO_DATE.findall(output)
    possible = all(_date(year, int(month), day) for year, month, day in written)
    return bool(written) and possible and not _dates(context.language)[0].search(canonical(output))


def _to_iso(text: str, context: Context) -> Optional[str]:
    if not re.search(r"\d{4}", text):  # soon found out, and true of most texts
        return None
    pattern, months = _dates(context.language)

    def write(found: re.Match) -> str:
        part = {name[:-1]: value for name, value in found.groupdict().items() if value is not None}
        month = part["month"].lower()
        date = _date(part["year"], months[month] if month in months else int(month), part["day"])
        return date.isoformat() if date else found.group()

    text = canonical(text)
    rewritten = pattern.sub(write, text)
    return rewritten if rewritten != text and _is_iso(rewritten, context) else None


INSTRUCTIONS = [
    Instruction(
        "iso-dates",
        "dates",
        "with ISO dates; dates as year and month and day; with dates in ISO form;"
        "write dates as YYYY-MM-DD; use ISO dates; put the year first in dates",
        obeys=_is_iso,
        rewrite=_to_iso,
        languages=languages_with("months"),
    ),
]
