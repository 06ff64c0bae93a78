"""What a conflict swaps, and that it can be drawn again."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.conflicts import (
    ConflictSampler,
    parse_axes,
    parse_swapped,
    wrong_instead,
)
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.catalogue import catalogue, look_up
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.sample.corpus import split

LANGUAGES = [Instruction(f"to:{code}", "target-language") for code in ("de", "it", "nl")]
INVENTORY = Inventory(
    [*LANGUAGES, Instruction("uppercase", "case"), Instruction("lowercase", "case"),
     Instruction("exclaim", "punctuation")]
)  # fmt: skip
TO_DE, TO_IT, TO_NL, UPPERCASE, LOWERCASE, EXCLAIM = range(6)
SAMPLE = (TO_DE, UPPERCASE, EXCLAIM)
compositions = st.tuples(
    st.sampled_from([(), (TO_DE,), (TO_IT,), (TO_NL,)]),
    st.sampled_from([(), (UPPERCASE,), (LOWERCASE,)]),
    st.sampled_from([(), (EXCLAIM,)]),
).map(lambda parts: sum(parts, ()))


def positions(requests):
    return tuple(request.position for request in requests)


def draw(sampler, epoch, place, own):
    """Positions of the conflict's instructions, by those of the sample's."""
    conflict = sampler.draw(epoch, place, tuple(map(Request, own)))
    return None if conflict is None else positions(conflict)


def sampler(axes="all", rate=1.0, seed=1):
    return ConflictSampler(INVENTORY, parse_axes(axes, INVENTORY), rate, seed)


@given(compositions, st.integers(1, 100), st.integers(0, 10**6), st.integers(0, 2**31))
def test_one_instruction_is_wrong_on_its_axis_and_the_others_stay(own, epoch, place, seed):
    conflict = draw(sampler(seed=seed), epoch, place, own)
    if not own:
        assert conflict is None
        return
    lost, gained = set(own) - set(conflict), set(conflict) - set(own)
    (axis,) = [INVENTORY[i].axis for i in lost]  # exactly one right instruction goes
    if len(INVENTORY.members(axis)) > 1:
        assert [INVENTORY[i].axis for i in gained] == [axis]
    else:
        assert not gained  # nothing to swap with: it is dropped
    assert conflict == tuple(sorted(conflict))


@given(compositions, st.integers(0, 10**6))
def test_only_the_chosen_axes_conflict(own, place):
    conflict = draw(sampler("case"), 1, place, own)
    if not {UPPERCASE, LOWERCASE} & set(own):
        assert conflict is None
    else:
        assert set(conflict) ^ set(own) == {UPPERCASE, LOWERCASE}


@given(compositions, st.integers(0, 10**6))
def test_only_the_chosen_instructions_are_swapped(own, place):
    axes = ("target-language",)
    only = parse_swapped("to:it", axes, INVENTORY)
    conflicts = ConflictSampler(INVENTORY, axes, 1.0, only=only)
    conflict = draw(conflicts, 1, place, own)
    assert conflicts.applies(tuple(map(Request, own))) == (conflict is not None) == (TO_IT in own)
    if conflict is not None:
        (gained,) = set(conflict) - set(own)
        assert gained in (TO_DE, TO_NL)


def test_instructions_off_the_axes_are_refused():
    with pytest.raises(InputError, match="'uppercase' is not .* accepted: to:de, to:it, to:nl"):
        parse_swapped("uppercase", ("target-language",), INVENTORY)


def test_wrong_instructions_and_axes_are_equally_likely():
    """Three axes, a third each (se 0.0086 of 3,000 draws); on the first, both wrong ones."""
    drawn = [draw(sampler(), 1, place, SAMPLE) for place in range(3000)]
    lost = (set(SAMPLE) - set(conflict) for conflict in drawn)
    axes = Counter(INVENTORY[position].axis for (position,) in lost)
    assert all(abs(axes[axis] / 3000 - 1 / 3) < 0.035 for axis in INVENTORY.axes)
    italian = sum(TO_IT in conflict for conflict in drawn)
    dutch = sum(TO_NL in conflict for conflict in drawn)
    assert italian + dutch == axes["target-language"]
    assert abs(italian - dutch) < 4 * (italian + dutch) ** 0.5


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_rate_is_the_share_that_conflicts(rate):
    conflicts = sampler(rate=rate)
    places = np.arange(4000)
    chosen = conflicts.chosen(1, places)
    assert abs(chosen.mean() - rate) <= 4 * (rate * (1 - rate) / 4000) ** 0.5
    drawn = [draw(conflicts, 1, place, SAMPLE) is not None for place in range(500)]
    assert drawn == chosen[:500].tolist()


def test_choosing_does_not_depend_on_what_is_asked_together():
    conflicts = sampler(rate=0.5)
    together = conflicts.chosen(3, np.arange(50))
    assert together.tolist() == [bool(conflicts.chosen(3, np.array([i]))[0]) for i in range(50)]
    assert together[[7, 3]].tolist() == conflicts.chosen(3, np.array([7, 3])).tolist()


def test_draws_are_fresh_in_each_epoch_and_repeat_with_the_seed():
    def draws(epoch, seed=1):
        return [draw(sampler(rate=0.7, seed=seed), epoch, place, SAMPLE) for place in range(100)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert draws(1) != draws(1, seed=2)


def test_axes_are_parsed():
    assert parse_axes("all", INVENTORY) == ("target-language", "case", "punctuation")
    one_language = Inventory([LANGUAGES[0], *list(INVENTORY)[len(LANGUAGES) :]])
    assert parse_axes("all", one_language) == ("case", "punctuation")
    assert parse_axes(" case, punctuation,case", INVENTORY) == ("case", "punctuation")


def test_an_axis_without_instructions_is_refused():
    with pytest.raises(
        InputError,
        match="--conflict-axes: .*'style'; accepted: all, target-language, case, punctuation",
    ):
        parse_axes("case,style", INVENTORY)
    with pytest.raises(InputError, match="accepted: all, none, it is empty"):
        parse_axes("case", Inventory())


def test_a_single_target_language_has_no_wrong_one():
    with pytest.raises(InputError, match="one target language only"):
        parse_axes("target-language", Inventory(LANGUAGES[:1]))
    one_language = Inventory([LANGUAGES[0], *list(INVENTORY)[len(LANGUAGES) :]])
    with pytest.raises(InputError, match="one target language only"):
        parse_axes("case,target-language", one_language)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_outside_0_to_1_is_refused(rate):
    with pytest.raises(InputError, match="--conflict-rate .* from 0 to 1"):
        sampler(rate=rate)


def test_an_instruction_with_a_slot_is_swapped_out_but_never_in():
    inventory = Inventory(
        [Instruction("brief", "length"), Instruction("limit", "length", argument="number")]
    )
    sampler = ConflictSampler(inventory, ["length"], rate=1.0)
    for place in range(20):
        assert sampler.draw(1, place, (Request(1, (7, 8)),)) == (Request(0),)
        assert sampler.draw(1, place, (Request(0),)) == ()  # dropped


# -- conflicts whose targets are wrong --------------------------------------------------


def names_instead(name, *names):
    """What the inventory of these names asks for instead of one of them."""
    inventory = Inventory([look_up(name), *map(look_up, names)])
    return [None if i is None else inventory[i].name for i in wrong_instead(0, inventory)]


@pytest.mark.parametrize(
    "name, names, expected",
    [
        ("uppercase", ["lowercase"], ["lowercase"]),
        ("uppercase", [], [None]),  # a rule made the target: it is no plain translation
        ("simple-words", [], []),  # found in plain translations
        ("formal", [], []),  # labelled: a plain translation may be formal
        ("formal", ["informal"], ["informal"]),
        ("at-most", ["short", "long"], []),
        ("short", ["at-most"], []),
        ("short", ["long", "isometric"], ["long", "isometric"]),
        ("ascii", ["swiss"], [None]),
    ],
)
def test_what_an_instruction_is_changed_for(name, names, expected):
    assert names_instead(name, *names) == expected


def samples(instruction, language, sentences):
    """Targets that rules make, or find, in sentences, with their references and contexts."""
    source = "de" if language == "en" else "en"
    for number, sentence in enumerate(sentences):
        reference = sentence.texts[language]
        context = Context(sentence.texts[source], language)
        if instruction.draw is not None:
            drawn = instruction.draw(reference, context, random.Random(number))
            context = context._replace(argument=drawn)
        if instruction.natural:
            target = reference if instruction.obeys(reference, context) else None
        else:
            target = instruction.rewrite(reference, context)
        if target is not None:
            yield target, reference, context


@pytest.mark.parametrize("language", ["de", "en", "it", "ro"])
def test_no_target_is_right_under_the_conflict(language):
    """Of all instructions of the catalogue that rules make or find, in the sample corpus."""
    sentences = split({"train": 100}, seed=1)["train"]
    inventory = Inventory(catalogue().values())
    compared = 0
    for position, entry in enumerate(inventory):
        if entry.source_of_data == "labelled" or not entry.serves(language):
            continue
        own = list(samples(entry, language, sentences))
        for instead in wrong_instead(position, inventory):
            for target, reference, context in own:
                if instead is None:
                    assert target != reference, entry.name
                else:
                    other = inventory[instead]
                    assert not other.obeys(target, context), (entry.name, other.name, target)
                compared += 1
    assert compared > 1000


def test_axes_without_a_conflict_are_refused():
    inventory = Inventory([look_up("simple-words"), look_up("uppercase")])
    with pytest.raises(InputError, match="--conflict-axes vocabulary"):
        ConflictSampler(inventory, ["vocabulary"], 1.0)
    assert ConflictSampler(inventory, ["vocabulary", "case"], 1.0).left_out == ("simple-words",)


def test_lines_without_a_conflict_are_counted():
    """Of lines that have an instruction on the axes: `simple-words` alone makes none."""
    inventory = Inventory(map(look_up, ("simple-words", "uppercase", "lowercase")))
    sampler = ConflictSampler(inventory, ["vocabulary", "case"], 1.0)
    lines = {(): 7, (0,): 5, (1,): 3, (0, 2): 2}
    assert sampler.count_left_out(lines) == (5, 10)
