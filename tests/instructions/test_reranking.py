from __future__ import annotations

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory, catalogue
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.instructions.reranking import first_obeying, verifiable

CONTEXT = Context(source="Two dogs.", language="de")


def choose(outputs, *names):
    return first_obeying(outputs, [catalogue()[name] for name in names], CONTEXT)


def test_the_first_that_obeys_all_is_taken_or_else_the_best():
    outputs = ["Zwei Hunde.", "ZWEI HUNDE.", "<b>Zwei</b>", "<b>ZWEI</b>", "<b>HUNDE</b>"]
    assert choose(outputs, "uppercase") == 1
    assert choose(outputs, "html-bold") == 2
    assert choose(outputs, "uppercase", "html-bold") == 3
    assert choose(outputs, "html-bold", "uppercase") == 3
    assert choose(outputs[:3], "uppercase", "html-bold") == 0
    assert choose(outputs) == 0


def test_phrases_and_arguments_are_understood_and_what_nothing_judges_is_left_out():
    own = Instruction("in-our-style", "style")
    inventory = Inventory([catalogue()["uppercase"], catalogue()["at-most"], own])
    assert verifiable("", inventory) == []
    phrase = catalogue()["uppercase"].phrases[0]
    names = [i.name for i in verifiable(f"in-our-style, {phrase}", inventory)]
    assert names == ["uppercase"]
    (at_most,) = verifiable("at-most=11", inventory)
    assert first_obeying(["Zwei Hunde laufen.", "Zwei Hunde."], [at_most], CONTEXT) == 1
    assert first_obeying(["Zwei Hunde laufen.", "Zwei Hunde. "], verifiable("at-most=2", inventory),
                         CONTEXT) == 0  # fmt: skip
    with pytest.raises(InputError, match="formal"):
        verifiable("formal", inventory)


def test_a_translator_takes_it_from_its_own_n_best(base, own_data_bin, corpus_maker):
    """An untuned model is short by chance, in some hypotheses that are not the best."""
    Inventory([catalogue()["short"], Instruction("exclaim", "punctuation")]).save(
        own_data_bin / "instructions.yaml", force=True
    )
    translator = Translator.from_pretrained(base, own_data_bin, None, "en", "de", beam=8)
    lines = corpus_maker.sentences(12, 3)
    asked = ["short", "exclaim", "", "short, exclaim"] * 3
    n_best = [[h.text for h in found] for found in translator.translate_n_best(lines, asked, 8)]
    outputs = translator.translate(lines, asked, rerank=8)
    for line, names, texts, output in zip(lines, asked, n_best, outputs):
        short = [text for text in texts if 0 < len(text) < 0.9 * len(line)]
        assert output == ((short or texts)[0] if "short" in names else texts[0])
    assert translator.translate(lines, asked, rerank=1) == translator.translate(lines, asked)
    assert outputs != translator.translate(lines, asked)
    with pytest.raises(InputError, match="n_best 9 is not accepted; give 1 to 8"):
        translator.translate(lines, asked, rerank=9)
