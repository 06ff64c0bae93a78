"""What a conflict swaps, and that it can be drawn again."""

import dataclasses
import random
import shutil
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.conflicts import (
    ConflictSampler,
    parse_axes,
    parse_languages,
    parse_swapped,
    wrong_instead,
)
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.catalogue import catalogue, look_up
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.prompts.templates import Template, TemplatePrompt
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


def draw(sampler, epoch, place, own):
    """Positions of the conflict's instructions, by those of the sample's."""
    conflict = sampler.draw(epoch, place, tuple(map(Request, own)))
    return None if conflict is None else tuple(r.position for r in conflict.requests)


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
    assert len(parse_swapped("to:it to:de", axes, INVENTORY)) == 2
    conflicts = ConflictSampler(INVENTORY, axes, 1.0, only=only)
    conflict = draw(conflicts, 1, place, own)
    assert conflicts.applies(tuple(map(Request, own))) == (conflict is not None) == (TO_IT in own)
    if conflict is not None:
        (gained,) = set(conflict) - set(own)
        assert gained in (TO_DE, TO_NL)


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
    chosen = conflicts.chosen(1, np.arange(4000))
    assert abs(chosen.mean() - rate) <= 4 * (rate * (1 - rate) / 4000) ** 0.5
    drawn = [draw(conflicts, 1, place, SAMPLE) is not None for place in range(500)]
    assert drawn == chosen[:500].tolist()
    # whatever else is asked about
    assert conflicts.chosen(1, np.array([7, 3])).tolist() == chosen[[7, 3]].tolist()


