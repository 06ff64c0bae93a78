"""Exports of pretrained models: language tokens, and Marian's architecture."""

from argparse import Namespace

import pytest
import torch

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.parameters import source_embedding
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.task_state import TaskState
from fairseq_instr.checkpoints.upgrading import complete, empty_model
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.prompts.language_tokens import PRESETS
from fairseq_instr.serving.export import export_ctranslate2
from fairseq_instr.serving.translator import CTranslate2Translator

pytest.importorskip("ctranslate2")

APPENDED = ("__de__", "__en__", "__fr__")


@pytest.fixture
def with_tokens(base, tmp_path):
    """`with_tokens(recipe)`: the base model as if it had been trained with language tokens."""

    def with_tokens(recipe):
        state = read_checkpoint(base)
        torch.manual_seed(3)
        matrix = source_embedding(state["model"])
        matrix = torch.cat((matrix, 0.3 * torch.randn(len(APPENDED), matrix.size(1))))
        for key in ("encoder.embed_tokens", "decoder.embed_tokens", "decoder.output_projection"):
            state["model"][f"{key}.weight"] = matrix
        tokens = PRESETS[recipe]._replace(style="multilingual", appended=APPENDED)
        state["task_state"] = TaskState(None, language_tokens=tokens).base_dict()
        torch.save(state, tmp_path / "base.pt")
        return tmp_path / "base.pt"

    return with_tokens


def agree(path, data_bin, lines, folder, target="de"):
    export_ctranslate2(path, data_bin, folder, source="en", target="de")
    served = CTranslate2Translator.from_pretrained(folder, target=target, beam=1)
    original = Translator.from_pretrained(path, data_bin, None, "en", target, beam=1)
    pairs = zip(
        served.translate_n_best(lines, n_best=1), original.translate_n_best(lines, n_best=1)
    )
    same = [mine[0].text == theirs[0].text for mine, theirs in pairs]
    return sum(same) / len(same)


@pytest.mark.parametrize("recipe", ["m2m", "tgt", "tgt-for-eos"])
def test_language_tokens_are_said(with_tokens, data_bin, corpus_maker, tmp_path, recipe):
    lines = corpus_maker.sentences(20, 7)
    path = with_tokens(recipe)
    assert agree(path, data_bin, lines, tmp_path / "served") >= 0.9
    german, french = (
        CTranslate2Translator.from_pretrained(tmp_path / "served", target=target).translate(lines)
        for target in ("de", "fr")
    )
    assert german != french


def test_directions_need_no_training_and_typed_tokens_are_text(
    with_tokens, own_data_bin, tmp_path, caplog
):
    languages = (Instruction(f"to:{language}", "target-language") for language in ("de", "fr"))
    inventory = Inventory([*languages, Instruction("uppercase", "case")])
    inventory.save(own_data_bin / "instructions.yaml", force=True)
    path = with_tokens("m2m")
    export_ctranslate2(path, own_data_bin, tmp_path / "served", source="en", target="de")
    served = CTranslate2Translator.from_pretrained(tmp_path / "served")
    original = Translator.from_pretrained(path, own_data_bin, None, "en", "de")
    for translator in (served, original):
        assert len(translator.translate(["w1"], "to:de")) == 1
        with pytest.raises(InputError, match="'uppercase'"):
            translator.translate(["w1"], "uppercase")
    assert not [record for record in caplog.records if "to:de" in record.getMessage()]
    source, prompt = served.render("__fr__ w1")
    assert [*prompt, *source] == original.render("__fr__ w1").rendered.tolist()


def test_language_tokens_that_begin_the_decoder_are_refused(with_tokens, data_bin, tmp_path):
    with pytest.raises(InputError, match="mBART-25"):
        export_ctranslate2(with_tokens("mbart25"), data_bin, tmp_path / "served", None, "en", "de")


def test_marian_s_models_translate_alike(base, data_bin, corpus_maker, tmp_path):
    """Positions, bias and start symbol are Marian's: 20 random models of one would not agree."""
    settings = {**settings_of(read_checkpoint(base), "model"), "arch": "marian", "_name": "marian"}
    settings["activation_fn"] = "swish"
    rows = len(source_embedding(read_checkpoint(base)["model"]))
    model = empty_model(settings, rows, rows).to_empty(device="cpu")
    torch.manual_seed(1)
    for key, tensor in model.state_dict().items():
        tensor.normal_(mean=float("norm.weight" in key), std=0.3)
    state = model.state_dict()
    for side in ("encoder", "decoder"):
        state[f"{side}.version"].fill_(3)
    state["encoder.embed_tokens.weight"][:2] = 0  # of <s> and <pad>
    state["decoder.output_projection.bias"][0] = -1e4
    cfg = {"model": Namespace(**settings), "task": {"_name": "translation_with_instructions"}}
    torch.save(complete({"model": state, "cfg": cfg}), tmp_path / "marian.pt")
    lines = corpus_maker.sentences(20, 7)
    assert agree(tmp_path / "marian.pt", data_bin, lines, tmp_path / "served") >= 0.9
