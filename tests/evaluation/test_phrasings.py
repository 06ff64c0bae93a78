"""Trained phrases against unseen ones."""

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.instructions import InstructionTestSet
from fairseq_instr.evaluation.phrasings import (
    choose_phrases,
    measure_phrasings,
    summarise_phrasings,
)
from fairseq_instr.instructions import Instruction, Inventory, catalogue
from fairseq_instr.instructions.phrasing import PhrasedInventory
from fairseq_instr.reports.instructions import describe_phrasings
from fairseq_instr.reports.presentation import Section, as_markdown

SOURCES = ["Two dogs run.", "A man reads.", "She sings.", "They sleep."]
REFERENCES = ["Zwei Hunde laufen.", "Ein Mann liest.", "Sie singt.", "Alle schlafen."]
PLAIN = dict(zip(SOURCES, REFERENCES))
NAMES = ("uppercase", "html-bold")
HELD_OUT = {"uppercase": ("all caps", "in capital letters"), "html-bold": ("bold in HTML",)}
INVENTORY = PhrasedInventory(
    [*(catalogue()[name] for name in NAMES), Instruction("formal", "formality")], HELD_OUT
)


def knows_trained_words(asked):
    """A system that obeys `uppercase` under all phrases but "all caps"; tags always."""

    def translate(lines, instructions):
        asked.extend(instructions)
        return [
            f"<b>{PLAIN[line]}</b>"
            if instruction and INVENTORY[INVENTORY.find(instruction)].name == "html-bold"
            else PLAIN[line].upper()
            if instruction and instruction != "all caps"
            else PLAIN[line]
            for line, instruction in zip(lines, instructions)
        ]

    return translate


def test_rates_are_by_kind_and_phrases_take_turns():
    test = InstructionTestSet(SOURCES, REFERENCES, "de")
    for name in NAMES:
        test.add_rule_made((name,), 10)
    phrases = choose_phrases(INVENTORY, ("trained", "unseen"))
    assert phrases["unseen"] == {name: list(held_out) for name, held_out in HELD_OUT.items()}
    assert set(phrases["trained"]) == set(NAMES)  # `formal` has nothing held out
    assert "all caps" not in phrases["trained"]["uppercase"]
    asked = []
    cases = [(name,) for name in NAMES]
    measured = measure_phrasings(knows_trained_words(asked), test, cases, phrases, limit=4)
    unseen = [instruction for instruction in asked if instruction in HELD_OUT["uppercase"]]
    assert sorted(unseen) == ["all caps"] * 2 + ["in capital letters"] * 2  # four lines in turn
    summary = summarise_phrasings(measured, phrases)
    assert summary["trained"] == 1.0
    assert summary["unseen"] == 0.75  # uppercase 2 of 4, html-bold 4 of 4
    assert summary["by_instruction"]["uppercase"]["unseen"]["rate"] == 0.5
    assert summary["by_instruction"]["html-bold"]["unseen"]["rate"] == 1.0
    assert summary["adequacy"]["trained"] == 1.0 > summary["adequacy"]["unseen"]
    assert summary["phrases"]["html-bold"]["unseen"] == ["bold in HTML"]
    text = "".join(as_markdown([Section("Phrases", describe_phrasings(summary), level=1)]))
    assert "100.0% under trained phrases (adequacy 1.00), 75.0% under unseen phrases" in text
    assert "| uppercase | 4 | 100.0% | 1.00 | 50.0% |" in text


def test_models_that_nothing_can_be_told_of_are_refused():
    with pytest.raises(InputError, match="--phrasings trained needs a model trained with --prompt"):
        choose_phrases(Inventory(INVENTORY), ("trained",))
    with pytest.raises(InputError, match="--held-out-phrases 1 or more"):
        choose_phrases(PhrasedInventory(INVENTORY), ("trained", "unseen"))
    assert len(choose_phrases(PhrasedInventory(INVENTORY), ("trained",))["trained"]) == 3
    assert summarise_phrasings({"trained": {}}, {"trained": {}}) == {}
