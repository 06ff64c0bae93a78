"""Several instructions at once: order-free, one an axis, applied from the inside out."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context, Inventory, catalogue, compose, rewrite, verify
from fairseq_instr.instructions.asking import Request, parse
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import excluding

SENTENCES = [
    line.split("\t")
    for line in Path(__file__).with_name("sentences.tsv").read_text(encoding="utf-8").splitlines()
]
INVENTORY = Inventory([look_up("to:de"), look_up("to:fr"), *catalogue().values()])
BY_RULE = [i for i in catalogue().values() if i.rewrite is not None]
PAIRS = [pair for pair in itertools.combinations(BY_RULE, 2) if pair[0].axis != pair[1].axis]


@pytest.mark.parametrize("language, column", [("en", 0), ("de", 1)])
def test_every_pair_of_rules_is_obeyed_where_both_apply(language, column):
    pairs = [p for p in PAIRS if all(i.serves(language) for i in p)]
    assert len(pairs) > 100
    contexts = [Context(source=row[1 - column], language=language) for row in SENTENCES]
    applicable = {
        i.name: {
            number
            for number, (row, context) in enumerate(zip(SENTENCES, contexts))
            if i.rewrite(row[column], context) is not None
        }
        for i in BY_RULE
        if i.serves(language)
    }
    disobeyed, never_made = [], []
    for pair in pairs:
        n_made = 0
        n_applicable = len(applicable[pair[0].name] & applicable[pair[1].name])
        for row, context in zip(SENTENCES, contexts):
            text = rewrite(pair, row[column], context)
            n_made += text is not None
            if text is not None and not all(verify(pair, text, context).values()):
                disobeyed.append((pair[0].name, pair[1].name, row[column], text))
        if n_applicable and not n_made:
            never_made.append((pair[0].name, pair[1].name))
    assert disobeyed == []
    assert never_made == []


def test_a_composition_on_literal_text():
    names = ["json", "uppercase", "ascii", "double-quotes", "exclamation", "digits", "html-bold"]
    instructions = [look_up(name) for name in names]
    context = Context(source="Three big dogs.", language="de")
    text = rewrite(instructions, "Drei größere Hunde.", context)
    assert text == '{"translation": "<b>\\"3 GROESSERE HUNDE!\\"</b>"}'
    assert verify(instructions, text, context) == dict.fromkeys(names, True)


def test_the_verdict_says_which_instruction_was_not_obeyed():
    instructions = [look_up("uppercase"), look_up("double-quotes"), look_up("note-label")]
    context = Context(source="A dog.", language="de")
    assert verify(instructions, '"Ein Hund."', context) == {
        "note-label": False,
        "double-quotes": True,
        "uppercase": False,
    }


def test_a_rule_that_does_not_apply_leaves_no_composed_reference():
    context = Context(source="A dog.", language="de")
    assert rewrite([look_up("uppercase"), look_up("digits")], "Ein Hund.", context) is None
    assert rewrite([look_up("uppercase"), look_up("formal")], "Ein Hund.", context) is None
    assert rewrite([], "Ein Hund.", context) == "Ein Hund."


@given(
    pair=st.sampled_from(PAIRS),
    text=st.text(max_size=30),
    source=st.text(max_size=30),
    language=st.sampled_from(["de", "en"]),
)
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_rewritten_and_judged(pair, text, source, language):
    if not all(i.serves(language) for i in pair):
        return
    context = Context(source=source, language=language)
    assert set(verify(pair, text, context)) == {i.name for i in pair}
    rewritten = rewrite(pair, text, context)
    assert rewritten == rewrite(pair[::-1], text, context)
    if rewritten is not None:
        assert all(verify(pair, rewritten, context).values())


@given(
    names=st.lists(st.sampled_from(INVENTORY.names), max_size=6),
    seed=st.randoms(use_true_random=False),
)
@settings(max_examples=200, deadline=None)
def test_the_order_of_names_says_nothing(names, seed):
    shuffled = list(names)
    seed.shuffle(shuffled)
    shared = excluding([INVENTORY[INVENTORY.position(name)] for name in set(names)])
    arguments = {"number": "=5", "text": '="a, b"', "pair": "=a=b", None: ""}
    by_name = {i.name: i.name + arguments[i.argument] for i in INVENTORY}
    names, shuffled = ([by_name[name] for name in order] for order in (names, shuffled))
    if shared is not None:
        for given_names in (names, shuffled):
            with pytest.raises(InputError, match="exclude each other"):
                compose(given_names, INVENTORY)
        return
    requests = compose(names, INVENTORY)
    assert requests == compose(shuffled, INVENTORY) == compose(names + names, INVENTORY)
    positions = [request.position for request in requests]
    assert positions == sorted(positions)
    assert {by_name[INVENTORY[i].name] for i in positions} == set(names)


def test_names_may_come_as_one_text():
    for text in ("uppercase, formal", "formal uppercase", "formal,uppercase,"):
        assert compose(text, INVENTORY) == compose(["formal", "uppercase"], INVENTORY)
    assert compose("", INVENTORY) == compose([], INVENTORY) == ()
    with pytest.raises(InputError, match="^--instruct: .*not closed"):
        compose('formal, begin-with="a, b', INVENTORY, "--instruct")


def test_an_unknown_name_is_refused_and_the_inventory_is_listed():
    with pytest.raises(InputError, match="--instruct: .*'uppercas'") as caught:
        compose(["formal", "uppercas"], INVENTORY, origin="--instruct")
    assert all(name in str(caught.value) for name in INVENTORY.names)
    with pytest.raises(InputError, match="the inventory is empty"):
        compose(["formal"], Inventory())


def test_an_instruction_without_a_verifier_cannot_be_judged():
    from_file = Inventory.from_dict(INVENTORY.to_dict())[2]  # a file holds no functions
    with pytest.raises(InputError, match="no verifier"):
        verify([from_file], "Ein Hund.", Context(language="de"))


def test_an_instruction_that_does_not_serve_the_language_is_neither_judged_nor_written():
    context = Context(source="Shut the door.", language="it")
    assert rewrite([look_up("telegraphic")], "Chiuda la porta.", context) is None
    with pytest.raises(InputError, match="formal.*'it'.*de, fr, nl"):
        verify([look_up("formal")], "Chiuda la porta.", context)
    assert verify([look_up("uppercase")], "CHIUDA LA PORTA.", context) == {"uppercase": True}


def test_a_request_carries_its_argument():
    asked = compose(["uppercase", "begin-with=Heute Abend"], INVENTORY)
    assert [INVENTORY[request.position].name for request in asked] == ["uppercase", "begin-with"]
    assert [request.argument for request in asked] == [None, "Heute Abend"]
    assert compose(["begin-with=a", 'begin-with="a"'], INVENTORY) == (
        Request(INVENTORY.position("begin-with"), "a"),
    )


def test_names_may_stand_between_blanks_too():
    expected = compose(["uppercase", "formal", "begin-with=Heute Abend"], INVENTORY)
    assert compose(['uppercase formal begin-with="Heute Abend"'], INVENTORY) == expected
    assert compose(["formal", 'uppercase  begin-with="Heute Abend"'], INVENTORY) == expected
    # the words of an argument are its own
    assert compose(["begin-with=so formal"], INVENTORY)[0].argument == "so formal"
    with pytest.raises(InputError, match="'formal polite'"):
        compose(["formal polite"], INVENTORY)


@pytest.mark.parametrize(
    "names, message",
    [
        (["begin-with"], 'needs an argument: write begin-with="..."'),
        (["uppercase=x"], "'uppercase' takes no argument"),
        (["begin-with=a", "begin-with=b"], "begin-with is given twice, with a and with b"),
        (["at-most=5", "short"], "axis length"),
        (["formal", "uppercase", "informal"], "formal and informal .*axis formality"),
        (["in capitol letters"], "did you mean .*'in capital letters'"),
        (["at-most=-5"], "give a number"),
        (['begin-with="a'], "is not closed"),
    ],
)
def test_what_does_not_compose_is_named(names, message):
    with pytest.raises(InputError, match=f"^--instruct: .*{message}"):
        compose(names, INVENTORY, origin="--instruct")


def test_what_is_found_composes_with_what_is_made():
    context = Context(source="It is a big dog.", language="de")
    short, capitals = look_up("short"), look_up("uppercase")
    opening = look_up('begin-with="Ein Hund"')
    asked = [capitals, short, opening]
    assert rewrite(asked, "Ein Hund.", context) == "EIN HUND."  # 9 characters for 16
    assert rewrite([short], "Ein Hund.", context) == "Ein Hund."
    assert rewrite([short, look_up("double-quotes")], "Ein sehr großer Hund.", context) is None
    assert verify(asked, "EINE HÜNDIN.", context) == {
        "uppercase": True, "short": True, "begin-with": False,
    }  # fmt: skip


def test_phrases_ask_for_what_they_say():
    by_phrase = compose(["In Capital  letters", "begin with these words=Heute"], INVENTORY)
    assert by_phrase == compose(["uppercase", "begin-with=Heute"], INVENTORY)
    for instruction in INVENTORY:
        for phrase in instruction.phrases:
            assert INVENTORY[INVENTORY.find(phrase)] == instruction
            assert parse(phrase) == (phrase,)
    assert "did you mean" not in str(pytest.raises(InputError, INVENTORY.find, "xyzzy").value)
