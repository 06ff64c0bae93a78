"""Response rate with adequacy: does an output obey, and is it still a translation?

The response rate is the share of outputs that obey every instruction asked for. It is gamed
easily: capitals that spell nothing obey `uppercase`. So *adequacy* stands beside it: chrF2
against the reference under the same instructions, as a share of the chrF2 of the same
system's plain translations of the same lines.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import List, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.quality import chrf2
from fairseq_instr.instructions.composition import rewrite, verify
from fairseq_instr.instructions.instruction import Context, Instruction


@dataclass(frozen=True)
class Response:
    """How a system answers one instruction, or several at once.

    Attributes:
        lines: outputs looked at.
        rate: share that obeys all instructions, 0..1.
        low: lower end of the rate's 95 % interval.
        high: upper end.
        chrf2: of the outputs against the references under the instructions, 0..100.
        adequacy: that chrF2 as a share of the plain translations' chrF2.
    """

    lines: int
    rate: float
    low: float
    high: float
    chrf2: float
    adequacy: float

    def to_dict(self) -> dict:
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> Tuple[float, float]:
    """95 % interval of a proportion (Wilson, 1927); (0, 1) without trials.

    Example: 8 of 10 -> (0.4902, 0.9433).
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    # rounding must not put the ends on the wrong side of the share itself
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


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


def measure_response(
    instructions: Sequence[Instruction],
    sources: Sequence[str],
    references: Sequence[str],
    outputs: Sequence[str],
    plain_chrf2: float,
    language: str,
) -> Response:
    """Score the outputs of a system under instructions.

    Args:
        instructions: what was asked for, all at once.
        sources: raw sources.
        references: references under the instructions.
        outputs: of the system under the instructions.
        plain_chrf2: chrF2 of the system's plain translations of these lines.
        language: target language.

    Raises:
        InputError: if the lists differ in length or are empty.
    """
    check_aligned(sources=sources, references=references, outputs=outputs)
    if not sources:
        names = ", ".join(instruction.name for instruction in instructions)
        raise InputError(f"no line to measure {names} on: its rule applies to none of the test set")
    obeyed = sum(
        all(verify(instructions, output, Context(source=source, language=language)).values())
        for source, output in zip(sources, outputs)
    )
    low, high = wilson_interval(obeyed, len(outputs))
    score = chrf2(outputs, references)
    return Response(
        lines=len(outputs),
        rate=obeyed / len(outputs),
        low=low,
        high=high,
        chrf2=score,
        adequacy=score / plain_chrf2 if plain_chrf2 else 0.0,
    )


def check_aligned(**lists: Sequence) -> None:
    """Raise `InputError` unless all lists are of one length."""
    if len({len(lines) for lines in lists.values()}) > 1:
        counts = ", ".join(f"{name} {len(lines)}" for name, lines in lists.items())
        raise InputError(f"lines must be aligned, but there are {counts}; give as many of each")
