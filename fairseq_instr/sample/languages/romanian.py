"""Romanian: the definite article is an ending, "two" has a gender, modals take "să"."""

from __future__ import annotations

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import writing
from fairseq_instr.sample.languages.writing import join

QUESTION_WORDS = {"why": "de ce", "where": "unde", "when": "când"}
POSSESSIVES = {
    "my": {"m": "meu", "f": "mea", "mp": "mei", "fp": "mele"},
    "your": {"m": "tău", "f": "ta", "mp": "tăi", "fp": "tale"},
}


def noun_phrase(content: Content, formality) -> str:
    noun = lexicon.forms("ro", "noun", content.noun)
    plural = content.plural
    gender = noun["gender"]
    if gender == "n":
        gender = "f" if plural else "m"  # un măr, două mere
    agreement = gender + ("p" if plural else "")
    adjective = ""
    if content.adjective:
        adjective = lexicon.forms("ro", "adjective", content.adjective)[agreement]
    if content.is_definite:
        possessive = POSSESSIVES.get(content.determiner, {}).get(agreement)
        if content.determiner == "your" and formality == "formal":
            possessive = "dumneavoastră"
        return join(noun["definite_plural" if plural else "definite"], possessive, adjective)
    if content.determiner == "a":
        determiner = "un" if gender == "m" else "o"
    elif content.number:
        determiner = lexicon.number("ro", content.number, content.in_digits, gender == "f")
    else:
        determiner = "câți" if gender == "m" else "câte"
    return join(determiner, noun["plural" if plural else "singular"], adjective)


def realise(content: Content, formality=None) -> str:
    """Say a content: "Anna vrea să cumpere două mere roșii la piață.", for one."""
    person = "3s" if content.subject is None else lexicon.PEOPLE[content.subject].person
    if content.subject == "you" and formality == "formal":
        person = "2p"
    subject = lexicon.person("ro", content.subject, formality) if content.subject else ""
    verb = lexicon.forms("ro", "verb", content.verb)
    if content.modal:
        # The subjunctive differs from the present only in the third person.
        dependent = verb["subjunctive"] if person in ("3s", "3p") else verb[person]
        finite = lexicon.forms("ro", "verb", content.modal)[person]
        dependent = join("să", dependent)
    else:
        finite, dependent = verb[person], ""

    what = noun_phrase(content, formality)
    adjuncts = join(
        writing.recipient("ro", "pentru", content, formality),
        writing.place("ro", content),
        writing.time("ro", content),
    )
    if content.form == "request":
        if formality == "formal":
            asked = join("vă rog,", verb["2p"])
        else:
            asked = join("te rog,", verb["imperative"])
        said = join(asked, what, adjuncts)
    elif content.form == "who":
        said = join("cine", finite, dependent, what, adjuncts)
    elif content.form in ("statement", "yes-no"):
        first = writing.time("ro", content, fronted=True)
        said = join(first, subject, finite, dependent, what, adjuncts)
    else:
        # Behind a question word the verb comes first; pronouns, polite or not, stay unsaid.
        follows = "" if content.subject == "you" else subject
        if content.form == "how many":
            said = join(what, finite, follows, dependent, adjuncts)
        else:
            asking = QUESTION_WORDS[content.form]
            said = join(asking, finite, follows, dependent, what, adjuncts)
    second = writing.second_sentence("ro", content, formality, "", person)
    return join(writing.capitalise(said) + writing.end_mark(content), second)
