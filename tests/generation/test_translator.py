from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.text.subwords import train

PLUGIN = ["--user-dir", "fairseq_instr", "--task", "translation_with_instructions"]


@pytest.fixture(scope="module")
def translator(tuned, data_bin):
    return Translator.from_pretrained(tuned, data_bin, source="en", target="de", beam=2)


def test_batching_and_order_change_nothing(translator):
    lines = ["w1", "", "w3 w4 w5 w6 w7", "w8 w9", "w2 w2 w2"]
    asked = ["", "formal", "uppercase", "uppercase, informal", "exclaim"]
    assert translator.translate([]) == []
    alone = [translator.translate([line], names)[0] for line, names in zip(lines, asked)]
    assert translator.translate(lines, asked) == alone
    assert translator.translate(lines[::-1], asked[::-1], batch_size=2) == alone[::-1]


def test_it_says_what_fairseq_generate_says(translator, call, data_bin, tuned, corpus_maker):
    printed = call("generate", data_bin, *PLUGIN, "--path", tuned, "--beam", 2,
                   "--instruct", "uppercase", "--max-len-a", 2.5, "--max-len-b", 30, "--cpu",
                   "--gen-subset", "valid", "--num-workers", 0)  # fmt: skip
    lines = [line.split("\t") for line in printed.splitlines() if line.startswith("H-")]
    expected = {int(fields[0][2:]): fields[2] for fields in lines}
    outputs = translator.translate(corpus_maker.sentences(6, 1), "uppercase")
    assert outputs == [expected[i] for i in range(6)]


def test_threads_share_one(translator):
    asked = ["formal", "uppercase", "", "exclaim, informal"]
    lines = [f"w{i} w{i + 1} w{2 * i}" for i in range(12)]
    expected = [translator.translate(lines, names) for names in asked]
    start = threading.Barrier(len(asked))

    def work(names):
        start.wait()
        return [translator.translate(lines, names, batch_size=5) for _ in range(3)]

    with ThreadPoolExecutor(len(asked)) as pool:
        assert list(pool.map(work, asked)) == [[outputs] * 3 for outputs in expected]


def test_the_best_come_first_with_their_scores(translator):
    lines = ["w1 w2 w3", "w4"]
    found = translator.translate_n_best(lines, "formal", n_best=2)
    assert [hypotheses[0].text for hypotheses in found] == translator.translate(lines, "formal")
    for best, second in found:
        assert 0 >= best.score >= second.score
        assert best.text != second.text


def test_each_line_has_its_own_limit(tuned, data_bin):
    translator = Translator.from_pretrained(tuned, data_bin, beam=2, max_len_a=1, max_len_b=1)
    weight = translator.models[0].decoder.output_projection.weight.data
    weight[translator.task.tgt_dict.eos()] *= -9  # a model that does not end by itself
    lines = ["w1", "w2 w3 w4 w5 w6 w7 w8", "w9 w1", "w3 w4 w5"]
    alone = [translator.translate([line], "formal")[0] for line in lines]
    assert [len(output.split()) for output in alone] == [3, 9, 4, 5]
    assert translator.translate(lines, "formal") == alone


def test_the_longest_source_still_fits(translator):
    assert len(translator.translate(["w2 " * 62], "formal")) == 1
    with pytest.raises(InputError, match="line 2 has 65 tokens .* takes 64"):
        translator.translate(["w1", "w2 " * 63], "formal")


def test_a_base_model_translates_and_learned_no_instruction(base, data_bin):
    translator = Translator.from_pretrained(base, data_bin, beam=1)
    assert len(translator.translate(["w1 w2"])) == 1
    with pytest.raises(InputError, match="'uppercase'.* none"):
        translator.translate(["w1"], "uppercase")


def test_an_instruction_that_joined_after_training_was_not_learned(tuned, own_data_bin, inventory):
    more = Inventory([*inventory, Instruction("shout", "volume")])
    more.save(own_data_bin / "instructions.yaml", force=True)
    translator = Translator.from_pretrained(tuned, own_data_bin)
    assert len(translator.translate(["w1"], "exclaim")) == 1
    with pytest.raises(InputError, match="'shout'.* exclaim"):
        translator.translate(["w1"], "shout")


def test_a_model_of_one_direction_is_not_asked_for_another(tuned, data_bin):
    with pytest.raises(InputError, match="de-en.* en-de"):
        Translator.from_pretrained(tuned, data_bin, source="de", target="en")
    translator = Translator.from_pretrained(tuned, data_bin)
    with pytest.raises(InputError, match="de-en.* en-de"):
        translator.for_direction("de", "en")


def test_raw_text_for_a_model_of_pieces_is_told(translator):
    with pytest.raises(InputError, match="--subwords"):
        translator.translate(["Two men are talking."])


def test_a_missing_checkpoint_is_refused(data_bin, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Translator.from_pretrained(tmp_path / "none.pt", data_bin)


def test_subwords_of_another_vocabulary_are_refused(tuned, data_bin, tmp_path):
    model = train(["w1 w2 w3", "other words"], tmp_path / "other", 400)
    with pytest.raises(InputError, match=f"--subwords {model}.*dict.*txt"):
        Translator.from_pretrained(tuned, data_bin, model)
    Translator.from_pretrained(tuned, data_bin, model, allow_unknown=True)
    pieces = Translator.from_pretrained(tuned, data_bin, allow_unknown=True)
    assert len(pieces.translate(["Two men are talking."])) == 1
