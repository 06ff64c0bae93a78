r"""Measure how a base model and its tuned version answer instructions.

    fairseq-instr evaluate --data data-bin --subwords subwords.model \
        --base base.pt --tuned tuned.pt --mixed 0.7=mixed.pt -s en -t de \
        --source test.en --reference test.de --pairs all --triples 20 --rerank --output report

Writes report.json, report.md and plots:

- response rate (share of outputs that obey) and adequacy (1 = as good as without instructions) of
  every instruction of the inventory, of pairs, and of a random sample of triples;
- with --rerank, the same when the first of the n best that obeys is taken;
- BLEU and chrF2 without instructions, with significance; sample outputs.
"""

from __future__ import annotations

from typing import Dict, Iterable

from fairseq_instr.cli import systems
from fairseq_instr.cli.options import REQUIRED, add_languages, flag, option, take
from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import evaluate
from fairseq_instr.evaluation.instructions import read_labelled
from fairseq_instr.evaluation.phrasings import KINDS
from fairseq_instr.reports import report_folder, write_report
from fairseq_instr.text.lines import read_lines


def add_arguments(parser) -> None:
    systems.add_data_arguments(parser)
    option(parser, "--base", REQUIRED, "checkpoint of the base model, which knows no instructions")
    option(parser, "--tuned", REQUIRED, "tuned model: checkpoint or exported folder")
    text = "interpolations of base and tuned model; 0.7 is the weight of the tuned one"
    option(parser, "--mixed", [], text, nargs="*", metavar="WEIGHT=CHECKPOINT")
    add_languages(parser)
    option(parser, "--source", REQUIRED, "sources of the test set, raw text", metavar="FILE")
    option(parser, "--reference", REQUIRED, "references of the test set, raw text", metavar="FILE")
    option(
        parser, "--labelled", [], "labelled test sets, PREFIX.SRC, .TGT and .instr, for "
        "instructions that no rule makes", nargs="*", metavar="PREFIX",
    )  # fmt: skip
    option(parser, "--lines", 1000, "lines to measure for each instruction, at most")
    option(parser, "--pairs", "0", "how many pairs of instructions to measure, or 'all'")
    option(parser, "--triples", 0, "how many triples of instructions to measure, drawn at random")
    option(parser, "--pair-lines", 50, "lines to measure for each pair and triple, at most")
    option(parser, "--mixed-lines", 100, "lines for each instruction of --mixed, at most")
    text = "lines for each instruction of --phrasings, at most"
    option(parser, "--phrasing-lines", 100, text)
    option(parser, "--samples", 2, "sample outputs shown for an instruction")
    text = "random seed: pairs, triples, samples, and the bootstrap of significance"
    option(parser, "--seed", 1, text)
    flag(
        parser, "--rerank", "also measure reranking: the first of the --beam hypotheses that all "
        "verifiers accept",
    )  # fmt: skip
    text = "also ask in phrases: those that the model was trained with, those held out, or both"
    option(parser, "--phrasings", [], text, nargs="+", choices=KINDS)
    systems.add_tuned_decoding(parser)
    systems.add_output_arguments(parser)


def run(args) -> None:
    if args.rerank and args.beam < 2:
        raise InputError(
            f"--rerank has nothing to choose from with --beam {args.beam}: give 2 or more"
        )
    languages = (args.source_language, args.target_language)
    mixed = parse_mixed(args.mixed)
    with report_folder(args.output, args.force):
        report = evaluate(
            base=systems.LazySystem(args, args.base, languages),
            tuned=systems.LazySystem(args, args.tuned, languages, args.decoding),
            sources=read_lines(args.source),
            references=read_lines(args.reference),
            target_language=args.target_language,
            mixed={
                weight: systems.LazySystem(args, path, languages, args.decoding)
                for weight, path in mixed.items()
            },
            labelled=[read_labelled(prefix, *languages) for prefix in args.labelled],
            rerank=args.beam if args.rerank else 0,
            **take(args, "lines pairs triples pair_lines mixed_lines phrasings phrasing_lines"),
            **take(args, "samples batch_size seed"),
            conditions=systems.conditions(args, {"tuned": args.decoding}),
        )
        report["command"] = systems.command_line("evaluate")
        print(write_report(report, args.output, args.force))


def parse_mixed(entries: Iterable[str]) -> Dict[str, str]:
    """Split `0.7=mixed.pt` into {"0.7": "mixed.pt"}."""
    mixed = {}
    for entry in entries:
        weight, _, path = entry.partition("=")
        try:
            accepted = 0 < float(weight) < 1 and bool(path)
        except ValueError:
            accepted = False
        if not accepted or weight in mixed:
            raise InputError(
                f"--mixed {entry!r} is not accepted: give WEIGHT=CHECKPOINT, each weight once, "
                "between 0 (the base) and 1 (the tuned model)"
            )
        mixed[weight] = path
    return mixed
