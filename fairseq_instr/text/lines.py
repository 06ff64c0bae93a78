r"""Reading text files: the one place that knows what a line is.

A line ends at `\n` alone, as for fairseq and SentencePiece: other separators that Unicode knows
(U+2028, U+0085) may stand inside a line. The `\r` of a Windows line end and the byte order mark
at the start of a file are no part of the text. A file whose name ends in `.gz` is decompressed.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, Iterator, List, Optional

from fairseq_instr.errors import InputError

BYTE_ORDER_MARK = "\ufeff"
LINE_END = b"\r\n"  # what `rstrip` takes off a line


def open_text(path) -> BinaryIO:
    """Open a file to read its bytes, decompressed if its name ends in `.gz`."""
    with readable(path):
        if Path(path).suffix == ".gz":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        return open(path, "rb")


@contextlib.contextmanager
def readable(path):
    """Turn what a missing or broken file makes reading raise into an `InputError`."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} can't be read: {reason}") from None


def find_text(path) -> Path:
    """The path, or the same with `.gz`: whichever exists."""
    for found in (Path(path), Path(f"{path}.gz")):
        if found.is_file():
            return found
    raise InputError(f"{path} does not exist, nor with .gz")


def without_mark(data: bytes) -> bytes:
    """The first bytes of a file without a byte order mark."""
    return data[len(codecs.BOM_UTF8) :] if data.startswith(codecs.BOM_UTF8) else data


def iterate_lines(path, longest: Optional[int] = None) -> Iterator[str]:
    """Lines of a file one by one: a file of any size is not held in memory.

    Args:
        longest: most bytes of a line; None for any number.

    Raises:
        InputError: if the file is missing or broken; if a line is too long, is not UTF-8 or
            holds a NUL byte (the line is named).
    """
    with open_text(path) as file:
        yield from stream_lines(file, path, longest)


def stream_lines(stream: BinaryIO, name, longest: Optional[int] = None) -> Iterator[str]:
    """As `iterate_lines`, for bytes that come from elsewhere, such as standard input."""
    number = 0
    while True:
        with readable(name):
            line = stream.readline() if longest is None else stream.readline(longest + 1)
        if not number:
            line = without_mark(line)
        if not line:
            return
        number += 1
        if longest is not None and len(line) > longest:
            raise InputError(f"{name}: line {number} is longer than {longest} bytes")
        yield _decode(line, name, number)


def read_lines(path) -> List[str]:
    """All lines of a file; raises as `iterate_lines`."""
    with open_text(path) as file, readable(path):
        data = without_mark(file.read())
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [_decode(line, path, number) for number, line in enumerate(lines, start=1)]


def _decode(line: bytes, path, number: int) -> str:
    try:
        text = line.rstrip(LINE_END).decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: line {number} is not UTF-8; convert the file") from None
    if "\0" in text:
        raise InputError(f"{path}: line {number} holds a NUL byte; convert the file to UTF-8")
    return text
