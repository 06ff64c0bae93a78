"""Text and tables as Markdown. Whatever markup the text holds is shown as text."""

from __future__ import annotations

import re
from typing import Iterable, List, Sequence

# an underscore inside a word is one; all others could be markup, an image from elsewhere even
_MARKUP = re.compile(r"[\\`*|\[\]]|(?<!\w)_|_(?!\w)")


def escape(text: object) -> str:
    """Text on one line, its markup escaped."""
    plain = str(text).replace("&", "&amp;").replace("<", "&lt;")
    return " ".join(_MARKUP.sub(r"\\\g<0>", plain).splitlines())


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells may hold any text."""
    lines: List[Sequence[object]] = [header, *rows]
    written = ["| " + " | ".join(map(escape, line)) + " |" for line in lines]
    written.insert(1, "| " + " | ".join(["---"] * len(header)) + " |")
    return "\n".join(written)
