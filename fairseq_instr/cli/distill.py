r"""Have a language model rewrite translations under instructions, and keep the answers that obey.

    export OPENAI_API_KEY=...
    fairseq-instr distill --source train.en.gz --target train.de.gz -s en -t de \
        --instructions 'formal,informal,at-most=40' --samples 1000 \
        --base-url https://HOST/v1 --model NAME --concurrency 8 --max-requests 5000 \
        --subwords subwords.model --dictionary dict.de.txt --output task

asks any OpenAI-compatible endpoint for chat completions, and writes what fairseq-instr curate
writes: task/NAME/train.{en,de,instr} and task/data_card.{md,json}. An answer becomes a sample if
it passes the filters of curation and the instruction's verifier.

Every answer is on disk, in task/answers.sqlite, before the next one is asked for. A run that was
stopped, killed, or ended for its budget or the endpoint goes on when it is started again, and
asks nothing twice that was answered.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Optional

from fairseq_instr.cli.curation_options import add_checks, add_output, add_text, checks
from fairseq_instr.curation import data_card, distill
from fairseq_instr.curation.distillation_endpoint import Endpoint, check_key, goes_unencrypted
from fairseq_instr.curation.distillation_harvest import MAX_ALIKE, MIN_SIMILARITY
from fairseq_instr.curation.distillation_prompt import DEFAULT
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import parse


def add_arguments(parser):
    add_text(parser)
    parser.add_argument(
        "--instructions",
        required=True,
        metavar="NAMES",
        help="separated by commas, with an argument where they have a slot",
    )
    parser.add_argument("--samples", type=int, default=1000, metavar="N", help="(%(default)s)")
    parser.add_argument(
        "--candidates",
        type=int,
        default=3,
        metavar="N",
        help="most pairs to ask about for each sample (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the choice of pairs (%(default)s)")
    endpoint = parser.add_argument_group("the endpoint")
    endpoint.add_argument(
        "--base-url", required=True, metavar="URL", help="e.g. https://localhost:8000/v1"
    )
    endpoint.add_argument("--model", required=True, help="the model's name at the endpoint")
    endpoint.add_argument(
        "--key-variable",
        default="OPENAI_API_KEY",
        metavar="NAME",
        help="environment variable that holds the key (%(default)s)",
    )
    endpoint.add_argument("--no-key", action="store_true", help="the endpoint wants none")
    endpoint.add_argument(
        "--prompt", default=DEFAULT, metavar="FILE", help="YAML file of what is asked"
    )
    endpoint.add_argument(
        "--concurrency", type=int, default=4, metavar="N", help="requests at a time (%(default)s)"
    )
    endpoint.add_argument(
        "--requests-per-minute", type=float, metavar="N", help="most; default: any number"
    )
    endpoint.add_argument(
        "--timeout", type=float, default=120.0, metavar="SECONDS", help="(%(default)s)"
    )
    endpoint.add_argument(
        "--retries",
        type=int,
        default=5,
        metavar="N",
        help="of a request that fails in passing (%(default)s)",
    )
    endpoint.add_argument(
        "--first-wait",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="before the first retry, doubled each time, unless the endpoint says how long to wait "
        "(%(default)s)",
    )
    endpoint.add_argument(
        "--max-requests",
        type=int,
        metavar="N",
        help="budget of all runs with this --output, retries included; default: none",
    )
    endpoint.add_argument(
        "--max-tokens",
        type=int,
        metavar="N",
        help="budget of tokens, as the endpoint counts them; requests under way when it is reached "
        "are still taken; default: none",
    )
    endpoint.add_argument(
        "--max-alike",
        type=int,
        default=MAX_ALIKE,
        metavar="N",
        help="stop if the first N answers are all refused for the same reason; 0 = go on "
        "(%(default)s)",
    )
    add_checks(parser)
    parser.add_argument(
        "--skip-invalid", action="store_true", help="skip and count lines that are not UTF-8"
    )
    parser.add_argument(
        "--min-similarity",
        type=float,
        default=MIN_SIMILARITY,
        metavar="CHRF2",
        help="least chrF2 of an answer to the plain translation, 0 to 100 (%(default)s)",
    )
    add_output(parser, "overwrite samples; answers are kept")


def run(args):
    key = None if args.no_key else read_key(args.key_variable)
    endpoint = Endpoint(
        base_url=args.base_url,
        key=key,
        concurrency=args.concurrency,
        requests_per_minute=args.requests_per_minute,
        timeout=args.timeout,
        retries=args.retries,
        first_wait=args.first_wait,
    )
    if key is not None and goes_unencrypted(endpoint.base_url):
        print(f"Note: {endpoint.base_url} is not encrypted: the key can be read", file=sys.stderr)
    card = distill(
        source=args.source,
        target=args.target,
        source_language=args.source_language,
        target_language=args.target_language,
        instructions=parse(args.instructions),
        output=args.output,
        endpoint=endpoint,
        model=args.model,
        n_samples=args.samples,
        n_candidates=args.candidates,
        seed=args.seed,
        prompt=args.prompt,
        max_requests=args.max_requests,
        max_tokens=args.max_tokens,
        max_alike=args.max_alike,
        min_similarity=args.min_similarity,
        checks=checks(args),
        skip_invalid=args.skip_invalid,
        force=args.force,
        show_progress=True,
    )
    print("\n".join(data_card.summary(card)))


def read_key(variable: str) -> Optional[str]:
    """The key in an environment variable.

    Raises:
        InputError: if there is none; no value is shown, which may be a key by mistake.
    """
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
