"""Labelled data -> samples of instructions: formality, gender, terminology, or any labelled text.

    label(read_formality("train/en-de", "en", "de"), "en", "de", "task/formality")

Each reader takes one published layout and yields `Sample`s; files are plain or end in `.gz`.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, Iterator, Optional, Set

from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.curators import DUPLICATE, NOT_SPELLED, by_count
from fairseq_instr.curation.data_card import NAME as DATA_CARD
from fairseq_instr.curation.data_card import refuse_to_overwrite_samples
from fairseq_instr.curation.filters import Checks, reason_against
from fairseq_instr.curation.samples import Sample, as_written, write_samples
from fairseq_instr.errors import InputError
from fairseq_instr.files import write_json
from fairseq_instr.instructions.asking import Written
from fairseq_instr.instructions.catalogue import find
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.text.lines import find_text, read_lines

FORMALITIES = ("formal", "informal")
GENDERS = ("feminine", "masculine")
USE_TERM = "use-term"
_SEGMENT = re.compile(r'<seg id="([^"]+)">(.*?)</seg>', re.DOTALL)
_DOCUMENT = re.compile(r'<doc\b[^>]*\bdocid="([^"]+)"[^>]*>(.*?)</doc>', re.DOTALL)
_TERM = re.compile(r'<term\b[^>]*\bsrc="([^"]*)"[^>]*\btgt="([^"]*)"[^>]*>')
_TAG = re.compile(r"<[^<>]*>")


def label(
    samples: Iterable[Sample],
    source_language: str,
    target_language: str,
    output,
    checks: Checks = Checks(),  # noqa: B008 -- it is frozen
    force: bool = False,
) -> dict:
    """Write `output/train.{SOURCE,TARGET,instr}` and `output/data_card.json`.

    Args:
        samples: as a reader of this module gives them.

    Returns:
        The data card: samples by instruction, and rejections by reason.

    Raises:
        InputError: if an argument is not accepted, a file can't be read, or no sample is left.
    """
    languages = (source_language, target_language)
    refuse_to_overwrite_samples(output, ("",), languages, force)
    spell, filters = checks.speller(languages), (*checks.cheap(), *checks.costly(languages))
    chosen: Dict[Sample, None] = {}
    rejected: Counter = Counter()
    for sample in samples:
        reason = reason_against(filters, sample.source, sample.target)
        if reason is None and sample in chosen:
            reason = DUPLICATE
        if reason is None and as_written(spell, sample) is None:
            reason = NOT_SPELLED
        if reason is None:
            chosen[sample] = None
        else:
            rejected[reason] += 1
    if not chosen:
        raise InputError(f"no sample is left; rejected: {by_count(rejected) or 'none'}")
    write_samples(output, chosen, languages, force)
    counts = Counter(sample.instruction.partition("=")[0] for sample in chosen)
    card = {"made": "labelled", "samples": dict(counts), "rejected": by_count(rejected)}
    write_json(Path(output, DATA_CARD), card, force)
    return card


def read_formality(
    folder, source: str, target: str, drop: Optional[str] = None
) -> Iterator[Sample]:
    """Pairs of CoCoA-MT (Nadejde et al., 2022), formal and informal.

    Args:
        folder: holds `DOMAIN.SOURCE` and `DOMAIN.{formal,informal}.TARGET` of some domains.
        drop: file of lines to leave out, tab-separated, with a header that names `pair`,
            `train_domain` and `train_line` (from 1): training lines that are test lines too.

    Raises:
        InputError: if there is no domain, or a file is missing, misaligned or not UTF-8.
    """
    dropped = _lines_to_drop(drop, f"{source}-{target}")
    ending = re.compile(rf"\.{re.escape(source)}(\.gz)?$")
    found = sorted(path for path in Path(folder).glob("*") if ending.search(path.name))
    if not found:
        raise InputError(
            f"{folder} holds no DOMAIN.{source}; give the folder of one language pair, with "
            f"DOMAIN.formal.{target} and DOMAIN.informal.{target} beside it"
        )
    for path in found:
        domain = ending.sub("", path.name)
        for formality in FORMALITIES:
            other = find_text(path.parent / f"{domain}.{formality}.{target}")
            samples = read_text(path, other, formality)
            for number, sample in enumerate(samples, start=1):
                if number not in dropped.get(domain, ()):
                    yield sample


def _lines_to_drop(path: Optional[str], pair: str) -> Dict[str, Set[int]]:
    """Domain -> numbers of its training lines, from 1."""
    dropped: Dict[str, Set[int]] = {}
    if path is None:
        return dropped
    header, *rows = [line.split("\t") for line in read_lines(path) or [""]]
    wanted = ("pair", "train_domain", "train_line")
    if not set(wanted) <= set(header):
        raise InputError(f"{path}: the first line must name the columns {', '.join(wanted)}")
    for number, cells in enumerate(rows, start=2):
        row = dict(zip(header, cells))
        if len(cells) != len(header) or not row["train_line"].isdecimal():
            raise InputError(f"{path}: line {number} is not of the header's form")
        if row["pair"] == pair:
            dropped.setdefault(row["train_domain"], set()).add(int(row["train_line"]))
    return dropped


def read_gender(folder, split: str, source: str, target: str) -> Iterator[Sample]:
    """Pairs of MT-GenEval (Currey et al., 2022), feminine and masculine.

    Args:
        folder: holds `SPLIT.GENDER.SOURCE-TARGET.{SOURCE,TARGET}`.
    """
    for gender in GENDERS:
        prefix = Path(folder, f"{split}.{gender}.{source}-{target}")
        sources, targets = (find_text(f"{prefix}.{language}") for language in (source, target))
        yield from read_text(sources, targets, gender)


def read_terminology(source, target) -> Iterator[Sample]:
    """Segments with marked terms, as in the WMT 2021 terminology task (Alam et al., 2021).

    The SGM files mark a term as `<term src="runny nose" tgt="nez qui coule|nez coule"> ...`. Each
    term gives a sample with the first of its translations that stands in the reference.

    Raises:
        InputError: if a segment of the source is missing in the target.
    """
    sources, references = _segments(source), _segments(target)
    for key, marked in sources.items():
        if key not in references:
            raise InputError(f"{target} lacks segment {key[1]!r} of document {key[0]!r}")
        text, reference = _plain(marked), _plain(references[key])
        for term, translations in dict.fromkeys(_TERM.findall(marked)):
            used = [t for t in map(_plain, translations.split("|")) if _stands_in(t, reference)]
            if used and "=" not in term + used[0]:
                asked = Written(USE_TERM, f"{_plain(term)}={used[0]}")
                yield Sample(text, reference, str(asked))


def _segments(path) -> Dict[tuple, str]:
    """(document, segment) -> its text with marks."""
    content = "\n".join(read_lines(path))
    found = {
        (document, segment): text
        for document, body in _DOCUMENT.findall(content)
        for segment, text in _SEGMENT.findall(body)
    }
    if not found:
        raise InputError(f"{path} holds no <doc docid> with <seg id>; give an SGM file")
    return found


def _plain(marked: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", marked)).split())


def _stands_in(term: str, text: str) -> bool:
    return bool(term) and re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text, re.I) is not None


def read_text(source, target, instruction: str) -> Iterator[Sample]:
    """All pairs of two aligned files under one instruction, such as a domain.

    Raises:
        InputError: if no instruction can have that name; if a file is missing, misaligned or
            not UTF-8.
    """
    known = find(instruction) or Instruction(instruction, axis=instruction)  # refuses no name
    if known.argument:
        raise InputError(
            f"--label {instruction} needs an argument for each line, which a label has not; write "
            "SPLIT.instr beside the text, and begin with fairseq-instr binarise"
        )
    for pair in AlignedText(source, target).pairs():
        yield Sample(*pair, instruction)
