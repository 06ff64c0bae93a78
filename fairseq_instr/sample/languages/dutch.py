"""Dutch: de and het, adjectives without -e before an indefinite het-word, inversion."""

from __future__ import annotations

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import writing
from fairseq_instr.sample.languages.writing import join

QUESTION_WORDS = {"why": "waarom", "where": "waar", "when": "wanneer", "yes-no": ""}


def noun_phrase(content: Content, formality) -> str:
    noun = lexicon.forms("nl", "noun", content.noun)
    neuter_singular = noun["gender"] == "n" and not content.plural
    determiner = {
        "a": "een",
        "the": "het" if neuter_singular else "de",
        "my": "mijn",
        "your": "uw" if formality == "formal" else "je",
        "how many": "hoeveel",
    }.get(content.determiner)
    if content.number:
        determiner = lexicon.number("nl", content.number, content.in_digits)
    adjective = ""
    if content.adjective:
        bare = neuter_singular and content.determiner == "a"  # een rood boek, het rode boek
        forms = lexicon.forms("nl", "adjective", content.adjective)
        adjective = forms["base" if bare else "inflected"]
    return join(determiner, adjective, noun["plural" if content.plural else "singular"])


def realise(content: Content, formality=None) -> str:
    """Say a content: "Elke dag koop je twee rode appels op de markt.", for one."""
    person = "3s" if content.subject is None else lexicon.PEOPLE[content.subject].person
    form = {"1s": "stem", "1p": "plural", "3p": "plural"}.get(person, person)
    subject = lexicon.person("nl", content.subject, formality) if content.subject else ""
    subject_first = content.form == "statement" and not content.fronted
    verb = lexicon.forms("nl", "verb", content.verb)
    first_verb = lexicon.forms("nl", "verb", content.modal) if content.modal else verb
    # Before "je" the verb loses its -t: je koopt, koop je.
    loses_t = subject == "je" and not subject_first
    finite = first_verb["stem" if loses_t else form]
    end = verb["particle"] + verb["plural"] if content.modal else verb["particle"]

    what = noun_phrase(content, formality)
    when = writing.time("nl", content)
    whom = writing.recipient("nl", "voor", content, formality)
    where = writing.place("nl", content)
    if content.form == "how many":
        middle = join(when, where, whom)
    elif content.is_definite:  # what is known comes first
        middle = join(what, when, where, whom)
    else:
        middle = join(when, where, what, whom)

    if subject_first:
        said = join(subject, finite, middle, end)
    elif content.form == "statement":
        said = join(writing.time("nl", content, fronted=True), finite, subject, middle, end)
    elif content.form == "request":
        if formality == "formal":
            asked = join(verb["2s"], "u alstublieft")
        else:
            asked = join(verb["stem"], "alsjeblieft")
        said = join(asked, middle, end)
    elif content.form == "who":
        said = join("wie", finite, middle, end)
    elif content.form == "how many":
        said = join(what, finite, subject, middle, end)
    else:
        said = join(QUESTION_WORDS[content.form], finite, subject, middle, end)

    second = ""
    if content.second and content.subject:
        pronoun = writing.pronoun_for(content.subject, "nl", formality, "hij", "ze", "ze")
        second = writing.second_sentence("nl", content, formality, pronoun, form)
    return join(writing.capitalise(said) + writing.end_mark(content), second)
