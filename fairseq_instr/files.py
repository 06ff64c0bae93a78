"""Writing files so that nothing is lost: a temporary name, then a rename."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
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


@contextlib.contextmanager
def atomic_folder(path, force: bool = False, marker: str = ""):
    """Give a temporary folder beside `path`; rename it to `path` if the block ends well.

    Args:
        path: folder to make.
        force: replace it if it exists.
        marker: a file that it holds if it may be replaced: what was put there by something else
            is not deleted.

    Raises:
        InputError: if `path` exists, and `force` is not set or the marker is not there.
    """
    refuse_to_overwrite(path, force)
    path = Path(path)
    if path.exists() and not (path / marker).is_file():
        raise InputError(
            f"{path} exists and holds no {marker}: it is not deleted, not even with --force; give "
            "another name"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    old = temporary.with_name(f"{temporary.name}.old")
    try:
        temporary.chmod(0o755)  # mkdtemp keeps others out
        yield temporary
        if path.exists():
            os.replace(path, old)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_atomically(path, text: str, force: bool = False) -> None:
    """Write UTF-8 text through `atomic_path`."""
    with atomic_path(path, force) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
