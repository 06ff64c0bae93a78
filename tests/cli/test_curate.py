"""The command line that curates (scripts/curate_instructions.py)."""

import gzip
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "curate_instructions.py"
spec = importlib.util.spec_from_file_location("curate_instructions", SCRIPT)
curate_instructions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(curate_instructions)


@pytest.fixture
def text(tmp_path):
    """60 pairs, the target compressed; line 4 is a line of the test set."""
    source = "".join(f"I see {i} big dogs.\n" for i in range(60))
    target = "".join(f"Ich sehe {i} große Hunde.\n" for i in range(60))
    (tmp_path / "train.en").write_text(source, encoding="utf-8")
    (tmp_path / "train.de.gz").write_bytes(gzip.compress(target.encode()))
    (tmp_path / "test.en").write_text("i see 3 big dogs\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def curate(text, monkeypatch):
    def run(*options, output="task", instructions="swiss,begin-with", samples="50"):
        arguments = [
            "--source", text / "train.en", "--target", text / "train.de.gz",
            "--source-language", "en", "--target-language", "de",
            "--instructions", instructions, "--samples", samples,
            "--output", text / output, *options,
        ]  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["curate_instructions.py", *map(str, arguments)])
        curate_instructions.main()
        return text / output

    return run


def test_three_aligned_files_an_instruction_and_a_data_card(curate, text):
    folder = curate("--exclude", text / "test.en")
    sources, targets, asked = (
        read_lines(folder / "swiss" / f"train.{e}") for e in ("en", "de", "instr")
    )
    assert len(sources) == len(targets) == len(asked) == 50
    assert set(asked) == {"swiss"}
    assert all("grosse" in target for target in targets)
    assert "I see 3 big dogs." not in sources
    openings = read_lines(folder / "begin-with" / "train.instr")
    assert openings[0].startswith('begin-with="Ich')
    card = json.loads((folder / "data_card.json").read_text(encoding="utf-8"))
    assert card["pairs"] == 60 and card["samples"] == 100
    assert card["made_from"]["excluded"] == ["test.en"]
    assert str(text) not in (folder / "data_card.json").read_text(encoding="utf-8")
    assert not list(folder.glob("curation-*"))


def test_formats_are_of_the_axes_that_are_given(curate):
    """Marks are the default; an axis that nothing can be carried on is named."""
    options = ("--formatted", 1, "--format-axes", "courtesy")
    folder = curate(*options, instructions="uppercase")
    sources = read_lines(folder / "formatted" / "train.en")
    assert all(s.startswith("Hello! ") or s.endswith(" Thank you.") for s in sources)
    card = json.loads((folder / "data_card.json").read_text(encoding="utf-8"))
    assert card["made_from"]["format_axes"] == "courtesy"
    with pytest.raises(InputError, match="--format-axes: nothing on the axis 'length' can be"):
        curate("--formatted", 1, "--format-axes", "quotation,length", "--force")


def test_merged_shards_write_what_one_run_writes(curate):
    whole = curate(output="whole", samples="7,swiss:9")
    for i in (2, 3, 1):
        parts = curate("--shard", f"{i}/3", output="parts", samples="7,swiss:9")
        assert not (parts / "swiss").exists()
    curate("--merge", output="parts", samples="7,swiss:9")
    for path in whole.glob("*/train.*"):
        assert (parts / path.relative_to(whole)).read_bytes() == path.read_bytes()
    assert len(read_lines(parts / "swiss" / "train.de")) == 9
    with pytest.raises(InputError, match="exists; give --force"):
        curate("--merge", output="parts")


def test_all_that_parallel_text_gives(curate, capsys):
    folder = curate(instructions="all", samples="3")
    written = {path.parent.name for path in folder.glob("*/train.instr")}
    assert {"uppercase", "json", "keep-names", "at-most"} - written == {"keep-names"}
    assert "formal" not in written and "british" not in written
    assert "keep-names" in (folder / "data_card.md").read_text(encoding="utf-8")


def test_what_has_no_sample_is_an_error_after_the_rest_is_written(curate):
    with pytest.raises(InputError, match="'keep-tags' has no sample"):
        curate(instructions="keep-tags,swiss")


@pytest.mark.parametrize(
    "options, message",
    [
        (["--subwords", "x"], "--subwords and --dictionary go together"),
        (["--shard", "0/3"], "--shard '0/3' is not accepted"),
        (["--shard", "1/3", "--merge"], "give one of them"),
        (["--merge"], "holds shards of no pass"),
        (["--max-length-ratio", "1"], "number above 1"),
        (["--exclude", "nowhere"], "nowhere can't be read"),
        (["--samples", "0"], "is not a number above zero"),
        (["--instructions", "formal"], "bring labelled data"),
        (["--source", "nowhere"], "nowhere does not exist"),
    ],
)
def test_wrong_options_are_named(curate, text, options, message):
    with pytest.raises(InputError, match=message):
        curate(*options)
    assert not (text / "task" / "swiss").exists()


def test_misaligned_text_is_named_and_what_was_collected_stays(curate, text):
    with open(text / "train.en", "a", encoding="utf-8") as out:
        out.write("One more.\n")
    with pytest.raises(InputError, match="has 61 lines, .* has 60: .* line 61 is missing"):
        curate()
    assert (text / "task" / "curation-1-of-1.json").exists()
