"""Trained phrases against unseen ones."""

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import evaluate
from fairseq_instr.evaluation.phrasings import choose_phrases, summarise_phrasings
from fairseq_instr.instructions import Instruction, Inventory, catalogue
from fairseq_instr.instructions.phrasing import PhrasedInventory

SOURCES = ["Two dogs run.", "A man reads.", "She sings.", "They sleep."]
REFERENCES = ["Zwei Hunde laufen.", "Ein Mann liest.", "Sie singt.", "Alle schlafen."]
PLAIN = dict(zip(SOURCES, REFERENCES))
NAMES = ("uppercase", "html-bold")
HELD_OUT = {"uppercase": ("all caps", "in capital letters"), "html-bold": ("bold in HTML",)}
INVENTORY = PhrasedInventory(
    [*(catalogue()[name] for name in NAMES), Instruction("formal", "formality")], HELD_OUT
)


def knows_trained_words(line, asked):
    """Obeys `uppercase` under all phrases but "all caps"; tags always."""
    if not asked or asked == "all caps":
        return PLAIN[line]
    name = INVENTORY[INVENTORY.find(asked)].name
    return f"<b>{PLAIN[line]}</b>" if name == "html-bold" else PLAIN[line].upper()


def test_phrases_are_those_of_instructions_that_have_some_of_every_kind():
    phrases = choose_phrases(INVENTORY, ("trained", "unseen"))
    assert phrases["unseen"] == {name: list(held_out) for name, held_out in HELD_OUT.items()}
    assert set(phrases["trained"]) == set(NAMES)  # `formal` has nothing held out
    assert "all caps" not in phrases["trained"]["uppercase"]


def test_rates_are_by_kind_and_phrases_take_turns(fake_system):
    tuned = fake_system(knows_trained_words, INVENTORY)
    base = fake_system(lambda line, asked: PLAIN[line])
    report = evaluate(base, tuned, SOURCES, REFERENCES, "de", phrasings=("trained", "unseen"))
    _, trained, unseen = tuned.asked
    asked = [phrase for _, phrase in unseen]
    assert sorted(p for p in asked if p in HELD_OUT["uppercase"]) == [
        "all caps", "all caps", "in capital letters", "in capital letters",
    ]  # fmt: skip
    assert not {phrase for _, phrase in trained} & set(asked)
    found = report["phrasings"]
    assert (found["trained"], found["unseen"]) == (1.0, 0.75)  # uppercase 2 of 4, html-bold 4
    assert found["by_instruction"]["uppercase"]["unseen"]["rate"] == 0.5
    assert found["adequacy"]["trained"] == 1.0 > found["adequacy"]["unseen"]
    assert found["phrases"]["html-bold"]["unseen"] == ["bold in HTML"]


def test_models_that_nothing_can_be_told_of_are_refused():
    with pytest.raises(InputError, match="--prompt-rendering phrases"):
        choose_phrases(Inventory(INVENTORY), ("trained",))
    with pytest.raises(InputError, match="--held-out-phrases"):
        choose_phrases(PhrasedInventory(INVENTORY), ("trained", "unseen"))
    with pytest.raises(InputError, match="--phrasings"):
        choose_phrases(INVENTORY, ("both",))
    assert len(choose_phrases(PhrasedInventory(INVENTORY), ("trained",))["trained"]) == 3
    assert summarise_phrasings({"trained": {}}, {"trained": {}}) == {}
