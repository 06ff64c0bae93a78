"""Raw text in subwords: files, trees, instructions, and text of another model."""

import gzip

import pytest

from fairseq_instr.curation import encode
from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords, train

LINES = ["Heute Abend kommen Sie herein", "Anna und Paul lesen viel"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("subwords")
    path = train(LINES * 3, folder / "subwords", 400)
    Subwords(path).write_dictionary(folder / "dict.txt")
    return path


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}\n" for line in lines).encode("utf-8")
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_files_keep_their_names(model, tmp_path):
    inputs = [write(tmp_path / "train.de", *LINES), write(tmp_path / "raw" / "train.en.gz", "a")]
    written = encode(inputs, tmp_path / "spm", model, model.with_name("dict.txt"))
    assert written == [tmp_path / "spm" / "train.de", tmp_path / "spm" / "train.en"]
    subwords = Subwords(model)
    assert read_lines(written[0]) == [subwords.encode(line) for line in LINES]
    assert [subwords.decode(line) for line in read_lines(written[1])] == ["a"]


def test_a_tree_is_mirrored_without_what_is_no_text(model, tmp_path):
    for name in ("a/train.de", "b/c/train.de", "data_card.json", "data_card.md", ".hidden/x.de"):
        write(tmp_path / "task" / name, "Anna")
    encode([tmp_path / "task"], tmp_path / "task.spm", model)
    made = {str(p.relative_to(tmp_path / "task.spm")) for p in (tmp_path / "task.spm").rglob("*.*")}
    assert made == {"a/train.de", "b/c/train.de"}
    with pytest.raises(InputError, match="--output"):
        encode([tmp_path / "task"], tmp_path / "task" / "spm", model)


def test_arguments_are_spelled_as_the_source_is_and_once(model, tmp_path):
    path = write(tmp_path / "train.instr", 'formal begin-with="Heute Abend"', "", "uppercase")
    (once,) = encode([path], tmp_path / "once", model)
    pieces = Subwords(model).encode("Heute Abend").split()
    spelled = " ".join(["formal", "begin-with", *(f"={piece}" for piece in pieces)])
    assert read_lines(once) == [spelled, "", "uppercase"]
    (twice,) = encode([once], tmp_path / "twice", model)
    assert twice.read_bytes() == once.read_bytes()
    write(path, "formal", 'at-most="many"')
    with pytest.raises(InputError, match="train.instr: line 2.*'at-most'"):
        encode([path], tmp_path / "bad", model)


def test_text_of_another_model_is_refused_unless_it_is_meant(model, tmp_path):
    path = write(tmp_path / "train.de", *LINES)
    dictionary = write(tmp_path / "dict.de.txt", *(f"{n} 1" for n in range(9)))
    for given in (dictionary, tmp_path):
        with pytest.raises(InputError, match="train.de.*100 %.*--allow-unknown"):
            encode([path], tmp_path / "spm", model, given)
    assert not (tmp_path / "spm" / "train.de").exists()
    encode([path], tmp_path / "spm", model, dictionary, allow_unknown=True)


def test_nothing_is_overwritten_or_left_by_half(model, tmp_path):
    good, bad = write(tmp_path / "a.de", "Anna"), tmp_path / "b.de"
    bad.write_bytes(b"\xff\n")
    with pytest.raises(InputError, match="b.de: line 1"):
        encode([good, bad], tmp_path / "spm", model)
    assert not (tmp_path / "spm").exists()
    encode([good], tmp_path / "spm", model)
    with pytest.raises(InputError, match="--force"):
        encode([good], tmp_path / "spm", model)
    encode([good], tmp_path / "spm", model, force=True)
