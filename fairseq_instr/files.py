"""Writing files so that nothing is lost: a temporary name, then a rename."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Iterator, List, Sequence, TextIO

from fairseq_instr.errors import InputError


def refuse_to_overwrite(path, force: bool) -> None:
    """Raise `InputError` if `path` exists and `force` is not set."""
    if Path(path).exists() and not force:
        raise InputError(f"{path} exists; give --force to overwrite it, or another name")


@contextlib.contextmanager
def writable(path: Path):
    """Turn what a full or read-only disk makes writing raise into an `InputError`.

    An error about a file elsewhere, such as one that the block reads, stays as it is.
    """
    try:
        yield
    except OSError as error:
        named = None if error.filename is None else Path(os.fsdecode(error.filename))
        inside = named is not None and any(
            folder.name.startswith(f".{path.name}.") for folder in (named, *named.parents)
        )
        if named is not None and not inside and named not in (path, *path.parents):
            raise
        raise InputError(f"{path} can't be written: {error.strerror or error}") from None


@contextlib.contextmanager
def making(folder: Path) -> Iterator[None]:
    """Make a folder; if the block fails, the folders that were made and are empty go again."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # not made, or something is in it
            for each in missing:
                each.rmdir()
        raise


@contextlib.contextmanager
def atomic_path(path, force: bool = False) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` if the block ends well.

    Raises:
        InputError: if `path` exists and `force` is not set, or can't be written.
    """
    refuse_to_overwrite(path, force)
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writable(path), making(path.parent):
        try:
            yield temporary
            with open(temporary, "rb") as written:
                os.fsync(written.fileno())
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def atomic_folder(path, force: bool = False, marker: str = "") -> Iterator[Path]:
    """Give a temporary folder beside `path`; rename it to `path` if the block ends well.

    Args:
        force: replace the folder if it exists.
        marker: a file that the folder holds if it may be replaced: what was put there by
            something else is not deleted.

    Raises:
        InputError: if `path` exists, and `force` is not set or the marker is not there; if
            `path` can't be written.
    """
    refuse_to_overwrite(path, force)
    path = Path(path)
    if path.exists() and not (path / marker).is_file():
        raise InputError(
            f"{path} exists and holds no {marker}: it is not deleted, not even with --force; give "
            "another name"
        )
    with writable(path), making(path.parent):
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        old = temporary.with_name(f"{temporary.name}.old")
        try:
            temporary.chmod(0o755)  # mkdtemp keeps others out
            yield temporary
            if path.exists():
                os.replace(path, old)
            os.replace(temporary, path)
        finally:
            if old.exists() and not path.exists():  # stopped between the two
                os.replace(old, path)
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def writing_lines(paths: Sequence, force: bool = False) -> Iterator[List[TextIO]]:
    r"""Give a UTF-8 text file to write for each path; all appear if the block ends well.

    Raises:
        InputError: if a path exists and `force` is not set, two are the same, or one can't be
            written.
    """
    if len(set(map(str, paths))) < len(paths):
        raise InputError(f"{', '.join(map(str, paths))}: two outputs have one name")
    for path in paths:
        refuse_to_overwrite(path, force)
    with contextlib.ExitStack() as renaming:
        temporaries = [renaming.enter_context(atomic_path(path, force)) for path in paths]
        with contextlib.ExitStack() as closing:
            yield [
                closing.enter_context(open(temporary, "w", encoding="utf-8", newline="\n"))
                for temporary in temporaries
            ]


def write_atomically(path, text: str, force: bool = False) -> None:
    """Write UTF-8 text through `atomic_path`."""
    with writing_lines([path], force) as [file]:
        file.write(text)


def write_json(path, content: object, force: bool = False) -> None:
    """Write JSON for readers through `atomic_path`."""
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n", force)


def digest_of(*paths, begun=None) -> str:
    """SHA-256 of what files hold, and the files in folders: 64 hexadecimal digits.

    Args:
        begun: a `hashlib` digest to go on with; None for a new one.

    Raises:
        InputError: if a file can't be read.
    """
    digest = begun or hashlib.sha256()
    for path in map(Path, paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_dir():
                continue
            try:
                with open(file, "rb") as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
            except OSError as error:
                raise InputError(f"{file} can't be read: {error.strerror}") from None
    return digest.hexdigest()
