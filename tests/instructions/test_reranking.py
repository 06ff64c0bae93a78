from __future__ import annotations

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.generation.lines import LineTranslator, Output
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
    italian = CONTEXT._replace(language="it")  # its address is not told
    assert first_obeying(outputs, [catalogue()["formal"]], italian) == 0


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


class Fixed(LineTranslator):
    """Gives each line the same hypotheses, of 12, 6 and 3 words."""

    inventory = Inventory([catalogue()["short"], Instruction("exclaim", "punctuation")])
    n_learned, target, beam, max_source, max_len, unknown = 2, "de", 8, 100, (0, 50), 0

    def _encode(self, line):
        return [1] * len(line.split())

    def _render(self, tokens, requests):
        return tokens

    def _decode(self, sources, longest):
        return [[Output(["Wort"] * n, -float(n)) for n in (12, 6, 3)] for _ in sources]

    def _text(self, tokens):
        return " ".join(tokens)


def test_a_translator_takes_it_from_its_own_n_best():
    translator = Fixed()
    lines = ["word " * 4, "word " * 8, "word " * 20]
    for asked, n_words in (
        ("short", [3, 6, 12]),
        ("short, exclaim", [3, 6, 12]),
        ("exclaim", [12] * 3),
    ):
        outputs = translator.translate(lines, asked, rerank=8)
        assert [len(output.split()) for output in outputs] == n_words
        assert translator.translate(lines, asked, rerank=1) == translator.translate(lines, asked)
    with pytest.raises(InputError, match="n_best 9"):
        translator.translate(lines, "short", rerank=9)
