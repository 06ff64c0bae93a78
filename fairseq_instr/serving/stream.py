"""Translating a stream of lines with whichever model a user names."""

from __future__ import annotations

from itertools import islice
from typing import Iterable, Iterator

from fairseq_instr.errors import InputError
from fairseq_instr.serving.loading import load_translator


def translate_stream(
    lines: Iterable[str],
    instruct: str = "",
    batch_size: int = 64,
    buffer_size: int = 1024,
    n_best: int = 0,
    rerank: int = 0,
    allow_unknown: bool = False,
    **loading,
) -> Iterator[str]:
    """Translate lines as they come; the rows of the output, one after the other.

    Args:
        instruct: instructions for all lines, such as `"formal, uppercase"`.
        buffer_size: lines read before they are translated; they are sorted by length.
        n_best: 0 for rows of one translation each; else rows `LINE<tab>SCORE<tab>TEXT` of so
            many best translations of each line, lines numbered from 1.
        rerank: of so many best translations, take the first that obeys; 0 to take the best.
        allow_unknown: translate also lines that are mostly unknown to the model's vocabulary.
        **loading: the model, as for `load_translator`.

    Raises:
        InputError: if the model can't be loaded, or a line or an option is not accepted.
    """
    if n_best and rerank:
        raise InputError("--n-best does not go with --rerank; leave one of them out")
    if buffer_size < 1:
        raise InputError(f"--buffer-size {buffer_size} is not accepted; give a number above 0")
    translator = load_translator(**loading)
    translator.allow_unknown = allow_unknown
    lines, start = iter(lines), 1
    while True:
        part = list(islice(lines, buffer_size))
        if n_best:
            found = translator.translate_n_best(part, instruct, n_best, batch_size, start=start)
            for number, hypotheses in enumerate(found, start=start):
                for text, score in hypotheses:
                    yield f"{number}\t{score:.4f}\t{text}"
        else:
            yield from translator.translate(part, instruct, batch_size, rerank=rerank, start=start)
        start += len(part)
        if len(part) < buffer_size:
            return
