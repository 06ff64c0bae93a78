import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.named import check_named, parse_named


def test_a_value_may_hold_what_stands_between_name_and_value():
    entries = ["a=x.pt,y.pt", "b-2=--instruct to:de=x"]
    assert parse_named(entries, "--systems", "X") == {"a": "x.pt,y.pt", "b-2": "--instruct to:de=x"}


@pytest.mark.parametrize("entries", [["a"], ["a="], ["=x"], ["a=x", "a=y"], ["../a=x"], ["base=x"]])
def test_what_is_no_name_of_a_folder_of_its_own_is_refused(entries):
    with pytest.raises(InputError, match=r"--systems .* give NAME=CHECKPOINT, .*, not base$"):
        parse_named(entries, "--systems", "CHECKPOINT", ["base"])


def test_names_that_no_system_has_are_listed():
    check_named("--pivot", ["b"], {"a": 1, "b": 2})
    with pytest.raises(InputError, match="--pivot: c, d is not among --systems a, b"):
        check_named("--pivot", ["c", "a", "d"], {"a": 1, "b": 2})
