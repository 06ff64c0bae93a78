from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairseq_instr import sample
from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords, load_subwords, speller, train, train_on_files


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    lines = [s.texts[language] for s in sample.generate(200, 1) for language in ("en", "de")]
    return train(lines, tmp_path_factory.mktemp("subwords") / "joint", 700)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30))
@example('{"translation": "a | b"}')
@example("»ja« – 漢字")
def test_what_the_text_lacks_can_be_written(model, text):
    subwords = Subwords(model)
    assert subwords.decode(subwords.encode(text)) == text


def test_the_dictionary_knows_every_piece(model, tmp_path):
    subwords = Subwords(model)
    subwords.write_dictionary(tmp_path / "dict.txt")
    spell = speller(model, tmp_path / "dict.txt", "en", "de")
    assert spell("<b>漢字 |||")
    with pytest.raises(InputError, match="--force"):
        subwords.write_dictionary(tmp_path / "dict.txt")


def test_a_dictionary_without_a_piece_can_t_spell_it(model, tmp_path):
    subwords = Subwords(model)
    pieces = [piece for piece in subwords.pieces if "<" not in piece]
    (tmp_path / "dict.txt").write_text("".join(f"{piece} 1\n" for piece in pieces), "utf-8")
    spell = speller(model, tmp_path / "dict.txt", "en", "de")
    assert spell("Ein Haus") == "Ein Haus"
    assert spell("<b>") is None


def test_the_same_text_gives_the_same_model(model, tmp_path):
    lines = [s.texts[language] for s in sample.generate(200, 1) for language in ("en", "de")]
    assert train(lines, tmp_path / "again", 700).read_bytes() == model.read_bytes()


def test_a_model_is_not_overwritten_and_must_be_one(model, tmp_path):
    before = model.read_bytes()
    with pytest.raises(InputError, match="--force"):
        train(["a"], str(model)[: -len(".model")], 700)
    assert model.read_bytes() == before
    with pytest.raises(InputError, match="missing.model"):
        Subwords(tmp_path / "missing.model")
    (tmp_path / "broken.model").write_bytes(b"no model")
    with pytest.raises(InputError, match="broken.model"):
        Subwords(tmp_path / "broken.model")


def test_a_model_and_its_dictionary_are_made_of_files(model, tmp_path):
    texts = [s.texts for s in sample.generate(200, 1)]
    for language in ("en", "de"):
        (tmp_path / language).write_text("".join(f"{t[language]}\n" for t in texts), "utf-8")
    files = [tmp_path / language for language in ("en", "de")]
    written = train_on_files(files, tmp_path / "new" / "joint", 700)
    assert written == [tmp_path / "new" / "joint.model", tmp_path / "new" / "dict.txt"]
    subwords = Subwords(written[0])
    assert [line.split()[0] for line in read_lines(written[1])] == subwords.pieces
    with pytest.raises(InputError, match="--force"):
        train_on_files(files, tmp_path / "new" / "joint", 700)


def test_a_model_and_its_dictionary_go_together(model):
    assert speller(None, None, "en", "de") is None
    for pair in ((model, None), (None, "dict.txt")):
        with pytest.raises(InputError, match="--subwords and --dictionary"):
            speller(*pair, "en", "de")


@pytest.mark.parametrize("names", [["source.spm", "target.spm"], ["sentencepiece.bpe.model"]])
def test_the_folder_of_a_translation_model_has_a_model_for_each_side(model, tmp_path, names):
    """Also where `tokenizer.json` lies beside them, whose pieces would be ids."""
    (tmp_path / "tokenizer.json").write_text("{}", "utf-8")
    other = train([s.texts["fr"] for s in sample.generate(200, 1)], tmp_path / "other", 500)
    for name, path in zip(names, (model, other)):
        (tmp_path / name).write_bytes(path.read_bytes())
    sides = load_subwords(tmp_path)
    expected = [Subwords(path).encode("Une maison") for path in (model, other)]
    assert [side.encode("Une maison") for side in sides] == [expected[0], expected[len(names) - 1]]
