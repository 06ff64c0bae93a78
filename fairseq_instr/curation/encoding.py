"""Raw text -> text in subwords, for `fairseq-preprocess`; `binarisation` does both steps at once.

In files of instructions (`.instr`) the arguments are spelled: `begin-with="Heute Abend"` becomes
`begin-with =▁Heute =▁Abend`, so that an argument has the tokens that the source would have. What
is spelled already stays as it is.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Sequence

from tqdm import tqdm

from fairseq_instr.curation.samples import STREAM
from fairseq_instr.errors import InputError
from fairseq_instr.files import writing_lines
from fairseq_instr.instructions.asking import parse_line, spell_line
from fairseq_instr.instructions.catalogue import check_composition
from fairseq_instr.text.dictionary import check_vocabulary, read_entries
from fairseq_instr.text.lines import iterate_lines
from fairseq_instr.text.subwords import Encoder, load_subwords

MAX_UNKNOWN = 0.05
"""Largest share of subwords that the dictionary may lack: more are those of another model."""
NOT_TEXT = (".json", ".md", ".sqlite", ".yaml")
"""Endings of files in a folder of text that are not text, such as data cards."""


def encode(
    inputs: Sequence,
    output,
    subwords,
    dictionary=None,
    source_language: Optional[str] = None,
    target_language: Optional[str] = None,
    allow_unknown: bool = False,
    force: bool = False,
    show_progress: bool = False,
) -> List[Path]:
    """Write text files in subwords, under the same names in another folder.

    Args:
        inputs: files of raw text, plain or `.gz`, or folders, whose tree is mirrored.
        dictionary: the model's dictionary, or a folder with `dict.LANGUAGE.txt`; None to check
            nothing.
        source_language: ending of the source files; None where both sides are encoded alike.
        target_language: ending of the target files; None where both sides are encoded alike.
        allow_unknown: whether the dictionary may lack more than `MAX_UNKNOWN` of the subwords.

    Raises:
        InputError: if a file can't be read or exists, the languages are missing, or the
            dictionary lacks too many subwords; nothing is written then.
    """
    encoders = load_subwords(subwords, source_language, target_language)
    if target_language is None and encoders.source is not encoders.target:
        raise InputError(f"--subwords {subwords} encodes two sides differently; give -s and -t")
    files = _text_files(inputs, Path(output))
    with writing_lines(list(files.values()), force) as outs:
        for (path, written), out in zip(files.items(), outs):
            language = written.suffix[1:]
            encoder = encoders.target if language == target_language else encoders.source
            known = _known(dictionary, language)
            if known is not None and not allow_unknown:
                check_vocabulary(encoders, known, f"--subwords {subwords}", str(dictionary))
            replaced: Counter = Counter()
            n_pieces = 0
            for line in watched(spelled(path, encoder), written.name, show_progress):
                pieces = line.split()
                if known is not None:
                    n_pieces += len(pieces)
                    replaced.update(piece for piece in pieces if piece not in known)
                out.write(" ".join(pieces) + "\n")
            if not allow_unknown:
                refuse_unknown(path, replaced, n_pieces)
    return list(files.values())


def _text_files(inputs: Sequence, output: Path) -> Dict[Path, Path]:
    """Files to read, and where each is to be written."""
    files: Dict[Path, Path] = {}
    for root in map(Path, inputs):
        if not root.is_dir():
            files[root] = output / _plain_name(root)
            continue
        if output.resolve() == root.resolve() or root.resolve() in output.resolve().parents:
            raise InputError(f"--output {output} is in --input {root}; give another folder")
        for path in sorted(root.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if path.is_file() and not hidden and path.suffix not in NOT_TEXT:
                files[path] = output / path.relative_to(root).with_name(_plain_name(path))
    if not files:
        raise InputError(f"--input {', '.join(map(str, inputs))}: there is no file in it")
    return files


def _plain_name(path: Path) -> str:
    return path.stem if path.suffix == ".gz" else path.name


def _known(dictionary, language: str) -> Optional[FrozenSet[str]]:
    if dictionary is None or language == STREAM:
        return None
    folder = Path(dictionary)
    path = folder / f"dict.{language}.txt" if folder.is_dir() else folder
    return frozenset(read_entries(path))


def spelled(path: Path, encoder: Encoder) -> Iterator[str]:
    """Lines of a file in subwords; of a file of instructions, with the arguments in subwords."""
    if _plain_name(path).endswith(f".{STREAM}"):
        for number, line in enumerate(iterate_lines(path), start=1):
            try:
                check_composition(parse_line(line))
                yield spell_line(line, encoder.encode)
            except InputError as error:
                raise InputError(f"{path}: line {number}: {error}") from None
    else:
        yield from map(encoder.encode, iterate_lines(path))


def watched(lines: Iterable[str], name: str, show: bool) -> Iterable[str]:
    """The same lines, with a progress bar."""
    return tqdm(lines, desc=name, unit=" lines", leave=False, disable=not show)


def refuse_unknown(path: Path, replaced: Mapping[str, int], n_pieces: int) -> None:
    """Raise `InputError` if too many pieces are not in the dictionary."""
    share = sum(replaced.values()) / max(1, n_pieces)
    if share > MAX_UNKNOWN:
        examples = sorted(replaced, key=lambda piece: (-replaced[piece], piece))[:5]
        raise InputError(
            f"{path}: the dictionary lacks {100 * share:.0f} % of the subwords, such as "
            f"{', '.join(examples)}; give the --subwords and the dictionary of one model; if they "
            "are, leave out what the model can't write (fairseq-instr curate --subwords "
            "--dictionary finds it), or give --allow-unknown"
        )
