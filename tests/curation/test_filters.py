"""What keeps a pair out, whatever the instruction."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.curation.filters import (
    CONTROL,
    EMPTY,
    IN_TEST_SET,
    LENGTH_RATIO,
    SOURCE_LANGUAGE,
    TARGET_LANGUAGE,
    in_languages,
    length_ratio,
    normalised,
    not_in,
    well_formed,
)
from fairseq_instr.errors import InputError


@pytest.mark.parametrize(
    "source, target, reason",
    [
        ("a", "b", None),
        ("", "b", EMPTY),
        ("a", " \u3000", EMPTY),
        ("a\tb", "c", CONTROL),
        ("a", "b\rc", CONTROL),
        ("a", "b\u2028c", CONTROL),
        ("a\u00a0b", "c", None),
    ],
)
def test_what_breaks_a_line_or_a_field(source, target, reason):
    assert well_formed(source, target) == reason


def test_lengths_may_differ_by_a_ratio_and_some_characters():
    check = length_ratio(3)
    assert check("x" * 5, "y" * 45) is None  # 60 to 20
    assert check("x" * 5, "y" * 46) == LENGTH_RATIO
    assert check("y" * 46, "x" * 5) == LENGTH_RATIO
    for limit in (1, 0, -2, float("nan")):
        with pytest.raises(InputError, match="--max-length-ratio"):
            length_ratio(limit)


def test_lines_of_test_sets_are_found_whatever_their_case_and_punctuation(tmp_path):
    plain, packed = tmp_path / "test.en", tmp_path / "test.de.gz"
    plain.write_text("A dog, and a cat.\n\n", encoding="utf-8")
    packed.write_bytes(gzip.compress("Ein großer Hund!\n".encode()))
    check = not_in([plain, packed])
    assert check("a DOG and a cat", "x") == IN_TEST_SET
    assert check("x", "EIN GROSSER HUND") == IN_TEST_SET
    assert check("A dog and a cow.", "Ein Hund") is None
    assert check("...", "?") is None  # as empty as the empty line of the test set
    packed.write_bytes(gzip.compress(b"a\n\xff\n"))
    with pytest.raises(InputError, match="line 2 is not UTF-8"):
        not_in([packed])


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    assert normalised(normalised(text)) == normalised(text)


def test_languages_are_told_apart():
    english, german = "The woman is standing in the street.", "Die Frau steht auf der Straße."
    check = in_languages("en", "de")
    assert check(english, german) is None
    assert check(german, english) == SOURCE_LANGUAGE
    assert check(english, english) == TARGET_LANGUAGE
    # of capitals and markup, what they say
    assert check(f"<b>{english.upper()}</b>", f'{{"translation": "{german.upper()}"}}') is None
    assert check(english.upper(), english.upper()) == TARGET_LANGUAGE
    assert check("12 : 3", "12 : 3") is None
    with pytest.raises(InputError, match="--identify-language.*tlh"):
        in_languages("en", "tlh")
