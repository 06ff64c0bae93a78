"""What holds for every translator of lines, on a stand-in that needs no model.

It "translates" word by word, in capitals where that is asked for, and writes for ever where a
line says so: what stops it is the limit.
"""

from __future__ import annotations

from typing import List

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.generation.lines import LineTranslator, Output, longest_output
from fairseq_instr.instructions import Instruction, Inventory

UNKNOWN, EOS, RUN_ON = 0, 1, 2
WORDS = ["<unk>", "</s>", "on", *(f"w{i}" for i in range(9))]


class WordByWord(LineTranslator):
    inventory = Inventory(
        [
            Instruction("to:de", "target-language"),
            Instruction("uppercase", "case"),
            Instruction("lowercase", "case"),
        ]
    )
    n_learned = 2
    target, beam, max_source, unknown = "de", 3, 20, UNKNOWN
    max_len = (1.0, 2)

    def __init__(self):
        self.batches: List[int] = []

    def _encode(self, line):
        return [WORDS.index(word) if word in WORDS else UNKNOWN for word in line.split()]

    def _render(self, tokens, requests):
        return [*(-1 - request.position for request in requests), *tokens, EOS]

    def _decode(self, sources, longest):
        self.batches.append(len(sources))
        return [
            [Output(self._search(source, longest), -float(rank)) for rank in range(self.beam)]
            for source in sources
        ]

    def _search(self, source, longest):
        upper = -2 in source
        words = [token + 100 * upper for token in source if token >= 0]
        if RUN_ON in source:
            words = [*words[:-1], *[RUN_ON] * longest]
        return words[:longest] if len(words) > longest else words

    def _text(self, tokens):
        words = [WORDS[token % 100].upper() if token >= 100 else WORDS[token] for token in tokens]
        return " ".join(word for word in words if word.lower() != "</s>")


@pytest.fixture
def translator():
    return WordByWord()


@pytest.mark.parametrize("blank", ["", " ", "\n", "\t \r\n", "\u3000"])
@pytest.mark.parametrize("asked", [None, "", "uppercase", ["uppercase", None, ""]])
def test_a_blank_line_gives_a_blank_line(translator, blank, asked):
    lines = ["w1 w2", blank, "w3"]
    outputs = translator.translate(lines, asked, rerank=2)
    assert outputs[1] == ""
    assert [output.lower() for output in outputs] == ["w1 w2", "", "w3"]
    alone = asked[1] if isinstance(asked, list) else asked
    assert translator.translate([blank], alone) == [""]
    assert translator.translate_n_best([blank], alone, n_best=3) == [[("", 0.0)]]


def test_text_that_has_no_tokens_is_blank(translator):
    translator._encode = lambda line: []  # as subwords have it that leave odd characters out
    assert translator.translate(["\u200b"], "uppercase") == [""]
    assert translator.batches == []


@pytest.mark.parametrize("nothing", [None, "", [None, "", None]])
def test_nothing_is_asked_in_several_ways(translator, nothing):
    assert translator.translate(["w1", "w2", "w3"], nothing) == ["w1", "w2", "w3"]


def test_a_line_has_its_own_limit_whatever_its_batch_is(translator):
    lines = ["w1 on", "w1 w2 w3 w4 w5 w6 w7", "on", "w8 on", "w2 w3"]
    alone = [translator.translate([line])[0] for line in lines]
    assert alone[0] == "w1 on on on on" and alone[1] == lines[1]
    assert translator.translate(lines) == alone
    assert translator.translate(lines[::-1], batch_size=2) == alone[::-1]
    translator.batches.clear()
    translator.translate(lines)
    assert translator.batches == [5, 1, 2]  # what ran on, again with those of its own limit


def test_the_limit_is_fairseqs():
    assert longest_output(2.5, 30, 10) == 55
    assert longest_output(0.5, 1, 3) == 2


@pytest.mark.parametrize("asked", ["lowercase", ["", "lowercase"]])
def test_what_the_model_never_learned_is_refused(translator, asked):
    with pytest.raises(InputError, match="'lowercase'.* uppercase"):
        translator.translate(["w1", "w2"], asked)
    translator.n_learned = 0  # a base model
    with pytest.raises(InputError, match="'to:de'.* none"):
        translator.translate(["w1"], "to:de")
    translator.native = True  # that knows languages by tokens of its own
    assert translator.translate(["w1"], "to:de") == ["w1"]
    with pytest.raises(InputError, match="'uppercase'.* none"):
        translator.translate([], "uppercase")


def test_mostly_unknown_text_is_refused_unless_it_is_allowed(translator):
    raw = ["Two men are talking.", "w1", ""]
    with pytest.raises(InputError, match="4 of 5 tokens .*--subwords.*--allow-unknown"):
        translator.translate(raw)
    assert translator.translate(["w1 odd"]) == ["w1 <unk>"]  # half is not most
    translator.allow_unknown = True
    assert translator.translate(raw)[1] == "w1"


def test_lines_are_numbered_from_where_the_caller_says(translator):
    with pytest.raises(InputError, match="line 12 "):
        translator.translate(["w1", "w1 " * 30], start=11)


def test_line_ends_in_an_output_are_blanks(translator):
    translator._text = lambda tokens: "one\r\ntwo\nthree"
    assert translator.translate(["w1"]) == ["one two three"]


@pytest.mark.parametrize(
    "lines, options, named",
    [
        ("w1", {}, "lines"),
        (["w1", b"w2"], {}, "line 2 is bytes"),
        (["w1", "w\ud800"], {}, r"line 2 .*U\+D800"),
        (["w1"], {"n_best": 4}, "n_best 4 .*1 to 3"),
        (["w1"], {"batch_size": 0}, "batch_size 0"),
        (["w1"], {"instruct": "uppercase, lowercase"}, "^--instruct: .*axis case"),
        (["w1"], {"instruct": "loud"}, "^--instruct: .*'loud'"),
        (["w1"], {"instruct": 'begin-with="x'}, "^--instruct: .*begin-with"),
        (["w1", "w2"], {"instruct": ["uppercase"]}, "1 entries .*2 lines"),
        ([], {"instruct": "loud"}, "'loud'"),
    ],
)
def test_what_can_not_be_translated_is_refused(translator, lines, options, named):
    with pytest.raises(InputError, match=named):
        translator.translate_n_best(lines, **options)
