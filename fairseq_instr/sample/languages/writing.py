"""What the realisers share: joining words to a written sentence."""

from __future__ import annotations

from typing import Optional

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content

QUESTIONS = ("yes-no", "who", "why", "how many", "where", "when")


def join(*words: Optional[str]) -> str:
    """Words with a space between them; what is empty or None is left out."""
    return " ".join(word for word in words if word)


def end_mark(content: Content) -> str:
    return "?" if content.form in QUESTIONS else "."


def capitalise(text: str) -> str:
    """The first letter in upper case, the rest as it is (unlike `str.capitalize`)."""
    return text[:1].upper() + text[1:]


def place(language: str, content: Content) -> str:
    return lexicon.PLACES[content.place][language] if content.place else ""


def time(language: str, content: Content, fronted: bool = False) -> str:
    """The time, if it is to be said here: in front or in its usual position."""
    if content.time is None or content.fronted != fronted:
        return ""
    return lexicon.TIMES[content.time].forms[language]


def recipient(language: str, preposition: str, content: Content, formality) -> str:
    if content.recipient is None:
        return ""
    return join(preposition, lexicon.person(language, content.recipient, formality, True))


def second_sentence(language: str, content: Content, formality, pronoun: str, person: str) -> str:
    """The second sentence, or "": a remark as written, or pronoun + verb + complement."""
    if content.second is None or content.subject is None:
        return ""
    if content.second in lexicon.REMARKS:
        return lexicon.phrase(lexicon.REMARKS[content.second][language], formality)
    verb = lexicon.forms(language, "verb", lexicon.PREDICATES[content.second].verb)[person]
    what = lexicon.complement(language, content.second, content.subject)
    return capitalise(join(pronoun, verb, what)) + "."


def pronoun_for(subject: str, language: str, formality, he: str, she: str, they: str) -> str:
    """The pronoun for a subject that has been named."""
    who = lexicon.PEOPLE[subject]
    if who.person == "3p":
        return they
    if who.person == "3s":
        return he if who.gender == "m" else she
    return lexicon.person(language, subject, formality)
