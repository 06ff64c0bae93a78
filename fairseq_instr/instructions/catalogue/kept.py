"""What is copied from the source as it stands: links, placeholders, tags, names.

All of it must stand in the output as often as in the source; without any in the source there
is nothing to obey.
"""

from __future__ import annotations

import re
from typing import List

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

_LINK = re.compile(
    r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]|www\.[^\s<>\"]*[^\s<>\".,;:!?)\]]"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
_PLACEHOLDER = re.compile(
    r"\{\{?\s?\$?-?[\w.]*\s?\}\}?|%\(\w+\)[sdf]|%(?:\d+\$)?[sd@](?!\w)|\$\{\w+\}|\$[A-Z_]{2,}\b"
)
_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>")
# a capital inside a sentence; in German every noun has one, so that sources are never German
_NAME = re.compile(r"(?<=[a-z0-9,;] )[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*")


# each search begins with what is quick to look for: most lines hold nothing to be kept


def links(text: str) -> List[str]:
    """Web and e-mail addresses."""
    return _LINK.findall(text) if "@" in text or "://" in text or "www." in text else []


def placeholders(text: str) -> List[str]:
    """What a program fills in: `{name}`, `{ -brand }`, `%s`, `%1$d`, `%(n)s`, `${X}`, `$X_Y`."""
    return _PLACEHOLDER.findall(text) if "{" in text or "%" in text or "$" in text else []


def tags(text: str) -> List[str]:
    """HTML and XML tags."""
    return _TAG.findall(text) if "<" in text else []


def names(text: str) -> List[str]:
    """Capitalised words within an English sentence, adjacent ones together; `I` is none."""
    found = (re.sub(r"[’']s$", "", name) for name in _NAME.findall(text))
    return [name for name in found if name != "I" and not name.startswith(("I’", "I'"))]


def _keeps(find):
    def obeys(output: str, context: Context) -> bool:
        wanted = find(context.source)
        if not wanted:
            return False
        found = find(output)
        return all(found.count(item) == wanted.count(item) for item in set(wanted))

    return obeys


def _keeps_names(output: str, context: Context) -> bool:
    wanted = names(context.source)
    return bool(wanted) and all(name in output for name in wanted)


def _natural(name, axis, obeys, phrases) -> Instruction:
    return Instruction(name, axis, phrases, obeys=obeys, natural=True, layer=Layer.LANGUAGE)


INSTRUCTIONS = [
    _natural(
        "keep-links",
        "links",
        _keeps(links),
        (
            "with links untouched",
            "leave web addresses as they are",
            "links exactly as given",
            "keep the links",
            "copy every address as it is written",
            "change no link",
        ),
    ),
    _natural(
        "keep-placeholders",
        "placeholders",
        _keeps(placeholders),
        (
            "with placeholders untouched",
            "leave placeholders as they are",
            "placeholders exactly as given",
            "keep the placeholders",
            "copy every placeholder as it is written",
            "change no placeholder",
        ),
    ),
    _natural(
        "keep-tags",
        "tags",
        _keeps(tags),
        (
            "with tags untouched",
            "leave the markup as it is",
            "tags exactly as given",
            "keep the tags",
            "copy every tag as it is written",
            "change no tag",
        ),
    ),
    _natural(
        "keep-names",
        "names",
        _keeps_names,
        (
            "with names untouched",
            "leave names as they are",
            "names exactly as given",
            "keep the names",
            "copy every name as it is written",
            "translate no name",
        ),
    ),
]
