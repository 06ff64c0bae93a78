"""Files appear whole or not at all."""

import gzip
import os

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, refuse_to_overwrite, write_atomically
from fairseq_instr.text.lines import read_lines


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "out.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename has to stay on one file system
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["out.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_by_a_failure(tmp_path, error):
    with pytest.raises(error):
        with atomic_path(tmp_path / "out.txt") as temporary:
            temporary.write_text("half")
            raise error
    assert os.listdir(tmp_path) == []


def test_a_failure_keeps_the_old_file(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        with atomic_path(path, force=True) as temporary:
            temporary.write_text("half")
            raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_an_existing_file_is_refused_before_any_work(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(InputError, match=r"out\.txt exists; give --force"):
        with atomic_path(path):
            raise AssertionError("the block must not run")
    with pytest.raises(InputError, match="--force"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    write_atomically(path, "new", force=True)
    assert path.read_text() == "new"
    refuse_to_overwrite(path, force=True)


def test_text_is_written_as_utf8_with_newlines_alone(tmp_path):
    write_atomically(tmp_path / "out.txt", "Grüße\n…\n")
    assert (tmp_path / "out.txt").read_bytes() == "Grüße\n…\n".encode()


@pytest.mark.parametrize(
    "content, lines",
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb", ["a", "b"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        # only the newline separates lines: fairseq and SentencePiece count the same
        ("a\u2028b\x0bc\x85d\r\n".encode(), ["a\u2028b\x0bc\x85d\r"]),
    ],
)
def test_lines_are_split_on_the_newline_alone(tmp_path, content, lines):
    path = tmp_path / "in.txt"
    path.write_bytes(content)
    assert read_lines(path) == lines


def test_a_line_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"good\n\xff\n")
    with pytest.raises(InputError, match="line 2 is not UTF-8"):
        read_lines(path)


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(InputError, match="can't be read"):
        read_lines(tmp_path / name)


def test_packed_lines_are_unpacked(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress("ä\nb\u2028c\n".encode("utf-8")))
    assert read_lines(path) == ["ä", "b\u2028c"]


@pytest.mark.parametrize("cut", [5, 30])
def test_a_broken_packed_file_is_named(tmp_path, cut):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(bytes(range(200)))[:cut])
    with pytest.raises(InputError, match="text.gz can't be read: "):
        read_lines(path)
