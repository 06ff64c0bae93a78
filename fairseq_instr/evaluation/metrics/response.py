"""Response rate with adequacy: does an output obey, and is it still a translation?

*Adequacy* is chrF2 of what the outputs say, as a share of the chrF2 of the same system's plain
translations of the same lines. What an instruction puts around a sentence (quotation marks, the
source in front, `{"translation": ...}`) is taken off the output and off its reference first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import List, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import check_aligned
from fairseq_instr.evaluation.metrics.quality import chrf2
from fairseq_instr.evaluation.proportions import wilson_interval
from fairseq_instr.instructions.composition import from_inside_out, rewrite, verify
from fairseq_instr.instructions.instruction import Context, Instruction


@dataclass(frozen=True)
class Response:
    """How a system answers one instruction, or several at once."""

    lines: int  # outputs looked at
    rate: float  # share that obeys all instructions, 0..1
    low: float  # lower end of the rate's 95 % interval
    high: float  # upper end
    # of what the outputs say against what the references under the instructions say, 0..100
    chrf2: float
    adequacy: float  # that chrF2 as a share of the plain translations' chrF2

    def to_dict(self) -> dict:
        """The figures for `report.json`, rounded."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


def applicable_lines(
    instructions: Sequence[Instruction],
    sources: Sequence[str],
    references: Sequence[str],
    language: str,
) -> List[Tuple[int, str]]:
    """Lines on which the instructions make a difference, with their references under them.

    A line counts where every instruction's rule applies and the plain reference obeys none of
    them: on the others a system would be praised for doing nothing. Natural instructions have
    no other reference than one that obeys: there, compare with the rate of plain translations.

    Returns:
        [(index of the line, rewritten reference)]
    """
    check_aligned(sources=sources, references=references)
    lines = []
    by_rule = [instruction for instruction in instructions if not instruction.natural]
    for index, (source, reference) in enumerate(zip(sources, references)):
        context = Context(source=source, language=language)
        rewritten = rewrite(instructions, reference, context)
        if rewritten is None or any(verify(by_rule, reference, context).values()):
            continue
        lines.append((index, rewritten))
    return lines


def unwrapped(instructions: Sequence[Instruction], output: str, context: Context) -> str:
    """What an output says: without what the instructions put around it.

    Example: under `html-bold` and `uppercase`, `<b>EIN HUND</b>` says `EIN HUND`.
    """
    for instruction in reversed(from_inside_out(instructions)):
        output = instruction.unwrap(output, context)
    return output


def measure_response(
    instructions: Sequence[Instruction],
    contexts: Sequence[Context],
    references: Sequence[str],
    outputs: Sequence[str],
    plain_chrf2: float,
) -> Response:
    """Score the outputs of a system under instructions.

    Args:
        contexts: of each line: its source, the target language, what fills a slot.
        references: references under the instructions.
        plain_chrf2: chrF2 of the system's plain translations of these lines.
    """
    check_aligned(sources=contexts, references=references, outputs=outputs)
    if not contexts:
        names = ", ".join(instruction.name for instruction in instructions)
        raise InputError(f"no line to measure {names} on: its rule applies to none of the test set")
    obeyed = sum(all(verify(instructions, *pair).values()) for pair in zip(outputs, contexts))
    said, expected = (
        [unwrapped(instructions, *pair) for pair in zip(texts, contexts)]
        for texts in (outputs, references)
    )
    score = chrf2(said, expected)
    return Response(
        len(outputs),
        obeyed / len(outputs),
        *wilson_interval(obeyed, len(outputs)),
        chrf2=score,
        adequacy=score / plain_chrf2 if plain_chrf2 else 0.0,
    )
