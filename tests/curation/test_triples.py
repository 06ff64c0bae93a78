"""Triples go from JSON lines to aligned files and back; what is none is named by its line."""

import gzip
import importlib.util
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.curation import triples
from fairseq_instr.curation.filters import well_formed
from fairseq_instr.curation.triples import Triple, export_triples, import_triples, to_json
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.asking import Written
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords, train

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "triples.py"
LINE = '{"source": "Come in!", "target": "Kommen Sie herein!", "instructions": ["formal"]}'

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: well_formed(text, text) is None
)
names = st.from_regex(r"[a-z0-9][a-z0-9_.:-]{0,9}", fullmatch=True)
instructions = st.builds(Written, names, st.none() | texts).map(str)
lists = st.lists(st.builds(Triple, texts, texts, st.lists(instructions, max_size=3).map(tuple)))


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


@given(st.text(max_size=40) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["source", "target", "instructions", "x"]), inner
    ),
).map(json.dumps))  # fmt: skip
def test_any_line_is_a_triple_or_refused_in_one_sentence(line):
    try:
        triple = triples.read_triple(line, "file: line 1")
    except InputError as error:
        assert str(error).startswith("file: line 1") and "\n" not in str(error)
    else:
        assert well_formed(triple.source, triple.target) is None


def test_what_is_written_is_what_is_read(tmp_path):
    path = tmp_path / "triples.jsonl.gz"
    second = '{"instructions": ["begin-with=Ja, ja", "uppercase"], "source": "a", "target": "Ä"}'
    path.write_bytes(gzip.compress(f"{LINE}\r\n{second}\n".encode()))
    assert import_triples(path, files(tmp_path)) == 2
    assert files(tmp_path)[0].read_bytes() == b"Come in!\na\n"
    assert read_lines(files(tmp_path)[2]) == ["formal", 'begin-with="Ja, ja" uppercase']


def test_arguments_in_subwords(tmp_path):
    model = Subwords(train(["Heute Abend kommen Sie herein"] * 3, tmp_path / "subwords", 400))
    line = to_json(Triple("a", "b", ("formal", 'begin-with="Heute Abend"', "uppercase")))
    path = write(tmp_path / "a.jsonl", line, LINE)
    import_triples(path, files(tmp_path), spell=model.encode)
    spelled = read_lines(files(tmp_path)[2])
    assert spelled[0].startswith("formal begin-with =▁") and '"' not in spelled[0]
    with pytest.raises(InputError, match="train.instr: line 1: .* give --subwords"):
        export_triples(files(tmp_path), tmp_path / "b.jsonl")
    export_triples(files(tmp_path), tmp_path / "b.jsonl", unspell=model.decode)
    assert (tmp_path / "b.jsonl").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "line, message",
    [
        ("{", "line 2 is not JSON: Expecting"),
        ("[" * 100_000, "line 2 is not JSON"),
        ("", "line 2 is not JSON"),
        ("[]", "line 2 is no triple: .* found list"),
        ('{"source": "a", "target": "b"}', r"found \['source', 'target'\]"),
        (LINE[:-1] + ', "domain": "x"}', "line 2 is no triple"),
        (LINE.replace('"Come in!"', "1"), "must be texts"),
        (LINE.replace('["formal"]', '"formal"'), "must be a list of texts"),
        (LINE.replace('["formal"]', "[1]"), "must be a list of texts"),
        (LINE.replace("formal", "FORMAL"), "instruction 'FORMAL' is not accepted"),
        (LINE.replace("formal", "=x"), "is not accepted"),
        (LINE.replace("formal", r"a=\"x"), "quotation mark .* is not closed"),
        (LINE.replace("formal", r"a=x\ny"), "control characters"),
        (LINE.replace("Come in!", r"Come\nin!"), "line 2: the pair holds control characters"),
        (LINE.replace("Come in!", " "), "line 2: source or target is empty"),
        (LINE.replace("Come in!", r"\ud83d"), "half a character"),
        ("x" * (triples.MAX_LINE + 1), "line 2 is longer than"),
    ],
)
def test_what_is_no_triple_is_named_and_nothing_is_written(tmp_path, line, message):
    path = write(tmp_path / "a.jsonl", LINE, line, LINE)
    with pytest.raises(InputError, match=message):
        import_triples(path, files(tmp_path))
    assert list(tmp_path.iterdir()) == [path]


def test_instructions_are_those_of_an_inventory(tmp_path):
    inventory = Inventory(
        [Instruction("formal", "formality"), Instruction("informal", "formality")]
    )
    path = write(tmp_path / "a.jsonl", LINE)
    assert import_triples(path, files(tmp_path), inventory) == 1
    write(path, LINE, LINE.replace('"formal"', '"formal", "informal"'))
    with pytest.raises(InputError, match="line 2: formal and informal exclude each other"):
        import_triples(path, files(tmp_path), inventory, force=True)
    write(path, LINE.replace("formal", "uppercase"))
    with pytest.raises(InputError, match="line 1: .*uppercase"):
        import_triples(path, files(tmp_path), inventory, force=True)


def test_files_that_are_not_aligned_or_not_text(tmp_path):
    paths = files(tmp_path)
    for path in paths:
        write(path, "a", "b")
    write(paths[1], "a")
    with pytest.raises(InputError, match=r"train.de ends after 1 lines, .*train.en goes on"):
        export_triples(paths, tmp_path / "b.jsonl")
    paths[1].write_bytes(b"a\n\xff\n")
    with pytest.raises(InputError, match="train.de: line 2 is not UTF-8"):
        export_triples(paths, tmp_path / "b.jsonl")
    paths[1].unlink()
    with pytest.raises(InputError, match="train.de does not exist"):
        export_triples(paths, tmp_path / "b.jsonl")
    assert not (tmp_path / "b.jsonl").exists()


@pytest.fixture
def command(monkeypatch):
    spec = importlib.util.spec_from_file_location("triples_script", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["triples.py", *map(str, arguments)])
        script.main()

    return run


def test_the_command_line_overwrites_only_when_told(tmp_path, command, capsys):
    path = write(tmp_path / "a.jsonl", LINE)
    languages = ("-s", "en", "-t", "de")
    command("import", path, *languages, "--output", tmp_path / "train")
    command("export", tmp_path / "train", *languages, "--output", tmp_path / "b.jsonl")
    assert "b.jsonl: 1 triples" in capsys.readouterr().out
    assert json.loads((tmp_path / "b.jsonl").read_text("utf-8")) == json.loads(LINE)
    for arguments in (
        ("import", path, *languages, "--output", tmp_path / "train"),
        ("export", tmp_path / "train", *languages, "--output", tmp_path / "b.jsonl"),
    ):
        with pytest.raises(InputError, match="exists; give --force"):
            command(*arguments)
        command(*arguments, "--force")
    with pytest.raises(InputError, match="two outputs have one name"):
        command("import", path, "-s", "en", "-t", "en", "--output", tmp_path / "other")
