"""Models that were trained with language tokens, by fairseq's own tasks, are used with them."""

import re
from types import SimpleNamespace

import pytest
import torch
from fairseq import options, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.tasks import register_task
from fairseq.tasks.translation_from_pretrained_bart import TranslationFromPretrainedBARTTask

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.task_state import task_state_of
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.prompts.language_tokens import MBART_TASKS, PRESETS
from tests.conftest import (
    ENGLISH_CENTRIC,
    LANGUAGES,
    MODEL,
    OPTIMISATION,
    WITH_INSTRUCTIONS,
    column,
    multilingual_lines,
)

MULTI = ["--task", "translation_multi_simple_epoch", "--lang-pairs", ",".join(ENGLISH_CENTRIC)]
STOCK = {
    "m2m": [*MULTI, "--encoder-langtok", "src", "--decoder-langtok"],
    "tgt": [*MULTI, "--encoder-langtok", "tgt"],
    "tgt-for-eos": [*MULTI, "--encoder-langtok", "tgt", "--lang-tok-replacing-bos-eos"],
    "mbart25": ["--task", "mbart25_with_args"],
}
LANGS = ["--langs", ",".join(LANGUAGES)]
GREEDY = "--beam 1 --cpu --num-workers 0 --data-buffer-size 0 --max-len-b".split()


@pytest.fixture(scope="module")
def data(binarise, tmp_path_factory):
    """A data-bin of pairs with English, whose dictionaries have no language tokens."""
    root = tmp_path_factory.mktemp("native")
    words = dict.fromkeys(word for words in LANGUAGES.values() for word in words)
    dictionary = root / "dict.txt"
    dictionary.write_text("".join(f"{word} 1\n" for word in words), encoding="utf-8")
    for other in ("de", "fr"):
        splits = {
            split: tuple(multilingual_lines(count, seed)[code] for code in ("en", other))
            for split, count, seed in (("train", 60, 1), ("valid", 6, 2), ("test", 8, 3))
        }
        (root / "data-bin" / "dict.en.txt").unlink(missing_ok=True)
        binarise(root / "data-bin", splits, pair=("en", other), dictionary=dictionary)
    return root / "data-bin"


@register_task("mbart25_with_args")
class MBart25Task(TranslationFromPretrainedBARTTask):
    """fairseq's, which reads its options under a name that this fairseq has no more."""

    @property
    def args(self):
        return self.cfg


@pytest.fixture(scope="module", params=STOCK)
def stock(request, call, data, tmp_path_factory):
    """A checkpoint that fairseq's own task trained a little."""
    folder = tmp_path_factory.mktemp(request.param)
    own = [*STOCK[request.param], *LANGS]
    pair = ["-s", "en", "-t", "de"] if request.param == "mbart25" else []
    call("train", data, *own, *pair, *MODEL, *OPTIMISATION, "--share-all-embeddings",
         "--required-batch-size-multiple", 1, "--max-update", 12, "--save-dir", folder)  # fmt: skip
    path = folder / "checkpoint_last.pt"
    if request.param == "mbart25":
        state = torch.load(path)
        vars(state["cfg"]["task"]).update(dict.fromkeys(("task", "_name"), MBART_TASKS[0]))
        torch.save(state, path)
    return SimpleNamespace(name=request.param, path=path, options=own)


def hypotheses(printed):
    """Without language tokens, which ours never shows."""
    return [re.sub(r"__\w+__ ?", "", text).strip() for text in column(printed, "H")]


def test_the_model_reads_what_its_own_task_gives_it(data, stock, make_task):
    """Of mBART-25, all but the last: its own task lets the model write its language token."""
    parser = options.get_training_parser()
    pair = ["--source-lang", "en", "--target-lang", "de"]
    given = [data, *stock.options, *MODEL, *OPTIMISATION, *pair]
    args = options.parse_args_and_arch(parser, list(map(str, given)))
    own = tasks.setup_task(convert_namespace_to_omegaconf(args).task)
    ours = make_task(*pair, "--finetune-from-model", stock.path, data=data)
    batches = []
    for task in (own, ours):
        task.load_dataset("valid")
        dataset = task.dataset("valid")
        batches.append(dataset.collater([dataset[i] for i in range(6)])["net_input"])
    assert batches[0]["src_tokens"].equal(batches[1]["src_tokens"])
    mine = batches[1]["prev_output_tokens"]
    theirs = batches[0]["prev_output_tokens"][:, : mine.size(1)]
    if stock.name == "mbart25":
        theirs = theirs.masked_fill(theirs.eq(ours.tgt_dict.eos()), ours.tgt_dict.pad())
    assert theirs.equal(mine)


