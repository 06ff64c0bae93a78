"""Names and arguments as users write them, and back."""

import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import (
    Request,
    Written,
    group_tokens,
    parse,
    parse_line,
    spell_line,
    split,
)

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.:-]{0,8}", fullmatch=True)
REQUESTS = st.lists(st.builds(Written, NAMES, st.none() | st.text(max_size=20)), max_size=4)


@pytest.mark.parametrize(
    "text, parsed",
    [
        (" formal,uppercase , ,", ("formal", "uppercase")),
        ("", ()),
        ("begin-with=Heute, uppercase", ('begin-with="Heute"', "uppercase")),
        ("begin-with = Heute Abend ,x", ('begin-with="Heute Abend"', "x")),
        ('begin-with="Heute, am Montag",x', ('begin-with="Heute, am Montag"', "x")),
        (r'avoid="a \"b\" \\"', (r'avoid="a \"b\" \\"',)),
        ("use-term=cough=Husten", ('use-term="cough=Husten"',)),
        ("in capital letters, formal", ("in capital letters", "formal")),
        ('as {"translation": "..."}', ('as {"translation": "..."}',)),
        ('begin with these words="a, b",x', ('begin with these words="a, b"', "x")),
    ],
)
def test_commas_separate_what_is_asked_for(text, parsed):
    assert parse(text) == parsed


@pytest.mark.parametrize(
    "text, parsed",
    [
        ("formal uppercase", ("formal", "uppercase")),
        (" formal  uppercase, formal", ("formal", "uppercase", "formal")),
        ("formal begin-with=so formal", ("formal", 'begin-with="so formal"')),
        ("begin-with=so formal", ('begin-with="so formal"',)),
        ("formal polite, uppercase", ("formal polite", "uppercase")),
    ],
)
def test_blanks_separate_known_names(text, parsed):
    assert parse(text, {"formal", "uppercase", "begin-with"}.__contains__) == parsed


@given(requests=REQUESTS)
@example(requests=[Written("a", '",b="\\'), Written("b", "")])
def test_any_argument_survives_quoting(requests):
    assert tuple(map(split, parse(", ".join(map(str, requests))))) == tuple(requests)


@given(requests=REQUESTS)
def test_a_line_of_a_stream_holds_any_argument(requests):
    line = " ".join(map(str, requests))
    assert tuple(map(split, parse_line(line))) == tuple(requests)


def test_arguments_are_spelled_and_names_are_not():
    line = 'uppercase begin-with="= formal" at-most=40'
    spelled = spell_line(line, lambda text: " ".join(text.replace(" ", "_")))
    assert spelled == "uppercase begin-with == =_ =f =o =r =m =a =l at-most =4 =0"
    assert group_tokens(spelled.split()) == [
        ("uppercase", ()),
        ("begin-with", tuple("=_formal")),
        ("at-most", ("4", "0")),
    ]
    assert spell_line("to:de formal", str.upper) == "to:de formal"


@given(requests=REQUESTS)
def test_no_argument_can_be_taken_for_an_instruction(requests):
    tokens = spell_line(" ".join(map(str, requests)), lambda text: text).split()
    assert [name for name, _ in group_tokens(tokens)] == [request.name for request in requests]


def test_an_argument_needs_an_instruction_before_it():
    with pytest.raises(InputError, match="'=x' stands before any instruction"):
        group_tokens(["=x", "formal"])


def test_a_request_is_compared_whole():
    asked = Request(3, "Heute", "begin with")
    assert asked == Request(3, "Heute", "begin with") == pickle.loads(pickle.dumps(asked))
    assert len({asked, Request(3), Request(3, "Morgen"), Request(3, "Heute"), 3}) == 5


def test_fairseq_moves_a_request_as_it_is():
    """It takes tuples apart on the way to a GPU."""
    utils = pytest.importorskip("fairseq.utils")
    batch = {"requests": [(Request(3, (7, 8)),)]}
    assert utils.apply_to_sample(lambda tensor: tensor, batch) == batch
