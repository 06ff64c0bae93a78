r"""Attack a model through its source text: does what stands there act as an instruction?

    fairseq-instr robustness --data data-bin --subwords subwords.model \
        --tuned tuned.pt --base base.pt -s en -t de --source test.en \
        --prompts clean.en direct.en switch.en --output report

Text that asks for something is put into lines of the source: in words, as role play, as tokens
that look like ours, with control characters, in mixed scripts; --prompts adds suites of others.
Writes report.json and report.md: how often an instruction that nobody gave is obeyed, beside
controls and the base model, and how often those of the trusted channel still are.
"""

from pathlib import Path

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.robustness import Attacks, cases_of_prompts, measure_robustness
from fairseq_instr.generation.translator import Translator, parse_task_options
from fairseq_instr.reports.presentation import (
    REPORT_MD,
    command_line,
    refuse_to_overwrite_report,
)
from fairseq_instr.reports.robustness import write_robustness_report
from fairseq_instr.text.lines import read_lines


def run(args):
    refuse_to_overwrite_report(args.output, args.force)
    if args.cases < 1:
        raise InputError(f"--cases {args.cases}: give a number above zero")
    if args.prompts and len(args.prompts) < 2:
        raise InputError("--prompts: give the clean lines and at least one file of attacked ones")
    tuned = load(args, args.tuned, **parse_task_options(args.decoding))
    attacks = Attacks(tuned.inventory, args.source_language)
    sources = [line for line in read_lines(args.source) if line.strip()]
    if not sources:
        raise InputError(f"--source {args.source} holds no text")
    cases = [
        case
        for kind in attacks.templates
        for case in attacks.make(sources, kind, args.cases, args.seed)
    ]
    if args.prompts:
        clean = read_lines(args.prompts[0])
        neutral = attacks.neutral_phrases(args.source_language)
        for path in args.prompts[1:]:
            kind = "prompts " + Path(path).name.split(".")[0]
            lines = read_lines(path)
            cases += cases_of_prompts(kind, clean, lines, args.cases, args.seed, neutral)
    report = {
        "command": command_line(),
        "conditions": {
            "decoding": f"beam {args.beam}, batches of {args.batch_size}"
            + (f"; tuned: {args.decoding}" if args.decoding else ""),
            "source": f"{len(sources)} lines, {args.source_language} to {args.target_language}",
            "cases": f"{args.cases} of each kind, seed {args.seed}",
        },
        "robustness": measure_robustness(
            translating(args, tuned, "tuned"),
            cases,
            tuned.inventory,
            args.source_language,
            args.target_language,
            args.seed,
            translating(args, load(args, args.base), "base") if args.base else None,
        ),
    }
    write_robustness_report(report, args.output, args.force)
    print(Path(args.output, REPORT_MD).read_text(encoding="utf-8"))


def load(args, path, **options):
    languages = args.source_language, args.target_language
    return Translator.from_pretrained(
        path, args.data, args.subwords, *languages, args.beam, **options
    )


def translating(args, translator, title):
    return lambda lines, asked: translator.translate(lines, asked, args.batch_size, progress=title)


def add_arguments(parser):
    parser.add_argument("--data", required=True, help="data-bin: dictionaries and inventory")
    parser.add_argument("--subwords", help="SentencePiece model; none if text is in pieces")
    parser.add_argument("--tuned", required=True, help="checkpoint that takes instructions")
    parser.add_argument("--base", help="checkpoint that takes none, to compare with")
    parser.add_argument("-s", "--source-language", required=True)
    parser.add_argument("-t", "--target-language", required=True)
    parser.add_argument("--source", required=True, help="sources, raw text, plain or .gz")
    parser.add_argument(
        "--prompts", nargs="+", default=[], metavar="FILE",
        help="a suite of prompts: clean lines, then files of the same lines under attack",
    )  # fmt: skip
    parser.add_argument("--cases", type=int, default=50, help="of each kind of attack")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument(
        "--decoding", default="",
        help="task options that the tuned model decodes with, such as --decoding='--guidance 0.5'",
    )  # fmt: skip
    parser.add_argument("--batch-size", type=int, default=64, help="sentences decoded together")
    parser.add_argument("--seed", type=int, default=1, help="of sources, attacks, instructions")
    parser.add_argument("--output", required=True, help="folder of the report")
    parser.add_argument("--force", action="store_true", help="overwrite a report there")
