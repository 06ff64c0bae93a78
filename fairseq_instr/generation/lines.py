"""What every translator of lines does, whatever runs the model: checks, order, batches, limits.

Knows nothing of torch, so that a model can be served where there is none.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Sized, Tuple, Union

from tqdm import tqdm

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.composition import compose
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory
from fairseq_instr.instructions.reranking import first_obeying, verifiable

UNKNOWN_SHARE = 0.5
"""Largest share of unknown tokens in what is translated without `allow_unknown`."""

Instruct = Union[None, str, Sequence[Optional[str]]]


class Hypothesis(NamedTuple):
    """One translation of a line.

    Attributes:
        text: detokenised output.
        score: natural log-probability of its tokens, over their number to the length penalty.
    """

    text: str
    score: float


class Output(NamedTuple):
    """One output of a search.

    Attributes:
        tokens: what `LineTranslator._text` reads, with eos where the search reached it.
        score: as in `Hypothesis`.
    """

    tokens: Any
    score: float


class LineTranslator:
    """Translates lines under instructions; subclasses render a line and decode a batch.

    Attributes:
        inventory: the instructions that can be asked for.
        n_learned: how many of them, from the first, the model was trained with.
        native: whether prompts say directions in language tokens of a pretrained model.
        target: code of the target language.
        beam: beam size, the most translations of a line that there are.
        max_source: longest source in tokens, its prompt and eos included.
        max_len: (a, b): longest output, `a * source + b` tokens; the prompt is not counted.
        unknown: id of the token that stands for all that the vocabulary lacks.
        allow_unknown: translate also lines whose tokens are mostly unknown.
    """

    inventory: Inventory
    n_learned: int
    target: str
    beam: int
    max_source: int
    max_len: Tuple[float, int]
    unknown: int
    native: bool = False
    allow_unknown: bool = False

    def translate(
        self,
        lines: Sequence[str],
        instruct: Instruct = None,
        batch_size: int = 64,
        progress: Optional[str] = None,
        rerank: int = 0,
        start: int = 1,
    ) -> List[str]:
        """Translate lines; as many translations as lines, in their order.

        Args:
            lines: raw text. A blank line gives a blank line.
            instruct: instructions for all lines, such as `"formal, uppercase"`, or one such
                string for each line; None for none.
            batch_size: sentences decoded together.
            progress: title of a progress bar; None for none.
            rerank: of so many best translations of a line, take the first that the verifiers of
                all its instructions accept, or else the best; 0 to take the best. See
                `reranking`.
            start: number of the first line, for errors.

        Raises:
            InputError: as `translate_n_best`.

        Example: `translator.translate(["How are you?"], "formal, uppercase")` gives
        `["WIE GEHT ES IHNEN?"]`.
        """
        found = self.translate_n_best(lines, instruct, rerank or 1, batch_size, progress, start)
        if not rerank:
            return [hypotheses[0].text for hypotheses in found]
        asked = _one_each(instruct, len(lines))
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
        instruct: Instruct = None,
        n_best: int = 1,
        batch_size: int = 64,
        progress: Optional[str] = None,
        start: int = 1,
    ) -> List[List[Hypothesis]]:
        """As `translate`; the `n_best` translations of each line, best first, with their scores.

        Raises:
            InputError: if instructions are unknown, were not learned, exclude each other or are
                not as many as the lines; if a line is too long or no text; if most tokens are
                unknown; if a number is not accepted.
        """
        for name, number, most in (
            ("beam", self.beam, None),
            ("n_best", n_best, self.beam),
            ("batch_size", batch_size, None),
        ):
            if number < 1 or (most is not None and number > most):
                accepted = "a number above 0" if most is None else f"1 to {most}, the beam size"
                raise InputError(f"{name} {number} is not accepted; give {accepted}")
        if isinstance(lines, str):
            raise InputError("lines: one string came; give a list of strings, [line] for one")
        names = _one_each(instruct, len(lines))
        # also without lines: a wrong name is wrong
        whole = [instruct] if isinstance(instruct, str) else []
        asked = {text: self._compose(text) for text in dict.fromkeys([*whole, *names])}
        encoded = []
        for number, line in enumerate(lines, start=start):
            check_text(line, f"line {number}")
            encoded.append(self._encode(line) if line.strip() else [])
        if not self.allow_unknown:
            self._refuse_unknown(encoded)
        sources: Dict[int, Sized] = {}
        for i, tokens in enumerate(encoded):
            if not tokens:
                continue
            sources[i] = self._render(tokens, asked[names[i]])
            if len(sources[i]) > self.max_source:
                raise InputError(
                    f"line {start + i} has {len(sources[i])} tokens with its prompt, the model "
                    f"takes {self.max_source}; split it into sentences"
                )
        found = [[Hypothesis("", 0.0)] for _ in lines]
        order = sorted(sources, key=lambda i: (len(sources[i]), i))
        with tqdm(total=len(order), desc=progress, disable=progress is None, unit="line") as bar:
            for first in range(0, len(order), batch_size):
                batch = order[first : first + batch_size]
                limits = [longest_output(*self.max_len, len(encoded[i]) + 1) for i in batch]
                outputs = self._decode_within([sources[i] for i in batch], limits)
                for i, best in zip(batch, outputs):
                    found[i] = [
                        Hypothesis(one_line(self._text(tokens)), score)
                        for tokens, score in best[:n_best]
                    ]
                bar.update(len(batch))
        return found

    def render(self, line: str, instruct: str = "") -> Sized:
        """What the model reads for a line under instructions.

        Raises:
            InputError: if the instructions are unknown, were not learned or exclude each other.
        """
        return self._render(self._encode(line), self._compose(instruct))

    def _compose(self, instruct: str) -> Tuple[Request, ...]:
        """What one string asks for, all of it known to the model."""
        requests = compose(instruct, self.inventory, "--instruct")
        for request in requests:
            self._check_learned(request, "--instruct")
        return requests

    def _check_learned(self, request: Request, origin: str) -> None:
        """Refuse what the model was not trained with; where it comes from begins the error."""
        instruction = self.inventory[request.position]
        said = self.native and instruction.axis == TARGET_LANGUAGE
        if request.position >= self.n_learned and not said:
            learned = ", ".join(self.inventory.names[: self.n_learned]) or "none"
            raise InputError(
                f"{origin}: the model was not trained with {instruction.name!r}; it learned: "
                f"{learned}"
            )

    def _refuse_unknown(self, encoded: Sequence[List[int]]) -> None:
        n_tokens = sum(map(len, encoded))
        n_unknown = sum(tokens.count(self.unknown) for tokens in encoded)
        if n_unknown > UNKNOWN_SHARE * n_tokens:
            raise InputError(
                f"{n_unknown} of {n_tokens} tokens are unknown to the model; give its own subwords "
                "(--subwords), or set allow_unknown (--allow-unknown) to translate them as they are"
            )

    def _decode_within(self, sources: Sequence[Any], limits: Sequence[int]) -> List[List[Output]]:
        """Outputs of each source, best first, none longer than its own limit.

        A batch is searched up to its largest limit. Until a line reaches its own, this is the
        same search; lines that get so far are decoded again, with those of the same limit.
        """
        found = self._decode(sources, max(limits))
        late: Dict[int, List[int]] = {}
        for row, (outputs, limit) in enumerate(zip(found, limits)):
            longest = max(len(output.tokens) for output in outputs)
            if longest >= limit < max(limits):
                late.setdefault(limit, []).append(row)
        for limit, rows in late.items():
            again = self._decode([sources[row] for row in rows], limit)
            for row, outputs in zip(rows, again):
                found[row] = outputs
        return found

    def _encode(self, line: str) -> List[int]:
        """Ids of a line's tokens in the source vocabulary, without eos."""
        raise NotImplementedError

    def _render(self, tokens: List[int], requests: Tuple[Request, ...]) -> Sized:
        """The model's input for a line; as long as its tokens, prompt and eos included."""
        raise NotImplementedError

    def _decode(self, sources: Sequence[Any], longest: int) -> List[List[Output]]:
        """All outputs of the search, best first, of at most `longest` tokens, eos left out."""
        raise NotImplementedError

    def _text(self, tokens: Any) -> str:
        """An output, detokenised."""
        raise NotImplementedError


def _one_each(instruct: Instruct, n_lines: int) -> List[str]:
    """What is asked of each line."""
    if instruct is None or isinstance(instruct, str):
        return [instruct or ""] * n_lines
    if len(instruct) != n_lines:
        raise InputError(f"instruct: {len(instruct)} entries came for {n_lines} lines")
    return [names or "" for names in instruct]


def check_pair(source: str, target: str) -> None:
    """Refuse a language with itself: the option of one side, and the model's default of the other.

    Raises:
        InputError: names the language.
    """
    if source == target:
        raise InputError(f"source and target are both {source!r}; give both, by -s and -t")


def longest_output(a: float, b: int, n_source: int) -> int:
    """Longest output in tokens, eos left out, as fairseq bounds it by the source, eos included.

    Example: `longest_output(2.5, 30, 10) == 55`, with `--max-len-a 2.5 --max-len-b 30`.
    """
    return int(a * n_source + b)


def one_line(text: str) -> str:
    """A text without line ends, which a model may spell in bytes."""
    return re.sub(r"[\r\n]+", " ", text)


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
