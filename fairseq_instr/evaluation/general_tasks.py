"""General tasks, before and after tuning: does a model still do what is no translation?

Held-out tasks with references give the likelihood of the references, the language of the answers,
and whether answers obey a constraint that a program can verify (Zhou et al., 2023, IFEval):
*loose* accepts an answer also without its first line, its last line, or its asterisks.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
)  # fmt: skip

from fairseq_instr.curation.general_tasks import GeneralTask
from fairseq_instr.errors import InputError, check_at_least
from fairseq_instr.evaluation.proportions import wilson_interval
from fairseq_instr.evaluation.report import GENERAL_TASKS, new_report
from fairseq_instr.evaluation.samples import draw_samples
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.text.identification import LanguageIdentifier, identify

ENGLISH = "en"
MOST_WORDS, N_BULLETS = 30, 3
_FENCE = re.compile(r"\s*```(?:json)?\s*(.*?)\s*```\s*", re.DOTALL | re.IGNORECASE)


class Answerer(Protocol):
    """A model that reads whole prompts: `PromptReader` has it."""

    def answer(
        self, prompts: Sequence[str], new_tokens: int, batch_size: int, progress: str
    ) -> List[str]:
        """The greedy answer to each prompt."""
        ...

    def score(
        self, prompts: Sequence[str], answers: Sequence[str], batch_size: int, progress: str
    ) -> Sequence[Tuple[float, int]]:
        """(negative log-likelihood in nats, tokens) of each answer."""
        ...


class Constraint(NamedTuple):
    """What is asked of an answer beside the task, and how it is verified."""

    name: str
    words: str  # added to the task's instruction
    obeys: Callable[[str], bool]

    def mark(self, answer: str, index: int) -> Dict[str, bool]:
        """Marks of a sample answer, see `evaluation.samples`."""
        return {"obeyed": self.obeys(answer)}


def _is_json(answer: str) -> bool:
    """Whether an answer is one JSON object or array, in a Markdown fence or not."""
    fenced = _FENCE.fullmatch(answer)
    try:
        return isinstance(json.loads(fenced[1] if fenced else answer), (dict, list))
    except (ValueError, RecursionError):
        return False


def _of_catalogue(name: str) -> Callable[[str], bool]:
    obeys = look_up(name).obeys
    assert obeys is not None
    return lambda text: obeys(text, Context())


_is_bullet = _of_catalogue("list-item")

CONSTRAINTS = (
    Constraint(
        "words",
        f"Answer in at most {MOST_WORDS} words.",
        lambda answer: 0 < len(answer.split()) <= MOST_WORDS,
    ),
    Constraint(
        "bullets",
        f"Answer with exactly {N_BULLETS} bullet points, each on a line that begins with a dash.",
        lambda answer: sum(map(_is_bullet, answer.splitlines())) == N_BULLETS,
    ),
    Constraint("json", "Write the whole answer as JSON.", _is_json),
    Constraint(
        "lowercase",
        "Write the whole answer in lower case, without capital letters.",
        _of_catalogue("lowercase"),
    ),
)
_TURNS = {c: slice(i, None, len(CONSTRAINTS)) for i, c in enumerate(CONSTRAINTS)}
"""Constraint -> tasks that it is added to: each task gets one, in turn."""


def loose_variants(answer: str) -> Iterator[str]:
    r"""An answer, and what IFEval's loose accuracy accepts in its place.

    Example: of "Sure:\n*yes*", also "*yes*", "Sure:", "", and each without asterisks.
    """
    lines = answer.strip().splitlines()
    for first, last in itertools.product((0, 1), (0, 1)):
        kept = "\n".join(lines[first : len(lines) - last])
        yield from (kept, kept.replace("*", ""))


def evaluate_general_tasks(
    systems: Mapping[str, Callable[[], Answerer]],
    tasks: Sequence[GeneralTask],
    *,
    identifier: LanguageIdentifier,
    languages: Optional[Collection[str]] = None,
    new_tokens: int = 128,
    batch_size: int = 16,
    samples: int = 3,
    seed: int = 1,
    conditions: Optional[Mapping[str, str]] = None,
) -> Tuple[Dict[str, Any], Dict[str, List[str]], List[GeneralTask]]:
    """Score references, have each system answer, and verify constraints.

    Args:
        systems: name -> what loads it; one is in memory at a time.
        tasks: held-out ones; those without `output` are left out.
        languages: codes that the identifier chooses from; None for all that it knows.
        new_tokens: longest answer.
        samples: sample answers shown of a constraint.
        conditions: more of what the report says about how it was made.

    Returns:
        (a report, see `evaluation.report`; greedy answers by system; the tasks that they answer).
        The report's `systems` have `nll`, the negative log-likelihood of the references in nats
        per token, and shares in 0..1. `english` is the share of answers in English, of the tasks
        whose reference is. `strict` and `loose` are shares of answers that obey a constraint,
        `unasked` is the share that obeys when the task comes without it.

    Raises:
        InputError: if there is no system, no task with a reference, or a number is too small.
    """
    check_at_least(0, samples=samples)
    check_at_least(1, new_tokens=new_tokens, batch_size=batch_size)
    tasks = [task for task in tasks if (task.output or "").strip()]
    if not systems or not tasks:
        raise InputError("general tasks: give at least one system, and one task with an output")
    references = [task.output or "" for task in tasks]
    prompts = [task.prompt for task in tasks]
    given = [CONSTRAINTS[i % len(CONSTRAINTS)] for i in range(len(tasks))]
    asked = [
        task._replace(instruction=f"{task.instruction} {constraint.words}").prompt
        for task, constraint in zip(tasks, given)
    ]
    in_english = _in_english(references, identifier, languages)
    figures: Dict[str, Dict[str, Any]] = {}
    answers: Dict[str, List[str]] = {}
    constrained: Dict[str, List[str]] = {}
    for name, load in systems.items():
        model = load()
        scores = model.score(prompts, references, batch_size, f"{name}, references")
        answers[name] = model.answer(prompts, new_tokens, batch_size, f"{name}, answers")
        constrained[name] = model.answer(asked, new_tokens, batch_size, f"{name}, constraints")
        del model  # before the next one is loaded
        n_tokens = sum(tokens for _, tokens in scores)
        answered = _in_english(answers[name], identifier, languages)
        kept = [english for english, expected in zip(answered, in_english) if expected]
        figures[name] = {
            "nll": round(sum(nll for nll, _ in scores) / n_tokens, 4),
            "tokens": n_tokens,
            "english": round(sum(kept) / len(kept), 4) if kept else None,
            "english_tasks": len(kept),
            **_verified(given, constrained[name], answers[name]),
            "constraints": {
                constraint.name: _verified(given[own], constrained[name][own], answers[name][own])
                for constraint, own in _TURNS.items()
                if given[own]
            },
        }
    stated = ",".join(sorted(languages)) if languages else "all"
    report = new_report(
        GENERAL_TASKS,
        {
            **(conditions or {}),
            "tasks": f"{len(tasks)} with a reference",
            "answers": f"greedy, at most {new_tokens} tokens",
        },
        systems=figures,
        signatures={"english": f"{identifier.signature}|languages:{stated}"},
        samples=[
            sample
            for constraint, own in _TURNS.items()
            for sample in draw_samples(
                constraint.words,
                [(task.instruction, task.output or "") for task in tasks[own]],
                {name: texts[own] for name, texts in constrained.items()},
                constraint.mark,
                samples,
                f"{seed} {constraint.name}",
            )
        ],
    )
    return report, answers, tasks


def _in_english(
    texts: Sequence[str],
    identifier: LanguageIdentifier,
    languages: Optional[Collection[str]],
) -> List[bool]:
    (found,) = identify(texts, identifier, languages)
    return [language == ENGLISH for language in found]


def _verified(
    given: Sequence[Constraint], answers: Sequence[str], unasked: Sequence[str]
) -> Dict[str, float]:
    """Shares of answers that obey their constraint, with the 95 % interval of the strict one."""
    n_tasks = len(given)
    strict = sum(c.obeys(answer) for c, answer in zip(given, answers))
    loose = sum(any(map(c.obeys, loose_variants(a))) for c, a in zip(given, answers))
    by_chance = sum(c.obeys(answer) for c, answer in zip(given, unasked))
    shares = (strict / n_tasks, *wilson_interval(strict, n_tasks), loose / n_tasks,
              by_chance / n_tasks)  # fmt: skip
    names = ("strict", "low", "high", "loose", "unasked")
    return {"tasks": n_tasks, **{name: round(share, 4) for name, share in zip(names, shares)}}
