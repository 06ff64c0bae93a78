"""Labelled data -> samples of instructions: formality, gender, terminology, or any labelled text.

Each reader takes one published layout and yields `Sample`s; files are plain or end in `.gz`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set

from fairseq_instr.curation.aligned_text import AlignedText, open_text
from fairseq_instr.curation.from_parallel import Sample
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Written

FORMALITIES = ("formal", "informal")
GENDERS = ("feminine", "masculine")
USE_TERM = "use-term"
_SEGMENT = re.compile(r'<seg id="([^"]+)">(.*?)</seg>', re.DOTALL)
_DOCUMENT = re.compile(r'<doc\b[^>]*\bdocid="([^"]+)"[^>]*>(.*?)</doc>', re.DOTALL)
_TERM = re.compile(r'<term\b[^>]*\bsrc="([^"]*)"[^>]*\btgt="([^"]*)"[^>]*>')
_TAG = re.compile(r"<[^<>]*>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


def read_formality(
    folder, source: str, target: str, drop: Optional[str] = None
) -> Iterator[Sample]:
    """Pairs of CoCoA-MT (Nadejde et al., 2022), formal and informal.

    Args:
        folder: holds `DOMAIN.SOURCE` and `DOMAIN.{formal,informal}.TARGET` of some domains.
        source: language, such as `en`.
        target: language.
        drop: file of lines to leave out, tab-separated, with a header that names `pair`,
            `train_domain` and `train_line` (from 1): training lines that are test lines too.

    Raises:
        InputError: if there is no domain, or a file is missing, misaligned or not UTF-8.
    """
    dropped = _lines_to_drop(drop, f"{source}-{target}")
    found = sorted(path for path in Path(folder).glob(f"*.{source}*") if _is_side(path, source))
    if not found:
        raise InputError(
            f"{folder} holds no DOMAIN.{source}; give the folder of one language pair, with "
            f"DOMAIN.formal.{target} and DOMAIN.informal.{target} beside it"
        )
    for path in found:
        name = path.stem if path.suffix == ".gz" else path.name
        domain = name[: -len(f".{source}")]
        for formality in FORMALITIES:
            other = _existing(path.parent, f"{domain}.{formality}.{target}")
            yield from (
                sample
                for number, sample in enumerate(read_text(path, other, formality), start=1)
                if number not in dropped.get(domain, ())
            )


def _is_side(path: Path, language: str) -> bool:
    return path.name.endswith((f".{language}", f".{language}.gz"))


def _existing(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"{folder / name} does not exist, nor with .gz; fetch the whole data set")


def _lines_to_drop(path: Optional[str], pair: str) -> Dict[str, Set[int]]:
    """Domain -> numbers of its training lines, from 1."""
    dropped: Dict[str, Set[int]] = {}
    if path is None:
        return dropped
    header, *rows = [line.split("\t") for line in _lines(path)]
    wanted = ("pair", "train_domain", "train_line")
    if not set(wanted) <= set(header):
        raise InputError(f"{path}: the first line must name the columns {', '.join(wanted)}")
    columns = [header.index(name) for name in wanted]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header) or not row[columns[2]].isdecimal():
            raise InputError(f"{path}: line {number} is not of the header's form")
        row_pair, domain, line = (row[column] for column in columns)
        if row_pair == pair:
            dropped.setdefault(domain, set()).add(int(line))
    return dropped


def _lines(path) -> List[str]:
    with open_text(path) as file:
        try:
            return file.read().decode("utf-8").rstrip("\n").split("\n")
        except UnicodeDecodeError:
            raise InputError(f"{path} is not UTF-8") from None


def read_gender(folder, split: str, source: str, target: str) -> Iterator[Sample]:
    """Pairs of MT-GenEval (Currey et al., 2022), feminine and masculine.

    Args:
        folder: holds `SPLIT.GENDER.SOURCE-TARGET.{SOURCE,TARGET}`.
        split: `dev` or `test`.
        source: language.
        target: language.
    """
    for gender in GENDERS:
        prefix = f"{split}.{gender}.{source}-{target}"
        sources, targets = (
            _existing(Path(folder), f"{prefix}.{language}") for language in (source, target)
        )
        yield from read_text(sources, targets, gender)


def read_terminology(source, target) -> Iterator[Sample]:
    """Segments with marked terms, as in the WMT 2021 terminology task (Alam et al., 2021).

    The SGM files mark a term as `<term src="runny nose" tgt="nez qui coule|nez coule"> ...`.
    Each term whose translation stands in the reference gives a sample, the first of the
    translations that does; the marks are taken out of both sides.

    Args:
        source: SGM file of the sources.
        target: SGM file of the references, with the same documents and segments.

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
    content = "\n".join(_lines(path))
    found = {
        (document, segment): text
        for document, body in _DOCUMENT.findall(content)
        for segment, text in _SEGMENT.findall(body)
    }
    if not found:
        raise InputError(f"{path} holds no <doc docid> with <seg id>; give an SGM file")
    return found


def _plain(marked: str) -> str:
    """Text without marks, entities read, single spaces."""
    text = _TAG.sub(" ", marked)
    for entity, character in _ENTITIES.items():  # `&amp;` last: it may make another
        text = text.replace(entity, character)
    return " ".join(text.split())


def _stands_in(term: str, text: str) -> bool:
    return bool(term) and re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text, re.I) is not None


def read_text(source, target, label: str) -> Iterator[Sample]:
    """All pairs of two aligned files under one instruction, such as a domain.

    Args:
        source: file of the sources.
        target: file of the targets.
        label: what is asked for.

    Raises:
        InputError: if a file is missing, misaligned or not UTF-8.
    """
    for chunk in AlignedText(source, target).chunks():
        for line, translation in zip(chunk.sources, chunk.targets):
            yield Sample(line.decode("utf-8"), translation.decode("utf-8"), label)
