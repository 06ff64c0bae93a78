r"""Have a language model rewrite translations under instructions, and keep what obeys them.

    export OPENAI_API_KEY=...
    python scripts/distill_instructions.py --source train.en.gz --target train.de.gz \
        -s en -t de --instructions 'formal,informal,at-most=40' --samples 1000 \
        --base-url https://HOST/v1 --model NAME --concurrency 8 --max-requests 5000 \
        --subwords subwords.model --dictionary dict.de.txt --output task

asks any OpenAI-compatible endpoint for chat completions, and writes what
scripts/curate_instructions.py writes: task/NAME/train.{en,de,instr} and task/data_card.{md,json}.
Only answers that pass the filters of curation and the instruction's verifier become samples.

Every answer is on disk, in task/answers.sqlite, before the next one is asked for. A run that was
stopped, killed, or ended for its budget or the endpoint goes on when it is started again, and
asks nothing twice that was answered.
"""

import argparse
import asyncio
import hashlib
import json
import logging
import os
import re
import signal
import sys
from pathlib import Path

from tqdm import tqdm

from fairseq_instr.curation import data_card
from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.distillation import (
    MIN_SIMILARITY,
    UNANSWERED,
    Budget,
    CandidateCurator,
    Distiller,
    Harvest,
    describe,
    distill,
    want,
)
from fairseq_instr.curation.distillation_answers import Answers
from fairseq_instr.curation.distillation_endpoint import (
    Endpoint,
    check_address,
    check_key,
    goes_unencrypted,
)
from fairseq_instr.curation.distillation_prompt import DEFAULT, RewritingPrompt
from fairseq_instr.curation.filters import in_languages, length_ratio, not_in, well_formed
from fairseq_instr.curation.from_parallel import Curation
from fairseq_instr.curation.shards import collect, shard_file
from fairseq_instr.errors import InputError
from fairseq_instr.files import refuse_to_overwrite, write_atomically
from fairseq_instr.instructions.asking import parse, spell_line
from fairseq_instr.text.subwords import Subwords, spelling_check

ANSWERS = "answers.sqlite"


