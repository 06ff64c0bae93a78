r"""Formality accuracy of models, as the IWSLT scorer counts it, on both requests.

    fairseq-instr formality --data data-bin --subwords subwords.model \
        --base base.pt --systems tuned=tuned.pt -s en -t de \
        --folder formality/test/en-de --domains telephony,call_center --output report

translates every source under `formal` and under `informal` and writes report.json, report.md and
the outputs: accuracy, coverage beside it, the references' own, quality against the references of
the kind that was asked for. The base model, asked for nothing, is scored as either. `formality`
of report.json has the figures of the first of --systems.
"""

from pathlib import Path

from fairseq_instr.evaluation.named import check_named, parse_named
from fairseq_instr.evaluation.quality import measure_quality
from fairseq_instr.files import write_atomically
from fairseq_instr.generation.translator import Translator, parse_task_options
from fairseq_instr.reports.formality import (
    BASE,
    REFERENCES,
    evaluate,
    read_test_set,
    write_formality_report,
)
from fairseq_instr.reports.presentation import (
    REPORT_MD,
    command_line,
    refuse_to_overwrite_report,
)
from fairseq_instr.text.lines import read_lines


def run(args):
    refuse_to_overwrite_report(args.output, args.force)
    taken = (BASE, REFERENCES)
    checkpoints = {BASE: args.base}
    checkpoints.update(parse_named(args.systems, "--systems", "CHECKPOINT", taken))
    decoding = parse_named(args.decoding, "--decoding", "OPTIONS", taken)
    check_named("--decoding", decoding, checkpoints)
    check_named("--rerank", args.rerank, checkpoints)
    languages = args.source_language, args.target_language
    tests = {
        domain: read_test_set(args.folder, domain, *languages)
        for domain in filter(None, args.domains.split(","))
    }

    def translating(name):
        translator = Translator.from_pretrained(
            checkpoints[name], args.data, args.subwords, *languages, args.beam,
            **parse_task_options(decoding.get(name, "")),
        )  # fmt: skip
        rerank = args.beam if name in args.rerank else 0
        return lambda lines, asked: translator.translate(
            lines, asked, args.batch_size, progress=name, rerank=rerank
        )

    systems = {name: translating(name) for name in checkpoints}
    report, outputs = evaluate(systems, tests, args.target_language)
    if args.plain:
        sources, references = (read_lines(f"{args.plain}.{language}") for language in languages)
        report["plain"] = {}
        for name, translate in systems.items():
            plain = translate(sources, [""] * len(sources))
            outputs[name]["plain"] = plain
            report["plain"][name] = measure_quality(plain, references, args.target_language)
    report = {
        "command": command_line(),
        "conditions": {
            "decoding": f"beam {args.beam}, batches of {args.batch_size}"
            + "".join(f"; {name}: {options}" for name, options in decoding.items())
            + "".join(f"; {name}: the first hypothesis that obeys" for name in args.rerank),
            "test set": ", ".join(f"{name} {len(t.sources)} lines" for name, t in tests.items()),
        },
        **report,
    }
    for name, by_kind in outputs.items():
        for kind, lines in by_kind.items():
            path = Path(args.output, "outputs", name, f"{kind}.{args.target_language}")
            write_atomically(path, "".join(f"{line}\n" for line in lines), force=True)
    write_formality_report(report, args.output, args.force)
    print(Path(args.output, REPORT_MD).read_text(encoding="utf-8"))


def add_arguments(parser):
    parser.add_argument("--data", required=True, help="data-bin: dictionaries and inventory")
    parser.add_argument("--subwords", help="SentencePiece model; none if text is in pieces")
    parser.add_argument("--base", required=True, help="checkpoint that takes no instructions")
    parser.add_argument(
        "--systems", nargs="+", required=True, metavar="NAME=CHECKPOINT",
        help="checkpoints that take formal and informal",
    )  # fmt: skip
    parser.add_argument(
        "--decoding", nargs="*", default=[], metavar="NAME=OPTIONS",
        help="task options that a system decodes with, such as guided='--guidance 0.5'",
    )  # fmt: skip
    parser.add_argument(
        "--rerank", nargs="*", default=[], metavar="NAME",
        help="systems that give the first of their --beam hypotheses that has words of the "
        "address that was asked for and none of the other",
    )  # fmt: skip
    parser.add_argument("-s", "--source-language", required=True)
    parser.add_argument("-t", "--target-language", required=True)
    parser.add_argument("--folder", required=True, help="test set in the layout of CoCoA-MT")
    parser.add_argument("--domains", default="telephony,call_center", help="default: %(default)s")
    parser.add_argument("--plain", help="prefix of .SRC and .TGT: plain translation is measured")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64, help="sentences decoded together")
    parser.add_argument("--output", required=True, help="folder of the report and the outputs")
    parser.add_argument("--force", action="store_true", help="overwrite a report there")
