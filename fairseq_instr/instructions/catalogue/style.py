"""Telegraphic style: no articles, as in a headline or a telegram.

An article stands before a noun. The same word elsewhere is none: a relative pronoun (`Mann, der
läuft`), a demonstrative (`Das ist`), a particle (`Er steigt ein.`).
"""

from __future__ import annotations

import functools
import re
from typing import Iterator, Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import any_of, canonical, has_words, whole_words


@functools.lru_cache(maxsize=None)
def _noun_phrase(articles: str) -> re.Pattern:
    """Finds adjectives and a noun behind an article, where nouns have a capital."""
    adjective = rf"(?!(?:{any_of(articles.split())})\b)[a-zäöüß]+e[mnrs]?"
    return re.compile(rf"\s+(?:{adjective}\s+){{0,3}}[\"„»]?[A-ZÄÖÜ\d]")


@functools.lru_cache(maxsize=None)
def _article(language: str) -> re.Pattern:
    return whole_words(any_of(facts(language).articles.split()))


def _find(text: str, language: str) -> Iterator[Tuple[re.Match, bool]]:
    """(a word that has the form of an article, whether it is one)."""
    never = "(?!)"
    pronouns = re.finditer(facts(language).pronouns or never, text, re.IGNORECASE)
    pronoun_ends = {pronoun.end() for pronoun in pronouns}
    for found in _article(language).finditer(text):
        at_end = not re.match(r"\s+[\W_]?\w", text[found.end() :])
        yield found, not (at_end or found.end() in pronoun_ends)


def _has_no_articles(output: str, context: Context) -> bool:
    found = _find(canonical(output), context.language)
    return has_words(output) and not any(is_article for _, is_article in found)


def _without_articles(text: str, context: Context) -> Optional[str]:
    known, text = facts(context.language), canonical(text)
    kept, end = "", 0
    for found, is_article in _find(text, context.language):
        after = text[found.end() :]
        shown = _noun_phrase(known.articles).match(after) is not None
        if known.capital_nouns and shown != is_article:
            return None  # hard to tell, such as `Hund, die Katze`
        if is_article:
            kept += text[end : found.start()]
            end = len(text) - len(after.lstrip())
            if found.group()[0].isupper():  # at the start of a sentence
                first = re.match(r"[\W_]*\w", text[end:])
                kept += first.group().upper() if first else ""
                end += first.end() if first else 0
    if not end:
        return None
    kept += text[end:]
    return kept if kept != text and _has_no_articles(kept, context) else None


INSTRUCTIONS = [
    Instruction(
        "telegraphic",
        "style",
        "without articles; in telegraphic style; like a telegram; leave out the articles;"
        "use telegram style; drop every article",
        obeys=_has_no_articles,
        rewrite=_without_articles,
        languages=languages_with("articles"),
    ),
]
