"""Prompts in phrases: what the task makes of them in training and in generation."""

from __future__ import annotations

import shutil

import pytest

from fairseq_instr.checkpoints.inspection import read_checkpoint, trained_inventory
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.phrasing import PhrasedInventory
from tests.conftest import WITH_INSTRUCTIONS as PLUGIN

INVENTORY = PhrasedInventory(
    [
        Instruction("uppercase", "case", ("in capitals", "all capitals", "with capitals only")),
        Instruction("lowercase", "case", ("in small letters", "all small", "with small letters")),
        Instruction("formal", "formality", ("formal", "in a formal tone", "with a formal tone")),
        Instruction("informal", "formality", ("in an informal tone", "with an informal tone")),
        Instruction("exclaim", "punctuation", ("exclaim it", "as an exclamation")),
        Instruction("begin-with", "opening", ("begin with this",), argument="text"),
    ]
)
PHRASES = ["--prompt-rendering", "phrases"]


@pytest.fixture(scope="module")
def phrased_data(data_bin, tmp_path_factory):
    """The data-bin, with phrases for its instructions."""
    data = tmp_path_factory.mktemp("phrases") / "data-bin"
    shutil.copytree(data_bin, data)
    Inventory(INVENTORY).save(data / "instructions.yaml", force=True)
    return data


@pytest.fixture(scope="module")
def phrased(call, finetuning, phrased_data, tmp_path_factory):
    """`base`, finetuned for an epoch with prompts in phrases, one of each held out."""
    folder = tmp_path_factory.mktemp("phrased")
    call("train", phrased_data, *finetuning[1:], *PHRASES, "--held-out-phrases", 1,
         "--max-epoch", 1, "--save-dir", folder)  # fmt: skip
    return folder / "checkpoint_last.pt"


def words_in(task, source):
    """The words of a rendered source's prompt."""
    symbols = [task.src_dict.symbols[i] for i in source if i >= task.src_dict.first_instruction]
    return [symbol[len("<instruction ") : -1] for symbol in symbols]


def training_data(make_task, data, *options):
    task = make_task("--mixture", "parallel:1,task:1", *PHRASES, *options, data=data)
    task.load_dataset("train")
    return task, task.datasets["train"]


def test_training_draws_phrases_anew_and_holds_some_out(make_task, phrased_data):
    task, dataset = training_data(make_task, phrased_data, "--held-out-phrases", 1)
    held_out = task.inventory.held_out
    assert set(held_out) == {"uppercase", "lowercase", "formal", "informal", "exclaim"}
    assert all(len(phrases) == 1 for phrases in held_out.values())
    said = {}
    for epoch in range(1, 9):
        dataset.set_epoch(epoch)
        for place in range(len(dataset)):
            item = dataset[place]
            phrases = []
            for request in item["requests"]:
                phrases.append(request.phrase)
                said.setdefault(task.inventory[request.position].name, set()).add(phrases[-1])
            expected = [
                word
                for phrase in phrases
                for word in [*(f"word {w}" for w in phrase.split()), "phrase end"]
            ]
            assert words_in(task, item["source"].tolist()) == expected
            assert len(item["source"]) <= dataset.size(place)[0]
    for position, instruction in enumerate(task.inventory):
        if instruction.name in said:
            assert said[instruction.name] == set(task.inventory.trained_phrases(position))
    assert not dataset.can_reuse_epoch_itr_across_epochs


def test_a_conflict_swaps_the_phrase_and_keeps_the_others(make_task, phrased_data):
    task, dataset = training_data(make_task, phrased_data, "--conflict-axes", "case,formality")
    swapped = 0
    for place in range(len(dataset)):
        item = dataset[place]
        if "conflict" not in item:
            continue
        own = {r.position: r.phrase for r in item["requests"]}
        wrong = {r.position: r.phrase for r in item["conflict"]["requests"]}
        (gained,) = set(wrong) - set(own)
        assert wrong[gained] in task.inventory.phrases(gained)
        assert all(wrong[i] == own[i] for i in set(own) & set(wrong))
        assert item["conflict"]["source"].tolist() != item["source"].tolist()
        swapped += 1
    assert swapped


def test_other_splits_say_the_first_phrase_or_the_one_asked_for(make_task, phrased_data):
    task = make_task(*PHRASES, "--instruct", "with a formal tone", data=phrased_data)
    task.load_dataset("task/case/valid")
    task.load_dataset("valid")
    item = task.datasets["task/case/valid"][0]
    assert words_in(task, item["source"].tolist())[:3] == ["word in", "word capitals", "phrase end"]
    (asked,) = task.datasets["valid"][0]["requests"]
    assert asked.phrase == "with a formal tone"


