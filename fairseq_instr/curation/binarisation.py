"""Folders of raw text -> a data-bin, or a group of one, in one process.

    task/uppercase/train.{en,de,instr}  ->  data-bin/task/uppercase/train.en-de.{en,de}.{bin,idx}
                                            data-bin/task/uppercase/train.instr-None.instr.{bin,idx}
                                            data-bin/task/uppercase/dict.instr.txt

The files are those that `fairseq-preprocess` writes of the same text in subwords.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Optional, Tuple

from fairseq_instr.curation.encoding import refuse_unknown, spelled, watched
from fairseq_instr.curation.samples import STREAM
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, refuse_to_overwrite, write_atomically
from fairseq_instr.instructions.asking import ARGUMENT_MARK
from fairseq_instr.text.lines import find_text, read_lines
from fairseq_instr.text.subwords import Encoder, load_subwords, read_entries

if TYPE_CHECKING:
    from fairseq.data import Dictionary

STREAM_PAIR = f"{STREAM}-None"
N_ABOVE = 2
"""Folders above a group in which its data-bin's dictionaries may be."""


class Corpus(NamedTuple):
    """A folder of raw text, and where its binary files go.

    Attributes:
        text: folder of raw text.
        data: folder of binary files.
        splits: names of the splits, such as `train`.
        instructed: those of the splits that have instructions.
    """

    text: Path
    data: Path
    splits: Tuple[str, ...]
    instructed: Tuple[str, ...]


class Binarised(NamedTuple):
    """One split of one corpus that was binarised.

    Attributes:
        prefix: path of the binary files up to the split, such as `data-bin/task/uppercase/train`.
        n_lines: number of pairs.
        unknown: share of the subwords that the dictionaries lack, from 0 to 1.
        instructions: names in the corpus's instructions; empty without any.
    """

    prefix: Path
    n_lines: int
    unknown: float
    instructions: Tuple[str, ...]


def binarise(
    text,
    output,
    subwords,
    source_language: str,
    target_language: Optional[str] = None,
    dictionary=None,
    allow_unknown: bool = False,
    force: bool = False,
    show_progress: bool = False,
) -> List[Binarised]:
    """Write a folder of raw text, and the folders in it, as a data-bin or a group of one.

    Args:
        text: folder with `SPLIT.SOURCE`, `SPLIT.TARGET` and, where a split has instructions,
            `SPLIT.instr`, plain or `.gz`; or with folders of these, each a corpus of its own.
        output: data-bin to write, or a folder in one.
        subwords: SentencePiece model or tokenizer folder.
        source_language: ending of the source files, such as `en`.
        target_language: ending of the target files; None for text of one language.
        dictionary: the model's dictionary, for both languages; copied into `output` unless the
            data-bin has it. None if the data-bin has `dict.LANGUAGE.txt`.
        allow_unknown: accept text of which the dictionary lacks more than 5 % of the subwords.
        force: overwrite what is there.
        show_progress: show progress bars.

    Raises:
        InputError: if there is no text or no dictionary, files are not aligned or exist, or the
            dictionary lacks too many subwords. The corpus at hand is not written then.
    """
    from fairseq.data import Dictionary

    languages = [source_language, *([] if target_language is None else [target_language])]
    pair = f"{source_language}-{target_language}"
    corpora = _find_corpora(Path(text), Path(output), source_language)
    for corpus in corpora:
        for split in corpus.splits:
            refuse_to_overwrite(corpus.data / f"{split}.{pair}.{source_language}.idx", force)
    encoder = load_subwords(subwords)
    files = {language: _find_dictionary(output, language, dictionary) for language in languages}
    dictionaries = {language: Dictionary.load(str(file)) for language, file in files.items()}
    done: List[Binarised] = []
    for corpus in corpora:
        stream = _stream_dictionary(corpus, encoder)
        _refuse_unknown_arguments(corpus, stream, dictionaries[source_language])
        with contextlib.ExitStack() as stack:  # the files of a corpus appear together
            for split in corpus.splits:
                sides = [(lang, pair, dictionaries[lang]) for lang in languages]
                if split in corpus.instructed:
                    sides.append((STREAM, STREAM_PAIR, stream))
                n_lines, n_tokens, n_unknown = {}, 0, 0
                for side, name, entries in sides:
                    path = find_text(corpus.text / f"{split}.{side}")
                    prefix = corpus.data / f"{split}.{name}.{side}"
                    bin_file, idx_file = (
                        stack.enter_context(atomic_path(f"{prefix}.{ending}", force))
                        for ending in ("bin", "idx")
                    )
                    lines = watched(spelled(path, encoder), str(path), show_progress)
                    summary = _write(lines, entries, bin_file, idx_file)
                    n_lines[path] = summary.num_seq
                    n_pieces = summary.num_tok - summary.num_seq  # without the ends of lines
                    if not allow_unknown:
                        refuse_unknown(path, summary.replaced or {}, n_pieces)
                    n_tokens, n_unknown = n_tokens + n_pieces, n_unknown + summary.num_replaced
                _refuse_misaligned(n_lines)
                names = [
                    s for s in stream.symbols[stream.nspecial :] if not s.startswith(ARGUMENT_MARK)
                ]
                done.append(
                    Binarised(
                        corpus.data / split,
                        next(iter(n_lines.values())),
                        n_unknown / max(1, n_tokens),
                        tuple(names),
                    )
                )
            if corpus.instructed:
                path = corpus.data / f"dict.{STREAM}.txt"
                stream.save(str(stack.enter_context(atomic_path(path, force=True))))
    for language, file in files.items():
        if file == Path(dictionary or ""):
            content = "".join(f"{line}\n" for line in read_lines(file))
            write_atomically(Path(output, f"dict.{language}.txt"), content)
    return done


