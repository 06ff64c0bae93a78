r"""Reading two aligned files of any size, plain or gzip, a chunk of lines at a time.

Lines end at `\n` alone: other separators that Unicode knows (U+2028, U+0085) may stand inside
one. A `\r` before the `\n` is dropped.
"""

from __future__ import annotations

import gzip
import itertools
import os
import zlib
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, List, NamedTuple, Optional, Tuple

from fairseq_instr.errors import InputError

CHUNK_LINES = 16384


class Chunk(NamedTuple):
    """Adjacent pairs of lines.

    Attributes:
        first: number of the first line, from 0.
        sources: source lines, UTF-8 without their ends.
        targets: target lines, as many.
        invalid: offsets, from 0, of pairs that are not UTF-8 and were asked to be skipped.
    """

    first: int
    sources: List[bytes]
    targets: List[bytes]
    invalid: Tuple[int, ...] = ()


class Position(NamedTuple):
    """How far two files were read: lines, and bytes after decompression."""

    lines: int = 0
    source_bytes: int = 0
    target_bytes: int = 0


START = Position()


class AlignedText:
    """Two files that are read side by side.

    Args:
        source: path of the source lines; a name that ends in `.gz` is decompressed.
        target: path of the target lines.
        skip_invalid: whether pairs that are not UTF-8 are left out (and counted by their
            chunks) instead of being an error.

    Attributes:
        position: after the last chunk that was given out.

    Raises:
        InputError: if a file can't be opened.
    """

    def __init__(self, source, target, skip_invalid: bool = False):
        self.paths = (Path(source), Path(target))
        self.skip_invalid = skip_invalid
        self.position = Position()
        for path in self.paths:
            if not path.is_file():
                raise InputError(f"{path} does not exist or is no file")

    @property
    def sizes(self) -> Tuple[int, int]:
        """Bytes of both files as they lie on disk."""
        source, target = (os.path.getsize(path) for path in self.paths)
        return source, target

    def chunks(
        self,
        start: Position = START,
        shard: Tuple[int, int] = (1, 1),
        progress: Optional[Callable[[int], object]] = None,
    ) -> Iterator[Chunk]:
        """Chunks of lines, in order.

        Args:
            start: where an earlier reading of the same shard ended, to go on from there.
            shard: (I, N): the chunks I, I + N, I + 2N ... of N shards that share the text.
            progress: is told the bytes of the source file, as on disk, that each step read.

        Raises:
            InputError: if one file has more lines than the other, a line is not UTF-8, or a
                file can't be decompressed.
        """
        number, count = shard
        self.position = start
        with open_text(self.paths[0]) as source, open_text(self.paths[1]) as target:
            with _NamedErrors(self.paths[0]):
                source.seek(start.source_bytes)
            with _NamedErrors(self.paths[1]):
                target.seek(start.target_bytes)
            told = 0
            while True:
                first = self.position.lines
                with _NamedErrors(self.paths[0]):
                    sources = list(itertools.islice(source, CHUNK_LINES))
                with _NamedErrors(self.paths[1]):
                    targets = list(itertools.islice(target, CHUNK_LINES))
                if len(sources) != len(targets):
                    raise self._misaligned(first, source, target, len(sources), len(targets))
                if not sources:
                    return
                if (first // CHUNK_LINES) % count == number - 1:
                    invalid = self._invalid(first, sources, targets)
                    yield Chunk(first, _bare(sources), _bare(targets), invalid)
                # a chunk is behind us once the next one is asked for
                self.position = Position(first + len(sources), source.tell(), target.tell())
                if progress is not None:
                    on_disk = _bytes_on_disk(source)
                    progress(on_disk - told)
                    told = on_disk

    def _misaligned(self, first, source, target, n_source, n_target) -> InputError:
        n_source += first + sum(1 for _ in source)
        n_target += first + sum(1 for _ in target)
        shorter = self.paths[0] if n_source < n_target else self.paths[1]
        return InputError(
            f"{self.paths[0]} has {n_source} lines, {self.paths[1]} has {n_target}: they must be "
            f"aligned line by line, but line {min(n_source, n_target) + 1} is missing in "
            f"{shorter}; give files of one extraction"
        )

    def _invalid(self, first: int, sources, targets) -> Tuple[int, ...]:
        """Offsets of the pairs that are not UTF-8."""
        found = set()
        for path, lines in zip(self.paths, (sources, targets)):
            try:
                # all at once: this is the whole cost where there is nothing to find
                b"".join(lines).decode("utf-8")
            except UnicodeDecodeError:
                bad = [offset for offset, line in enumerate(lines) if not _is_utf8(line)]
                if not self.skip_invalid:
                    raise InputError(
                        f"{path}: line {first + bad[0] + 1} is not UTF-8; convert the file, or "
                        "ask for such lines to be skipped (--skip-invalid)"
                    ) from None
                found.update(bad)
        return tuple(sorted(found))


def open_text(path) -> BinaryIO:
    """Open a file for reading bytes, decompressed if its name ends in `.gz`."""
    try:
        if Path(path).suffix == ".gz":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None


class _NamedErrors:
    """Turns what a broken file makes reading raise into an `InputError` that names it."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, (OSError, EOFError, zlib.error)):
            raise InputError(f"{self.path} can't be read: {error}; fetch it again") from None


def _bytes_on_disk(file) -> int:
    """Bytes read so far of what lies on disk: of a gzip file, the compressed ones."""
    raw = getattr(file, "fileobj", None)
    return raw.tell() if raw is not None else file.tell()


def _bare(lines: List[bytes]) -> List[bytes]:
    return [line.rstrip(b"\r\n") for line in lines]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