def main():
    args = build_parser().parse_args()
    check(args)
    wanted = {}
    for name in parse(args.instructions):
        entry = want(name)
        if wanted.setdefault(entry.instruction.name, entry) != entry:
            raise InputError(f"--instructions {args.instructions}: give {name!r} once")
    if not wanted:
        raise InputError("--instructions names none; give some of the catalogue")
    prompt = RewritingPrompt.load(args.prompt)
    key = read_key(args)
    output = Path(args.output)
    streams = (args.source_language, args.target_language, "instr")
    state = shard_file(output, (1, 1))
    if args.force:
        state.unlink(missing_ok=True)
    overwrite = args.force or state.exists()  # what an unfinished run wrote is its own
    for path in (*(output / n / f"train.{e}" for n in wanted for e in streams), *cards(output)):
        refuse_to_overwrite(path, overwrite)
    subwords = Subwords(args.subwords) if args.subwords else None
    languages = (args.source_language, args.target_language)
    filters = [well_formed, length_ratio(args.max_length_ratio), not_in(args.exclude)]
    costly = [in_languages(*languages)] if args.identify_language else []
    text = AlignedText(args.source, args.target, args.skip_invalid)
    n_samples = dict.fromkeys(wanted, args.samples)
    with Answers(output / ANSWERS) as answers:
        budget = Budget(answers, args.max_requests, args.max_tokens)
        endpoint = Endpoint(
            args.base_url,
            key,
            timeout=args.timeout,
            retries=args.retries,
            first_wait=args.first_wait,
            requests_per_minute=args.requests_per_minute,
            concurrency=args.concurrency,
            seed=args.seed,
            before_request=budget.take_request,
        )
        if key is not None and goes_unencrypted(endpoint.base_url):
            print(
                f"Note: {endpoint.base_url} is not encrypted: the key can be read", file=sys.stderr
            )
        made_from = describe_text(args, text, wanted)
        curation = Curation(
            [entry.instruction for entry in wanted.values()],
            args.target_language,
            dict.fromkeys(wanted, args.samples * args.candidates),
            args.seed,
            curator=CandidateCurator,
            filters=filters,
            costly_filters=costly,
        )
        with tqdm(total=text.sizes[0], desc="source", unit="B", unit_scale=True) as bar:
            collect(text, curation, state, made_from, progress=bar.update)
        candidates = {c.instruction.name: c.by_priority() for c in curation.curators}
        harvests, problem = {}, None
        with tqdm(total=sum(n_samples.values()), desc="samples") as bar:
            distiller = Distiller(
                endpoint,
                answers,
                prompt,
                args.model,
                languages,
                args.concurrency,
                filters=(*filters, *costly),
                can_spell=spelling_check(subwords, args.dictionary) if subwords else None,
                min_similarity=args.min_similarity,
                needs_tokens=args.max_tokens is not None,
                progress=lambda _: show(bar, harvests, answers),
            )
            try:
                work = distill(distiller, wanted, candidates, n_samples, harvests)
                asyncio.run(until_interrupted(work))
            except InputError as error:
                problem = error
        unanswered = sum(harvest.rejections[UNANSWERED] for harvest in harvests.values())
        if problem is None and unanswered:
            last = next(h.problem for h in reversed(list(harvests.values())) if h.problem)
            problem = InputError(
                f"{unanswered} prompts had no answer, the last one: {last}; run the same to ask "
                "them again"
            )
        samples, refused = finish(curation, harvests)
        made_from = {**made_from, **describe_model(args, prompt, endpoint, answers)}
    for name, found in samples.items():
        lines = zip(
            *((s.source, s.target, spell_line(s.instruction, subwords.encode) if subwords else
               s.instruction) for s in found)
        )  # fmt: skip
        for extension, column in zip(streams, lines):
            content = "".join(f"{line}\n" for line in column)
            write_atomically(output / name / f"train.{extension}", content, overwrite)
    if samples or problem is None:
        card = describe(curation, wanted, n_samples, harvests, samples, refused, made_from)
        card["complete"] = problem is None
        data_card.write(output, card, overwrite)
    for name in wanted:
        harvest = harvests.get(name, Harvest())
        reasons = ", ".join(f"{reason}: {n}" for reason, n in harvest.rejections.most_common())
        print(
            f"{name:18} {len(samples.get(name, ())):6} samples of {harvest.asked} asked; "
            f"rejected: {reasons or 'none'}"
        )
    if problem is not None:
        raise problem
    state.unlink()  # all that it held is written
    if refused:
        raise InputError("; ".join(refused.values()))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="source text, one segment a line, or .gz")
    parser.add_argument("--target", required=True, help="its plain translation, aligned, or .gz")
    parser.add_argument("-s", "--source-language", required=True)
    parser.add_argument("-t", "--target-language", required=True)
    parser.add_argument(
        "--instructions",
        required=True,
        help="names, separated by commas, with their argument where they have a slot",
    )
    parser.add_argument("--samples", type=int, default=1000, help="of each (%(default)s)")
    parser.add_argument(
        "--candidates",
        type=int,
        default=3,
        help="pairs to ask about at most, for each sample (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of choices and waits (%(default)s)")
    endpoint = parser.add_argument_group("the endpoint")
    endpoint.add_argument("--base-url", required=True, help="such as https://localhost:8000/v1")
    endpoint.add_argument("--model", required=True, help="its name at the endpoint")
    endpoint.add_argument(
        "--key-variable",
        default="OPENAI_API_KEY",
        help="environment variable that holds the key (%(default)s)",
    )
    endpoint.add_argument("--no-key", action="store_true", help="the endpoint wants none")
    endpoint.add_argument(
        "--prompt", default=DEFAULT, help="YAML file of what is asked, as the default one is"
    )
    endpoint.add_argument("--concurrency", type=int, default=4, help="requests at a time")
    endpoint.add_argument("--requests-per-minute", type=float, help="at most; default: any number")
    endpoint.add_argument("--timeout", type=float, default=120.0, help="seconds (%(default)s)")
    endpoint.add_argument(
        "--retries", type=int, default=5, help="of a request that fails in passing (%(default)s)"
    )
    endpoint.add_argument(
        "--first-wait",
        type=float,
        default=1.0,
        help="seconds before the first of them, then doubled; an endpoint that says how long to "
        "wait is listened to (%(default)s)",
    )
    endpoint.add_argument(
        "--max-requests",
        type=int,
        help="budget of all runs with this --output, retries included; default: none",
    )
    endpoint.add_argument(
        "--max-tokens",
        type=int,
        help="likewise, of tokens as the endpoint counts them; what is under way when it is "
        "reached is still taken",
    )
    filters = parser.add_argument_group("filters")
    filters.add_argument("--subwords", help="SentencePiece model of the pretrained model")
    filters.add_argument("--dictionary", help="its dict.LANGUAGE.txt of the target")
    filters.add_argument("--max-length-ratio", type=float, default=3.0)
    filters.add_argument("--exclude", nargs="*", default=[], metavar="FILE", help="test sets")
    filters.add_argument("--identify-language", action="store_true", help="by langid")
    filters.add_argument(
        "--min-similarity",
        type=float,
        default=MIN_SIMILARITY,
        help="chrF2 of an answer against the plain translation, 0 to 100 (%(default)s)",
    )
    filters.add_argument("--skip-invalid", action="store_true", help="skip what is not UTF-8")
    parser.add_argument("--output", required=True, help="folder to write")
    parser.add_argument(
        "--force", action="store_true", help="overwrite samples; answers are kept in any case"
    )
    return parser


