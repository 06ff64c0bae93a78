"""Formats that source and target carry: their share, what samples look like, what is refused."""

import collections
import functools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairseq_instr.curation.aligned_text import Chunk
from fairseq_instr.curation.curators import FORMATTED, Curation
from fairseq_instr.curation.formats import AMBIGUOUS, MARKS, OWN_LABEL, Formats
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context, catalogue
from fairseq_instr.instructions.composition import rewrite, verify

LANGUAGES = ("en", "de")
AXES = (*MARKS, "courtesy", "separation", "label", "punctuation", "layout")
PAIRS = [(f"The boy sees {i} dogs.", f"Der Junge sieht {i} Hunde.") for i in range(300)]
SOURCES = {source for source, _ in PAIRS}


def samples_of(names, formatted, seed=1, pairs=PAIRS, n_samples=200, axes=AXES, **checks):
    """Samples by instruction, of pairs in memory."""
    instructions = [catalogue()[name] for name in names]
    counts = dict.fromkeys((*names, FORMATTED), n_samples)
    formats = Formats(formatted, LANGUAGES, seed, axes) if formatted else None
    curation = Curation(instructions, "de", counts, seed, formats=formats, **checks)
    sides = zip(*((source.encode(), target.encode()) for source, target in pairs))
    curation.add(Chunk(0, *map(list, sides)))
    return {c.instruction.name: c.finish() for c in curation.curators}


def test_the_base_rate_is_that_of_plain_pairs():
    same_length = [(f"A dog {i}", f"Ein Dg{i}") for i in range(100, 200)]
    formats = Formats(1.0, LANGUAGES, 1, ("layout",))
    curation = Curation(
        [catalogue()["isometric"]], "de", {"isometric": 9, FORMATTED: 9}, formats=formats
    )
    sides = zip(*((source.encode(), target.encode()) for source, target in same_length))
    curation.add(Chunk(0, *map(list, sides)))
    assert curation.curators[0].base_rate_pairs == curation.curators[0].obeyed == 100


def test_some_carry_a_format_and_ask_for_nothing():
    found = samples_of(("uppercase",), 0.5)
    assert FORMATTED not in samples_of(("uppercase",), 0.0)
    assert len(found[FORMATTED]) > 50
    for sample in found[FORMATTED][:20]:
        number = re.search("[0-9]+(?= (<eol> |/ )?dogs|_dogs)", sample.source).group()
        assert sample.instruction == "" and number in sample.target
        assert (sample.source, sample.target) not in PAIRS and carried(sample.source)


@functools.lru_cache(maxsize=None)
def formatted_sources():
    """A source in a format -> the instructions whose marks it carries."""
    found = collections.defaultdict(set)
    for instruction in catalogue().values():
        if instruction.axis in AXES and instruction.name not in AMBIGUOUS:
            for plain in SOURCES:
                found[instruction.rewrite(plain, Context(plain, "en"))].add(instruction)
    return found


def carried(source):
    """The instructions whose marks a source carries, and the label that is none's."""
    found = formatted_sources().get(source)
    label, _, rest = source.partition(": ")
    return found or ({OWN_LABEL.bind(label)} if rest in SOURCES else set())


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_carries_a_format(share):
    formats = Formats(share, LANGUAGES)
    chosen = [formats.choose(number) for number in range(4000)]
    assert sum(c is not None for c in chosen) / 4000 == pytest.approx(share, abs=0.03)
    assert chosen == [formats.choose(number) for number in range(4000)]
    assert share == 0 or len(set(chosen)) > 10


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(1, 1000))
def test_source_and_target_carry_the_same_marks_and_the_instruction_is_obeyed(seed):
    names = ("uppercase", "picture-label", "html-bold")
    samples = samples_of(names, 1.0, seed)
    for name in names:
        # some formats are not for these sentences
        found = [s for s in samples[name] if s.source not in SOURCES]
        instruction = catalogue()[name]
        assert len(found) > 100
        for sample in found[:10]:
            assert sample.instruction == name
            context = Context(sample.source, "de")
            assert any(
                all(verify((instruction, format), sample.target, context).values())
                for format in carried(sample.source)
            )


def test_the_order_of_the_text_changes_nothing():
    found = [
        samples_of(("uppercase",), 0.5, pairs=pairs, n_samples=20) for pairs in (PAIRS, PAIRS[::-1])
    ]
    for name in ("uppercase", FORMATTED):
        assert sorted(found[0][name]) == sorted(found[1][name])


def test_what_stands_outside_stays_outside_and_each_side_has_the_words_of_its_language():
    found = samples_of(("uppercase",), 1.0)["uppercase"]
    bold = next(s for s in found if "<b>" in s.source)
    assert bold.target.startswith("<b>DER JUNGE SIEHT ") and bold.target.endswith(" HUNDE.</b>")
    greeted = [s for s in found if "Hello" in s.source]
    assert greeted[0].source.startswith("Hello! The boy sees ")
    assert greeted[0].target.startswith("GUTEN TAG! DER JUNGE SIEHT ")


