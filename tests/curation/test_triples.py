"""Triples go from JSON lines to aligned files and back; what is none is named by its line."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.curation import triples
from fairseq_instr.curation.filters import well_formed
from fairseq_instr.curation.triples import Triple, export_triples, import_triples, to_json
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.asking import Written, spell_line
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords, train

LINE = '{"source": "Come in!", "target": "Kommen Sie herein!", "instructions": ["formal"]}'

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: well_formed(text, text) is None
)
names = st.from_regex(r"[a-z0-9][a-z0-9_.:-]{0,9}", fullmatch=True)
instructions = st.builds(Written, names, st.none() | texts).map(str)
lists = st.lists(st.builds(Triple, texts, texts, st.lists(instructions, max_size=3)))


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    return path


def files(folder):
    return [folder / f"train.{extension}" for extension in ("en", "de", "instr")]


@given(lists)
def test_import_and_export_are_inverse(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("triples")
    path = write(folder / "a.jsonl", *map(to_json, content))
    assert import_triples(path, files(folder)) == len(content)
    assert [len(read_lines(file)) for file in files(folder)] == [len(content)] * 3
    assert read_lines(files(folder)[0]) == [triple.source for triple in content]
    assert export_triples(files(folder), folder / "b.jsonl") == len(content)
    assert (folder / "b.jsonl").read_bytes() == path.read_bytes()
    # and the other way round
    before = [file.read_bytes() for file in files(folder)]
    import_triples(folder / "b.jsonl", files(folder), force=True)
    assert [file.read_bytes() for file in files(folder)] == before


def test_what_is_written_is_what_is_read(tmp_path):
    path = tmp_path / "triples.jsonl.gz"
    second = '{"instructions": ["begin-with=Ja, ja", "uppercase"], "source": "a", "target": "Ä"}'
    path.write_bytes(gzip.compress(f"{LINE}\r\n{second}\n".encode()))
    assert import_triples(path, files(tmp_path)) == 2
    assert files(tmp_path)[0].read_bytes() == b"Come in!\na\n"
    assert read_lines(files(tmp_path)[2]) == ["formal", 'begin-with="Ja, ja" uppercase']


def test_arguments_in_subwords_are_read_with_their_model(tmp_path):
    model = Subwords(train(["Heute Abend kommen Sie herein"] * 3, tmp_path / "subwords", 400))
    triple = Triple("a", "b", ["formal", 'begin-with="Heute Abend"', "uppercase"])
    spelled = spell_line(" ".join(triple.instructions), model.encode)
    for path, line in zip(files(tmp_path), ("a", "b", spelled)):
        write(path, line)
    with pytest.raises(InputError, match="train.instr: line 1: .*--subwords"):
        export_triples(files(tmp_path), tmp_path / "b.jsonl")
    export_triples(files(tmp_path), tmp_path / "b.jsonl", unspell=model.decode)
    assert read_lines(tmp_path / "b.jsonl") == [to_json(triple)]


@pytest.mark.parametrize(
    "line, message",
    [
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ("", "JSON"),
        ("[]", "source, target, instructions"),
        ('{"source": "a", "target": "b"}', "instructions"),
        (LINE[:-1] + ', "domain": "x"}', "'domain'"),
        (LINE.replace('"Come in!"', "1"), "source is 1"),
        (LINE.replace('["formal"]', '"formal"'), "instructions is"),
        (LINE.replace('["formal"]', "[1]"), "instructions is"),
        (LINE.replace("formal", "FORMAL"), "'FORMAL'"),
        (LINE.replace("formal", "=x"), "=x"),
        (LINE.replace("formal", r"a=\"x"), "not closed"),
        (LINE.replace("formal", r"a=x\ny"), "control"),
        (LINE.replace("Come in!", r"Come\nin!"), "control"),
        (LINE.replace("Come in!", " "), "empty"),
        (LINE.replace("Come in!", r"\ud83d"), "control"),
        ("x" * (triples.MAX_LINE + 1), str(triples.MAX_LINE)),
        (LINE.replace('"formal"', '"formal", "informal"'), "informal"),
        (LINE.replace('"formal"', '"at-most=4", "at-most=5"'), "at-most"),
    ],
)
def test_what_is_no_triple_is_named_and_nothing_is_written(tmp_path, line, message):
    path = write(tmp_path / "a.jsonl", LINE, line, LINE)
    with pytest.raises(InputError, match=f"line 2.*{message}"):
        import_triples(path, files(tmp_path))
    assert list(tmp_path.iterdir()) == [path]


def test_instructions_are_those_of_an_inventory(tmp_path):
    inventory = Inventory(
        [Instruction("formal", "formality"), Instruction("informal", "formality")]
    )
    path = write(tmp_path / "a.jsonl", LINE)
    assert import_triples(path, files(tmp_path), inventory) == 1
    write(path, LINE, LINE.replace('"formal"', '"formal", "informal"'))
    with pytest.raises(InputError, match="line 2: formal and informal"):
        import_triples(path, files(tmp_path), inventory, force=True)
    write(path, LINE.replace("formal", "uppercase"))
    with pytest.raises(InputError, match="line 1: .*uppercase"):
        import_triples(path, files(tmp_path), inventory, force=True)


def test_files_that_are_not_aligned_or_not_text(tmp_path):
    paths = files(tmp_path)
    for path in paths:
        write(path, "a", "b")
    write(paths[1], "a")
    with pytest.raises(InputError, match=r"train.de .* 1 .*train.en"):
        export_triples(paths, tmp_path / "b.jsonl")
    paths[1].write_bytes(b"a\n\xff\n")
    with pytest.raises(InputError, match="train.de: line 2 is not UTF-8"):
        export_triples(paths, tmp_path / "b.jsonl")
    paths[1].unlink()
    with pytest.raises(InputError, match="train.de"):
        export_triples(paths, tmp_path / "b.jsonl")
    assert not (tmp_path / "b.jsonl").exists()


def test_two_outputs_of_one_name_are_refused(tmp_path):
    path = write(tmp_path / "a.jsonl", LINE)
    with pytest.raises(InputError, match="train.en"):
        import_triples(path, [tmp_path / "train.en", tmp_path / "train.en", tmp_path / "x"])
