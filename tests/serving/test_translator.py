"""An exported model translates as the one that it was made of."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from fairseq_instr.errors import InputError
from fairseq_instr.generation.lines import longest_output
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.serving.export import export_ctranslate2
from fairseq_instr.serving.folder import Settings, read_vocabulary
from fairseq_instr.serving.translator import UNK, CTranslate2Translator
from fairseq_instr.text.subwords import train

pytest.importorskip("ctranslate2")

ASKED = ["", "formal", "uppercase", "exclaim, uppercase, informal"]


@pytest.fixture(scope="module")
def lines(corpus_maker):
    return [*corpus_maker.sentences(40, 7), "w1 unheard of"]


@pytest.fixture(scope="module")
def folder(tuned, data_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "float32"
    export_ctranslate2(tuned, data_bin, folder)
    return folder


@pytest.fixture
def own_folder(folder, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(folder, tmp_path / "served")


@pytest.fixture(scope="module")
def served(folder):
    return CTranslate2Translator.from_pretrained(folder)


TARGET = "v3 V4 Sie v20 v3 !"


def fairseq_log_probabilities(original, line, asked, target):
    """Of the tokens of a target and eos, by the checkpoint's model."""
    task, (model,) = original.task, original.models
    typed = original.render(line, asked)
    rendering = task.prompt.render(typed.requests)
    source, prompt = rendering.around(typed.source), torch.tensor(rendering.decoder).long()
    tokens = task.tgt_dict.encode_line(target, add_if_not_exist=False).long()
    before = torch.cat((tokens[-1:], prompt, tokens[:-1]))  # eos begins
    with torch.no_grad():
        output = model(source[None], torch.tensor([len(source)]), before[None])
        lprobs = model.get_normalized_probs(output, log_probs=True)[0, len(prompt) :]
    return lprobs.gather(1, tokens[:, None])[:, 0].tolist()


def served_log_probabilities(served, line, asked, target):
    """The same, by the exported one."""
    source, prompt = served.render(line, asked)
    spelled = [[served._tokens[i] for i in ids] for ids in (source, prompt)]
    (result,) = served.model.score_batch([spelled[0]], [[*spelled[1], *target.split()]])
    return result.log_probs[len(prompt) :]


@pytest.mark.parametrize("placement", ["source-prefix", "source-suffix", "decoder-prefix"])
def test_the_model_is_the_same_wherever_its_prompt_stands(
    call, finetuning, data_bin, placement, tmp_path
):
    call("train", *finetuning, "--max-update", 2, "--save-dir", tmp_path,
         "--prompt-placement", placement)  # fmt: skip
    checkpoint = tmp_path / "checkpoint_last.pt"
    export_ctranslate2(checkpoint, data_bin, tmp_path / "served")
    served = CTranslate2Translator.from_pretrained(tmp_path / "served")
    original = Translator.from_pretrained(checkpoint, data_bin)
    for asked in ASKED:
        own = served_log_probabilities(served, "w1 w2 unheard of w3", asked, TARGET)
        expected = fairseq_log_probabilities(original, "w1 w2 unheard of w3", asked, TARGET)
        assert own == pytest.approx(expected, abs=1e-4)
        for beam in (1, 3):  # the prompt counts for nothing
            served.beam = beam
            ((best,),) = served.translate_n_best(["w1 w2"], asked)
            scores = served_log_probabilities(served, "w1 w2", asked, best.text)
            if len(scores) > longest_output(*served.max_len, 3):
                scores.pop()  # it ran on up to its limit, and has no eos
            # the share of eos in the first step goes to words
            assert best.score * len(scores) == pytest.approx(sum(scores), abs=0.2)
    # no instruction is generated, and none is scored: all is left to the target's vocabulary
    outputs = served.translate(["w1 w2"], ASKED[-1])
    assert set(" ".join(outputs).split()) <= set(original.task.tgt_dict.symbols)


def test_instructions_make_a_difference(served):
    plain, upper, formal = (
        served_log_probabilities(served, "w1 w2", asked, TARGET)
        for asked in ("", "uppercase", "formal")
    )
    assert plain != upper != formal


def test_arguments_reach_the_model_in_subwords():
    """Between the symbol and the same again, as `TokenPrompt` has it."""
    inventory = Inventory([Instruction("begin-with", "opening", argument="text")])
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "w1", "v2", *inventory.symbols]
    settings = Settings("source-prefix", "en", "de", False, 64, 64)
    served = CTranslate2Translator(None, settings, inventory, vocabulary)
    assert served.render("w1", 'begin-with="v2 w1"').source == [6, 5, 4, 6, 4, 2]
    with pytest.raises(InputError, match="the argument 'x' can't be spelled"):
        served.render("w1", "begin-with=x")


