"""What every translator of lines does, whatever runs the model: order, batches, checks.

Knows nothing of torch, so that a model can be served where there is none.
"""

from __future__ import annotations

import math
from typing import Generic, List, NamedTuple, Optional, Sequence, Sized, TypeVar, Union

from tqdm import tqdm

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.reranking import first_obeying, verifiable


class Hypothesis(NamedTuple):
    """One translation of a line.

    Attributes:
        text: detokenised output.
        score: natural log-probability of its tokens, over their number to the length penalty.
    """

    text: str
    score: float


Source = TypeVar("Source", bound=Sized)  # what a model reads: token ids, in whatever holds them


class LineTranslator(Generic[Source]):
    """Translates lines under instructions; subclasses render a line and decode a batch.

    Attributes:
        inventory: the instructions that can be asked for.
        target: code of the target language.
        beam: beam size, the most translations of a line that there are.
        max_source: longest source in tokens, its prompt and eos included.
    """

    inventory: Inventory
    target: str
    beam: int
    max_source: int

    def translate(
        self,
        lines: Sequence[str],
        instruct: Union[str, Sequence[str]] = "",
        batch_size: int = 64,
        progress: Optional[str] = None,
        rerank: int = 0,
    ) -> List[str]:
        """Translate lines; as many translations as lines, in their order.

        Args:
            lines: raw text.
            instruct: instructions for all lines, such as `"formal, uppercase"`, or one such
                string for each line.
            batch_size: sentences decoded together.
            progress: title of a progress bar; None for none.
            rerank: of so many best translations of a line, take the first that the verifiers of
                all its instructions accept, or else the best; 0 to take the best. See
                `reranking`.

        Raises:
            InputError: as `translate_n_best`.
        """
        found = self.translate_n_best(lines, instruct, rerank or 1, batch_size, progress)
        if not rerank:
            return [hypotheses[0].text for hypotheses in found]
        asked = [instruct] * len(lines) if isinstance(instruct, str) else instruct
        wanted = {names: verifiable(names, self.inventory) for names in dict.fromkeys(asked)}
        chosen = []
        for line, names, hypotheses in zip(lines, asked, found):
            texts = [hypothesis.text for hypothesis in hypotheses]
            context = Context(source=line, language=self.target)
            chosen.append(texts[first_obeying(texts, wanted[names], context)])
        return chosen

    def translate_n_best(
        self,
        lines: Sequence[str],
        instruct: Union[str, Sequence[str]] = "",
        n_best: int = 1,
        batch_size: int = 64,
        progress: Optional[str] = None,
    ) -> List[List[Hypothesis]]:
        """As `translate`; the `n_best` translations of each line, best first, with their scores.

        Raises:
            InputError: if instructions are unknown, exclude each other or are not as many as the
                lines, if a line is too long or no text, or if a number is not accepted.
        """
        for name, number, most in (("n_best", n_best, self.beam), ("batch_size", batch_size, None)):
            if number < 1 or (most is not None and number > most):
                accepted = "a number above 0" if most is None else f"1 to {most}, the beam size"
                raise InputError(f"{name} {number} is not accepted; give {accepted}")
        if isinstance(lines, str):
            raise InputError("lines: one string came; give a list of strings, [line] for one")
        asked = [instruct] * len(lines) if isinstance(instruct, str) else list(instruct)
        if len(asked) != len(lines):
            raise InputError(f"instruct: {len(asked)} entries came for {len(lines)} lines")
        sources = []
        for number, (line, names) in enumerate(zip(lines, asked), start=1):
            check_text(line, f"line {number}")
            source = self._render(line, names)
            if len(source) > self.max_source:
                raise InputError(
                    f"line {number} has {len(source)} tokens with its prompt, the model takes "
                    f"{self.max_source}; split it into sentences"
                )
            sources.append(source)
        order = sorted(range(len(sources)), key=lambda i: (len(sources[i]), i))
        found: List[List[Hypothesis]] = [[] for _ in lines]
        with tqdm(total=len(lines), desc=progress, disable=progress is None, unit="line") as bar:
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                decoded = self._decode([sources[i] for i in batch], n_best)
                for i, hypotheses in zip(batch, decoded):
                    found[i] = hypotheses
                bar.update(len(batch))
        return found

    def _render(self, line: str, instruct: str) -> Source:
        """The model's input for a line under instructions, prompt and eos included."""
        raise NotImplementedError

    def _decode(self, sources: List[Source], n_best: int) -> List[List[Hypothesis]]:
        """The best hypotheses of each source, best first."""
        raise NotImplementedError


def longest_output(a: float, b: int, n_source: int, max_target: int) -> int:
    """Longest output of a batch in tokens, eos left out, as fairseq bounds it.

    Args:
        a: `--max-len-a`, and
        b: `--max-len-b`.
        n_source: tokens of the longest source in the batch, eos included.
        max_target: positions of the decoder.

    Example: `longest_output(2.5, 30, 10, 1024) == 55`.
    """
    return min(math.floor(a * n_source + b), max_target - 1)


def check_text(line: object, origin: str) -> None:
    """Make sure that something is text that can be written as UTF-8.

    Raises:
        InputError: if it is no string, or holds a surrogate.
    """
    if not isinstance(line, str):
        raise InputError(f"{origin} is {type(line).__name__}; give a string")
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(line[error.start])
        raise InputError(
            f"{origin} holds the lone surrogate U+{code:04X} at character {error.start + 1}, "
            "which is no text: it was not UTF-8 where it came from"
        ) from None
