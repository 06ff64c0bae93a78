r"""Measure translation directions, supervised and zero-shot, of any number of systems.

    fairseq-instr directions --directions de-fr,fr-de,en-de --trained en-de,de-en \
        --data data-bin --subwords subwords.model --text test --training-text train \
        --systems mle=stage1.pt tuned=seed1.pt,seed2.pt --pivot mle,tuned --output report

Writes report.json, report.md, a plot and all outputs. They hold the off-target ratio (share of
outputs in a wrong language), that of the references, the share of words of other languages, BLEU
and chrF2. With --pivot they hold the same of translation through English. An evaluation that was
interrupted goes on when it is started again.
"""

from __future__ import annotations

from pathlib import Path

from fairseq_instr.cli import systems
from fairseq_instr.cli.options import REQUIRED, option, take
from fairseq_instr.errors import check_at_least
from fairseq_instr.evaluation import evaluate_directions
from fairseq_instr.evaluation.directions import read_test_sets, read_vocabularies
from fairseq_instr.instructions.inventory import INVENTORY_FILE, Inventory
from fairseq_instr.reports import report_folder, write_report
from fairseq_instr.text.identification import LangidIdentifier
from fairseq_instr.text.pairs import parse_pairs


def add_arguments(parser) -> None:
    text = "directions to measure, such as de-fr,fr-de,en-de"
    option(parser, "--directions", REQUIRED, text)
    text = "directions of the training, such as en-de,de-en; all others are zero-shot"
    option(parser, "--trained", "", text)
    option(
        parser, "--systems", REQUIRED, "systems to compare, each a checkpoint or a folder of "
        "`fairseq-instr export`; several models of one name are its seeds", nargs="+",
        metavar="NAME=MODEL[,MODEL...]",
    )  # fmt: skip
    systems.add_decoding(parser, "c='--instruct formal'")
    text = "systems that also translate through the pivot language, such as mle,tuned"
    option(parser, "--pivot", "", text)
    option(parser, "--pivot-language", "en", "the pivot language", metavar="CODE")
    systems.add_data_arguments(parser)
    text = "test text, raw: prefix of .SRC and .TGT; {pair} in it stands for SRC-TGT"
    option(parser, "--text", REQUIRED, text, metavar="PREFIX")
    option(
        parser, "--training-text", None, "prefix of .LANGUAGE: text from which the words of each "
        "language are learnt, to count foreign words", metavar="PREFIX",
    )  # fmt: skip
    option(
        parser, "--languages", None, "stated set of languages that outputs are identified among; "
        "default: the languages of the directions, English, and those of the data-bin's "
        "instructions", metavar="CODES",
    )  # fmt: skip
    option(parser, "--identifier", "langid", "language identifier: langid or py3langid")
    text = "lines to translate in each direction, at most; default: all"
    option(parser, "--lines", None, text, type=int, metavar="N")
    option(parser, "--samples", 3, "sample outputs shown of a direction")
    option(parser, "--seed", 1, "random seed of the samples")
    systems.add_output_arguments(parser)


def run(args) -> None:
    asked = parse_pairs(args.directions, "--directions")
    trained = parse_pairs(args.trained, "--trained")
    check_at_least(1, lines=args.lines)
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
            **take(args, "force samples batch_size seed"),
            conditions={
                **systems.conditions(args, decoding),
                "trained directions": args.trained or "none",
                "lines": f"at most {args.lines} a direction" if args.lines else "all",
            },
        )
        report["command"] = systems.command_line("directions")
        print(write_report(report, folder, args.force))
