from __future__ import annotations

import pytest

from fairseq_instr import sample
from fairseq_instr.errors import InputError
from fairseq_instr.text.bpe_codes import Merges
from fairseq_instr.text.dictionary import check_vocabulary, read_entries
from fairseq_instr.text.subwords import Subwords, speller, train


def lines(seed):
    return [s.texts[language] for s in sample.generate(300, seed) for language in ("en", "de")]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Of the same text in two sizes, and of text in another language."""
    folder = tmp_path_factory.mktemp("subwords")
    texts = {"own": (lines(1), 900), "smaller": (lines(1), 500)}
    texts["french"] = [s.texts["fr"] for s in sample.generate(300, 1)], 900
    return {name: Subwords(train(text, folder / name, n)) for name, (text, n) in texts.items()}


def check(model, entries):
    check_vocabulary([model], entries, "--subwords it.model", "dict.en.txt")


def test_a_dictionary_goes_with_its_subwords_whatever_it_lacks(models):
    """`fairseq-preprocess` keeps what occurs, and fills up; recipes append tokens."""
    own = models["own"]
    found = sorted({piece for line in lines(1)[:20] for piece in own.encode(line).split()})
    check(own, found)
    check(own, [*own.pieces, "__en__", "__de__", "[fr_XX]", "<mask>"])
    check(own, [*own.pieces, *(f"madeupword{i:04}" for i in range(300))])
    check(own, [])


@pytest.mark.parametrize("other", ["smaller", "french"])
def test_other_subwords_are_refused_however_few_of_a_text_s_tokens_are_unknown(models, other):
    with pytest.raises(InputError, match="--subwords it.model.*dict.en.txt"):
        check(models[other], models["own"].pieces)


@pytest.mark.parametrize("entries, told", [
    (lambda models: models["smaller"].pieces, True),  # all of them are pieces of the larger model
    (lambda models: models["own"].pieces, False),
    (lambda models: occurring(models["own"], "en"), False),
    (lambda models: occurring(models["own"], "de"), False),
])  # fmt: skip
def test_a_larger_model_is_told_but_none_whose_pieces_the_training_text_lacked(
    models, caplog, entries, told
):
    check(models["own"], entries(models))
    assert [record.levelname for record in caplog.records] == ["WARNING"] * told
    assert all("--subwords it.model" in record.getMessage() for record in caplog.records)


def occurring(model, language):
    text = (s.texts[language] for s in sample.generate(300, 1))
    return {piece for line in text for piece in model.encode(line).split()}


def test_either_side_of_a_pair_of_models_may_have_written_an_entry(models):
    entries = [*models["own"].pieces, *models["french"].pieces]
    both = [models["own"], models["french"]]
    check_vocabulary(both, entries, "--subwords folder", "dict.txt")


def test_characters_that_a_model_without_bytes_lacks_may_stand_in_a_dictionary(tmp_path):
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines(1)), model_prefix=str(tmp_path / "plain"), vocab_size=400,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    model = Subwords(tmp_path / "plain.model")
    found = {piece for line in ("漢字 Ж", "Ein Ж") for piece in model.encode(line).split()}
    assert "漢字" in found
    check(model, found)
    assert not model.can_write("Haus漢")


def test_codes_write_what_their_merges_make(tmp_path):
    codes = tmp_path / "codes"
    codes.write_text("#version: 0.2\nH a\nHa u\ns e\nse r</w>\nHau ser</w>\n", "utf-8")
    merges = Merges(codes)
    check(merges, ["H", "Ha@@", "Hau@@", "se@@", "ser", "Hauser", "漢", "漢@@"])
    with pytest.raises(InputError, match="such as Haus@@"):
        check(merges, ["Haus@@", "Ha@@"])


def test_what_a_vocabulary_writes_is_not_asked_of_another_model(models, tmp_path):
    models["own"].write_dictionary(tmp_path / "dict.txt")
    assert read_entries(tmp_path / "dict.txt") == models["own"].pieces
    train(lines(1), tmp_path / "other", 500)
    with pytest.raises(InputError, match="--subwords.*--dictionary"):
        speller(tmp_path / "other.model", tmp_path / "dict.txt", "en", "de")
