"""How the commands that evaluate load what translates."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from fairseq_instr.cli import systems
from fairseq_instr.errors import InputError


def test_a_checkpoint_is_loaded_when_it_has_to_answer_and_one_at_a_time(
    monkeypatch, call, tmp_path
):
    monkeypatch.chdir(tmp_path)
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).touch()
    loaded = []

    class Fake:
        def __init__(self, path):
            self.path = path

        @classmethod
        def from_pretrained(cls, path, data, subwords, source, target, beam, **options):
            loaded.append((path, options))
            return cls(path)

    monkeypatch.setattr("fairseq_instr.generation.translator.Translator", Fake)
    args = SimpleNamespace(data="data-bin", subwords=None, beam=4, allow_unknown=True)
    first = systems.LazySystem(args, "a.pt", ("en", "de"), "--guidance 0.5")
    second = systems.LazySystem(args, "b.pt", ("en", "de"))
    assert loaded == []
    asked = [str(system.path) for system in (first, first, second, first)]
    assert asked == ["a.pt", "a.pt", "b.pt", "a.pt"]
    assert [str(path) for path, _ in loaded] == ["a.pt", "b.pt", "a.pt"]
    assert loaded[0][1] == {"guidance": 0.5}
    assert first.allow_unknown


def test_the_digest_is_of_checkpoint_subwords_and_decoding(tmp_path, call):
    """The subwords may be a folder: that of a Hugging Face tokenizer."""
    (tmp_path / "a.pt").write_bytes(b"weights")
    tokenizer = tmp_path / "tokenizer"
    tokenizer.mkdir()
    (tokenizer / "tokenizer.json").write_text("{}")

    def digest(decoding="", **changed):
        args = SimpleNamespace(**{"data": "data-bin", "subwords": tokenizer, "beam": 4, **changed})
        return systems.LazySystem(args, tmp_path / "a.pt", ("en", "de"), decoding).digest

    first = digest()
    assert digest() == first
    others = [digest(subwords=None), digest(beam=5), digest("--guidance 0.5")]
    (tokenizer / "tokenizer.json").write_text("{ }")
    others.append(digest())
    (tmp_path / "a.pt").write_bytes(b"other weights")
    others.append(digest())
    assert len({first, *others}) == 6
    with pytest.raises(InputError, match="missing.model"):
        digest(subwords=tmp_path / "missing.model")


@pytest.mark.parametrize(
    "changed, decoding, matters",
    [
        ("data-bin/dict.de.txt", "", True),
        ("data-bin/instructions.yaml", "", True),
        ("data-bin/train.en-de.en.bin", "", False),
        ("data-bin/train.en-de.en.bin", "--source-contrast 0.7", True),
        ("data-bin/train.en-de.en.bin", "--language-boost 0.5", True),
        ("template.yaml", "--prompt-template template.yaml", True),
        ("template.yaml", "", False),
    ],
)
def test_the_digest_is_of_what_decoding_reads(
    tmp_path, monkeypatch, call, changed, decoding, matters
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data-bin").mkdir()
    names = ("dict.de.txt", "dict.en.txt", "instructions.yaml", "train.en-de.en.bin")
    for path in ("a.pt", "template.yaml", *(f"data-bin/{name}" for name in names)):
        Path(path).write_text(path)
    args = SimpleNamespace(data="data-bin", subwords=None, beam=4)
    system = systems.LazySystem(args, "a.pt", ("en", "de"), decoding)
    first = system.digest
    Path(changed).write_text("changed")
    assert (system.digest != first) == matters


def test_the_command_names_no_path_above_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    expected = "fairseq-instr evaluate --output 'a folder/report'"
    for program in (["fairseq-instr", "evaluate"], ["scripts/evaluate.py"]):
        monkeypatch.setattr("sys.argv", [*program, "--output", f"{tmp_path}/a folder/report"])
        assert systems.command_line("evaluate") == expected


def test_a_value_may_hold_what_stands_between_name_and_value():
    entries = ["a=x.pt,y.pt", "b-2=--instruct to:de=x"]
    assert systems.parse_named(entries, "--systems", "X") == {
        "a": "x.pt,y.pt", "b-2": "--instruct to:de=x",
    }  # fmt: skip


@pytest.mark.parametrize("entries", [["a"], ["a="], ["=x"], ["a=x", "a=y"], ["../a=x"], ["base=x"]])
def test_what_is_no_name_of_a_folder_of_its_own_is_refused(entries):
    with pytest.raises(InputError, match="--systems"):
        systems.parse_named(entries, "--systems", "CHECKPOINT", ["base"])


def test_names_that_no_system_has_are_listed():
    systems.check_named("--pivot", ["b"], {"a": 1, "b": 2})
    with pytest.raises(InputError, match="--pivot: c, d"):
        systems.check_named("--pivot", ["c", "a", "d"], {"a": 1, "b": 2})


def test_options_of_decoding_are_those_of_the_task(call):
    from fairseq_instr.generation.translator import parse_task_options

    assert parse_task_options("") == {}
    assert parse_task_options("--instruct 'formal, uppercase'") == {"instruct": "formal, uppercase"}
    assert parse_task_options("--max-source-positions 7") == {"max_source_positions": 7}
    with pytest.raises(InputError, match="--max-source-positions"):
        parse_task_options("--max-source-positions x")
