"""Reading two aligned files of any size, plain or gzip, a chunk of lines at a time."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional, Set, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import LINE_END, open_text, readable, without_mark

CHUNK_LINES = 16384


class Chunk(NamedTuple):
    """Adjacent pairs of lines."""

    first: int  # number of the first line, from 0
    sources: List[bytes]  # UTF-8 without line ends
    targets: List[bytes]  # as many
    invalid: Tuple[int, ...] = ()  # offsets of pairs that are not UTF-8 and are to be skipped


class Position(NamedTuple):
    """How far two files were read: lines, and bytes after decompression."""

    lines: int = 0
    source_bytes: int = 0
    target_bytes: int = 0


START = Position()


class AlignedText:
    """Two files that are read side by side.

    Args:
        skip_invalid: whether pairs that are not UTF-8 are left out instead of being an error.

    Attributes:
        position: after the last chunk that was given out.

    Raises:
        InputError: if a file does not exist.
    """

    def __init__(self, source, target, skip_invalid: bool = False):
        self.paths = (Path(source), Path(target))
        self.skip_invalid = skip_invalid
        self.position = START
        for path in self.paths:
            if not path.is_file():
                raise InputError(f"{path} does not exist or is no file")

    @property
    def sizes(self) -> Tuple[int, int]:
        """Bytes of both files as they lie on disk."""
        source, target = (os.path.getsize(path) for path in self.paths)
        return source, target

    def pairs(self) -> Iterator[Tuple[str, str]]:
        """All pairs as text; raises as `chunks`."""
        for chunk in self.chunks():
            for source, target in zip(chunk.sources, chunk.targets):
                yield source.decode("utf-8"), target.decode("utf-8")

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
            files = (source, target)
            for file, path, n_bytes in zip(files, self.paths, start[1:]):
                with readable(path):
                    file.seek(n_bytes)
            told = 0
            while True:
                first = self.position.lines
                sides = []
                for file, path in zip(files, self.paths):
                    with readable(path):
                        sides.append(list(itertools.islice(file, CHUNK_LINES)))
                if len(sides[0]) != len(sides[1]):
                    raise self._misaligned(first, files, sides)
                if not sides[0]:
                    return
                if (first // CHUNK_LINES) % count == number - 1:
                    if first == 0:
                        sides = [[without_mark(lines[0]), *lines[1:]] for lines in sides]
                    sources, targets = (
                        [line.rstrip(LINE_END) for line in lines] for lines in sides
                    )
                    yield Chunk(first, sources, targets, self._invalid(first, sources, targets))
                # a chunk is behind us once the next one is asked for
                self.position = Position(first + len(sides[0]), source.tell(), target.tell())
                if progress is not None:
                    # of a gzip file, the compressed bytes
                    on_disk = getattr(source, "fileobj", source).tell()
                    progress(on_disk - told)
                    told = on_disk

    def _misaligned(self, first, files, sides) -> InputError:
        counts = [first + len(lines) + sum(1 for _ in file) for file, lines in zip(files, sides)]
        shorter = self.paths[0] if counts[0] < counts[1] else self.paths[1]
        return InputError(
            f"{self.paths[0]} has {counts[0]} lines, {self.paths[1]} has {counts[1]}: they must "
            f"be aligned line by line, but line {min(counts) + 1} is missing in {shorter}; give "
            "files of one extraction"
        )

    def _invalid(self, first: int, *sides: List[bytes]) -> Tuple[int, ...]:
        found: Set[int] = set()
        for path, lines in zip(self.paths, sides):
            # all at once: this is the whole cost where there is nothing to find
            if _is_utf8(b"\n".join(lines)):
                continue
            offsets = [offset for offset, line in enumerate(lines) if not _is_utf8(line)]
            if not self.skip_invalid:
                raise InputError(
                    f"{path}: line {first + offsets[0] + 1} is not UTF-8; convert the file, or "
                    "skip such lines with --skip-invalid"
                )
            found.update(offsets)
        return tuple(sorted(found))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
