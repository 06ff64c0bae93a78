"""Samples of instructions, and the files in which they come: `NAME/train.{en,de,instr}`."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.files import writing_lines
from fairseq_instr.instructions.asking import parse_line, split

STREAM = "instr"  # extension of the files that hold a line of instructions for each pair


class Sample(NamedTuple):
    """A sentence pair and what is asked for; the target obeys it."""

    source: str
    target: str
    instruction: str


def is_spelled(can_spell: Optional[Callable[[str], bool]], sample: Sample) -> bool:
    """Whether a vocabulary can write the target and the arguments of a sample."""
    if can_spell is None:
        return True
    arguments = (split(asked).argument for asked in parse_line(sample.instruction))
    return can_spell(sample.target) and all(a is None or can_spell(a) for a in arguments)


def sample_files(folder, languages: Sequence[str]) -> List[Path]:
    """The files of the samples in a folder: sources, targets and instructions."""
    return [Path(folder, f"train.{extension}") for extension in (*languages, STREAM)]


def write_samples(
    folder, samples: Iterable[Sample], languages: Tuple[str, str], force: bool = False
) -> None:
    """Write samples as three aligned files of raw text."""
    with writing_lines(sample_files(folder, languages), force) as files:
        for sample in samples:
            for file, text in zip(files, sample):
                file.write(f"{text}\n")
