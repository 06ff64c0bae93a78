"""A pass that stops goes on; shards add up, or the one that does not fit is named."""

import json

import pytest

from fairseq_instr.curation import aligned_text
from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.curators import Curation, Curator
from fairseq_instr.curation.shards import (
    collect,
    merge_shards,
    parse_shard,
    shard_file,
)
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import catalogue

NAMES = ["uppercase", "swiss"]
MADE_FROM = {"seed": 1, "samples": dict.fromkeys(NAMES, 9)}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(aligned_text, "CHUNK_LINES", 7)


@pytest.fixture
def text(tmp_path):
    for name, word in (("source", "house"), ("target", "Straße")):
        lines = "".join(f"{word} {i}\n" for i in range(100))
        (tmp_path / name).write_text(lines, encoding="utf-8")
    return AlignedText(tmp_path / "source", tmp_path / "target")


def new(names=NAMES):
    return Curation([catalogue()[name] for name in names], "de", dict.fromkeys(names, 9))


def run(text, folder, shard=(1, 1), made_from=MADE_FROM, **options):
    curation = new()
    collect(text, curation, shard_file(folder, shard), made_from, shard, **options)
    return curation


@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_merged_shards_are_the_whole(text, tmp_path, count):
    whole = run(text, tmp_path / "whole")
    for i in reversed(range(1, count + 1)):
        run(text, tmp_path / "parts", (i, count))
    total = new()
    assert len(merge_shards(tmp_path / "parts", total, MADE_FROM)) == count
    assert total.finish() == whole.finish()
    assert total.pairs == whole.pairs == 100


class StopError(Exception):
    pass


@pytest.mark.parametrize("after", [1, 3, 14])
def test_an_interrupted_pass_goes_on(text, tmp_path, after):
    whole = run(text, tmp_path / "whole").to_dict()

    class Stopping(AlignedText):
        def chunks(self, *args):
            for number, chunk in enumerate(super().chunks(*args)):
                if number == after:
                    raise StopError
                yield chunk

    with pytest.raises(StopError):
        run(Stopping(*text.paths), tmp_path)
    path = shard_file(tmp_path, (1, 1))
    assert not json.loads(path.read_text(encoding="utf-8"))["complete"]
    with pytest.raises(InputError, match="unfinished"):
        merge_shards(tmp_path, new(), MADE_FROM)
    assert run(text, tmp_path).to_dict() == whole
    # and a pass that is complete is not read again
    text.paths[0].write_bytes(b"")
    assert run(text, tmp_path).to_dict() == whole


def test_a_run_that_was_stopped_within_a_chunk_counts_nothing_twice(text, tmp_path, monkeypatch):
    whole = run(text, tmp_path / "whole").to_dict()
    add, calls = Curator.add, []

    def stop(self, *args):
        calls.append(self)
        if len(calls) == 8:  # the second curator of the fourth chunk
            raise KeyboardInterrupt
        add(self, *args)

    monkeypatch.setattr(Curator, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        run(text, tmp_path, save_seconds=0)
    monkeypatch.undo()
    monkeypatch.setattr(aligned_text, "CHUNK_LINES", 7)
    assert run(text, tmp_path).to_dict() == whole


def test_an_instruction_can_be_left_out_of_a_run_that_goes_on(text, tmp_path):
    run(text, tmp_path)
    text.paths[0].write_bytes(b"")  # nothing is read again
    curation = new(NAMES[:1])
    made_from = {**MADE_FROM, "samples": {NAMES[0]: 9}}
    collect(text, curation, shard_file(tmp_path, (1, 1)), made_from)
    assert len(curation.finish()[0][NAMES[0]]) == 9
    with pytest.raises(InputError, match="samples"):  # but none can be added
        collect(text, new(), shard_file(tmp_path, (1, 1)), {**MADE_FROM, "samples": {"json": 9}})


def test_what_was_collected_before_a_broken_line_is_kept(text, tmp_path):
    lines = text.paths[1].read_bytes().split(b"\n")
    lines[50] = b"\xff"
    text.paths[1].write_bytes(b"\n".join(lines))
    with pytest.raises(InputError, match="line 51"):
        run(text, tmp_path)
    state = json.loads(shard_file(tmp_path, (1, 1)).read_text(encoding="utf-8"))
    assert state["position"][0] == 49 and state["collected"]["pairs"] == 49
    curation = run(AlignedText(*text.paths, skip_invalid=True), tmp_path)
    assert (curation.pairs, curation.invalid) == (100, 1)


def test_samples_of_something_else_are_not_gone_on_with(text, tmp_path):
    run(text, tmp_path)
    with pytest.raises(InputError, match="seed 1 instead of 2.*--force"):
        run(text, tmp_path, made_from={**MADE_FROM, "seed": 2})


def test_shards_that_do_not_belong_together_are_refused(text, tmp_path):
    with pytest.raises(InputError, match="--merge"):
        merge_shards(tmp_path, new(), MADE_FROM)
    run(text, tmp_path, (1, 3))
    with pytest.raises(InputError, match="2/3, 3/3"):
        merge_shards(tmp_path, new(), MADE_FROM)
    run(text, tmp_path, (2, 3))
    run(text, tmp_path, (3, 3), made_from={**MADE_FROM, "seed": 2})
    with pytest.raises(InputError, match="curation-3-of-3.json .*seed 2 instead of 1"):
        merge_shards(tmp_path, new(), MADE_FROM)
    run(text, tmp_path, (1, 2))
    with pytest.raises(InputError, match="2 and of 3"):
        merge_shards(tmp_path, new(), MADE_FROM)


def test_a_text_that_changed_between_shards_is_noticed(text, tmp_path):
    run(text, tmp_path, (1, 2))
    for path in text.paths:
        path.write_bytes(path.read_bytes() + b"one more\n")
    run(text, tmp_path, (2, 2))
    with pytest.raises(InputError, match="101.*100"):
        merge_shards(tmp_path, new(), MADE_FROM)


@pytest.mark.parametrize("content", ["", "[]", '{"made_from": {}}', "\x00"])
def test_a_broken_file_is_named(text, tmp_path, content):
    shard_file(tmp_path, (1, 1)).write_text(content)
    with pytest.raises(InputError, match="curation-1-of-1.json .*remove it"):
        run(text, tmp_path)


def test_shards_are_counted_from_one():
    assert parse_shard(" 3/16") == (3, 16)
    for text in ("0/2", "3/2", "1", "1/0", "-1/2", "a/b", ""):
        with pytest.raises(InputError, match="--shard"):
            parse_shard(text)
