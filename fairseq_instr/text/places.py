"""Texts with places to be filled: `Translate {source} into {language}.`; `{{` stands for `{`."""

from __future__ import annotations

import string
from typing import List, Mapping, Sequence

from fairseq_instr.errors import InputError


def check_places(text: str, required: Sequence[str], optional: Sequence[str], where: str) -> None:
    """Make sure that a text has each required place once, and no unknown ones.

    Args:
        optional: names of places that the text may have, any number of times.
        where: what the text is, to begin an error with.
    """
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise InputError(f"{where}: {error}; write {{{{ for a brace") from None
    accepted = (*required, *optional)
    found: List[str] = []
    for _, place, form, conversion in parsed:
        if place is None:
            continue
        if place not in accepted or form or conversion:
            raise InputError(
                f"{where} has the place {{{place}}}; accepted, as they are: "
                + ", ".join(f"{{{name}}}" for name in accepted)
            )
        found.append(place)
    for name in required:
        if found.count(name) != 1:
            raise InputError(f"{where} has {found.count(name)} places for {{{name}}}; it needs one")


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its places filled; braces in the values are text (unlike `str.format`).

    Example: `fill("{{{source}}}", {"source": "{target}"}) == "{{target}}"`.
    """
    return "".join(
        literal + ("" if place is None else values[place])
        for literal, place, _, _ in string.Formatter().parse(text)
    )