def test_draws_are_fresh_in_each_epoch_and_repeat_with_the_seed():
    def draws(epoch, seed=1):
        return [draw(sampler(rate=0.7, seed=seed), epoch, place, SAMPLE) for place in range(100)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert draws(1) != draws(1, seed=2)


ONE_LANGUAGE = Inventory([LANGUAGES[0], *list(INVENTORY)[len(LANGUAGES) :]])


def test_axes_are_parsed():
    assert parse_axes("all", INVENTORY) == ("target-language", "case", "punctuation")
    assert parse_axes("all", ONE_LANGUAGE) == ("case", "punctuation")
    assert parse_axes(" case, punctuation,case", INVENTORY) == ("case", "punctuation")


@pytest.mark.parametrize(
    "function, arguments, named",
    [
        (parse_axes, ("case,style", INVENTORY), "--conflict-axes.*'style'.*punctuation"),
        (parse_axes, ("case", Inventory()), "--conflict-axes.*'case'"),
        (parse_axes, ("all", Inventory()), "--conflict-axes 'all'"),
        (parse_axes, ("all", Inventory(LANGUAGES[:1])), "--conflict-axes 'all'"),
        (parse_axes, (" , ", INVENTORY), "--conflict-axes"),
        (parse_axes, ("case,target-language", ONE_LANGUAGE), "--conflict-axes case,target"),
        (parse_swapped, ("uppercase", ("target-language",), INVENTORY), "'uppercase'.*to:de"),
        *((parse_languages, (text, INVENTORY), "--conflict-languages")
          for text in ("fr:1", "de", "de:0", "de:1,de:2", "german:1")),
    ],
)  # fmt: skip
def test_values_that_are_not_accepted_are_named(function, arguments, named):
    with pytest.raises(InputError, match=named):
        function(*arguments)


@pytest.mark.parametrize(
    "options, named",
    [
        *(({"rate": rate}, "--conflict-rate") for rate in (-0.1, 1.1, float("nan"))),
        ({"copies": 1.5}, "--conflict-copies 1.5"),
        ({"languages": {"en": 1.0}}, "--conflict-languages.*target-language"),
        ({"copies": 0.1}, "--conflict-copies.*target-language"),
    ],
)
def test_shares_and_axes_that_do_not_fit_are_named(options, named):
    with pytest.raises(InputError, match=named):
        ConflictSampler(INVENTORY, ("case",), **{"rate": 1.0, **options})


def test_an_instruction_with_a_slot_is_swapped_out_but_never_in():
    inventory = Inventory(
        [Instruction("brief", "length"), Instruction("limit", "length", argument="number")]
    )
    sampler = ConflictSampler(inventory, ["length"], rate=1.0)
    for place in range(20):
        assert sampler.draw(1, place, (Request(1, (7, 8)),)).requests == (Request(0),)
        assert sampler.draw(1, place, (Request(0),)).requests == ()  # dropped


# -- conflicts whose targets are wrong --------------------------------------------------


@pytest.mark.parametrize(
    "names, expected",
    [
        ("uppercase lowercase", ["lowercase"]),
        ("uppercase", [None]),  # a rule made the target: it is no plain translation
        ("simple-words", []),  # found in plain translations
        ("formal", []),  # labelled: a plain translation may be formal
        ("formal informal", ["informal"]),
        ("at-most short long", []),
        ("short at-most", []),
        ("short long isometric", ["long", "isometric"]),
        ("ascii swiss", [None]),
        ("to:pt-BR to:pt to:de", ["to:de"]),  # much text is right in both
        ("to:pt-BR to:pt", []),
        ("to:zho_Hans to:zho_Hant to:zh", ["to:zho_Hant"]),
        ("to:nb to:no to:nn", ["to:nn"]),
    ],
)
def test_what_an_instruction_is_changed_for(names, expected):
    inventory = Inventory(map(look_up, names.split()))
    found = [None if i is None else inventory[i].name for i in wrong_instead(0, inventory)]
    assert found == expected


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


def test_lines_without_a_conflict_are_counted():
    """Of lines that have an instruction on the axes: `simple-words` alone makes none."""
    inventory = Inventory(map(look_up, ("simple-words", "uppercase", "lowercase")))
    with pytest.raises(InputError, match="--conflict-axes vocabulary"):
        ConflictSampler(inventory, ["vocabulary"], 1.0)
    sampler = ConflictSampler(inventory, ["vocabulary", "case"], 1.0)
    assert sampler.left_out == ("simple-words",)
    lines = {(): 7, (0,): 5, (1,): 3, (0, 2): 2}
    assert sampler.count_left_out(lines) == (5, 10)


# -- languages with weights, and copies -------------------------------------------------

FOUR = Inventory([Instruction(f"to:{c}", "target-language") for c in ("en", "de", "it", "nl")])
N = 3000


def drawn(target, source, languages=None, copies=0.0):
    """Wrong languages of N conflicts of a sample, and how many of them are copies."""
    weights = languages and parse_languages(languages, FOUR)
    sampler = ConflictSampler(FOUR, ("target-language",), 1.0, languages=weights, copies=copies)
    asked = (Request(FOUR.position(f"to:{target}")),)
    found = [sampler.draw(1, place, asked, source) for place in range(N)]
    languages = Counter(FOUR[request.position].name[3:] for c in found for request in c.requests)
    return {code: count / N for code, count in languages.items()}, found


@pytest.mark.parametrize(
    "weights, source, target, shares",
    [
        ("source:1,en:3", "it", "nl", {"it": 0.25, "en": 0.75}),
        ("source:1,en:1,other:2", "it", "nl", {"it": 0.25, "en": 0.25, "de": 0.5}),
        # English is the source's language: it has both weights
        ("source:1,en:1,other:2", "en", "it", {"en": 0.5, "de": 0.25, "nl": 0.25}),
        # English is right and no wrong one
        ("source:1,en:1,other:2", "it", "en", {"it": 1 / 3, "de": 1 / 3, "nl": 1 / 3}),
        # text of one language: its source's language is right
        ("source:1,en:1", "it", "it", {"en": 1.0}),
        ("source:1,en:1", "en", "en", {"de": 1 / 3, "it": 1 / 3, "nl": 1 / 3}),
        ("other:1", "it", "nl", {"en": 0.5, "de": 0.5}),
        (None, "it", "nl", {"en": 1 / 3, "de": 1 / 3, "it": 1 / 3}),
    ],
)
def test_wrong_languages_have_the_shares_that_are_stated(weights, source, target, shares):
    found, _ = drawn(target, source, weights)
    assert found.keys() == shares.keys()
    assert all(abs(found[code] - share) < 0.04 for code, share in shares.items())  # 4 se


def test_a_copy_is_asked_for_in_any_language_but_its_own():
    found, conflicts = drawn("en", "it", copies=0.4)
    n_copies = sum(conflict.copies for conflict in conflicts)
    assert abs(n_copies / N - 0.4) < 0.04
    of_copies = Counter(c.requests[0].position for c in conflicts if c.copies)
    assert {FOUR[i].name for i in of_copies} == {"to:en", "to:de", "to:nl"}
    assert all(abs(n / n_copies - 1 / 3) < 0.06 for n in of_copies.values())
    others = {FOUR[c.requests[0].position].name for c in conflicts if not c.copies}
    assert others == {"to:de", "to:it", "to:nl"}
    # text of one language has none
    assert not any(conflict.copies for conflict in drawn("it", "it", copies=1.0)[1])


def test_a_copy_is_not_wrong_in_a_variant_of_its_language():
    inventory = Inventory(map(look_up, ("to:pt-BR", "to:pt", "to:de")))
    sampler = ConflictSampler(inventory, ("target-language",), 1.0, copies=1.0)
    for place in range(20):
        conflict = sampler.draw(1, place, [Request(0)], source="pt")
        assert conflict.copies and conflict.requests == (Request(2),)


def test_an_untranslated_line_keeps_its_other_conflicts():
    for place in range(20):
        own = [Request(TO_DE), Request(UPPERCASE)]
        conflict = sampler().draw(1, place, own, "en", untranslated=True)
        assert conflict.requests == (Request(TO_DE), Request(LOWERCASE))


def test_shares_change_no_draw_that_has_none():
    assert drawn("en", "it")[1] == drawn("en", "it", "de:1,it:1,nl:1")[1]
    without = ConflictSampler(FOUR, ("target-language",), 0.5)
    copying = ConflictSampler(FOUR, ("target-language",), 0.5, copies=0.3)
    asked = (Request(0),)
    for place in range(200):
        plain, copied = (s.draw(2, place, asked, "it") for s in (without, copying))
        assert (plain is None) == (copied is None)
        assert copied is None or copied.copies or copied == plain


def test_conflicts_that_read_as_their_samples_are_refused():
    def prompt(text):
        template = Template.from_dict({"prompt": text}, "test")
        return TemplatePrompt(template, INVENTORY, lambda text: list(map(ord, text)))

    sampler().check_prompts(prompt("{instructions}: {source}"))
    with pytest.raises(InputError, match="--conflict-axes.*'to:de'.*'to:it'.*--prompt-template"):
        sampler().check_prompts(prompt("Say it in German: {source}"))
    with pytest.raises(InputError, match="'exclaim'"):
        sampler("punctuation").check_prompts(prompt("{source}"))


# -- in a dataset -----------------------------------------------------------------------


@pytest.fixture
def load_both_ways(own_data_bin, make_task):
    """Pairs in both directions."""
    shutil.rmtree(own_data_bin / "task")
    directions = [Instruction(f"to:{code}", "target-language") for code in ("en", "de", "fr")]
    Inventory(directions).save(own_data_bin / "instructions.yaml", force=True)

    def load(*options):
        task = make_task("--lang-pairs", "en-de,de-en", *options, data=own_data_bin)
        task.load_dataset("train")
        return task.datasets["train"]

    return load


def test_training_data_without_any_conflict_are_refused(load_both_ways, make_task):
    with pytest.raises(InputError, match="--conflict-axes.*--direction-instruction"):
        load_both_ways("--conflict-axes", "target-language", "--direction-instruction", "never")
    task = make_task("--conflict-axes", "case", "--mixture", "parallel:1")
    with pytest.raises(InputError, match="--conflict-axes"):
        task.load_dataset("train")
    task.load_dataset("valid")  # no conflict is needed there


def test_a_copy_has_the_source_as_its_target(load_both_ways):
    axes = ("--conflict-axes", "target-language")
    plain, dataset = load_both_ways(*axes), load_both_ways(*axes, "--conflict-copies", 1.0)
    batch = dataset.collater([dataset[place] for place in range(len(dataset))])
    conflicts = batch["conflicts"]
    assert len(conflicts["positive"]) == len(dataset)
    assert conflicts["target"].size(1) == batch["target"].size(1)
    assert conflicts["copies"].all()
    for row, positive in enumerate(conflicts["positive"].tolist()):
        target, source = conflicts["target"][row], batch["sources"][positive].tolist()
        assert target[target.ne(dataset.pad)].tolist() == source
        # teacher forcing reads the copy, too
        previous = conflicts["net_input"]["prev_output_tokens"][row]
        assert previous[1 : len(source)].tolist() == source[:-1]
    for place in range(len(dataset)):
        assert "conflict" in plain[place]
        # the positive is what it was
        assert plain[place]["target"].equal(dataset[place]["target"])


@pytest.mark.parametrize("copies", [0.0, 1.0])
def test_a_line_that_is_its_own_translation_has_no_conflict(load_both_ways, copies):
    dataset = load_both_ways("--conflict-axes", "target-language", "--conflict-copies", copies)
    for corpus in dataset.corpora:
        corpus.dataset = dataclasses.replace(corpus.dataset, tgt=corpus.dataset.src)
    assert not any("conflict" in dataset[place] for place in range(len(dataset)))


@pytest.mark.parametrize(
    "options",
    [
        ("--conflict-copies", 0.5),
        ("--conflict-languages", "en:1"),
        ("--conflict-axes", "target-language", "--conflict-languages", "xx:1"),
        ("--conflict-axes", "target-language", "--conflict-copies", 2.0),
        ("--conflict-axes", "target-language", "--conflict-copies", 1.0,
         "--max-source-positions", 65),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_named(load_both_ways, options):
    with pytest.raises(InputError, match=options[-2] if "max" not in options[-2] else options[2]):
        load_both_ways(*options)
