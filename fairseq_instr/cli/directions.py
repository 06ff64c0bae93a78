r"""Measure translation directions, supervised and zero-shot, of any number of systems.

    fairseq-instr directions --directions de-fr,fr-de,en-de --trained en-de,de-en \
        --data data-bin --subwords subwords.model --text test --training-text train \
        --systems mle=stage1.pt tuned=seed1.pt,seed2.pt --pivot mle,tuned --output report

Writes report.json, report.md, a plot and all outputs. They hold the off-target ratio with its
floor on the references, the share of words of other languages, BLEU and chrF2, and the same of
translating through English. An evaluation that was interrupted goes on when it is started again.
"""

from __future__ import annotations

from pathlib import Path

from fairseq_instr.cli import systems
from fairseq_instr.evaluation import evaluate_directions
from fairseq_instr.evaluation.directions import read_test_sets, read_vocabularies
from fairseq_instr.evaluation.systems import check_counts
from fairseq_instr.instructions.inventory import INVENTORY_FILE, Inventory
from fairseq_instr.reports import report_folder, write_report
from fairseq_instr.text.identification import LangidIdentifier
from fairseq_instr.text.pairs import parse_pairs


def add_arguments(parser) -> None:
    """Declare the options of `fairseq-instr directions`."""
    parser.add_argument(
        "--directions", required=True, help="directions to measure, such as de-fr,fr-de,en-de"
    )
    parser.add_argument(
        "--trained",
        default="",
        help="directions of the training, such as en-de,de-en; all others are zero-shot",
    )
    parser.add_argument(
        "--systems", nargs="+", required=True, metavar="NAME=MODEL[,MODEL...]",
        help="systems to compare, each a checkpoint or a folder of `fairseq-instr export`; "
        "several models of one name are its seeds",
    )  # fmt: skip
    parser.add_argument(
        "--decoding", nargs="*", default=[], metavar="NAME=OPTIONS",
        help="options of the task that a system decodes with, such as c='--instruct formal'",
    )  # fmt: skip
    parser.add_argument(
        "--pivot", default="", help="systems that also translate by pivot, such as mle,tuned"
    )
    parser.add_argument(
        "--pivot-language", default="en", help="language that they go through; default: %(default)s"
    )
    systems.add_data_arguments(parser)
    parser.add_argument(
        "--text", required=True,
        help="test text, raw: prefix of .SRC and .TGT; {pair} in it stands for SRC-TGT",
    )  # fmt: skip
    parser.add_argument(
        "--training-text",
        help="prefix of .LANGUAGE: text whose words tell languages apart, to count foreign words",
    )
    parser.add_argument(
        "--languages",
        help="stated set of languages that outputs are identified among; default: the languages of "
        "the directions, English, and those of the data-bin's instructions",
    )
    parser.add_argument(
        "--identifier", default="langid", help="language identifier: langid (default), or py3langid"
    )
    parser.add_argument("--lines", type=int, help="most lines of a direction; default: all")
    parser.add_argument(
        "--samples", type=int, default=3, help="sample outputs shown of a direction; default: 3"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="random seed of the samples; default: 1"
    )
    systems.add_output_arguments(parser)


def run(args) -> None:
    """Translate, measure, write the report and print it."""
    asked = parse_pairs(args.directions, "--directions")
    trained = parse_pairs(args.trained, "--trained")
    if args.lines is not None:
        check_counts(1, lines=args.lines)
    checkpoints = systems.parse_named(args.systems, "--systems", "MODEL,...")
    decoding = systems.parse_named(args.decoding, "--decoding", "OPTIONS")
    pivot = systems.split_commas(args.pivot)
    systems.check_named("--decoding", decoding, checkpoints)
    systems.check_named("--pivot", pivot, checkpoints)
    path = Path(args.data, INVENTORY_FILE)
    in_inventory = Inventory.load(path).target_languages if path.exists() else ()
    vocabularies = None
    if args.training_text:
        spoken = {language for direction in asked for language in direction}
        vocabularies = read_vocabularies(args.training_text, spoken, ("en", *in_inventory))
    with report_folder(args.output, args.force) as folder:
        report = evaluate_directions(
            systems={
                name: [
                    systems.LazySystem(args, path, asked[0], decoding.get(name, ""))
                    for path in systems.split_commas(paths)
                ]
                for name, paths in checkpoints.items()
            },
            tests=read_test_sets(args.text, asked, args.lines),
            trained=trained,
            pivot=pivot,
            pivot_language=args.pivot_language,
            languages=systems.split_commas(args.languages) if args.languages else None,
            inventory_languages=in_inventory,
            identifier=LangidIdentifier(args.identifier),
            vocabularies=vocabularies,
            outputs=folder / "outputs",
            force=args.force,
            samples=args.samples,
            batch_size=args.batch_size,
            seed=args.seed,
            conditions={
                **systems.conditions(args, decoding),
                "trained directions": args.trained or "none",
                "lines": f"at most {args.lines} a direction" if args.lines else "all",
            },
        )
        report["command"] = systems.command_line("directions")
        print(write_report(report, folder, args.force))