@pytest.mark.parametrize("axes", [None, ("courtesy",), AXES])
def test_formats_are_those_of_the_axes(axes):
    """Those of marks where none are given."""
    formats = Formats(1.0, LANGUAGES, **({"axes": axes} if axes else {}))
    axes = axes or MARKS
    drawn = {formats.choose(n) for n in range(2000)}
    assert {format.axis for format in drawn - {OWN_LABEL}} == {*axes}
    assert "single-quotes" not in {format.name for format in drawn}  # an apostrophe is the same
    assert (OWN_LABEL in drawn) == ("label" in axes)


@pytest.mark.parametrize(
    "axis, languages",
    [
        ("courtesy", ("ja", "de")),  # no greeting is known in Japanese
        ("length", LANGUAGES),  # found, not made
        ("formality", LANGUAGES),  # comes with labels
        ("colour", LANGUAGES),
    ],
)
def test_an_axis_without_formats_in_both_languages_is_refused(axis, languages):
    with pytest.raises(InputError, match=f"--format-axes.*{axis}.*accepted: brackets, .*quotation"):
        Formats(0.5, languages, axes=("quotation", axis))
    with pytest.raises(InputError, match="--format-axes"):
        Formats(0.5, languages, axes=())


def test_half_of_the_labels_are_words_of_the_source_that_both_sides_keep():
    formats = Formats(1.0, LANGUAGES, axes=("label",))
    drawn = [formats.format(n, *PAIRS[n % 300]) for n in range(2000)]
    own = [(n, d) for n, d in enumerate(drawn) if d.format.name == OWN_LABEL.name]
    assert len(own) / 2000 == pytest.approx(0.5, abs=0.04)
    words = set()
    for n, (_, source, target) in own:
        word, _, text = source.partition(": ")
        assert (text, target) == (PAIRS[n % 300][0], f"{word}: {PAIRS[n % 300][1]}")
        words.add(word)
    assert words == {"Sees", "Dogs", "Sees dogs"}  # short words say little
    assert drawn == [formats.format(n, *PAIRS[n % 300]) for n in range(2000)]


@pytest.mark.parametrize("source", ["Note!", "Picture", "1 2 3.", ""])
def test_a_label_of_an_instruction_or_no_word_makes_no_label_of_its_own(source):
    formats = Formats(1.0, LANGUAGES, axes=("label",))
    own = [n for n in range(50) if formats.choose(n) is OWN_LABEL]
    assert own and all(formats.format(n, source, "Ziel") is None for n in own)


@pytest.mark.parametrize(
    "name, target",
    [
        ("uppercase", "DOGS: DER JUNGE SIEHT 7 HUNDE."),
        ("double-quotes", '"Dogs: Der Junge sieht 7 Hunde."'),
        ("greeting", "Guten Tag! Dogs: Der Junge sieht 7 Hunde."),
        ("note-label", "Hinweis: Dogs: Der Junge sieht 7 Hunde."),
        ("no-punctuation", None),  # the colon would be lost
    ],
)
def test_a_label_of_its_own_is_a_part_of_the_text(name, target):
    instructions = (catalogue()[name], OWN_LABEL.bind("Dogs"))
    context = Context("The boy sees 7 dogs.", "de")
    assert rewrite(instructions, "Der Junge sieht 7 Hunde.", context) == target


def test_a_side_that_can_not_carry_it_leaves_the_pair_as_it_is():
    """One word has nothing to separate."""
    formats = Formats(1.0, LANGUAGES, axes=("separation",))
    underscored = next(n for n in range(1000) if formats.choose(n).name == "underscores")
    assert formats.format(underscored, "Two dogs.", "Hunde.") is None
    found = formats.format(underscored, "Two dogs.", "Zwei Hunde.")
    assert found[1:] == ("Two_dogs.", "Zwei_Hunde.")


def test_what_is_found_in_the_text_is_found_without_formats():
    """The marks of a source would count in its length."""
    long = [(f"See {i}!", f"Da sind jetzt {i} Hunde.") for i in range(50)]
    found = samples_of(("long",), 1.0, pairs=long, axes=MARKS)
    assert {(s.source, s.target) for s in found["long"]} == set(long)
    assert len(found[FORMATTED]) == 50


def test_no_two_of_an_axis():
    markup = catalogue()["html-bold"].axis
    for sample in samples_of(("html-bold",), 1.0)["html-bold"]:
        assert all(format.axis != markup for format in carried(sample.source))


def test_a_source_is_quoted_with_its_marks():
    """But for marks that would stand around both texts and in one, as they are or escaped."""
    found = samples_of(("bilingual",), 1.0)["bilingual"]
    layout = catalogue()["bilingual"].layer
    (bold,) = [s for s in found if s.source.startswith("<b>")][:1]
    source, target = bold.target.split(" ||| ")
    assert source == bold.source and target.startswith("<b>Der Junge sieht ")
    for sample in found:
        assert all(format.layer < layout for format in carried(sample.source))
        assert "&lt;" not in sample.target and "translation" not in sample.target


def test_test_sets_are_found_through_the_marks():
    """Filters see the pair as it stands in the text."""
    seen = []

    def note(source, target):
        seen.append((source, target))

    samples_of(("uppercase",), 1.0, n_samples=5, filters=(note,))
    assert seen and set(seen) <= set(PAIRS)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_nothing_and_all(share):
    with pytest.raises(InputError, match=f"--formatted {share}"):
        Formats(share, LANGUAGES)
