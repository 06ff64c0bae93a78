"""Letters are written one way, words found whole, text folded to ASCII."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.text.letters import (
    any_of,
    canonical,
    fold_to_ascii,
    has_words,
    same_words,
    whole_words,
)


@pytest.mark.parametrize(
    "text, language, folded",
    [
        ("größer, Über ẞ", "de", "groesser, Ueber SS"),
        ("größer", "de_AT", "groesser"),
        ("GRÖßE, ÜBUNG, Ä", "de", "GROESSE, UEBUNG, Ae"),
        ("ŒUVRE, Œuvre", "fr", "OEUVRE, Oeuvre"),
        ("größer", "nl", "grosser"),
        ("„Cœur“ – naïve…", "fr", '"Coeur" - naive...'),
        ("Șapte țări, şapte", "ro", "Sapte tari, sapte"),
        (unicodedata.normalize("NFD", "größer"), "de", "groesser"),
    ],
)
def test_text_is_folded_to_ascii(text, language, folded):
    assert fold_to_ascii(text, language) == folded


@given(st.text())
def test_there_is_one_way_to_write_a_text(text):
    assert canonical(canonical(text)) == canonical(text)
    assert canonical(unicodedata.normalize("NFD", text)) == canonical(text)
    assert canonical("şi ţară") == "și țară"


@pytest.mark.parametrize(
    "text, other, same",
    [("Ein Hund!", "EIN  HUND", True), ("Straße", "STRASSE", True), ("isst", "ist", False),
     ("...", "...", False), ("", "", False)],
)  # fmt: skip
def test_the_same_words_are_in_any_case_with_any_marks(text, other, same):
    assert same_words(text, other) is same


def test_words_are_found_whole_the_longest_first_and_folded():
    words = whole_words(any_of(["zwei", "zwei drei", "fünf"]), "de")
    assert words.findall("Zwei  drei, zweite, FUENF, fünf, zwei") == [
        "Zwei  drei", "FUENF", "fünf", "zwei",
    ]  # fmt: skip
    assert not whole_words("fünf").search("fuenf")
    assert has_words("-5") and not has_words("– …")
