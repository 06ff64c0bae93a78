"""M2M-100, NLLB, mBART-50 and Marian between Hugging Face and fairseq."""

import json
from types import SimpleNamespace

import pytest
import torch
from fairseq.data import Dictionary
from fairseq.models import build_model

from fairseq_instr.checkpoints.growth import prepare_for_growth
from fairseq_instr.checkpoints.hugging_face import from_hugging_face, to_hugging_face
from fairseq_instr.checkpoints.hugging_face_vocabulary import Vocabulary
from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.task_state import TaskState, trained_language_tokens
from fairseq_instr.data.dictionary import InstructedDictionary
from fairseq_instr.errors import InputError
from fairseq_instr.models.marian import sinusoidal_positions
from fairseq_instr.prompts.language_tokens import PRESETS
from tests.checkpoints.test_hugging_face import edit, load_weights
from tests.checkpoints.translation_models import FAMILIES, LANGUAGES, MBART, import_transformers


@pytest.fixture(scope="module", params=FAMILIES)
def model_pair(request, converted):
    """A model of Hugging Face, its folder, and what it was converted to."""
    folder, output = converted(request.param)
    model = import_transformers().AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    return SimpleNamespace(family=request.param, model=model, folder=folder, output=output)


def load(output, symbols=()):
    """A model, its dictionary, and one with the symbols of instructions."""
    dictionary = Dictionary.load(str(output / "dict.txt"))
    grown = InstructedDictionary.grow(dictionary, symbols)
    task = SimpleNamespace(source_dictionary=grown, target_dictionary=dictionary)
    state = read_checkpoint(output / "model.pt")
    model = build_model(state["cfg"]["model"], task)
    prepare_for_growth(model, len(dictionary), len(symbols))
    model.load_state_dict(state["model"], strict=True, model_cfg=state["cfg"]["model"])
    return model.eval(), dictionary, grown


def batch(dictionary):
    """Two sources, one padded on the left, and the beginnings of their targets."""
    pad, eos = dictionary.pad(), dictionary.eos()
    sources = torch.tensor([[10, 11, 12, 20, eos], [pad, pad, 30, 9, eos]])
    targets = torch.tensor([[eos, 14, 15, 16], [eos, 17, 33, pad]])
    return sources, torch.tensor([5, 3]), targets


def their_logits(model, vocabulary, sources, targets, extra=0):
    """Hugging Face's logits for fairseq's batch: its ids, its padding, its start symbol.

    Rows of further ids follow the dictionary's, `extra` of them.
    """
    order = torch.tensor([*vocabulary.order, *range(vocabulary.size, vocabulary.size + extra)])
    pad = vocabulary.pad
    tokens = torch.full_like(sources, pad)
    for row, source in enumerate(sources):
        kept = source[source != 1]
        tokens[row, : len(kept)] = order[kept]
    decoder = order[targets]
    decoder[:, 0] = model.config.decoder_start_token_id
    with torch.no_grad():
        logits = model(
            input_ids=tokens, attention_mask=tokens.ne(pad), decoder_input_ids=decoder
        ).logits
    return logits[:, :, order]


def test_the_logits_are_the_same(model_pair):
    model, dictionary, _ = load(model_pair.output)
    sources, lengths, targets = batch(dictionary)
    with torch.no_grad():
        logits, _ = model(sources, lengths, targets)
    vocabulary = Vocabulary.load(model_pair.output / "tokenizer")
    expected = their_logits(model_pair.model, vocabulary, sources, targets)
    # <s> is ruled out in Marian's, and padding stands at the end of the second row
    difference = (logits - expected)[:, :, 1:]
    assert difference[0].abs().max() < 1e-5 and difference[1, :3].abs().max() < 1e-5


def test_one_token_at_a_time_is_the_same(model_pair):
    model, dictionary, _ = load(model_pair.output)
    sources, lengths, targets = batch(dictionary)
    with torch.no_grad():
        encoder_out = model.encoder(sources, lengths)
        whole, _ = model.decoder(targets, encoder_out=encoder_out)
        state = {}
        for width in range(1, 5):
            logits, _ = model.decoder(targets[:, :width], encoder_out, incremental_state=state)
            assert (logits[0, -1] - whole[0, width - 1]).abs().max() < 1e-4


def test_there_and_back_is_bit_exact(model_pair, tmp_path):
    tokenizer = model_pair.output / "tokenizer"
    to_hugging_face(model_pair.output / "model.pt", tokenizer, tmp_path / "back")
    before, after = load_weights(model_pair.folder), load_weights(tmp_path / "back")
    tables = {key for key in before if "embed_positions" in key} - set(after)
    assert model_pair.family not in MBART or not tables
    assert set(before) - tables == set(after)
    for key, tensor in after.items():
        assert torch.equal(before[key], tensor), key
    config, original = (
        json.loads((f / "config.json").read_text()) for f in (tmp_path / "back", model_pair.folder)
    )
    assert {key: config[key] for key in original} == original
    kept = {p.name for p in model_pair.folder.iterdir()} & {p.name for p in tokenizer.iterdir()}
    assert len(kept) >= 4
    for name in kept - {"config.json"}:
        copied = (tmp_path / "back" / name).read_bytes()
        assert copied == (model_pair.folder / name).read_bytes()