def check(args) -> None:
    """Raise `InputError` for a number that makes no sense, or half of a pair of options."""
    if bool(args.subwords) != bool(args.dictionary):
        raise InputError("--subwords and --dictionary go together; give both or none")
    least = {"samples": 1, "candidates": 1, "concurrency": 1, "retries": 0, "first_wait": 0}
    for name, bound in least.items():
        if not getattr(args, name) >= bound:
            option = "--" + name.replace("_", "-")
            raise InputError(
                f"{option} {getattr(args, name)} is not accepted: give {bound} or more"
            )
    for name in ("timeout", "requests_per_minute", "max_requests", "max_tokens"):
        value = getattr(args, name)
        if value is not None and not 0 < value < float("inf"):
            option = "--" + name.replace("_", "-")
            raise InputError(
                f"{option} {value} is not accepted: give a number above zero, or leave it out"
            )
    check_address(args.base_url)


def read_key(args):
    """The key from the environment, None with --no-key."""
    if args.no_key:
        return None
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", args.key_variable):
        raise InputError(  # and is not shown: it may be the key itself
            "--key-variable wants the name of an environment variable, such as OPENAI_API_KEY; "
            "keys are never given on the command line"
        )
    key = os.environ.get(args.key_variable, "")
    if not key.strip():
        raise InputError(
            f"the environment variable {args.key_variable} holds no key: export it, name another "
            "with --key-variable, or give --no-key for an endpoint that wants none"
        )
    return check_key(key)


def cards(output: Path):
    """Paths of the data card."""
    return output / "data_card.json", output / "data_card.md"


async def until_interrupted(work) -> None:
    """Wait for a coroutine; Ctrl-C ends it in order, as an `InputError`."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, asyncio.current_task().cancel)
    try:
        await work
    except asyncio.CancelledError:
        raise InputError("stopped; what was answered is kept, run the same to go on") from None
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def show(bar: tqdm, harvests, answers: Answers) -> None:
    """Bring a progress bar up to date."""
    asked = sum(harvest.asked for harvest in harvests.values())
    bar.set_postfix(asked=asked, requests=answers.requests, tokens=answers.tokens, refresh=False)
    bar.update(sum(len(harvest.samples) for harvest in harvests.values()) - bar.n)


def finish(curation: Curation, harvests):
    """Samples by instruction, and why others have none."""
    samples, refused = {}, {}
    for curator in curation.curators:
        name = curator.instruction.name
        harvest = harvests.get(name, Harvest())
        try:
            if harvest.asked:
                samples[name] = harvest.finish(name)
            elif not curator.by_priority():  # there was nothing to ask about
                curator.finish()  # says why
        except InputError as error:
            refused[name] = str(error)
    return samples, refused


def describe_text(args, text: AlignedText, wanted) -> dict:
    """What the candidates depend on."""
    return {
        "made": "distilled",
        "source": f"{text.paths[0].name}, {text.sizes[0]} bytes",
        "target": f"{text.paths[1].name}, {text.sizes[1]} bytes",
        "languages": f"{args.source_language}-{args.target_language}",
        "instructions": [entry.asked for entry in wanted.values()],
        "samples": args.samples,
        "candidates": args.candidates,
        "seed": args.seed,
        "max_length_ratio": args.max_length_ratio,
        "excluded": [Path(path).name for path in args.exclude],
        "identify_language": args.identify_language,
    }


def describe_model(args, prompt: RewritingPrompt, endpoint: Endpoint, answers: Answers) -> dict:
    """What the answers depend on, and what they cost."""
    digest = hashlib.sha256(json.dumps(prompt.to_dict(), sort_keys=True).encode("utf-8"))
    return {
        "model": args.model,
        "endpoint": endpoint.base_url,
        "prompt": f"{Path(args.prompt).name}, sha256 {digest.hexdigest()[:16]}",
        "parameters": dict(prompt.parameters),
        "min_similarity": args.min_similarity,
        "subwords": Path(args.subwords).name if args.subwords else None,
        "dictionary": Path(args.dictionary).name if args.dictionary else None,
        "requests": answers.requests,
        "tokens": answers.tokens,
    }


if __name__ == "__main__":
    # a line for each request says nothing that the progress bar does not
    for library in ("httpx", "httpx2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    main()