@pytest.mark.parametrize("placement", ["source-prefix", "decoder-prefix"])
def test_prompts_in_phrases_are_served(
    call, finetuning, own_data_bin, inventory, lines, tmp_path, placement
):
    Inventory(
        replace(i, phrases=(f"make it {i.name}", f"{i.name} please")) for i in inventory
    ).save(own_data_bin / "instructions.yaml", force=True)
    call("train", own_data_bin, *finetuning[1:], "--prompt-rendering", "phrases",
         "--prompt-placement", placement, "--max-update", 20, "--save-dir", tmp_path)  # fmt: skip
    checkpoint = tmp_path / "checkpoint_last.pt"
    export_ctranslate2(checkpoint, own_data_bin, tmp_path / "served")
    original = Translator.from_pretrained(checkpoint, own_data_bin)
    served = CTranslate2Translator.from_pretrained(tmp_path / "served")
    for asked in ("formal", "make it uppercase, formal please", "please make it informal"):
        source, prompt = served.render(lines[0], asked)
        assert [*prompt, *source] == original.render(lines[0], asked).rendered.tolist()
        for line in lines[:3]:
            one = served_log_probabilities(served, line, asked, TARGET)
            other = fairseq_log_probabilities(original, line, asked, TARGET)
            assert one == pytest.approx(other, abs=1e-3)
    with pytest.raises(InputError, match="'pleese', which is in no phrase"):
        served.translate(["w1"], "formal pleese")


def test_it_says_what_fairseq_says_in_each_direction(multilingual, tmp_path):
    checkpoint, data = multilingual.checkpoints[0], multilingual.data
    export_ctranslate2(checkpoint, data, tmp_path / "served", source="en", target="de")
    original = Translator.from_pretrained(checkpoint, data, source="en", target="de")
    lines = multilingual.valid["en"]
    german = CTranslate2Translator.from_pretrained(tmp_path / "served")
    french = CTranslate2Translator.from_pretrained(tmp_path / "served", target="fr")
    expected = original.translate_n_best(lines, n_best=2)
    for own, other in zip(german.translate_n_best(lines, n_best=2), expected):
        assert own[0].text == other[0].text
        # the share that fairseq leaves to instructions goes to words: the more, the less is learnt
        assert -0.01 < own[0].score - other[0].score < 0.2
    assert french.translate(lines) == original.for_direction("en", "fr").translate(lines)
    assert german.translate(lines) != french.translate(lines)
    assert german.for_direction("en", "fr").translate(lines) == french.translate(lines)
    with pytest.raises(InputError, match="target 'nl' has no instruction 'to:nl'"):
        CTranslate2Translator.from_pretrained(tmp_path / "served", target="nl")
    from_french = [each.for_direction("fr", "de") for each in (german, original)]
    one, other = (each.translate(multilingual.valid["fr"]) for each in from_french)
    assert one == other
    for translator in (german, original):
        with pytest.raises(InputError, match="xx"):
            translator.for_direction("xx", "de")
        with pytest.raises(InputError, match="both 'de'"):
            translator.for_direction("de", "de")
    with pytest.raises(InputError, match="both 'de'"):  # into the export's own target
        CTranslate2Translator.from_pretrained(tmp_path / "served", source="de")
    with pytest.raises(InputError, match="source 'xx'.*en, de, fr"):
        CTranslate2Translator.from_pretrained(tmp_path / "served", source="xx")


def test_a_direction_that_was_not_learned_is_refused(tuned, own_data_bin, inventory, tmp_path):
    more = Inventory([*inventory, Instruction("to:de", "target-language")])
    more.save(own_data_bin / "instructions.yaml", force=True)
    export_ctranslate2(tuned, own_data_bin, tmp_path / "served")
    served = CTranslate2Translator.from_pretrained(tmp_path / "served")
    for translator in (served, Translator.from_pretrained(tuned, own_data_bin)):
        with pytest.raises(InputError, match="'to:de'"):
            translator.translate(["w1"], "to:de")
    with pytest.raises(InputError, match="target 'de'.*'to:de'"):
        Translator.from_pretrained(tuned, own_data_bin, direction_instruction="always")
    path = tmp_path / "served" / "serving.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "direction": True}))
    with pytest.raises(InputError, match="'to:de'"):
        CTranslate2Translator.from_pretrained(tmp_path / "served")


