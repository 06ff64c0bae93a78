"""What is said, apart from any language: the abstract content of a sentence.

A content is a choice for each of `SLOTS`, in their order. What a slot may hold depends only on
the slots before it, as its function says.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Dict, Optional

from fairseq_instr.sample.lexicon import (
    ADJECTIVES,
    LARGEST_NUMBER,
    NOUNS,
    PEOPLE,
    PLACES,
    PREDICATES,
    REMARKS,
    SMALLEST_NUMBER,
    TABLES,
    TIMES,
    VERBS,
)

# How often each form is drawn, in per cent.
FORM_WEIGHTS = {
    "statement": 45,
    "request": 20,
    "yes-no": 15,
    "who": 4,
    "why": 5,
    "how many": 5,
    "where": 3,
    "when": 3,
}
PRONOUNS = ("I", "you", "we")
# An adjunct, adjective or second sentence is left out this often where it could be said.
SILENCE = 0.6
MOST_ADJUNCTS = 2
# People that can't be the recipients of what the other does.
_SAME = {frozenset(pair) for pair in (("I", "we"), ("you", "we"))}


@dataclass(frozen=True)
class Content:
    """Who does what with what, for whom, where and when; and as what it is said."""

    form: str  # a key of `FORM_WEIGHTS`
    subject: Optional[str]  # a key of `PEOPLE`; None in a "who" question
    modal: Optional[str]  # one of the lexicon's modals, or None for the plain present
    recipient: Optional[str]  # a key of `PEOPLE`, or None
    place: Optional[str]  # a key of `PLACES`, or None
    time: Optional[str]  # a key of `TIMES`, or None
    fronted: bool  # the time comes first
    second: Optional[str]  # a key of `PREDICATES` or `REMARKS`: a second sentence; or None
    verb: str  # a key of `VERBS`
    noun: str  # a key of `NOUNS`
    adjective: Optional[str]  # a key of `ADJECTIVES`, or None
    determiner: str  # "a", "the", "my", "your", "number" or "how many"
    number: Optional[int]  # 2 ... 12 with the determiner "number", else None
    in_digits: bool  # the number is written in digits
    plural: bool  # of the noun

    @property
    def is_definite(self) -> bool:
        """The noun phrase is known to the hearer: German and Dutch say it earlier."""
        return self.determiner in ("the", "my", "your")

    @property
    def addresses(self) -> bool:
        """The second person occurs, so that formality shows."""
        said = (self.subject, self.recipient, self.determiner)
        return self.form == "request" or any(s and s.startswith("your") or s == "you" for s in said)


Said = Dict[str, Any]  # the slots so far


def _subject(said: Said):
    if said["form"] == "request":
        return ["you"]
    if said["form"] == "who":
        return [None]
    if said["form"] in ("where", "when"):
        # Italian and Romanian put any other subject behind the object, as few grammars
        # of the others do: pronouns are left unsaid there.
        return list(PRONOUNS)
    return list(PEOPLE)


def _recipient(said: Said):
    if said["form"] == "how many":  # "How many keys do you look for for Paul?"
        return [None]
    subject = said["subject"]
    others = [
        person
        for person in PEOPLE
        if person not in ("we", subject) and frozenset((person, subject)) not in _SAME
    ]
    return [None, *others]


def _n_adjuncts(said: Said) -> int:
    return sum(said.get(slot) is not None for slot in ("recipient", "place", "time"))


def _time(said: Said):
    if said["form"] == "when" or _n_adjuncts(said) >= MOST_ADJUNCTS:
        return [None]
    is_plan = said["form"] == "request" or said["modal"]
    return [None, *(time for time, row in TIMES.items() if row.get("habit") or is_plan)]


def _fronted(said: Said):
    return [False, True] if said["form"] == "statement" and said["time"] else [False]


def _second(said: Said):
    if _n_adjuncts(said) > 1:
        return [None]
    if said["form"] == "request":
        return [None, *REMARKS]
    if said["form"] != "statement":
        return [None]
    has_gender = "gender" in PEOPLE[said["subject"]]
    fitting = [key for key, row in PREDICATES.items() if has_gender or not row.get("gendered")]
    return [None, *fitting, "important"]


def _verb(said: Said):
    needed = {slot for slot in ("recipient", "place") if said[slot]}
    if said["form"] == "where":
        needed.add("place")
    return [verb for verb, row in VERBS.items() if needed <= set(row["adjuncts"].split())]


def _of_its_kinds(table, row):
    """Words of a table that share a kind with a row of another."""
    kinds = set(row["kinds"].split())
    return [word for word, other in table.items() if kinds & set(other["kinds"].split())]


def _determiner(said: Said):
    return ["how many"] if said["form"] == "how many" else ["a", "the", "my", "your", "number"]


def _number(said: Said):
    if said["determiner"] != "number":
        return [None]
    return list(range(SMALLEST_NUMBER, LARGEST_NUMBER + 1))


def _plural(said: Said):
    numbers = {"a": [False], "number": [True], "how many": [True]}
    return numbers.get(said["determiner"], [False, True])


SLOTS = {
    "form": lambda said: [form for form, weight in FORM_WEIGHTS.items() for _ in range(weight)],
    "subject": _subject,
    "modal": lambda said: [None, *([] if said["form"] == "request" else TABLES["modals"])],
    "recipient": _recipient,
    "place": lambda said: [None, *([] if said["form"] == "where" else PLACES)],
    "time": _time,
    "fronted": _fronted,
    "second": _second,
    "verb": _verb,
    "noun": lambda said: _of_its_kinds(NOUNS, VERBS[said["verb"]]),
    "adjective": lambda said: [None, *_of_its_kinds(ADJECTIVES, NOUNS[said["noun"]])],
    "determiner": _determiner,
    "number": _number,
    "in_digits": lambda said: [False, True] if said["number"] else [False],
    "plural": _plural,
}


def draw(rng: random.Random) -> Content:
    """A content at random.

    Only `rng.random()` is called: its numbers for a seed are the same in every Python.
    """
    said: Said = {}
    for slot, options_for in SLOTS.items():
        options = options_for(said)
        if options[0] is None and len(options) > 1:
            options = [None] if rng.random() < SILENCE else options[1:]
        said[slot] = options[int(rng.random() * len(options))]
    return Content(**said)
