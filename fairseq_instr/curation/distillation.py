"""Samples of instructions that no rule makes: a language model rewrites plain translations."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Coroutine, Dict, List, Mapping, Optional, Sequence, Tuple

from tqdm import tqdm

from fairseq_instr.curation import data_card
from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.curators import Curation, by_count
from fairseq_instr.curation.distillation_answers import Answers, fingerprint
from fairseq_instr.curation.distillation_endpoint import Endpoint
from fairseq_instr.curation.distillation_harvest import (
    MAX_ALIKE,
    MIN_SIMILARITY,
    UNANSWERED,
    CandidateCurator,
    Distiller,
    Harvest,
    want,
)
from fairseq_instr.curation.distillation_prompt import DEFAULT, RewritingPrompt
from fairseq_instr.curation.filters import Checks
from fairseq_instr.curation.samples import Sample, write_samples
from fairseq_instr.curation.shards import collect, shard_file
from fairseq_instr.errors import InputError, check_at_least

ANSWERS = "answers.sqlite"


def distill(
    source,
    target,
    source_language: str,
    target_language: str,
    instructions: Sequence[str],
    output,
    endpoint: Endpoint,
    model: str,
    n_samples: int = 1000,
    n_candidates: int = 3,
    seed: int = 1,
    prompt=DEFAULT,
    max_requests: Optional[int] = None,
    max_tokens: Optional[int] = None,
    max_alike: int = MAX_ALIKE,
    min_similarity: float = MIN_SIMILARITY,
    checks: Checks = Checks(),  # noqa: B008 -- it is frozen
    skip_invalid: bool = False,
    force: bool = False,
    show_progress: bool = False,
) -> dict:
    """Write `output/NAME/train.{SOURCE,TARGET,instr}` for each instruction, and a data card.

    Every answer is on disk, in `output/answers.sqlite`, before the next is asked for: a call that
    was stopped, or ended for its budget or for the endpoint, goes on when it is repeated, and asks
    nothing twice that was answered. Samples are written however a call ends, as they are paid for.

    Args:
        source: source text, a line a segment, plain or `.gz`.
        target: its plain translation, aligned by line.
        instructions: names of the catalogue, with an argument where they have a slot.
        endpoint: such as `Endpoint("https://localhost:8000/v1", key)`.
        n_candidates: most pairs to ask about for each sample.
        prompt: YAML file of what is asked, see `RewritingPrompt`.
        max_requests: budget of all calls with this output, retries included; None: no limit.
        max_tokens: budget of tokens, as the endpoint counts them; None: no limit.
        max_alike: stop when so many answers are the first and all refused for one reason; 0: go on.
        min_similarity: least chrF2 of an answer to the plain translation, 0 to 100.
        skip_invalid: skip lines that are not UTF-8 instead of stopping.
        force: overwrite samples; answers are kept.

    Returns:
        The data card, see `data_card.describe`.

    Raises:
        InputError: if an argument is not accepted, a file can't be read, the endpoint or the
            budget ends the run, or an instruction has no samples.
    """
    check_at_least(1, samples=n_samples, candidates=n_candidates, max_requests=max_requests,
                   max_tokens=max_tokens)  # fmt: skip
    check_at_least(0, max_alike=max_alike)
    harvests = _want(instructions, target_language)
    questions = RewritingPrompt.load(prompt)
    languages = (source_language, target_language)
    state = shard_file(output, (1, 1))
    if force:
        state.unlink(missing_ok=True)
    overwrite = force or state.exists()  # what an unfinished run wrote is its own
    data_card.refuse_to_overwrite_samples(output, harvests, languages, overwrite)
    spell, cheap, costly = checks.speller(languages), checks.cheap(), checks.costly(languages)
    text = AlignedText(source, target, skip_invalid)
    made_from = {
        "made": "distilled",
        **data_card.describe_text(text, languages),
        "instructions": [harvest.wanted for harvest in harvests.values()],
        "samples": dict.fromkeys(harvests, n_samples),
        "candidates": n_candidates,
        "seed": seed,
        **checks.describe(),
    }
    curation = Curation(
        [harvest.instruction for harvest in harvests.values()],
        target_language,
        dict.fromkeys(harvests, n_samples * n_candidates),
        seed,
        curator=CandidateCurator,
        filters=cheap,
        costly_filters=costly,
    )
    collect(text, curation, state, made_from, show_progress=show_progress)
    candidates = {c.instruction.name: c.by_priority() for c in curation.curators}
    problem: Optional[InputError] = None
    with Answers(Path(output, ANSWERS)) as answers:
        endpoint.before_request = lambda: answers.take_request(max_requests, max_tokens)
        total = n_samples * len(harvests)
        with tqdm(total=total, desc="samples", disable=not show_progress) as bar:
            distiller = Distiller(
                endpoint,
                answers,
                questions,
                model,
                languages,
                filters=(*cheap, *costly),
                spell=spell,
                min_similarity=min_similarity,
                max_alike=max_alike,
                needs_tokens=max_tokens is not None,
                progress=lambda: _show(bar, harvests, answers),
            )

            async def work() -> None:
                async with endpoint:
                    for name, pairs in candidates.items():
                        await distiller.gather(harvests[name], pairs, n_samples)

            try:
                _run(_until_interrupted(work()))
            except InputError as error:
                problem = error
        made_from.update(
            model=model,
            endpoint=endpoint.base_url,
            prompt=f"{Path(prompt).name}, sha256 {fingerprint(asdict(questions))[:16]}",
            parameters=dict(questions.parameters),
            min_similarity=min_similarity,
            requests=answers.requests,
            tokens=answers.tokens,
        )
    problem = problem or _unanswered(harvests)
    samples, refused = _finish(curation, harvests)
    for name, found in samples.items():
        write_samples(Path(output, name), found, languages, overwrite)
    card = data_card.describe(curation, samples, refused, made_from)
    for name, entry in card["instructions"].items():
        harvest = harvests[name]
        entry.update(
            made="distilled",
            asked_for=n_samples,
            said=harvest.said,
            answers={"asked": harvest.asked, "refused": by_count(harvest.rejections)},
        )
    card["complete"] = problem is None
    if samples or problem is None:
        data_card.write(output, card, overwrite)
    if problem is not None:
        raise problem
    state.unlink()  # all that it held is written
    if refused:
        raise InputError(f"{'; '.join(refused.values())}; leave them out of --instructions")
    return card


def _want(names: Sequence[str], language: str) -> Dict[str, Harvest]:
    wanted: Dict[str, Harvest] = {}
    for name in names:
        entry = want(name, language)
        if wanted.setdefault(entry.instruction.name, entry) != entry:
            raise InputError(
                f"--instructions {', '.join(names)}: give {entry.instruction.name!r} once"
            )
    if not wanted:
        raise InputError("--instructions names none; give some of the catalogue")
    return wanted


def _run(work: Coroutine) -> None:
    # a notebook runs a loop already
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, work).result()


async def _until_interrupted(work: Coroutine) -> None:
    """Wait for a coroutine; Ctrl-C ends it in order, as an `InputError`."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(ValueError, RuntimeError):  # outside of the main thread
        loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        await work
    except asyncio.CancelledError:
        raise InputError("stopped; what was answered is kept, run the same to go on") from None
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _show(bar: tqdm, harvests: Mapping[str, Harvest], answers: Answers) -> None:
    asked = sum(harvest.asked for harvest in harvests.values())
    bar.set_postfix(asked=asked, requests=answers.requests, tokens=answers.tokens, refresh=False)
    bar.update(sum(len(harvest.samples) for harvest in harvests.values()) - bar.n)


def _unanswered(harvests: Mapping[str, Harvest]) -> Optional[InputError]:
    count = sum(harvest.rejections[UNANSWERED] for harvest in harvests.values())
    if not count:
        return None
    last = next(h.problem for h in reversed(list(harvests.values())) if h.problem)
    return InputError(
        f"{count} prompts had no answer, the last one: {last}; run the same to ask them again"
    )


def _finish(
    curation: Curation, harvests: Mapping[str, Harvest]
) -> Tuple[Dict[str, List[Sample]], Dict[str, str]]:
    samples, refused = {}, {}
    for curator in curation.curators:
        name = curator.instruction.name
        try:
            if harvests[name].asked:
                samples[name] = harvests[name].finish()
            elif not curator.by_priority():  # there was nothing to ask about
                curator.finish()  # says why
        except InputError as error:
            refused[name] = str(error)
    return samples, refused
