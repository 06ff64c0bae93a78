r"""Attack a model through its sources: does a source act as an instruction?

    fairseq-instr robustness --data data-bin --subwords subwords.model \
        --tuned tuned.pt --base base.pt -s en -t de --source test.en \
        --prompts clean.en direct.en switch.en --output report

Inserts text that asks for something into sources: in words, as role play, as tokens that look like
ours, with control characters, in mixed scripts. --prompts adds published suites.

Writes report.json and report.md. They hold how often an output obeys the inserted text, beside
controls and the base model. They also hold how often an instruction that was really given is still
obeyed.
"""

from __future__ import annotations

from pathlib import Path

from fairseq_instr.cli import systems
from fairseq_instr.cli.options import REQUIRED, add_languages, option, take
from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import evaluate_robustness
from fairseq_instr.reports import report_folder, write_report
from fairseq_instr.text.lines import read_lines


def add_arguments(parser) -> None:
    # an attack may be made of characters of any kind
    systems.add_data_arguments(parser, allow_unknown=True)
    option(parser, "--tuned", REQUIRED, "checkpoint that takes instructions")
    option(parser, "--base", None, "checkpoint that takes none, to compare with")
    add_languages(parser)
    option(parser, "--source", REQUIRED, "sources, raw text, plain or .gz", metavar="FILE")
    text = "a suite of prompts: clean lines, then files of the same lines under attack"
    option(parser, "--prompts", [], text, nargs="+", metavar="FILE")
    option(parser, "--cases", 50, "attacks of each kind")
    text = "random seed: sources, attacks, and instructions that are really given"
    option(parser, "--seed", 1, text)
    systems.add_tuned_decoding(parser)
    systems.add_output_arguments(parser)


def run(args) -> None:
    if len(args.prompts) == 1:
        raise InputError("--prompts: give the clean lines and at least one file of attacked ones")
    languages = (args.source_language, args.target_language)
    prompts = [read_lines(path) for path in args.prompts]
    with report_folder(args.output, args.force) as folder:
        report = evaluate_robustness(
            tuned=systems.LazySystem(args, args.tuned, languages, args.decoding),
            sources=read_lines(args.source),
            base=args.base and systems.LazySystem(args, args.base, languages),
            prompts={
                Path(path).name.split(".")[0]: (prompts[0], lines)
                for path, lines in zip(args.prompts[1:], prompts[1:])
            },
            **take(args, "source_language target_language cases batch_size seed"),
            conditions=systems.conditions(args, {"tuned": args.decoding}),
        )
        report["command"] = systems.command_line("robustness")
        print(write_report(report, folder, args.force))
