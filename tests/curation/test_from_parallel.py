"""Curation from files to files."""

import gzip
import json
from dataclasses import fields

import pytest

from fairseq_instr.curation import Checks, curate
from fairseq_instr.curation.from_parallel import ALL
from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines


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
def run(text):
    def run(output="task", instructions=("swiss", "begin-with"), n_samples=50, **options):
        checks = {f.name: options.pop(f.name) for f in fields(Checks) if f.name in options}
        sides = {"source": text / "train.en", "target": text / "train.de.gz", **options}
        curate(
            source_language="en", target_language="de", instructions=instructions,
            output=text / output, n_samples=n_samples, checks=Checks(**checks), **sides,
        )  # fmt: skip
        return text / output

    return run


def card_of(folder):
    return json.loads((folder / "data_card.json").read_text(encoding="utf-8"))


def files_of(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_three_aligned_files_an_instruction_and_a_data_card(run, text):
    folder = run(exclude=[text / "test.en"])
    sources, targets, asked = (
        read_lines(folder / "swiss" / f"train.{e}") for e in ("en", "de", "instr")
    )
    assert len(sources) == len(targets) == len(asked) == 50
    assert set(asked) == {"swiss"}
    assert all("grosse" in target for target in targets)
    assert "I see 3 big dogs." not in sources
    assert read_lines(folder / "begin-with" / "train.instr")[0].startswith('begin-with="Ich')
    card = card_of(folder)
    assert card["pairs"] == 60 and card["samples"] == 100
    assert card["made_from"]["excluded"] == ["test.en"]
    assert str(text) not in (folder / "data_card.json").read_text(encoding="utf-8")
    assert not list(folder.glob("curation-*"))


def test_formats_are_of_the_axes_that_are_given(run):
    """Marks are the default; an axis that nothing can be carried on is named."""
    folder = run(formatted=1, format_axes=["courtesy"], instructions=["uppercase"])
    sources = read_lines(folder / "formatted" / "train.en")
    assert all(s.startswith("Hello! ") or s.endswith(" Thank you.") for s in sources)
    assert card_of(folder)["made_from"]["format_axes"] == ["courtesy"]
    with pytest.raises(InputError, match="--format-axes.*'length'"):
        run(formatted=1, format_axes=["quotation", "length"], force=True)


def test_merged_shards_write_what_one_run_writes(run):
    counts = {"n_samples": 7, "n_samples_of": {"swiss": 9}}
    whole = run(output="whole", **counts)
    for i in (2, 3, 1):
        parts = run(shard=(i, 3), output="parts", **counts)
        assert not (parts / "swiss").exists()
    run(merge=True, output="parts", **counts)
    for path in whole.glob("*/train.*"):
        assert (parts / path.relative_to(whole)).read_bytes() == path.read_bytes()
    assert len(read_lines(parts / "swiss" / "train.de")) == 9
    with pytest.raises(InputError, match="--force"):
        run(merge=True, output="parts", **counts)


@pytest.mark.parametrize("stop_at", ["a chunk", "a file"])
def test_a_run_that_was_interrupted_writes_the_same_files(run, stop_at, monkeypatch):
    from fairseq_instr.curation import aligned_text, curators, from_parallel

    monkeypatch.setattr(aligned_text, "CHUNK_LINES", 16)
    whole = files_of(run(output="whole"))
    where = (curators.Curation, "add") if stop_at == "a chunk" else (from_parallel, "write_samples")
    function, calls = getattr(*where), []

    def stop(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        function(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(*where, stop)
        run()
    assert files_of(run()) == whole


def test_all_that_parallel_text_gives(run):
    folder = run(instructions=ALL, n_samples=3)
    written = {path.parent.name for path in folder.glob("*/train.instr")}
    assert {"uppercase", "json", "keep-names", "at-most"} - written == {"keep-names"}
    assert "formal" not in written and "british" not in written
    assert "refused" in card_of(folder)["instructions"]["keep-names"]


def test_a_named_instruction_without_samples_is_an_error_before_anything_is_written(run, text):
    with pytest.raises(InputError, match="'keep-tags'"):
        run(instructions=["keep-tags", "swiss"])
    assert not (text / "task" / "swiss").exists()
    assert len(read_lines(run(instructions=["swiss"]) / "swiss" / "train.de")) == 50


@pytest.mark.parametrize(
    "options, named",
    [
        ({"subwords": "x"}, "--dictionary"),
        ({"shard": (1, 3), "merge": True}, "--merge"),
        ({"merge": True}, "--merge"),
        ({"max_length_ratio": 1}, "--max-length-ratio"),
        ({"exclude": ["nowhere"]}, "nowhere"),
        ({"n_samples": 0}, "--samples"),
        ({"n_samples_of": {"json": 3}}, "--samples: 'json'"),
        ({"instructions": []}, "--instructions"),
        ({"instructions": ["formal"]}, "'formal'"),
        ({"source": "nowhere"}, "nowhere"),
    ],
)
def test_wrong_options_are_named(run, text, options, named):
    with pytest.raises(InputError, match=named):
        run(**options)
    assert not (text / "task" / "swiss").exists()


def test_misaligned_text_is_named_and_what_was_collected_stays(run, text):
    with open(text / "train.en", "a", encoding="utf-8") as out:
        out.write("One more.\n")
    with pytest.raises(InputError, match="61 lines.* 60.* line 61"):
        run()
    assert (text / "task" / "curation-1-of-1.json").exists()
