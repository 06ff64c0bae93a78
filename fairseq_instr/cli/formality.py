r"""Measure formality as the IWSLT scorer does, under `formal` and under `informal`.

    fairseq-instr formality --data data-bin --subwords subwords.model \
        --base base.pt --systems tuned=tuned.pt -s en -t de \
        --folder formality/test/en-de --domains telephony,call_center --output report

Translates every source under `formal` and under `informal`, and writes report.json, report.md and
the outputs. Coverage is the share of outputs with marked phrases of one form alone; accuracy is the
share of these in the requested form. The reports also hold both of the references, and BLEU and
chrF2. The base model gets no instruction and is scored as either. `formality` of report.json has
the figures of the first of --systems.
"""

from __future__ import annotations

from fairseq_instr.cli import systems
from fairseq_instr.cli.options import REQUIRED, add_languages, option
from fairseq_instr.evaluation import evaluate_formality
from fairseq_instr.evaluation.formality import BASE, REFERENCES, read_test_set
from fairseq_instr.files import write_atomically
from fairseq_instr.reports import report_folder, write_report
from fairseq_instr.text.lines import read_lines


def add_arguments(parser) -> None:
    systems.add_data_arguments(parser)
    option(parser, "--base", REQUIRED, "checkpoint that takes no instructions")
    option(
        parser, "--systems", REQUIRED, "checkpoints, or exported folders, that know the "
        "instructions formal and informal", nargs="+", metavar="NAME=MODEL",
    )  # fmt: skip
    systems.add_decoding(parser, "guided='--guidance 0.5'")
    option(
        parser, "--rerank", [], "systems to rerank: take the first of the --beam hypotheses that "
        "has words of the requested form and none of the other", nargs="*",
        metavar="NAME",
    )  # fmt: skip
    add_languages(parser)
    option(parser, "--folder", REQUIRED, "folder of a test set in the layout of CoCoA-MT")
    text = "domains of the test set: DOMAIN.SRC, DOMAIN.formal.ann.TGT"
    option(parser, "--domains", "telephony,call_center", text)
    text = "prefix of .SRC and .TGT: also measure plain translation on this text"
    option(parser, "--plain", None, text, metavar="PREFIX")
    systems.add_output_arguments(parser)


def run(args) -> None:
    taken = (BASE, REFERENCES)
    checkpoints = systems.parse_named(args.systems, "--systems", "MODEL", taken)
    decoding = systems.parse_named(args.decoding, "--decoding", "OPTIONS", taken)
    systems.check_named("--decoding", decoding, checkpoints)
    systems.check_named("--rerank", args.rerank, checkpoints)
    languages = (args.source_language, args.target_language)
    with report_folder(args.output, args.force) as folder:
        report, outputs = evaluate_formality(
            base=systems.LazySystem(args, args.base, languages),
            systems={
                name: systems.LazySystem(args, path, languages, decoding.get(name, ""))
                for name, path in checkpoints.items()
            },
            tests={
                domain: read_test_set(args.folder, domain, *languages)
                for domain in systems.split_commas(args.domains)
            },
            target_language=args.target_language,
            reranked=args.rerank,
            n_best=args.beam,
            plain=args.plain
            and tuple(read_lines(f"{args.plain}.{language}") for language in languages),
            batch_size=args.batch_size,
            conditions={
                **systems.conditions(args, decoding),
                "first hypothesis that obeys": ", ".join(args.rerank) or "taken of none",
            },
        )
        report["command"] = systems.command_line("formality")
        for name, by_kind in outputs.items():
            for kind, lines in by_kind.items():
                path = folder / "outputs" / name / f"{kind}.{args.target_language}"
                write_atomically(path, "".join(f"{line}\n" for line in lines), force=True)
        print(write_report(report, folder, args.force))
