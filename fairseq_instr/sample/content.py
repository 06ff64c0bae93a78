"""What is said, apart from any language: the abstract content of a sentence.

A content is a choice for each of `SLOTS`, in their order. What a slot may hold depends
only on the slots before it, as its function says; so one description serves to draw a
content at random and to count how many there are.

A slot's function is told which form, subject, verb, noun and determiner were chosen, but
of every other slot only whether it is filled: a thousand choices then count as two.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Optional

from fairseq_instr.sample import lexicon

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
    """Who does what with what, for whom, where and when; and as what it is said.

    Attributes:
        form: a key of `FORM_WEIGHTS`.
        subject: a key of `lexicon.PEOPLE`; None in a "who" question.
        modal: a key of `lexicon.MODALS`, or None for the plain present.
        recipient: a key of `lexicon.PEOPLE`, or None.
        place, time: keys of `lexicon.PLACES` and `lexicon.TIMES`, or None.
        fronted: the time comes first.
        second: a key of `lexicon.PREDICATES` or `lexicon.REMARKS`: a second sentence.
        verb, noun, adjective: keys of the lexicon; the adjective may be None.
        determiner: "a", "the", "my", "your", "number" or "how many".
        number: 2 ... 12 with the determiner "number", else None.
        in_digits: the number is written in digits.
        plural: of the noun.
    """

    form: str
    subject: Optional[str]
    modal: Optional[str]
    recipient: Optional[str]
    place: Optional[str]
    time: Optional[str]
    fronted: bool
    second: Optional[str]
    verb: str
    noun: str
    adjective: Optional[str]
    determiner: str
    number: Optional[int]
    in_digits: bool
    plural: bool

    @property
    def is_definite(self) -> bool:
        """The noun phrase is known to the hearer: German and Dutch say it earlier."""
        return self.determiner in ("the", "my", "your")

    @property
    def addresses(self) -> bool:
        """The second person occurs, so that formality shows."""
        said = (self.subject, self.recipient, self.determiner)
        return self.form == "request" or any(s and s.startswith("your") or s == "you" for s in said)


Said = Dict[str, Any]  # of the slots so far, what later ones are told: see `_told`


def _form(said: Said):
    return list(FORM_WEIGHTS)


def _subject(said: Said):
    if said["form"] == "request":
        return ["you"]
    if said["form"] == "who":
        return [None]
    if said["form"] in ("where", "when"):
        # Italian and Romanian put any other subject behind the object, as few grammars
        # of the others do: pronouns are left unsaid there.
        return list(PRONOUNS)
    return list(lexicon.PEOPLE)


def _modal(said: Said):
    return [None] if said["form"] == "request" else [None, *lexicon.MODALS]


def _recipient(said: Said):
    if said["form"] == "how many":  # "How many keys do you look for for Paul?"
        return [None]
    subject = said["subject"]
    others = [
        person
        for person in lexicon.PEOPLE
        if person not in ("we", subject) and frozenset((person, subject)) not in _SAME
    ]
    return [None, *others]


def _adjuncts(said: Said) -> int:
    return sum(bool(said.get(slot)) for slot in ("recipient", "place", "time"))


def _place(said: Said):
    return [None] if said["form"] == "where" else [None, *lexicon.PLACES]


def _time(said: Said):
    if said["form"] == "when" or _adjuncts(said) >= MOST_ADJUNCTS:
        return [None]
    is_plan = said["form"] == "request" or said["modal"]
    return [None, *(time for time, row in lexicon.TIMES.items() if row.habit or is_plan)]


def _fronted(said: Said):
    return [False, True] if said["form"] == "statement" and said["time"] else [False]


def _second(said: Said):
    if _adjuncts(said) > 1:
        return [None]
    if said["form"] == "request":
        return [None, *lexicon.REMARKS]
    if said["form"] != "statement":
        return [None]
    has_gender = bool(lexicon.PEOPLE[said["subject"]].gender)
    fitting = [key for key, row in lexicon.PREDICATES.items() if has_gender or not row.gendered]
    return [None, *fitting, "important"]


def _verb(said: Said):
    needed = {slot for slot in ("recipient", "place") if said[slot]}
    if said["form"] == "where":
        needed.add("place")
    return [verb for verb, row in lexicon.VERBS.items() if needed <= set(row.adjuncts.split())]


def _share_a_kind(one, other) -> bool:
    return not set(one.kinds.split()).isdisjoint(other.kinds.split())


def _noun(said: Said):
    verb = lexicon.VERBS[said["verb"]]
    return [noun for noun, row in lexicon.NOUNS.items() if _share_a_kind(row, verb)]


def _adjective(said: Said):
    noun = lexicon.NOUNS[said["noun"]]
    return [None, *(key for key, row in lexicon.ADJECTIVES.items() if _share_a_kind(row, noun))]


def _determiner(said: Said):
    return ["how many"] if said["form"] == "how many" else ["a", "the", "my", "your", "number"]


def _number(said: Said):
    if said["determiner"] != "number":
        return [None]
    return list(range(lexicon.SMALLEST_NUMBER, lexicon.LARGEST_NUMBER + 1))


def _in_digits(said: Said):
    return [False, True] if said["number"] else [False]


def _plural(said: Said):
    return {"a": [False], "number": [True], "how many": [True]}.get(
        said["determiner"], [False, True]
    )


FRAME_SLOTS = {
    "form": _form,
    "subject": _subject,
    "modal": _modal,
    "recipient": _recipient,
    "place": _place,
    "time": _time,
    "fronted": _fronted,
    "second": _second,
}
OBJECT_SLOTS = {
    "verb": _verb,
    "noun": _noun,
    "adjective": _adjective,
    "determiner": _determiner,
    "number": _number,
    "in_digits": _in_digits,
    "plural": _plural,
}
SLOTS = {**FRAME_SLOTS, **OBJECT_SLOTS}


_TOLD_BY_VALUE = ("form", "subject", "verb", "noun", "determiner")


def _told(slot: str, option):
    """What later slots are told of a choice: the choice itself, or whether there is one."""
    return option if slot in _TOLD_BY_VALUE else option is not None


def draw(rng: random.Random) -> Content:
    """A content at random.

    Only `rng.random()` is called: its numbers for a seed are the same in every Python.
    """
    chosen: Dict[str, Any] = {}
    said: Said = {}
    for slot, options_for in SLOTS.items():
        options = options_for(said)
        if slot == "form":
            options = [form for form, weight in FORM_WEIGHTS.items() for _ in range(weight)]
        elif options[0] is None and len(options) > 1:
            options = [None] if rng.random() < SILENCE else options[1:]
        chosen[slot] = options[int(rng.random() * len(options))]
        said[slot] = _told(slot, chosen[slot])
    return Content(**chosen)


def _count(slots, said: Said, tails=lambda said: 1) -> int:
    """How many ways there are to fill `slots` after those in `said`, each times its tails."""
    if not slots:
        return tails(said)
    slot, *rest = slots
    alike = Counter(_told(slot, option) for option in SLOTS[slot](said))
    return sum(ways * _count(rest, {**said, slot: told}, tails) for told, ways in alike.items())


@functools.lru_cache(maxsize=None)
def count() -> int:
    """How many different contents there are: as many as different English sentences."""

    @functools.lru_cache(maxsize=None)
    def objects_of(form, recipient, place) -> int:
        frame = {"form": form, "recipient": recipient, "place": place}  # all that they look at
        return _count(list(OBJECT_SLOTS), frame)

    def objects(frame: Said) -> int:
        return objects_of(frame["form"], frame["recipient"], frame["place"])

    return _count(list(FRAME_SLOTS), {}, objects)
