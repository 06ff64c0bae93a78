"""Samples of instructions, and the files in which they come: `NAME/train.{en,de,instr}`."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.files import writing_lines
from fairseq_instr.instructions.asking import parse_line, split
from fairseq_instr.text.subwords import Spell

STREAM = "instr"  # extension of the files that hold a line of instructions for each pair


class Sample(NamedTuple):
    """A sentence pair and what is asked for; the target obeys it."""

    source: str
    target: str
    instruction: str


def as_written(spell: Optional[Spell], sample: Sample) -> Optional[Sample]:
    """A sample with the target that a model can write for it.

    Args:
        spell: what the model's vocabulary writes for a text; None for any text as it is.

    Returns:
        None if the vocabulary lacks a piece of the target or of an argument.

    Example: Moses makes `< b > Ja < / b >` of the target `<b>Ja</b>`.
    """
    if spell is None:
        return sample
    arguments = (split(asked).argument for asked in parse_line(sample.instruction))
    if any(argument is not None and spell(argument) is None for argument in arguments):
        return None
    target = spell(sample.target)
    return None if target is None else sample._replace(target=target)


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
