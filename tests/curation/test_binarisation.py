"""A data-bin of raw text is what fairseq-preprocess makes of the same text in subwords."""

import gzip
from pathlib import Path

import pytest

from fairseq_instr.curation import binarise, encode
from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords, train

TEXT = {
    "en": ["Come in this evening", "Anna and Paul read a lot", "No"],
    "de": ["Heute Abend kommen Sie herein", "Anna und Paul lesen viel", "Nein"],
    "instr": ['formal begin-with="Heute Abend"', "", "uppercase"],
}


@pytest.fixture
def folder(tmp_path):
    """Text of two splits and a task of two corpora, with a model and its dictionary."""
    model = train(TEXT["en"] * 3 + TEXT["de"] * 3, tmp_path / "subwords", 450)
    Subwords(model).write_dictionary(tmp_path / "dict.txt")
    pieces = read_lines(tmp_path / "dict.txt")
    (tmp_path / "few.txt").write_text("".join(f"{p}\n" for p in pieces if "5" not in p), "utf-8")
    for name in ("text/train", "text/valid"):
        write(tmp_path / name, "en", "de")
    for name in ("task/a/train", "task/b/train"):
        write(tmp_path / name, "en", "de", "instr")
    return tmp_path


def write(prefix, *extensions):
    prefix.parent.mkdir(parents=True, exist_ok=True)
    for extension in extensions:
        content = "".join(f"{line}\n" for line in TEXT[extension])
        Path(f"{prefix}.{extension}").write_text(content, encoding="utf-8")


def run(folder, text, output, **options):
    options = {"source_language": "en", "target_language": "de", **options}
    return binarise(folder / text, folder / output, folder / "subwords.model", **options)


def lines_of(prefix, dictionary):
    from fairseq.data import Dictionary, data_utils

    entries = Dictionary.load(str(dictionary))
    data = data_utils.load_indexed_dataset(str(prefix), entries)
    return [entries.string(line) for line in data]


def test_a_data_bin_and_a_group_of_it(folder):
    made = run(folder, "text", "data-bin", dictionary=folder / "dict.txt")
    assert [(str(m.prefix.relative_to(folder)), m.n_lines) for m in made] == [
        ("data-bin/train", 3),
        ("data-bin/valid", 3),
    ]
    data = folder / "data-bin"
    assert read_lines(data / "dict.de.txt") == read_lines(folder / "dict.txt")
    made = run(folder, "task", "data-bin/task")  # under the data-bin's dictionaries
    assert made[1].instructions == ("formal", "begin-with", "uppercase")
    assert not (data / "task" / "dict.de.txt").exists()
    (spelled, *_) = encode([folder / "task"], folder / "spm", folder / "subwords.model")
    stream = data / "task" / "a" / "train.instr-None.instr"
    expected = read_lines(spelled.with_name("train.instr"))
    assert lines_of(stream, data / "task" / "a" / "dict.instr.txt") == expected


def test_a_text_that_lies_there_packed_as_well_is_one_split(folder):
    for name in ("train.en", "train.de"):
        packed = gzip.compress((folder / "text" / name).read_bytes())
        (folder / "text" / f"{name}.gz").write_bytes(packed)
    made = run(folder, "text", "data-bin", dictionary=folder / "dict.txt")
    assert [m.prefix.name for m in made] == ["train", "valid"]


def test_the_files_are_those_of_fairseq_preprocess(folder, call):
    run(folder, "text", "data-bin", dictionary=folder / "dict.txt")
    encode([folder / "text"], folder / "spm", folder / "subwords.model")
    call(
        "preprocess", "-s", "en", "-t", "de", "--trainpref", folder / "spm" / "train",
        "--validpref", folder / "spm" / "valid", "--srcdict", folder / "dict.txt",
        "--tgtdict", folder / "dict.txt", "--destdir", folder / "reference",
    )  # fmt: skip
    files = sorted((folder / "reference").glob("*.en-de.*"))
    assert len(files) == 8
    for file in files:
        assert (folder / "data-bin" / file.name).read_bytes() == file.read_bytes()


def test_text_of_one_language(folder):
    run(folder, "text", "data-bin/denoise", target_language=None, dictionary=folder / "dict.txt")
    prefix = folder / "data-bin" / "denoise" / "train.en-None.en"
    pieces = lines_of(prefix, folder / "data-bin" / "denoise" / "dict.en.txt")
    assert [Subwords(folder / "subwords.model").decode(line) for line in pieces] == TEXT["en"]


