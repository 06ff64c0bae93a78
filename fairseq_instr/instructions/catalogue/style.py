"""Telegraphic style: no articles, as in a headline or a telegram."""

from __future__ import annotations

import re
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

ARTICLES = {
    "de": "der die das den dem des ein eine einen einem einer eines",
    "en": "the a an",
    "nl": "de het een",
}
_WORD = re.compile(r"\w+")


def _articles(language: str):
    return set(ARTICLES[language].split())


def _without_articles(text: str, context: Context) -> Optional[str]:
    articles = _articles(context.language)
    words = [w for w in text.split(" ") if w.strip('.,;:!?"').lower() not in articles]
    kept = " ".join(words)
    if kept == text or len(words) < 2:
        return None
    kept = kept[:1].upper() + kept[1:]
    return kept if _has_no_articles(kept, context) else None


def _has_no_articles(output: str, context: Context) -> bool:
    words = [word.lower() for word in _WORD.findall(output)]
    return bool(words) and not _articles(context.language).intersection(words)


INSTRUCTIONS = [
    Instruction(
        "telegraphic",
        "style",
        (
            "without articles",
            "in telegraphic style",
            "like a telegram",
            "leave out the articles",
            "use telegram style",
            "drop every article",
        ),
        obeys=_has_no_articles,
        rewrite=_without_articles,
        layer=Layer.WORDING,
        languages=frozenset(ARTICLES),
    ),
]
