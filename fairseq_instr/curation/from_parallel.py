"""Parallel text -> samples of instructions, by the rules of the catalogue.

One pass over the pairs, each instruction keeping a random sample of the pairs that its rule
applies to (reservoir sampling, Vitter 1985, algorithm R), so memory depends on the number of
samples and not on the corpus.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.instruction import Context, Instruction

NOT_APPLICABLE = "rule does not apply"
OBEYS_ALREADY = "plain target obeys already"
NOT_VERIFIED = "rewritten target does not verify"
NOT_SPELLED = "vocabulary can't spell the target"
MAX_UNSPELLED = 0.05
"""An instruction is refused when a larger share of its targets can't be spelled."""


class Sample(NamedTuple):
    """A sentence pair under an instruction; the target obeys it."""

    source: str
    target: str
    instruction: str


class Curator:
    """Collects samples of one instruction.

    Args:
        instruction: of the catalogue, with a generator and a verifier.
        language: target language.
        n_samples: samples to keep at most.
        seed: of the sampling.
        can_spell: whether the vocabulary can write a text; None for any text.

    Attributes:
        rejections: number of pairs by the reason why they are no samples.

    Raises:
        InputError: if no rule makes data for the instruction, or not in this language.
    """

    def __init__(
        self,
        instruction: Instruction,
        language: str,
        n_samples: int,
        seed: int = 1,
        can_spell: Optional[Callable[[str], bool]] = None,
    ):
        if instruction.rewrite is None:
            raise InputError(
                f"instruction {instruction.name!r} has no rule that makes data from parallel "
                "text; bring labelled data for it"
            )
        if instruction.languages is not None and language not in instruction.languages:
            raise InputError(
                f"instruction {instruction.name!r} does not serve the target language "
                f"{language!r}; it serves {', '.join(sorted(instruction.languages))}"
            )
        self.instruction = instruction
        self.language = language
        self.n_samples = n_samples
        self.can_spell = can_spell
        self.rejections: Counter = Counter()
        self._n_candidates = 0
        self._n_checked = 0
        # a stream of its own: what one instruction keeps does not depend on the others
        self._random = random.Random(f"{seed} {instruction.name}")
        self._kept: List[Tuple[int, Sample]] = []

    def add(self, source: str, target: str) -> None:
        """Look at one sentence pair."""
        context = Context(source=source, language=self.language)
        rewritten = self.instruction.rewrite(target, context)
        reason = self._reason_against(target, rewritten, context)
        if reason is not None:
            self.rejections[reason] += 1
            return
        self._n_candidates += 1
        place = self._n_candidates - 1
        if place >= self.n_samples:
            place = self._random.randrange(self._n_candidates)
        if place >= self.n_samples:
            return
        # spelling is costly to check: only what would be kept is looked at
        self._n_checked += 1
        if self.can_spell is not None and not self.can_spell(rewritten):
            self.rejections[NOT_SPELLED] += 1
            return
        entry = (self._n_candidates, Sample(source, rewritten, self.instruction.name))
        if place < len(self._kept):
            self._kept[place] = entry
        else:
            self._kept.append(entry)

    def _reason_against(
        self, target: str, rewritten: Optional[str], context: Context
    ) -> Optional[str]:
        if rewritten is None or rewritten == target:
            return NOT_APPLICABLE
        if self.instruction.obeys(target, context):
            return OBEYS_ALREADY
        if not self.instruction.obeys(rewritten, context):
            return NOT_VERIFIED
        return None

    def finish(self) -> List[Sample]:
        """The samples, in the order of the corpus.

        Raises:
            InputError: if the vocabulary can't spell too many of the targets, or there is no
                sample at all.
        """
        name = self.instruction.name
        unspelled = self.rejections[NOT_SPELLED]
        if unspelled > MAX_UNSPELLED * self._n_checked:
            raise InputError(
                f"instruction {name!r} is refused: the vocabulary can't spell {unspelled} of "
                f"{self._n_checked} targets under it; leave it out, or use a model with byte "
                "fallback"
            )
        if not self._kept:
            reasons = ", ".join(f"{reason} ({n})" for reason, n in self.rejections.most_common())
            raise InputError(
                f"instruction {name!r} has no sample in this text: {reasons or 'it is empty'}; "
                "leave it out, or give other text"
            )
        return [sample for _, sample in sorted(self._kept)]


def curate(
    pairs: Iterable[Tuple[str, str]],
    instructions: Sequence[Instruction],
    language: str,
    n_samples: Mapping[str, int],
    seed: int = 1,
    can_spell: Optional[Callable[[str], bool]] = None,
) -> Tuple[Dict[str, List[Sample]], Dict[str, Counter]]:
    """Samples of each instruction, and the rejections by reason; see `Curator`.

    Args:
        n_samples: samples to keep at most, by the instruction's name.
    """
    curators = [
        Curator(instruction, language, n_samples[instruction.name], seed, can_spell)
        for instruction in instructions
    ]
    for source, target in pairs:
        for curator in curators:
            curator.add(source, target)
    return (
        {c.instruction.name: c.finish() for c in curators},
        {c.instruction.name: c.rejections for c in curators},
    )
