"""One door to text files: what a line is, and which files are refused."""

import gzip

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import find_text, iterate_lines, read_lines


def write(path, content):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("read", [read_lines, lambda path: list(iterate_lines(path))])
class TestBothReaders:
    @pytest.mark.parametrize("name", ["text", "text.gz"])
    @pytest.mark.parametrize(
        "content, lines",
        [
            (b"", []),
            (b"\n", [""]),
            (b"a\nb", ["a", "b"]),
            (b"a\n\nb\n", ["a", "", "b"]),
            # only the newline separates lines: fairseq and SentencePiece count the same
            ("a\u2028b\x0bc\x85d\re\r\n".encode(), ["a\u2028b\x0bc\x85d\re"]),
            (b"\xef\xbb\xbfa\r\n\xef\xbb\xbfb\r\n", ["a", "\ufeffb"]),
            (b"\xef\xbb\xbf", []),
        ],
    )
    def test_lines_are_split_on_the_newline_alone(self, tmp_path, read, name, content, lines):
        assert read(write(tmp_path / name, content)) == lines

    @pytest.mark.parametrize("bad", [b"\xff", b"a\0b", "ä".encode("utf-16")])
    def test_a_line_that_is_no_text_is_named(self, tmp_path, read, bad):
        path = write(tmp_path / "text", b"good\n" + bad + b"\n")
        with pytest.raises(InputError, match="text: line 2"):
            read(path)

    @pytest.mark.parametrize("name", ["missing", "missing.gz", "."])
    def test_a_file_that_is_not_there_is_named(self, tmp_path, read, name):
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)

    @pytest.mark.parametrize("cut", [5, 30])
    def test_a_broken_packed_file_is_named(self, tmp_path, read, cut):
        path = tmp_path / "text.gz"
        path.write_bytes(gzip.compress(bytes(range(200)))[:cut])
        with pytest.raises(InputError, match="text.gz"):
            read(path)


def test_a_line_that_is_too_long_is_named(tmp_path):
    path = write(tmp_path / "text", b"a\nlonger\n")
    assert list(iterate_lines(path, longest=7)) == ["a", "longer"]
    with pytest.raises(InputError, match="line 2"):
        list(iterate_lines(path, longest=5))


def test_a_text_is_found_with_or_without_gz(tmp_path):
    packed = write(tmp_path / "a.gz", b"")
    assert find_text(tmp_path / "a") == packed
    assert find_text(write(tmp_path / "a", b"")) == tmp_path / "a"
    with pytest.raises(InputError, match="b"):
        find_text(tmp_path / "b")
