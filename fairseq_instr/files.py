"""Writing files so that nothing is lost: a temporary name first, then a rename."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from fairseq_instr.errors import InputError


def refuse_to_overwrite(path, force: bool) -> None:
    """Raise `InputError` if `path` exists and `force` is not set."""
    if Path(path).exists() and not force:
        raise InputError(f"{path} exists; give --force to overwrite it, or another name")


@contextlib.contextmanager
def atomic_path(path, force: bool = False):
    """Give a temporary name beside `path`; rename it to `path` if the block ends well.

    Raises:
        InputError: if `path` exists and `force` is not set.
    """
    refuse_to_overwrite(path, force)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def write_atomically(path, text: str, force: bool = False) -> None:
    """Write UTF-8 text through `atomic_path`."""
    with atomic_path(path, force) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())


def read_lines(path):
    """Lines of a UTF-8 text file, split on the newline character alone.

    Raises:
        InputError: if the file is missing or not UTF-8 (the line is named).
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
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