@pytest.mark.parametrize("pair", [("en", "de"), ("fr", "en")])
def test_untuned_it_answers_as_by_its_own_task(call, data, stock, pair):
    if stock.name == "mbart25":
        pytest.skip("it writes its language token until it has learnt more")
    arguments = [data, "-s", pair[0], "-t", pair[1], "--path", stock.path, *GREEDY]
    # a forced token counts as one of the output's by fairseq's own task
    counted = int(PRESETS[stock.name].decoder)
    shortest = ["--min-len", 1 + counted]
    try:
        by_stock = hypotheses(call("generate", *arguments, 12, *stock.options, *shortest))
    except RuntimeError as error:  # on torch 2, in its fast path for padded batches
        pytest.skip(f"official fairseq 0.12.2 can't generate itself: {error}")
    ours = call("generate", *arguments, 12 - counted, *WITH_INSTRUCTIONS)
    assert len(by_stock) == 8
    assert hypotheses(ours) == by_stock
    translator = Translator.from_pretrained(
        stock.path, data, None, *pair, beam=1, max_len_a=0, max_len_b=12 - counted
    )
    assert translator.translate(multilingual_lines(8, 3)[pair[0]]) == by_stock
    assert not any("__" in line for line in ours.splitlines() if line[:2] == "S-")


def test_text_that_holds_the_tokens_already_is_refused(
    binarise, data, stock, make_task, caplog, tmp_path
):
    token = PRESETS[stock.name].token
    dictionary = tmp_path / "dict.txt"
    entries = [*(data / "dict.en.txt").read_text().split("\n")[:-1], f"{token('en')} 1"]
    entries += [f"{token(code)} 1" for code in LANGUAGES if code != "en"]
    dictionary.write_text("".join(f"{entry}\n" for entry in entries))
    lines = [[f"{token('en')} {line}" for line in multilingual_lines(6, 1)["en"]]]
    lines.append(multilingual_lines(6, 1)["de"])
    binarise(tmp_path / "bin", {"valid": lines}, pair=("en", "de"), dictionary=dictionary)
    pair = ["--source-lang", "en", "--target-lang", "de"]
    with caplog.at_level("WARNING"):
        make_task(*pair, data=tmp_path / "bin")
    assert "--language-tokens auto" in caplog.text
    preset = ["--language-tokens", stock.name]
    task = make_task(*pair, *preset, data=tmp_path / "bin")
    with pytest.raises(InputError, match="--language-tokens.* in en already"):
        task.load_dataset("valid")
    make_task(*pair, "--language-tokens", "none", data=tmp_path / "bin").load_dataset("valid")


def test_tuned_it_keeps_them_and_conflicts_swap_them(call, data, stock, make_task, tmp_path):
    inventory = tmp_path / "instructions.yaml"
    Inventory(Instruction(f"to:{code}", "target-language") for code in LANGUAGES).save(inventory)
    arguments = [
        data, *WITH_INSTRUCTIONS, *MODEL, *OPTIMISATION, "--share-all-embeddings",
        "--inventory", inventory, "--lang-pairs", ",".join(ENGLISH_CENTRIC),
        "--conflict-axes", "target-language", "--finetune-from-model", stock.path,
        "--criterion", "label_smoothed_cross_entropy_with_unlikelihood",
    ]  # fmt: skip
    call("train", *arguments, "--max-update", 2, "--save-dir", tmp_path / "tuned")
    tuned = tmp_path / "tuned" / "checkpoint_last.pt"
    trained = task_state_of(read_checkpoint(tuned)).language_tokens
    assert trained._replace(appended=()) == PRESETS[stock.name]
    assert trained.appended[:3] == tuple(trained.token(code) for code in LANGUAGES)
    task = make_task(*arguments[1:], data=data)
    task.load_dataset("valid")
    sample = task.datasets["valid"].collater([task.datasets["valid"][i] for i in range(4)])
    wrong, right = sample["conflicts"]["net_input"], sample["net_input"]
    rows = sample["conflicts"]["positive"]
    changed = [key for key in wrong if not wrong[key].equal(right[key][rows])]
    assert changed == [
        {True: "prev_output_tokens", False: "src_tokens"}[PRESETS[stock.name].decoder]
    ]
    again = Translator.from_pretrained(tuned, data, None, "de", "fr", inventory=str(inventory))
    assert len(again.translate(["der Hund spielt", ""])) == 2