def _find_corpora(text: Path, output: Path, language: str) -> List[Corpus]:
    """The folder and the folders in it that hold text of a language."""
    if not text.is_dir():
        raise InputError(f"--input {text} is no folder; give one with SPLIT.{language}")
    corpora = []
    for folder in sorted((text, *(path for path in text.rglob("*") if path.is_dir()))):
        splits, instructed = (
            tuple(
                sorted(
                    path.name.split(".")[0]
                    for ending in ("", ".gz")
                    for path in folder.glob(f"[!.]*.{side}{ending}")
                )
            )
            for side in (language, STREAM)
        )
        if splits:
            corpora.append(Corpus(folder, output / folder.relative_to(text), splits, instructed))
    if not corpora:
        raise InputError(f"--input {text} and the folders in it hold no SPLIT.{language}")
    return corpora


def _find_dictionary(output, language: str, given) -> Path:
    """The data-bin's dictionary of a language, or else the one that is given.

    Raises:
        InputError: if there is none, or the one that is given is not the data-bin's.
    """
    name = f"dict.{language}.txt"
    data = Path(output).absolute()
    folders = [data, *list(data.parents)[:N_ABOVE]]
    found = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if given is None:
        if found is None:
            raise InputError(
                f"--output {output}: neither this folder nor its data-bin has {name}; give the "
                "model's --dictionary"
            )
        return found
    if found is None:
        return Path(given)
    if read_entries(found) != read_entries(given):
        raise InputError(
            f"--dictionary {given} differs from {found}, which the data-bin has; leave the option "
            "out, or write another data-bin"
        )
    return found


def _stream_dictionary(corpus: Corpus, encoder: Encoder) -> "Dictionary":
    """A dictionary of the instructions of a corpus; ids in streams that stay don't move."""
    from fairseq.data import Dictionary

    path = corpus.data / f"dict.{STREAM}.txt"
    rewritten = {f"{split}.{STREAM_PAIR}.{STREAM}.idx" for split in corpus.instructed}
    written = {idx.name for idx in corpus.data.glob(f"*.{STREAM_PAIR}.{STREAM}.idx")}
    stays = path.is_file() and not written <= rewritten
    dictionary = Dictionary.load(str(path)) if stays else Dictionary()
    for split in corpus.instructed:
        for line in spelled(find_text(corpus.text / f"{split}.{STREAM}"), encoder):
            for token in line.split():
                dictionary.add_symbol(token)
    return dictionary


def _refuse_unknown_arguments(corpus: Corpus, stream: "Dictionary", source: "Dictionary") -> None:
    """Raise `InputError` if the source's dictionary lacks a piece of an argument."""
    for symbol in stream.symbols[stream.nspecial :]:
        piece = symbol[len(ARGUMENT_MARK) :]
        if symbol.startswith(ARGUMENT_MARK) and piece not in source.indices:
            raise InputError(
                f"{corpus.text}: the source's dictionary lacks {piece!r}, a piece of an argument "
                f"in the .{STREAM} files; leave such lines out"
            )


def _write(lines: Iterable[str], dictionary: "Dictionary", bin_file: Path, idx_file: Path):
    """Write lines of tokens as one binary file; returns fairseq's `BinarizeSummary`."""
    from fairseq.binarizer import BinarizeSummary, VocabularyDatasetBinarizer
    from fairseq.data import indexed_dataset

    binarizer, summary = VocabularyDatasetBinarizer(dictionary), BinarizeSummary()
    builder = indexed_dataset.make_builder(str(bin_file), "mmap", len(dictionary))
    for line in lines:
        builder.add_item(binarizer.binarize_line(line, summary))
    builder.finalize(str(idx_file))
    return summary


def _refuse_misaligned(n_lines: Dict[Path, int]) -> None:
    """Raise `InputError` unless all files of a split have as many lines."""
    if len(set(n_lines.values())) > 1:
        counts = ", ".join(f"{path} has {n}" for path, n in n_lines.items())
        raise InputError(f"files must be aligned line by line, but their lines differ: {counts}")
