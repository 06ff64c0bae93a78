"""Reading text files line by line."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from fairseq_instr.errors import InputError


def read_lines(path):
    """Lines of a UTF-8 text file, plain or `.gz`, split on the newline character alone.

    Raises:
        InputError: if the file is missing, broken or not UTF-8 (the line is named).
    """
    try:
        data = Path(path).read_bytes()
        if Path(path).suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} can't be read: {reason}") from None
    lines = data.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    decoded = []
    for number, line in enumerate(lines, start=1):
        try:
            decoded.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise InputError(f"{path}: line {number} is not UTF-8") from None
    return decoded
