import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.text.places import check_places, fill


@given(st.text(), st.text())
def test_values_are_text_whatever_they_hold(source, target):
    filled = fill("{{{a}}}|{b}|{a}", {"a": source, "b": target})
    assert filled == "{" + source + "}|" + target + "|" + source


@pytest.mark.parametrize("text", ["{a}", "{b}{a}{b}", "{{{a}}}"])
def test_texts_with_their_places_are_accepted(text):
    check_places(text, ["a"], ["b"], "user")


@pytest.mark.parametrize(
    "text", ["", "{a}{a}", "{a}{c}", "{a}{}", "{a!r}", "{a:>9}", "{a.b}", "{a"]
)
def test_other_places_are_refused(text):
    with pytest.raises(InputError, match="^user"):
        check_places(text, ["a"], ["b"], "user")