def test_another_split_keeps_the_ids_of_instructions(folder):
    run(folder, "task/a", "data-bin", dictionary=folder / "dict.txt")
    before = (folder / "data-bin" / "train.instr-None.instr.bin").read_bytes()
    write(folder / "more" / "test", "en", "de", "instr")
    (folder / "more" / "test.instr").write_text("lowercase\n\nformal\n")
    run(folder, "more", "data-bin")
    data = folder / "data-bin"
    assert (data / "train.instr-None.instr.bin").read_bytes() == before
    assert "lowercase" in lines_of(data / "test.instr-None.instr", data / "dict.instr.txt")
    # what is binarised anew leaves none of its old names behind
    write(folder / "once" / "train", "en", "de", "instr")
    run(folder, "once", "other", dictionary=folder / "dict.txt")
    (folder / "once" / "train.instr").write_text("swiss\n\n\n")
    (made,) = run(folder, "once", "other", force=True)
    assert made.instructions == ("swiss",)


def change(folder, name, content):
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    "prepare, options, named",
    [
        (None, {}, "--dictionary"),
        (None, {"source_language": "fr"}, "SPLIT.fr"),
        (None, {"target_language": "fr", "dictionary": "dict.txt"}, "train.fr"),
        (("text/train.en", b"one\n"), {"dictionary": "dict.txt"}, "train.en has 1"),
        (("text/train.en", b""), {"dictionary": "dict.txt", "target_language": None}, "train.en"),
        (("text/train.de", b"\xff\n\n\n"), {"dictionary": "dict.txt"}, "train.de: line 1"),
        (("dict.txt", b"a 1\n"), {"dictionary": "dict.txt"}, "train.en.*--allow-unknown"),
        (("text/train.instr", b"\nat-most=5\n\n"), {"dictionary": "few.txt"}, "instr: line 2.*5"),
        (
            ("text/train.instr", b"\n\nformal swiss informal\n"),
            {"dictionary": "dict.txt"},
            "train.instr: line 3: formal and informal",
        ),
    ],
)
def test_what_can_t_be_binarised_is_named_and_nothing_is_written(folder, prepare, options, named):
    if prepare:
        change(folder, *prepare)
    if "dictionary" in options:
        options = {**options, "dictionary": folder / options["dictionary"]}
    with pytest.raises(InputError, match=named):
        run(folder, "text", "data-bin", **options)
    assert not list(folder.glob("data-bin/*"))


def test_of_a_task_with_one_bad_corpus_nothing_is_written(folder):
    change(folder, "task/b/train.en", b"one line\n")
    with pytest.raises(InputError, match="task/b/train.en"):
        run(folder, "task", "data-bin/task", dictionary=folder / "dict.txt")
    assert not [path for path in folder.glob("data-bin/**/*") if path.is_file()]


def test_dictionaries_and_files_are_not_replaced(folder):
    run(folder, "text", "data-bin", dictionary=folder / "dict.txt")
    with pytest.raises(InputError, match="--force"):
        run(folder, "text", "data-bin")
    change(folder, "dict.txt", b"a 1\n")
    with pytest.raises(InputError, match="--dictionary.*data-bin/dict.en.txt"):
        run(folder, "task", "data-bin/task", dictionary=folder / "dict.txt")
    run(folder, "text", "data-bin", force=True)
    own = folder / "data-bin" / "dict.en.txt"  # the data-bin's own may be named too
    run(folder, "text", "data-bin", dictionary=own, force=True)


def test_subwords_of_another_vocabulary_are_refused_however_little_is_unknown(folder):
    """Words of one letter are in both vocabularies."""
    train(["other words than these"] * 3, folder / "subwords", 400, force=True)
    (folder / "short").mkdir()
    for language in ("en", "de"):
        (folder / "short" / f"train.{language}").write_text("a\n", "utf-8")
    with pytest.raises(InputError, match="--subwords.*dict.txt"):
        run(folder, "short", "data-bin", dictionary=folder / "dict.txt")
    assert not (folder / "data-bin").exists()
    run(folder, "short", "data-bin", dictionary=folder / "dict.txt", allow_unknown=True)
