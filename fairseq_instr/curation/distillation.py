"""Samples of instructions that no rule makes: a language model rewrites plain translations.

Candidates are pairs of parallel text that pass the filters and do not obey yet, in the order of
their priorities (see `from_parallel`). They are asked about in that order until there are enough
samples: which these are depends on the answers alone, not on how many requests are under way,
nor on where a run was stopped and went on. An answer goes through what a rule's rewriting goes
through: the filters, the instruction's verifier, the vocabulary. One check more stands in for
the rule: the answer must still resemble the plain translation.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from sacrebleu.metrics import CHRF

from fairseq_instr.curation import data_card
from fairseq_instr.curation.distillation_answers import Answers, fingerprint
from fairseq_instr.curation.distillation_endpoint import Endpoint, EndpointError, NoAnswerError
from fairseq_instr.curation.distillation_prompt import RewritingPrompt, say
from fairseq_instr.curation.filters import Filter, well_formed
from fairseq_instr.curation.from_parallel import (
    NOT_SPELLED,
    NOT_VERIFIED,
    OBEYS_ALREADY,
    Curation,
    Curator,
    Pair,
    Sample,
    refuse_too_few,
)
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import split
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import verify
from fairseq_instr.instructions.instruction import Context, Instruction, check_argument

UNLIKE = "too unlike the plain translation"
UNANSWERED = "endpoint gave no answer"
MIN_SIMILARITY = 25.0
"""Least chrF2 between an answer and the plain translation, case folded, from 0 to 100.