def test_base_rows_stay_and_no_text_spells_a_word(phrased, base, phrased_data):
    state = read_checkpoint(phrased)
    inventory = trained_inventory(state)
    assert inventory.symbols == INVENTORY.symbols
    assert set(inventory.held_out) == {i.name for i in INVENTORY} - {"begin-with"}
    rows, old = (
        s["model"]["encoder.embed_tokens.weight"].size(0) for s in (state, read_checkpoint(base))
    )
    assert rows == old + len(INVENTORY.symbols)
    task = Translator.from_pretrained(phrased, phrased_data).task
    for symbol in task.src_dict.symbols[task.src_dict.first_instruction :]:
        assert task.src_dict.index(symbol) == task.src_dict.unk()


def test_the_translator_finds_the_rendering(phrased, phrased_data):
    translator = Translator.from_pretrained(phrased, phrased_data, max_len_b=5)
    trained = trained_inventory(read_checkpoint(phrased))
    assert translator.task.inventory.held_out == trained.held_out

    def rendered(asked):
        return translator.render("w1 w2", asked).rendered.tolist()

    plain = rendered("")
    first = translator.task.src_dict.first_instruction
    assert max(plain) < first
    by_name = rendered("uppercase")
    assert by_name == rendered("in capitals")  # the first phrase
    assert by_name[-len(plain) :] == plain
    assert rendered("formal, uppercase") == rendered("uppercase, formal")
    unlisted = rendered("with capitals")
    assert words_in(translator.task, unlisted) == ["word with", "word capitals", "phrase end"]
    argument = words_in(translator.task, rendered('begin-with="w3", informal'))
    assert argument[-4:] == ["word this", "argument", "argument", "phrase end"]
    assert len(translator.translate(["w1 w2", "w3"], ["with capitals", "formal"])) == 2
    with pytest.raises(InputError, match="'capitalz', .* nearest known: 'in capitals'"):
        translator.translate(["w1"], "in capitalz")


def test_guidance_asks_in_the_same_words(phrased, phrased_data):
    plain = Translator.from_pretrained(phrased, phrased_data, max_len_b=5)
    guided = Translator.from_pretrained(phrased, phrased_data, max_len_b=5, guidance=1e-9)
    lines, asked = ["w1 w2", "w3 w4 w5"], ["with capitals, as an exclamation", "formal"]
    one, other = (t.translate_n_best(lines, asked, 1) for t in (plain, guided))
    for own, same in zip(one, other):
        assert own[0].text == same[0].text
        assert own[0].score == pytest.approx(same[0].score, abs=1e-4)
    phrases = [request.phrase for request in guided.render(lines[0], asked[0]).requests]
    assert phrases == ["with capitals", "as an exclamation"]


def test_the_commands_ask_for_the_rendering(call, refusal, phrased, phrased_data, tuned, data_bin):
    generate = [*PLUGIN, "--beam", 1, "--max-len-b", 5, "--cpu", "--num-workers", 0]
    printed = call("generate", phrased_data, *generate, "--path", phrased, *PHRASES,
                   "--instruct", "with capitals")  # fmt: skip
    assert "instruction" not in printed
    assert sum(line.startswith("H-") for line in printed.splitlines()) == 17
    assert "give --prompt-rendering phrases" in refusal(
        "generate", phrased_data, *generate, "--path", phrased
    )
    assert "give --prompt-rendering symbols" in refusal(
        "generate", data_bin, *generate, "--path", tuned, *PHRASES
    )


def test_options_that_do_not_go_together(make_task, phrased_data):
    for options, message in (
        (["--prompt-rendering", "words"], "'words' is not accepted; choose symbols, phrases"),
        (["--held-out-phrases", "1"], "--held-out-phrases 1 needs --prompt-rendering phrases"),
        (["--phrase-word-dropout", "0.2"], "0.2 needs --prompt-rendering phrases"),
        ([*PHRASES, "--prompt-template", "alpaca"], "leave one of them out"),
        ([*PHRASES, "--held-out-phrases=-1"], "give 0"),
    ):
        with pytest.raises(InputError, match=message):
            make_task(*options, data=phrased_data)


def test_what_was_held_out_stays_so_when_training_goes_on(
    refusal, make_task, finetuning, phrased, phrased_data
):
    held_out = trained_inventory(read_checkpoint(phrased)).held_out
    start = ["--share-all-embeddings", "--finetune-from-model", phrased]
    task = make_task(*PHRASES, *start, data=phrased_data)
    task.build_model(task.full_cfg.model)
    assert task.inventory.held_out == held_out
    task = make_task(*PHRASES, "--held-out-phrases", 9, *start, data=phrased_data)
    with pytest.raises(InputError, match="was trained with .* leave the option out"):
        task.build_model(task.full_cfg.model)
