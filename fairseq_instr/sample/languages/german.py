"""German: three genders in the accusative, adjective endings, the verb in second place."""

from __future__ import annotations

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import writing
from fairseq_instr.sample.languages.writing import join

# Objects are accusative throughout: the endings of articles and adjectives by gender or p.
DEFINITE = {"m": "den", "f": "die", "n": "das", "p": "die"}
EIN_ENDINGS = {"m": "en", "f": "e", "n": "", "p": "e"}
STRONG = {"m": "en", "f": "e", "n": "es", "p": "e"}  # after ein-, and after numbers
WEAK = {"m": "en", "f": "e", "n": "e", "p": "en"}  # after the definite article
QUESTION_WORDS = {"why": "warum", "where": "wo", "when": "wann", "yes-no": ""}


def noun_phrase(content: Content, formality) -> str:
    noun = lexicon.forms("de", "noun", content.noun)
    gender = "p" if content.plural else noun["gender"]
    endings = STRONG
    if content.determiner == "the":
        determiner, endings = DEFINITE[gender], WEAK
    elif content.number:
        determiner = lexicon.number("de", content.number, content.in_digits)
    elif content.determiner == "how many":
        determiner = "wie viele"
    else:
        stems = {"a": "ein", "my": "mein", "your": "Ihr" if formality == "formal" else "dein"}
        determiner = stems[content.determiner] + EIN_ENDINGS[gender]
        if content.plural:  # meine roten Äpfel, though zwei rote Äpfel
            endings = WEAK
    adjective = ""
    if content.adjective:
        adjective = lexicon.forms("de", "adjective", content.adjective)["stem"] + endings[gender]
    return join(determiner, adjective, noun["plural" if content.plural else "singular"])


def realise(content: Content, formality=None) -> str:
    """Say a content: "Jeden Tag bringt Anna zwei rote Äpfel mit.", for one."""
    person = "3s" if content.subject is None else lexicon.PEOPLE[content.subject].person
    if person in ("1p", "3p") or (content.subject == "you" and formality == "formal"):
        person = "plural"
    subject = lexicon.person("de", content.subject, formality) if content.subject else ""
    verb = lexicon.forms("de", "verb", content.verb)
    if content.modal:
        finite = lexicon.forms("de", "verb", content.modal)[person]
        end = verb["particle"] + verb["plural"]  # mitbringen
    else:
        finite, end = verb[person], verb["particle"]

    what = noun_phrase(content, formality)
    when = writing.time("de", content)
    whom = writing.recipient("de", "für", content, formality)
    where = writing.place("de", content)
    if content.form == "how many":
        middle = join(when, whom, where)
    elif content.is_definite:  # what is known comes first
        middle = join(what, when, whom, where)
    else:
        middle = join(when, whom, where, what)

    if content.form == "statement" and content.fronted:
        said = join(writing.time("de", content, fronted=True), finite, subject, middle, end)
    elif content.form == "statement":
        said = join(subject, finite, middle, end)
    elif content.form == "request":
        polite = join(verb["plural"], "Sie") if formality == "formal" else verb["imperative"]
        said = join(polite, "bitte", middle, end)
    elif content.form == "who":
        said = join("wer", finite, middle, end)
    elif content.form == "how many":
        said = join(what, finite, subject, middle, end)
    else:
        said = join(QUESTION_WORDS[content.form], finite, subject, middle, end)

    second = ""
    if content.second and content.subject:
        pronoun = writing.pronoun_for(content.subject, "de", formality, "er", "sie", "sie")
        second = writing.second_sentence("de", content, formality, pronoun, person)
    return join(writing.capitalise(said) + writing.end_mark(content), second)
