# ruff: noqa: C408 -- what a case changes reads better as slot="value".

import random

import pytest

from fairseq_instr.sample import content, lexicon

DRAWN = [content.draw(random.Random(seed)) for seed in range(3000)]


def test_every_form_and_every_word_is_drawn():
    assert {c.form for c in DRAWN} == set(content.FORM_WEIGHTS)
    for slot, table in [
        ("noun", lexicon.NOUNS),
        ("verb", lexicon.VERBS),
        ("adjective", lexicon.ADJECTIVES),
        ("subject", lexicon.PEOPLE),
        ("place", lexicon.PLACES),
        ("time", lexicon.TIMES),
    ]:
        assert {getattr(c, slot) for c in DRAWN} - {None} == set(table)


def test_verbs_and_adjectives_fit_the_noun():
    for c in DRAWN:
        kinds = set(lexicon.NOUNS[c.noun]["kinds"].split())
        assert kinds & set(lexicon.VERBS[c.verb]["kinds"].split())
        if c.adjective:
            assert kinds & set(lexicon.ADJECTIVES[c.adjective]["kinds"].split())


def test_adjuncts_are_few_and_fit_the_verb():
    for c in DRAWN:
        adjuncts = [c.recipient, c.place, c.time]
        assert sum(a is not None for a in adjuncts) <= (1 if c.second else content.MOST_ADJUNCTS)
        for slot in ("recipient", "place"):
            assert getattr(c, slot) is None or slot in lexicon.VERBS[c.verb]["adjuncts"]
        if c.time and c.modal is None and c.form != "request":
            assert lexicon.TIMES[c.time]["habit"]


def test_number_goes_with_its_determiner():
    for c in DRAWN:
        assert (c.number is not None) == (c.determiner == "number")
        assert c.plural or c.number is None


@pytest.mark.parametrize(
    "changes, expected",
    [
        (dict(subject="you"), True),
        (dict(recipient="your mother"), True),
        (dict(determiner="your"), True),
        (dict(form="request", subject="you"), True),
        (dict(form="who", subject=None), False),
        (dict(recipient="my mother"), False),
    ],
)
def test_who_addresses_the_hearer(changes, expected):
    bare = dict(
        form="statement", subject="Anna", modal=None, recipient=None, place=None, time=None,
        fronted=False, second=None, verb="buy", noun="apple", adjective=None, determiner="a",
        number=None, in_digits=False, plural=False,
    )  # fmt: skip
    assert content.Content(**{**bare, **changes}).addresses is expected