On German captions, refusals have 26 at most, other captions 19 in the median and 29 at the 95th
percentile, and rewritings by the catalogue's rules 43 at least.
"""

Candidate = Tuple[int, Sample]  # line of the text, and the plain pair


class BudgetSpentError(InputError):
    """No further request may be sent."""


class Wanted(NamedTuple):
    """An instruction that samples are wanted of.

    Attributes:
        instruction: with its slot filled, where it has one.
        asked: as a stream of instructions says it.
        said: as the language model is told.
    """

    instruction: Instruction
    asked: str
    said: str


def want(name: str) -> Wanted:
    """An instruction of the catalogue by its name, with an argument where it has a slot.

    Raises:
        InputError: if there is none, its argument is missing, or it has no verifier.
    """
    request, instruction = split(name), look_up(name)
    check_argument(instruction, request.argument)
    if instruction.obeys is None:
        raise InputError(
            f"instruction {request.name!r} has no verifier: whether an answer obeys it can't be "
            "told; leave it out, or bring labelled data for it"
        )
    return Wanted(instruction, str(request), say(instruction, name))


def _obeys(instruction: Instruction, text: str, context: Context) -> bool:
    return verify((instruction,), text, context)[instruction.name]


class CandidateCurator(Curator):
    """Collects pairs to ask about: those that pass the filters and do not obey yet."""

    def __init__(self, instruction: Instruction, *args, **options):
        # as natural samples are collected: the pairs stay as they are
        as_they_are = dataclasses.replace(instruction, natural=True, rewrite=None, draw=None)
        super().__init__(as_they_are, *args, **options)

    def _make(self, pair: Pair) -> Optional[str]:
        return None if _obeys(self.instruction, pair.target, pair.context) else pair.target

    @property
    def _reason_not_made(self) -> str:
        return OBEYS_ALREADY


@dataclass
class Budget:
    """What may be spent on one file of answers, over all runs.

    Attributes:
        answers: count what was spent.
        max_requests: most requests, retries included; None for any number.
        max_tokens: most tokens, as the endpoint reports them, of all but the requests that are
            under way when it is reached; None for any number.
    """

    answers: Answers
    max_requests: Optional[int] = None
    max_tokens: Optional[int] = None

    def take_request(self) -> None:
        """Count a request that is about to be sent.

        Raises:
            BudgetSpentError: if none may be.
        """
        for option, limit, spent in (
            ("--max-requests", self.max_requests, self.answers.requests),
            ("--max-tokens", self.max_tokens, self.answers.tokens),
        ):
            if limit is not None and spent >= limit:
                raise BudgetSpentError(
                    f"{option} {limit}: the budget is spent ({spent}); what was answered is kept, "
                    "run the same again with a larger one to go on"
                )
        self.answers.count_request()


@dataclass
class Harvest:
    """What became of the candidates of one instruction.

    Attributes:
        samples: (line, sample).
        asked: candidates that were asked about, in this run or before.
        rejections: of their answers, by reason.
        problem: why the last one that is unanswered is so.
    """

    samples: List[Candidate] = field(default_factory=list)
    asked: int = 0
    rejections: Counter = field(default_factory=Counter)
    problem: str = ""

    def finish(self, name: str) -> List[Sample]:
        """The samples in the order of the text.

        Raises:
            InputError: if there are none, or too many that the vocabulary can't spell.
        """
        refuse_too_few(name, len(self.samples), self.rejections[NOT_SPELLED], self.rejections)
        return [sample for _, sample in sorted(self.samples)]


@dataclass
class Distiller:
    """Asks about candidates and judges the answers.

    Attributes:
        endpoint: is asked; with the budget's `take_request` before each request.
        answers: are looked into first, and take up the new ones.
        prompt: what is asked.
        model: its name at the endpoint.
        languages: codes of source and target.
        concurrency: most candidates that are asked about at a time.
        filters: checks of a pair of source and answer.
        can_spell: whether the vocabulary can write a text; None for any text.
        min_similarity: see `MIN_SIMILARITY`; 0 for any answer.
        needs_tokens: whether answers without a usage stop the run: a budget hangs on it.
        progress: is told the harvest after each candidate.
    """

    endpoint: Endpoint
    answers: Answers
    prompt: RewritingPrompt
    model: str
    languages: Tuple[str, str]
    concurrency: int = 1
    filters: Sequence[Filter] = (well_formed,)
    can_spell: Optional[Callable[[str], bool]] = None
    min_similarity: float = MIN_SIMILARITY
    needs_tokens: bool = False
    progress: Callable[[Harvest], object] = lambda harvest: None

    async def gather(
        self, wanted: Wanted, candidates: Sequence[Candidate], n_samples: int, harvest: Harvest
    ) -> None:
        """Ask about candidates, in their order, until there are enough samples.

        Args:
            wanted: what is asked for.
            candidates: plain pairs.
            n_samples: samples to have at most.
            harvest: an empty one; holds what there is, also if an error ends this.

        Raises:
            EndpointError: if the endpoint is of no use.
            BudgetSpentError: once nothing is under way any more.
        """
        waiting = iter(candidates)
        pending: Set[asyncio.Future] = set()
        stopped: Optional[BudgetSpentError] = None
        try:
            while True:
                # never more than could all be samples: none is asked for in vain, and those of
                # the smallest priorities are kept, whichever is answered first
                room = n_samples - len(harvest.samples) - len(pending)
                room = 0 if stopped else min(room, self.concurrency - len(pending))
                for _, candidate in zip(range(room), waiting):
                    pending.add(asyncio.ensure_future(self._try(wanted, candidate)))
                if not pending:
                    break
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                failed: Optional[BaseException] = None
                for task in done:
                    error = task.exception()
                    if isinstance(error, BudgetSpentError):
                        stopped = error  # what is under way is paid for
                    elif error is not None:
                        failed = error
                    if error is not None:
                        continue
                    sample, reason, problem = task.result()
                    harvest.asked += 1
                    harvest.problem = problem or harvest.problem
                    if sample is not None:
                        harvest.samples.append(sample)
                    else:
                        harvest.rejections[reason] += 1
                    self.progress(harvest)
                if failed is not None:
                    raise failed
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        if stopped:
            raise stopped

    async def _try(self, wanted: Wanted, candidate: Candidate):
        """(line and sample, None, "") or (None, reason, problem of the endpoint)."""
        line, plain = candidate
        request = self.prompt.request(
            self.model, plain.source, plain.target, wanted.said, self.languages
        )
        key = fingerprint(request)
        answer = self.answers.get(key)
        if answer is None:
            try:
                answer = await self.endpoint.ask(request)
            except NoAnswerError as error:
                return None, UNANSWERED, str(error)
            self.answers.put(key, answer)
            if self.needs_tokens and answer.tokens is None:
                raise EndpointError(
                    "--max-tokens: the endpoint does not report what was used; give "
                    "--max-requests instead"
                )
        if answer.content is None:
            return None, answer.refused, ""
        text, reason = self.prompt.read(answer.content)
        if reason is None:
            reason = self._reason_against(wanted, plain, text)
        if reason is not None:
            return None, reason, ""
        return (line, Sample(plain.source, text, wanted.asked)), None, ""

    def _reason_against(self, wanted: Wanted, plain: Sample, text: str) -> Optional[str]:
        """Why an answer is no sample, cheap reasons first."""
        for check in self.filters:
            reason = check(plain.source, text)
            if reason is not None:
                return reason
        context = Context(source=plain.source, language=self.languages[1])
        if not _obeys(wanted.instruction, text, context):
            return NOT_VERIFIED
        if similarity(text, plain.target) < self.min_similarity:
            return UNLIKE
        if self.can_spell is not None and not self.can_spell(text):
            return NOT_SPELLED
        return None


_chrf = CHRF()


def similarity(answer: str, plain: str) -> float:
    """chrF2 of an answer against the plain translation, case folded; from 0 to 100."""
    return _chrf.sentence_score(answer.casefold(), [plain.casefold()]).score


async def distill(
    distiller: Distiller,
    wanted: Mapping[str, Wanted],
    candidates: Mapping[str, Sequence[Candidate]],
    n_samples: Mapping[str, int],
    harvests: Dict[str, Harvest],
) -> None:
    """Gather samples of several instructions, one after the other.

    Args:
        distiller: asks and judges; its endpoint is opened and closed here.
        wanted: by the instruction's name.
        candidates: likewise.
        n_samples: likewise.
        harvests: is filled, also if an error ends this.

    Raises:
        EndpointError: if the endpoint is of no use.
        BudgetSpentError: if the budget is spent.
    """
    async with distiller.endpoint:
        for name, pairs in candidates.items():
            harvests[name] = Harvest()
            await distiller.gather(wanted[name], pairs, n_samples[name], harvests[name])


def describe(
    curation: Curation,
    wanted: Mapping[str, Wanted],
    n_samples: Mapping[str, int],
    harvests: Mapping[str, Harvest],
    samples: Mapping[str, List[Sample]],
    refused: Mapping[str, str],
    made_from: dict,
) -> dict:
    """The data card as plain JSON values: that of curation, and what became of the answers.

    Args:
        curation: of the candidates.
        wanted: by the instruction's name.
        n_samples: likewise, that were asked for.
        harvests: likewise.
        samples: likewise.
        refused: likewise, why there are none.
        made_from: files and options.
    """
    card = data_card.describe(curation, samples, refused, made_from)
    for name, entry in card["instructions"].items():
        harvest = harvests.get(name, Harvest())
        entry.update(
            made="distilled",
            asked_for=n_samples[name],
            said=wanted[name].said,
            answers={"asked": harvest.asked, "refused": dict(harvest.rejections.most_common())},
        )
    return card