def test_int8_takes_less_room_and_is_nearly_the_same(folder, tuned, data_bin, tmp_path):
    export_ctranslate2(tuned, data_bin, tmp_path / "int8", quantization="int8")
    size = (tmp_path / "int8" / "model.bin").stat().st_size
    assert size < 0.7 * (folder / "model.bin").stat().st_size
    exact, rounded = (
        served_log_probabilities(CTranslate2Translator.from_pretrained(path), "w1 w2", "", TARGET)
        for path in (folder, tmp_path / "int8")
    )
    assert exact == pytest.approx(rounded, abs=0.5) and exact != rounded


def test_threads_share_one(served, lines):
    expected = [served.translate(lines, asked) for asked in ASKED]
    with ThreadPoolExecutor(len(ASKED)) as pool:
        assert list(pool.map(lambda asked: served.translate(lines, asked), ASKED)) == expected


def test_no_text_has_a_symbol_and_no_output_either(served, folder, inventory):
    source, target = read_vocabulary(folder, "source"), read_vocabulary(folder, "target")
    assert tuple(source[-len(inventory) :]) == inventory.symbols
    assert source[: -len(inventory)] == target
    text = " ".join([*inventory.symbols, *inventory.names])
    assert set(served._encode(text)) == {UNK}


def test_a_source_that_is_too_long_is_refused_and_not_cut(served):
    with pytest.raises(InputError, match="line 1 has 65 tokens with its prompt, .* takes 64"):
        served.translate(["w2 " * 63], "formal")
    assert len(served.translate(["w2 " * 62], "formal")) == 1


# -- the folder -------------------------------------------------------------------------


def test_an_export_is_not_overwritten_without_force(folder, tuned, data_bin, tmp_path):
    output = tmp_path / "served"
    output.mkdir()
    for force, message in (
        (False, "give --force"),
        (True, "holds no model.bin: it is not deleted"),
    ):
        with pytest.raises(InputError, match=message):
            export_ctranslate2(tuned, data_bin, output, force=force)
    (output / "model.bin").touch()
    export_ctranslate2(tuned, data_bin, output, force=True)
    assert (output / "model.bin").read_bytes() == (folder / "model.bin").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["served"]


def test_nothing_is_left_of_an_export_that_fails(tuned, data_bin, tmp_path):
    with pytest.raises(InputError, match="SentencePiece model .* does not exist"):
        export_ctranslate2(tuned, data_bin, tmp_path / "served", subwords=tmp_path / "none")
    with pytest.raises(InputError, match="--quantization 'int4' is not accepted; choose float32"):
        export_ctranslate2(tuned, data_bin, tmp_path / "served", quantization="int4")
    assert list(tmp_path.iterdir()) == []


def test_another_inventory_is_refused(own_folder, inventory):
    other = Inventory([*list(inventory)[:-1], Instruction("shout", "punctuation")])
    other.save(own_folder / "instructions.yaml", force=True)
    with pytest.raises(InputError, match="ends in other symbols; export the model again"):
        CTranslate2Translator.from_pretrained(own_folder)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("serving.json", "{}", "serving.json: placement"),
        ("serving.json", "[" * 100_000, "serving.json is not JSON"),
        ("serving.json", None, "serving.json does not exist"),
        ("source_vocabulary.json", '["a", "a"]', "has the token 'a' twice"),
        ("source_vocabulary.json", '{"a": 1}', "is no list of tokens"),
        ("model.bin", "no model", "can't be loaded by CTranslate2"),
        ("model.bin", None, "holds no model.bin; write it with fairseq-instr export"),
    ],
)
def test_a_broken_folder_is_refused(own_folder, name, content, message):
    (own_folder / name).unlink()
    if content is not None:
        (own_folder / name).write_text(content)
    with pytest.raises(InputError, match=message):
        CTranslate2Translator.from_pretrained(own_folder)


@pytest.mark.parametrize(
    "key, value",
    [
        ("placement", "middle"), ("rendering", "words"), ("max_source", 0), ("max_target", "64"),
        ("direction", 1),
    ],
)  # fmt: skip
def test_settings_are_checked(own_folder, key, value):
    path = own_folder / "serving.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(InputError, match=rf"serving\.json: .*{key}"):
        CTranslate2Translator.from_pretrained(own_folder)


def test_subwords_of_another_vocabulary_are_refused(own_folder, tmp_path):
    model = train(["w1 w2 w3", "other words"], tmp_path / "other", 400)
    shutil.copy(model, own_folder / "subwords.model")
    with pytest.raises(InputError, match="subwords.model is of another vocabulary"):
        CTranslate2Translator.from_pretrained(own_folder)
