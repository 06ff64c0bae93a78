r"""Have a language model rewrite translations under instructions, and keep the answers that obey.

    export OPENAI_API_KEY=...
    fairseq-instr distill --source train.en.gz --target train.de.gz -s en -t de \
        --instructions 'formal,informal,at-most=40' --samples 1000 \
        --base-url https://HOST/v1 --model NAME --concurrency 8 --max-requests 5000 \
        --subwords subwords.model --dictionary dict.de.txt --output task

Asks any OpenAI-compatible endpoint for chat completions. Writes what fairseq-instr curate writes:
task/NAME/train.{en,de,instr} and task/data_card.{md,json}. An answer becomes a sample if it passes
the filters of curation and the instruction's verifier.

Every answer is kept in task/answers.sqlite. A run that was stopped, killed or out of budget goes on
when it is started again. No answered question is asked twice.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Optional

from fairseq_instr.cli.options import (
    REQUIRED,
    TEXT,
    add_checks,
    add_output,
    add_text,
    checks,
    flag,
    option,
    take,
)
from fairseq_instr.curation import data_card, distill
from fairseq_instr.curation.distillation_endpoint import Endpoint, check_key, goes_unencrypted
from fairseq_instr.curation.distillation_harvest import MAX_ALIKE, MIN_SIMILARITY
from fairseq_instr.curation.distillation_prompt import DEFAULT
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import parse
from fairseq_instr.instructions.catalogue import find


def add_arguments(parser) -> None:
    add_text(parser)
    text = "separated by commas or blanks, with arguments, such as formal,at-most=40"
    option(parser, "--instructions", REQUIRED, text, metavar="NAMES")
    option(parser, "--samples", 1000, "samples of each instruction, at most", dest="n_samples")
    text = "pairs to ask about for each sample, at most"
    option(parser, "--candidates", 3, text, dest="n_candidates")
    option(parser, "--seed", 1, "random seed: which pairs are asked about")
    endpoint = parser.add_argument_group("the endpoint")
    text = "such as https://localhost:8000/v1"
    option(endpoint, "--base-url", REQUIRED, text, metavar="URL")
    option(endpoint, "--model", REQUIRED, "the model's name at the endpoint")
    text = "environment variable that holds the key"
    option(endpoint, "--key-variable", "OPENAI_API_KEY", text, metavar="NAME")
    flag(endpoint, "--no-key", "send no key")
    text = "YAML file with the prompt; default: the package's own"
    option(endpoint, "--prompt", None, text, metavar="FILE")
    option(endpoint, "--concurrency", 4, "requests at a time")
    text = "requests a minute, at most; default: no limit"
    option(endpoint, "--requests-per-minute", None, text, type=float, metavar="N")
    text = "time limit of a request and its whole answer"
    option(endpoint, "--timeout", 120.0, text, metavar="SECONDS")
    option(endpoint, "--retries", 5, "retries of a request that failed for a passing reason")
    option(
        endpoint, "--first-wait", 1.0, "wait before the first retry; it doubles each time, "
        "unless the endpoint says how long to wait", metavar="SECONDS",
    )  # fmt: skip
    text = "budget of all runs with this --output, retries included; default: no limit"
    option(endpoint, "--max-requests", None, text, type=int, metavar="N")
    option(
        endpoint, "--max-tokens", None, "budget of tokens, as the endpoint counts them; answers to "
        "requests under way at the limit are kept; default: no limit", type=int, metavar="N",
    )  # fmt: skip
    text = "stop if the first N answers are all refused for the same reason; 0 = go on"
    option(endpoint, "--max-alike", MAX_ALIKE, text)
    add_checks(parser)
    flag(parser, "--skip-invalid", "skip and count lines that are not UTF-8")
    text = "refuse answers whose chrF2 against the plain translation is lower, 0 to 100"
    option(parser, "--min-similarity", MIN_SIMILARITY, text, metavar="CHRF2")
    add_output(parser, force="overwrite samples; answers are kept")


def run(args):
    key = None if args.no_key else read_key(args.key_variable)
    endpoint = Endpoint(
        key=key,
        **take(args, "base_url concurrency requests_per_minute timeout retries first_wait"),
    )
    if key is not None and goes_unencrypted(endpoint.base_url):
        print(f"Note: {endpoint.base_url} is not encrypted: the key can be read", file=sys.stderr)
    limits = " n_samples n_candidates max_requests max_tokens max_alike min_similarity"
    card = distill(
        instructions=parse(args.instructions, find),
        endpoint=endpoint,
        prompt=args.prompt or DEFAULT,
        checks=checks(args),
        show_progress=True,
        **take(args, TEXT + limits + " output model seed skip_invalid force"),
    )
    print("\n".join(data_card.summary(card)))


def read_key(variable: str) -> Optional[str]:
    """The key in an environment variable; no error shows its value, which may be a key."""
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", variable):
        raise InputError(
            "--key-variable wants the name of an environment variable, such as OPENAI_API_KEY; "
            "keys are never given on the command line"
        )
    key = os.environ.get(variable, "")
    if not key.strip():
        raise InputError(
            f"the environment variable {variable} holds no key: export it, name another with "
            "--key-variable, or give --no-key for an endpoint that wants none"
        )
    return check_key(key)
