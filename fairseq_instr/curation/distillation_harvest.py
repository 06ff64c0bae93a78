"""Asking a language model about candidates, one after the other, until there are enough samples.

Candidates are pairs that pass the filters and do not obey yet, in the order of their priorities
(see `curators`). So which become samples depends on the answers alone, not on how many requests
are under way or where a run was stopped. An answer goes through the filters, the instruction's
verifier and the vocabulary, and must still resemble the plain translation.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, List, Optional, Sequence, Set, Tuple

from sacrebleu.metrics import CHRF

from fairseq_instr.curation.curators import (
    NOT_SPELLED,
    NOT_VERIFIED,
    OBEYS_ALREADY,
    Curator,
    Pair,
    refuse_too_few,
)
from fairseq_instr.curation.distillation_answers import (
    Answer,
    Answers,
    BudgetSpentError,
    fingerprint,
)
from fairseq_instr.curation.distillation_endpoint import Endpoint, EndpointError, NoAnswerError
from fairseq_instr.curation.distillation_prompt import RewritingPrompt, say
from fairseq_instr.curation.filters import Filter, reason_against, well_formed
from fairseq_instr.curation.samples import Sample, as_written
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import split
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import verify
from fairseq_instr.instructions.instruction import Context, Instruction, check_argument
from fairseq_instr.text.subwords import Spell

UNLIKE = "too unlike the plain translation"
UNANSWERED = "endpoint gave no answer"
MIN_SIMILARITY = 25.0
"""Least chrF2 between an answer and the plain translation, case folded, from 0 to 100.

