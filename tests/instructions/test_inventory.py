"""The inventory file: round trip, refusal of hostile files, what a trained model accepts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.inventory import MAX_INSTRUCTIONS, did_you_mean, direction
from fairseq_instr.plain_data import MAX_FILE_BYTES

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.:-]{0,20}", fullmatch=True)
INSTRUCTIONS = st.builds(
    Instruction,
    name=NAMES,
    axis=NAMES,
    phrases=st.lists(st.text(max_size=20), max_size=3).map(tuple),
)
INVENTORIES = st.lists(INSTRUCTIONS, max_size=6, unique_by=lambda i: i.name).map(Inventory)

FORMAL = Instruction("formal", "formality")
UPPER = Instruction("uppercase", "case")
LOWER = Instruction("lowercase", "case")


@given(inventory=INVENTORIES)
@settings(max_examples=100, deadline=None)
def test_an_inventory_comes_back_from_its_file(inventory, tmp_path_factory):
    path = tmp_path_factory.mktemp("inventory") / "instructions.yaml"
    inventory.save(path)
    loaded = Inventory.load(path)
    assert loaded == inventory
    assert loaded.names == inventory.names  # in order
    assert loaded.symbols == inventory.symbols
    assert len(set(loaded.symbols)) == len(loaded)


def test_names_stay_as_they_are(tmp_path):
    """Those that YAML takes for other types, and codes of languages with their capitals."""
    names = ["no", "null", "1e3", "0x10", "2026-11-21", "1.5", "12:30", "true", "010"]
    codes = ("de_DE", "deu_Latn", "zh-CN", "sr_Cyrl_RS", "de")
    names += map(direction, codes)
    inventory = Inventory([Instruction(name, "on") for name in names])
    inventory.save(tmp_path / "instructions.yaml")
    loaded = Inventory.load(tmp_path / "instructions.yaml")
    assert (loaded.names, loaded.target_languages) == (tuple(names), codes)


def test_a_file_is_not_overwritten_without_force(tmp_path):
    path = tmp_path / "instructions.yaml"
    Inventory([FORMAL]).save(path)
    with pytest.raises(InputError, match="--force"):
        Inventory([UPPER]).save(path)
    assert Inventory.load(path).names == ("formal",)
    Inventory([UPPER]).save(path, force=True)
    assert Inventory.load(path).names == ("uppercase",)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "formal",
        "instructions: [formal]",
        "instructions: [{name: formal}]",
        "instructions: [{name: 7, axis: formality}]",
        "instructions: [{name: no, axis: formality}]",
        "instructions: [{name: Formal, axis: formality}]",
        "instructions: [{name: De_DE, axis: formality}]",
        "instructions: [{name: 'to:DE', axis: formality}]",
        "instructions: [{name: 'to:', axis: target-language}]",
        "instructions: [{name: 'in:de_DE', axis: formality}]",
        "instructions: [{name: 'for mal', axis: formality}]",
        "instructions: [{name: '', axis: formality}]",
        "instructions: [{name: formal, axis: formality, phrases: false}]",
        "instructions: [{name: formal, axis: a}, {name: formal, axis: b}]",
        "instructions: [{name: formal, axis: formality}",
        "instructions: [{name: formal, axis: formality}]\nextra: 1",
        "instructions: []\n---\ninstructions: []",
        "instructions: !!python/object/apply:os.system ['echo hostile']",
        "instructions: 2026-13-45",
        "instructions: &x [*x]",
        "instructions: \x00",
        "[" * 5000,
    ],
)
def test_what_is_no_inventory_is_refused_in_one_sentence(text, tmp_path):
    path = tmp_path / "instructions.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Inventory.load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message and len(message) < 1000


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing.yaml"):
        Inventory.load(tmp_path / "nothing.yaml")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(InputError, match="large.yaml"):
        Inventory.load(large)


def test_too_many_instructions_are_refused():
    with pytest.raises(InputError, match="at most"):
        Inventory(Instruction(f"i{n}", "axis") for n in range(MAX_INSTRUCTIONS + 1))


def test_positions_members_and_axes():
    inventory = Inventory([look_up("to:de"), UPPER, FORMAL, LOWER, look_up("to:fr")])
    assert inventory.position("formal") == 2
    assert inventory.members("case") == (1, 3)
    assert inventory.axes == ("target-language", "case", "formality")
    assert inventory.target_languages == ("de", "fr")
    assert direction("de") in inventory and "to:nl" not in inventory
    with pytest.raises(InputError, match="unknown instruction 'x'; accepted: to:de, uppercase"):
        inventory.position("x")


def test_a_phrase_of_several_instructions_is_refused_and_their_names_are_not():
    inventory = Inventory(map(look_up, ["to:pt", "to:pt-BR", "to:de"]))
    assert inventory.find("Into  german") == 2
    assert [inventory.find(name) for name in ("to:pt", "to:pt-BR")] == [0, 1]
    with pytest.raises(InputError, match="'to:pt' or 'to:pt-BR'"):
        inventory.find("into Portuguese")
    twice = Instruction("formal", "formality", ("Politely", "politely"))
    named = Instruction("informal", "formality", ("formal",))
    assert Inventory([twice, named]).find("politely") == 0
    assert Inventory([twice, named]).find("formal") == 0


def test_new_instructions_at_the_end_extend_a_trained_inventory():
    trained = Inventory([FORMAL, UPPER])
    polite = Instruction("formal", "formality", ("politely",))
    for extended in ([FORMAL, UPPER], [FORMAL, UPPER, LOWER], [polite, UPPER]):
        Inventory(extended).check_extends(trained, "tuned.pt")


@pytest.mark.parametrize(
    "changed, position, found",
    [
        ([UPPER, FORMAL], 1, "'uppercase' (axis case)"),
        ([FORMAL], 2, "nothing"),
        ([FORMAL, LOWER, UPPER], 2, "'lowercase' (axis case)"),
        ([FORMAL, Instruction("uppercase", "letters")], 2, "'uppercase' (axis letters)"),
        ([], 1, "nothing"),
    ],
)
def test_anything_else_does_not_extend_it(changed, position, found):
    with pytest.raises(InputError) as caught:
        Inventory(changed).check_extends(Inventory([FORMAL, UPPER]), "tuned.pt")
    message = str(caught.value)
    assert "tuned.pt" in message and f"position {position} holds {found}" in message


def test_a_name_that_is_also_a_phrase_is_proposed_once():
    assert did_you_mean("formall", ["formal", "formal"]).count("formal") == 1
