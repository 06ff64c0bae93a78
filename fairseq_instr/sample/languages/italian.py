"""Italian: articles by the sound that follows, pronouns left unsaid except the polite Lei."""

from __future__ import annotations

import re

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import writing
from fairseq_instr.sample.languages.writing import join

_VOWEL = re.compile("[aeiou]")
_IMPURE_S = re.compile("s[^aeiou]|z|gn|ps")  # lo specchio, uno specchio, gli specchi
QUESTION_WORDS = {"why": "perché", "where": "dove", "when": "quando", "yes-no": ""}
POSSESSIVES = {
    "mi": {"m": "mio", "f": "mia", "mp": "miei", "fp": "mie"},
    "tu": {"m": "tuo", "f": "tua", "mp": "tuoi", "fp": "tue"},
    "Su": {"m": "Suo", "f": "Sua", "mp": "Suoi", "fp": "Sue"},
}


def article(definite: bool, agreement: str, following: str) -> str:
    """The article with its space, or its apostrophe: "un'", "lo ", "gli ".

    Args:
        definite: il, lo, la ... or un, uno, una.
        agreement: m, f, mp or fp.
        following: the word behind the article, whose first sound decides.
    """
    vowel, impure = bool(_VOWEL.match(following)), bool(_IMPURE_S.match(following))
    if definite:
        found = {
            "m": "l'" if vowel else "lo " if impure else "il ",
            "f": "l'" if vowel else "la ",
            "mp": "gli " if vowel or impure else "i ",
            "fp": "le ",
        }
    else:
        found = {"m": "uno " if impure else "un ", "f": "un'" if vowel else "una "}
    return found[agreement]


def noun_phrase(content: Content, formality) -> str:
    noun = lexicon.forms("it", "noun", content.noun)
    plural = content.plural
    gender = noun["gender"]
    if gender == "n":
        gender = "f" if plural else "m"  # un uovo, due uova
    agreement = gender + ("p" if plural else "")
    said = noun["plural" if plural else "singular"]
    if content.adjective:
        said = join(said, lexicon.forms("it", "adjective", content.adjective)[agreement])
    if content.number:
        return join(lexicon.number("it", content.number, content.in_digits), said)
    if content.determiner == "how many":
        return join("quanti" if agreement == "mp" else "quante", said)
    if content.determiner in ("my", "your"):
        whose = "mi" if content.determiner == "my" else "Su" if formality == "formal" else "tu"
        said = join(POSSESSIVES[whose][agreement], said)
    return article(content.determiner != "a", agreement, said) + said


def realise(content: Content, formality=None) -> str:
    """Say a content: "Quante mele rosse compra Anna al mercato?", for one."""
    person = "3s" if content.subject is None else lexicon.PEOPLE[content.subject].person
    if content.subject == "you" and formality == "formal":
        person = "3s"
    subject = lexicon.person("it", content.subject, formality) if content.subject else ""
    verb = lexicon.forms("it", "verb", content.verb)
    if content.modal:
        predicate = join(lexicon.forms("it", "verb", content.modal)[person], verb["infinitive"])
    else:
        predicate = verb[person]

    what = noun_phrase(content, formality)
    adjuncts = join(
        writing.recipient("it", "per", content, formality),
        writing.place("it", content),
        writing.time("it", content),
    )
    if content.form == "request":
        asked = verb["polite" if formality == "formal" else "imperative"]
        said = join("per favore,", asked, what, adjuncts)
    elif content.form == "who":
        said = join("chi", predicate, what, adjuncts)
    elif content.form == "how many":
        # The subject follows; the polite pronoun is then left unsaid as the others are.
        follows = "" if content.subject == "you" else subject
        said = join(what, predicate, follows, adjuncts)
    elif content.form in ("where", "when"):
        said = join(QUESTION_WORDS[content.form], predicate, what, adjuncts)
    else:  # statements, yes-no and why: the subject, if said, before the verb
        asking = QUESTION_WORDS.get(content.form)
        first = writing.time("it", content, fronted=True)
        said = join(first, asking, subject, predicate, what, adjuncts)
    second = writing.second_sentence("it", content, formality, "", person)
    return join(writing.capitalise(said) + writing.end_mark(content), second)