On German captions, refusals have 26 at most, other captions 19 in the median and 29 at the 95th
percentile, and rewritings by the catalogue's rules 43 at least.
"""
MAX_ALIKE = 20
"""Answers to one instruction that are all refused for the same reason before the run stops."""

Candidate = Tuple[int, Sample]  # line of the text, and the pair


@dataclass
class Harvest:
    """An instruction that samples are wanted of, and the answers about its candidates."""

    instruction: Instruction  # with its slot filled, where it has one
    wanted: str  # the instruction as a stream says it
    said: str  # the instruction as the language model is told
    samples: List[Candidate] = field(default_factory=list)
    asked: int = 0  # candidates that were asked about, in this run or before
    rejections: Counter = field(default_factory=Counter)  # number of refused answers, by reason
    refused: str = ""  # the answer that was refused last
    problem: str = ""  # why the last candidate that is unanswered is so

    def finish(self) -> List[Sample]:
        """The samples in the order of the text."""
        unspelled = self.rejections[NOT_SPELLED]
        refuse_too_few(self.instruction.name, len(self.samples), unspelled, self.rejections)
        return [sample for _, sample in sorted(self.samples)]


def want(name: str, language: str) -> Harvest:
    """A harvest to be, for an instruction of the catalogue, with an argument where it has a slot.

    Raises:
        InputError: if there is none, its argument is missing, or it has no verifier for the
            target language.
    """
    request, instruction = split(name), look_up(name)
    check_argument(instruction, request.argument)
    if instruction.obeys is None or not instruction.serves(language):
        raise InputError(
            f"instruction {request.name!r} has no verifier for {language!r}: whether an answer "
            "obeys it can't be told; leave it out, or bring labelled data for it"
        )
    return Harvest(instruction, str(request), say(instruction, name))


def _obeys(instruction: Instruction, text: str, context: Context) -> bool:
    return verify((instruction,), text, context)[instruction.name]


class CandidateCurator(Curator):
    """Collects pairs to ask about: those that pass the filters and do not obey yet."""

    def __init__(self, instruction: Instruction, *args, **options):
        # as natural samples are collected: the pairs stay as they are
        as_they_are = dataclasses.replace(instruction, natural=True, rewrite=None, draw=None)
        super().__init__(as_they_are, *args, **options)
        self._not_made = OBEYS_ALREADY

    def _make(self, pair: Pair) -> Optional[str]:
        return None if _obeys(self.instruction, pair.target, pair.context) else pair.target


@dataclass
class Distiller:
    """Asks about candidates and judges the answers."""

    endpoint: Endpoint  # takes from the budget before each request
    answers: Answers  # are looked into first, and take up the new ones
    prompt: RewritingPrompt
    model: str  # its name at the endpoint
    languages: Tuple[str, str]  # codes of source and target
    filters: Sequence[Filter] = (well_formed,)  # checks of a pair of source and answer
    spell: Optional[Spell] = None  # what the vocabulary writes for a text; None for any as it is
    min_similarity: float = MIN_SIMILARITY  # see `MIN_SIMILARITY`; 0 for any answer
    max_alike: int = MAX_ALIKE  # see `MAX_ALIKE`; 0 to go on whatever comes
    needs_tokens: bool = False  # whether answers without a usage stop the run: a budget hangs on it
    progress: Callable[[], object] = lambda: None  # is called after each candidate

    async def gather(
        self, harvest: Harvest, candidates: Sequence[Candidate], n_samples: int
    ) -> None:
        """Ask about candidates, in their order, until there are enough samples.

        Raises:
            EndpointError: if the endpoint is of no use.
            BudgetSpentError: once nothing is under way any more.
        """
        waiting = iter(candidates)
        pending: Set[asyncio.Future] = set()
        stopped: Optional[InputError] = None
        try:
            while True:
                # never more than could all be samples: none is asked for in vain, and those of
                # the smallest priorities are kept, whichever is answered first
                room = n_samples - len(harvest.samples) - len(pending)
                room = 0 if stopped else min(room, self.endpoint.concurrency - len(pending))
                for _, candidate in zip(range(room), waiting):
                    pending.add(asyncio.ensure_future(self._try(harvest, candidate)))
                if not pending:
                    break
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                errors = [error for error in (task.exception() for task in done) if error]
                for error in errors:
                    if not isinstance(error, BudgetSpentError):
                        raise error
                    stopped = error  # what is under way is paid for
                stopped = stopped or self._all_alike(harvest)
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        if stopped:
            raise stopped

    def _all_alike(self, harvest: Harvest) -> Optional[InputError]:
        reasons = harvest.rejections
        if harvest.samples or len(reasons) != 1 or UNANSWERED in reasons or not self.max_alike:
            return None
        ((reason, count),) = reasons.items()
        if count < self.max_alike:
            return None
        return InputError(
            f"the first {count} answers to {harvest.wanted!r} were all refused: {reason}; the last "
            f"one was {harvest.refused!r:.200}; change --prompt or --model, or give --max-alike 0 "
            "to go on all the same"
        )

    async def _try(self, harvest: Harvest, candidate: Candidate) -> None:
        line, plain = candidate
        request = self.prompt.request(
            self.model, plain.source, plain.target, harvest.said, self.languages
        )
        text, reason = "", None
        try:
            answer = await self._answer(request)
        except NoAnswerError as error:
            reason, harvest.problem = UNANSWERED, str(error)
        else:
            reason = answer.refused
            if answer.content is not None:
                text, reason = self.prompt.read(answer.content)
            sample = Sample(plain.source, text, harvest.wanted)
            reason = reason or self._reason_against(harvest.instruction, plain, sample)
            harvest.refused = answer.content or ""
        harvest.asked += 1
        if reason is None:
            harvest.samples.append((line, sample))
        else:
            harvest.rejections[reason] += 1
        self.progress()

    async def _answer(self, request: dict) -> Answer:
        key = fingerprint(request)
        answer = self.answers.get(key)
        if answer is None:
            answer = await self.endpoint.ask(request)
            self.answers.put(key, answer)
            if self.needs_tokens and answer.tokens is None:
                raise EndpointError(
                    "--max-tokens: the endpoint does not report what was used; give "
                    "--max-requests instead"
                )
        return answer

    def _reason_against(
        self, instruction: Instruction, plain: Sample, sample: Sample
    ) -> Optional[str]:
        text = sample.target
        reason = reason_against(self.filters, plain.source, text)
        if reason is not None:
            return reason
        context = Context(source=plain.source, language=self.languages[1])
        if not _obeys(instruction, text, context):
            return NOT_VERIFIED
        if similarity(text, plain.target) < self.min_similarity:
            return UNLIKE
        written = as_written(self.spell, sample)
        if written is None or not _obeys(instruction, written.target, context):
            return NOT_SPELLED
        return None


_chrf = CHRF()


def similarity(answer: str, plain: str) -> float:
    """chrF2 of an answer against the plain translation, case folded; from 0 to 100."""
    return _chrf.sentence_score(answer.casefold(), [plain.casefold()]).score
