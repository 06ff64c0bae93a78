"""English: do-support, a or an; one way to address everybody."""

from __future__ import annotations

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import writing
from fairseq_instr.sample.languages.writing import join


def noun_phrase(content: Content) -> str:
    noun = lexicon.forms("en", "noun", content.noun)["plural" if content.plural else "singular"]
    if content.adjective:
        noun = join(lexicon.forms("en", "adjective", content.adjective)["base"], noun)
    determiner = content.determiner
    if content.number:
        determiner = lexicon.number("en", content.number, content.in_digits)
    elif determiner == "a" and noun[0] in "aeiou":
        determiner = "an"
    return join(determiner, noun)


def realise(content: Content, formality=None) -> str:
    """Say a content: "Anna wants to buy two red apples at the market every day.", for one."""
    person = "3s" if content.subject is None else lexicon.PEOPLE[content.subject].person
    person = "3s" if person == "3s" else "base"
    subject = lexicon.person("en", content.subject, formality) if content.subject else ""
    verb = lexicon.forms("en", "verb", content.verb)
    if content.modal:
        modal = lexicon.forms("en", "verb", content.modal)
        verb = {form: join(modal[form], verb["base"]) for form in verb}
    if content.modal == "can":
        auxiliary, infinitive = "can", lexicon.forms("en", "verb", content.verb)["base"]
    else:
        auxiliary, infinitive = "does" if person == "3s" else "do", verb["base"]

    what = noun_phrase(content)
    adjuncts = join(
        writing.recipient("en", "for", content, formality),
        writing.place("en", content),
        writing.time("en", content),
    )
    inverted = join(auxiliary, subject, infinitive)
    if content.form == "statement":
        first = writing.time("en", content, fronted=True)
        said = join(first, subject, verb[person], what, adjuncts)
    elif content.form == "request":
        said = join("please", verb["base"], what, adjuncts)
    elif content.form == "who":
        said = join("who", verb["3s"], what, adjuncts)
    elif content.form == "how many":
        said = join(what, inverted, adjuncts)
    else:
        said = join("" if content.form == "yes-no" else content.form, inverted, what, adjuncts)

    second = ""
    if content.second and content.subject:
        pronoun = writing.pronoun_for(content.subject, "en", formality, "he", "she", "they")
        second = writing.second_sentence("en", content, formality, pronoun, person)
    return join(writing.capitalise(said) + writing.end_mark(content), second)