def test_entries_of_the_dictionary(model_pair):
    """Ids are the tokenizer's, language tokens are written as fairseq's tasks write them."""
    dictionary = Dictionary.load(str(model_pair.output / "dict.txt"))
    pieces = json.loads((model_pair.folder / "vocab.json").read_text(encoding="utf-8"))
    order = Vocabulary.load(model_pair.output / "tokenizer").order
    for piece, number in pieces.items():
        if piece not in ("<s>", "<pad>", "</s>", "<unk>"):
            assert order[dictionary.index(piece)] == number
    written = {"m2m100": "__de__", "nllb": "__deu_Latn__", **dict.fromkeys(MBART, "[de_DE]")}
    if model_pair.family in written:
        first = len(pieces)
        assert dictionary.index(written[model_pair.family]) == first
        assert LANGUAGES[model_pair.family][0].strip("_") in written[model_pair.family]
    assert len(dictionary) == len(order)


def test_a_converted_model_remembers_its_language_tokens(model_pair):
    state = read_checkpoint(model_pair.output / "model.pt")
    own = {"marian": None, "m2m100": PRESETS["m2m"], "nllb": PRESETS["nllb"]}
    expected = own[model_pair.family] if model_pair.family in own else PRESETS[model_pair.family]
    assert trained_language_tokens(state) == expected


def test_marian_s_models_of_several_languages_have_tokens(make_folder, tmp_path):
    folder = make_folder("marian")
    pieces = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    renamed = {">>deu<<" if number == 20 else piece: number for piece, number in pieces.items()}
    (folder / "vocab.json").write_text(json.dumps(renamed), encoding="utf-8")
    from_hugging_face(folder, tmp_path / "out")
    state = read_checkpoint(tmp_path / "out" / "model.pt")
    assert trained_language_tokens(state) == PRESETS["marian"]
    dictionary = Dictionary.load(str(tmp_path / "out" / "dict.txt"))
    assert PRESETS["marian"].languages(dictionary.symbols).keys() == {"deu"}


def test_instructions_become_added_tokens(model_pair, inventory, tmp_path):
    """Hugging Face's model computes the same under an instruction, and can't write one."""
    transformers = import_transformers()
    torch.manual_seed(0)
    model, dictionary, grown = load(model_pair.output, inventory.symbols)
    state = read_checkpoint(model_pair.output / "model.pt")
    state["model"] = model.state_dict()
    state["task_state"] = TaskState(inventory, "source-prefix").to_dict()
    torch.save(state, tmp_path / "tuned.pt")
    tokenizer = model_pair.output / "tokenizer"
    to_hugging_face(tmp_path / "tuned.pt", tokenizer, tmp_path / "tuned")
    theirs = getattr(transformers, type(model_pair.model).__name__).from_pretrained(
        tmp_path / "tuned", dtype=torch.float32
    )
    sources, lengths, targets = batch(dictionary)
    sources[0, 0] = grown.first_instruction + 2
    with torch.no_grad():
        logits, _ = model(sources, lengths, targets)
    vocabulary = Vocabulary.load(tokenizer)
    expected = their_logits(theirs, vocabulary, sources, targets, extra=len(inventory))
    assert logits.size(2) == len(dictionary)
    assert (logits - expected[:, :, : len(dictionary)])[0, :, 1:].abs().max() < 1e-5
    ids = [vocabulary.size + place for place in range(len(inventory))]
    generation = json.loads((tmp_path / "tuned" / "generation_config.json").read_text())
    assert generation["suppress_tokens"] == ids
    settings = json.loads((tmp_path / "tuned" / "tokenizer_config.json").read_text())
    named = [settings["added_tokens_decoder"][str(i)]["content"] for i in ids]
    assert named == list(inventory.symbols)
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert all(symbol in card for symbol in inventory.symbols)


def test_positions_count_from_zero():
    expected = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.8415, 0.0100, 0.5403, 1.0000]])
    assert (sinusoidal_positions(2, 4) - expected).abs().max() < 1e-4


def test_another_model_than_the_tokenizer_s_is_refused(model_pair, tmp_path):
    tokenizer = tmp_path / "tokenizer"
    tokenizer.mkdir()
    for path in (model_pair.output / "tokenizer").iterdir():
        (tokenizer / path.name).write_bytes(path.read_bytes())
    edit(tokenizer / "config.json", encoder_attention_heads=4)
    with pytest.raises(InputError, match="--encoder-attention-heads 2"):
        to_hugging_face(model_pair.output / "model.pt", tokenizer, tmp_path / "back")
