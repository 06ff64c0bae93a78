"""Reading aligned files: any separator inside a line, any size, what is broken is named."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.curation import aligned_text
from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.errors import InputError


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(aligned_text, "CHUNK_LINES", 3)


def write(folder, source, target, suffix=""):
    paths = []
    for name, content in (("source", source), ("target", target)):
        path = folder / f"{name}{suffix}"
        path.write_bytes(gzip.compress(content) if suffix == ".gz" else content)
        paths.append(path)
    return paths


def lines_of(text, **options):
    chunks = list(text.chunks(**options))
    return [pair for chunk in chunks for pair in zip(chunk.sources, chunk.targets)]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_lines_end_at_the_newline_alone(tmp_path, suffix):
    source = "\ufeffa\u2028b\x0bc\u0085d\ne\r\n\nf".encode()
    paths = write(tmp_path, source, b"1\n2\n3\n4\n", suffix)
    assert lines_of(AlignedText(*paths)) == [
        ("a\u2028b\x0bc\u0085d".encode(), b"1"),
        (b"e", b"2"),
        (b"", b"3"),
        (b"f", b"4"),
    ]


@given(n_lines=st.integers(0, 20), count=st.integers(1, 5))
def test_shards_share_the_text_out(tmp_path_factory, n_lines, count):
    content = b"".join(b"%d\n" % i for i in range(n_lines))
    text = AlignedText(*write(tmp_path_factory.mktemp("text"), content, content))
    shards = [lines_of(text, shard=(i, count)) for i in range(1, count + 1)]
    assert sorted(sum(shards, []), key=lambda pair: int(pair[0])) == lines_of(text)
    assert len(sum(shards, [])) == n_lines
    assert text.position.lines == n_lines


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_reading_goes_on_where_it_ended(tmp_path, suffix, stop):
    content = b"".join(b"line %d\n" % i for i in range(10))
    text = AlignedText(*write(tmp_path, content, content, suffix))
    chunks = text.chunks()
    for _ in range(stop):
        first = next(chunks).first
    chunks.close()
    # the chunk that was given out last is not behind us
    assert text.position.lines == first
    rest = lines_of(AlignedText(*text.paths), start=text.position)
    assert rest == lines_of(text)[first:]


def test_progress_is_told_all_bytes_on_disk(tmp_path):
    content = b"some line\n" * 100
    for suffix in ("", ".gz"):
        told = []
        text = AlignedText(*write(tmp_path, content, content, suffix))
        lines_of(text, progress=told.append)
        assert sum(told) == text.sizes[0]


def test_misaligned_files_are_named_with_their_counts_and_the_line(tmp_path):
    source, target = write(tmp_path, b"a\n" * 10, b"b\n" * 7)
    with pytest.raises(InputError) as caught:
        lines_of(AlignedText(source, target))
    message = str(caught.value)
    assert f"{source} has 10 lines, {target} has 7" in message
    assert f"line 8 is missing in {target}" in message


def test_a_line_that_is_not_utf8_is_named_or_skipped_when_asked(tmp_path):
    paths = write(tmp_path, b"a\n" * 8, b"b\n" * 4 + b"\xff\n" + b"b\n" * 3)
    with pytest.raises(InputError, match="target: line 5 is not UTF-8"):
        lines_of(AlignedText(*paths))
    chunks = list(AlignedText(*paths, skip_invalid=True).chunks())
    assert [(chunk.first, chunk.invalid) for chunk in chunks] == [(0, ()), (3, (1,)), (6, ())]


def test_a_file_that_is_missing_or_cut_off_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist"):
        AlignedText(tmp_path / "nowhere", tmp_path / "nowhere")
    source, target = write(tmp_path, b"a line\n" * 100, b"b\n" * 100, ".gz")
    source.write_bytes(source.read_bytes()[:-12])
    with pytest.raises(InputError, match="source.gz can't be read"):
        lines_of(AlignedText(source, target))
    target.write_bytes(b"no gzip")
    with pytest.raises(InputError, match="target.gz can't be read"):
        lines_of(AlignedText(target, target))
