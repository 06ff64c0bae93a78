"""French: elision, adjectives before and behind the noun, questions with est-ce que.

The space before ? and ! is a plain one: subword normalisation turns a no-break space
into it, and output and reference would differ.
"""

from __future__ import annotations

import re

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import writing
from fairseq_instr.sample.languages.writing import join

_VOWEL = "(?=[aâàeéèêiîoôœuûhAEIO])"  # no h of the lexicon is aspirated where this applies
_SOUND_RULES = [
    (re.compile(rf"\b(l|d|qu|j)(?:e|a) {_VOWEL}", re.IGNORECASE), r"\1'"),  # l'œuf, qu'Anna
    (re.compile(rf"\b(m|t)a {_VOWEL}"), r"\1on "),  # mon orange
    (re.compile(rf"\bnouveau {_VOWEL}"), "nouvel "),
]
QUESTION_WORDS = {"why": "pourquoi", "where": "où", "when": "quand", "yes-no": ""}


def _elide(text: str) -> str:
    for pattern, replacement in _SOUND_RULES:
        text = pattern.sub(replacement, text)
    return text


def noun_phrase(content: Content, formality) -> str:
    """Not elided yet: "la orange", "ma orange"."""
    noun = lexicon.forms("fr", "noun", content.noun)
    feminine = noun["gender"] == "f"
    formal = formality == "formal"
    number = "plural" if content.plural else "singular"
    masculine_feminine_plural = {
        "a": ("un", "une", "des"),
        "the": ("le", "la", "les"),
        "my": ("mon", "ma", "mes"),
        "your": ("votre", "votre", "vos") if formal else ("ton", "ta", "tes"),
        "how many": ("combien de", "combien de", "combien de"),
    }
    if content.number:
        determiner = lexicon.number("fr", content.number, content.in_digits)
    else:
        choices = masculine_feminine_plural[content.determiner]
        determiner = choices[2 if content.plural else feminine]
    before = after = ""
    if content.adjective:
        adjective = lexicon.forms("fr", "adjective", content.adjective)
        agreeing = adjective[("f" if feminine else "m") + ("p" if content.plural else "")]
        agreeing = adjective["mp"] if agreeing == "" else agreeing
        before, after = (agreeing, "") if adjective["position"] == "before" else ("", agreeing)
    return join(determiner, before, noun[number], after)


def realise(content: Content, formality=None) -> str:
    """Say a content: "Est-ce qu'Anna achète deux pommes rouges au marché ?", for one."""
    person = "3s" if content.subject is None else lexicon.PEOPLE[content.subject].person
    if content.subject == "you" and formality == "formal":
        person = "2p"
    subject = lexicon.person("fr", content.subject, formality) if content.subject else ""
    verb = lexicon.forms("fr", "verb", content.verb)
    if content.modal:
        predicate = join(lexicon.forms("fr", "verb", content.modal)[person], verb["infinitive"])
    else:
        predicate = verb[person]

    what = noun_phrase(content, formality)
    adjuncts = join(
        writing.recipient("fr", "pour", content, formality),
        writing.place("fr", content),
        writing.time("fr", content),
    )
    if content.form == "statement":
        first = writing.time("fr", content, fronted=True)
        said = join(first and first + ",", subject, predicate, what, adjuncts)
    elif content.form == "request":
        polite = formality == "formal"
        asked = verb["2p" if polite else "imperative"]
        said = join(asked, what, adjuncts) + f", s'il {'vous' if polite else 'te'} plaît"
    elif content.form == "who":
        said = join("qui", predicate, what, adjuncts)
    elif content.form == "how many":
        said = join(what, "est-ce que", subject, predicate, adjuncts)
    else:
        asking = join(QUESTION_WORDS[content.form], "est-ce que")
        said = join(asking, subject, predicate, what, adjuncts)

    second = ""
    if content.second and content.subject:
        pronoun = writing.pronoun_for(content.subject, "fr", formality, "il", "elle", "ils")
        second = writing.second_sentence("fr", content, formality, pronoun, person)
    mark = writing.end_mark(content).replace("?", " ?")
    return _elide(join(writing.capitalise(said) + mark, second))
