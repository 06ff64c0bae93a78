r"""Measure translation directions, supervised and zero-shot, of any number of systems.

    fairseq-instr directions --directions de-fr,fr-de,en-de --trained en-de,de-en \
        --data data-bin --subwords subwords.model --text test --training-text train \
        --systems mle=stage1.pt tuned=seed1.pt,seed2.pt --pivot mle,tuned --output report

writes report.json, report.md, a plot and all outputs: off-target ratio with its floor on the
references, words of other languages, BLEU and chrF2 beside those of translating through English.
An evaluation that was broken off goes on when it is started again.
"""

import hashlib
import json
from pathlib import Path

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import directions, samples
from fairseq_instr.evaluation.named import check_named, parse_named
from fairseq_instr.generation.translator import Translator, parse_task_options
from fairseq_instr.reports.directions import write_directions_report
from fairseq_instr.reports.presentation import (
    REPORT_MD,
    command_line,
    refuse_to_overwrite_report,
)
from fairseq_instr.text.identification import LangidIdentifier
from fairseq_instr.text.lines import read_lines


def add_arguments(parser):
    parser.add_argument("--directions", required=True, help="such as de-fr,fr-de,en-de")
    parser.add_argument("--trained", default="", help="supervised ones; the others are zero-shot")
    parser.add_argument(
        "--systems", nargs="+", required=True, metavar="NAME=CHECKPOINT[,CHECKPOINT...]",
        help="what is compared; several checkpoints of one name are its seeds",
    )  # fmt: skip
    parser.add_argument(
        "--decoding", nargs="*", default=[], metavar="NAME=OPTIONS",
        help="task options that a system decodes with, such as c='--instruct formal'",
    )  # fmt: skip
    parser.add_argument("--pivot", default="", help="systems that also translate by pivot")
    parser.add_argument("--pivot-language", default="en")
    parser.add_argument("--data", required=True, help="data-bin: dictionaries and inventory")
    parser.add_argument("--subwords", help="SentencePiece model; none if text is in pieces")
    parser.add_argument(
        "--text", required=True,
        help="test text, raw: prefix of .SRC and .TGT; {pair} in it stands for SRC-TGT",
    )  # fmt: skip
    parser.add_argument(
        "--training-text", help="prefix of .LANGUAGE: text whose words tell languages apart"
    )
    parser.add_argument(
        "--languages", help="stated set for language identification; default: the directions'"
    )
    parser.add_argument("--identifier", default="langid", help="langid, or py3langid")
    parser.add_argument("--lines", type=int, help="lines a direction, at most; default: all")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64, help="sentences decoded together")
    parser.add_argument("--samples", type=int, default=3, help="outputs shown a direction")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of samples")
    parser.add_argument("--output", required=True, help="folder of the report and the outputs")
    parser.add_argument(
        "--force", action="store_true",
        help="overwrite a report there; outputs of the same model, decoding and text are kept",
    )  # fmt: skip


def run(args):
    refuse_to_overwrite_report(args.output, args.force)
    asked = directions.parse_directions(args.directions, "--directions")
    if args.lines is not None and args.lines < 1:
        raise InputError(f"--lines {args.lines}: give a number above zero")
    languages = sorted(
        {language for direction in asked for language in direction}
        if args.languages is None
        else set(filter(None, args.languages.split(",")))
    )
    decoding = parse_named(args.decoding, "--decoding", "OPTIONS")
    checkpoints = parse_named(args.systems, "--systems", "CHECKPOINT,...")
    pivot = list(filter(None, args.pivot.split(",")))
    check_named("--decoding", decoding, checkpoints)
    check_named("--pivot", pivot, checkpoints)
    if args.samples < 0:
        raise InputError(f"--samples {args.samples} is not accepted: give 0 or a number above it")
    vocabularies = None
    if args.training_text:
        vocabularies = directions.read_vocabularies(args.training_text, languages)
    tests = directions.read_test_sets(args.text, asked, args.lines)
    judge = directions.Judge(LangidIdentifier(args.identifier), languages, vocabularies)
    report = directions.evaluate(
        [
            directions.System(
                name=name,
                runs=[
                    LazyModel(path, args, decoding.get(name, ""), asked[0]).as_run()
                    for path in paths.split(",")
                ],
                pivot=name in pivot,
                decoding=decoding.get(name, ""),
            )
            for name, paths in checkpoints.items()
        ],
        tests,
        directions.parse_directions(args.trained, "--trained"),
        judge,
        Path(args.output, "outputs"),
        args.pivot_language,
        args.force,
    )
    report = {
        "command": command_line(),
        "conditions": {
            "decoding": f"beam {args.beam}, batches of {args.batch_size}"
            + "".join(f"; {name}: {options}" for name, options in decoding.items()),
            "trained directions": args.trained or "none",
            "pivot language": args.pivot_language,
            "lines": f"at most {args.lines} a direction" if args.lines else "all",
        },
        **report,
        "samples": samples.sample_directions(
            tests,
            {
                name: {
                    direction: read_lines(
                        Path(args.output, "outputs", name, "1", f"{'-'.join(direction)}.txt")
                    )
                    for direction in asked
                }
                for name in checkpoints
            },
            judge,
            args.samples,
            args.seed,
        ),
    }
    write_directions_report(report, args.output, args.force)
    print(Path(args.output, REPORT_MD).read_text(encoding="utf-8"))


class LazyModel:
    """A checkpoint that is loaded when it has to translate, one at a time in memory."""

    loaded = (None, None)

    def __init__(self, path, args, decoding, direction):
        self.path, self.args = path, args
        self.options = parse_task_options(decoding)
        self.direction = direction

    def as_run(self):
        return directions.Run(self.path, self._digest(), self.translate)

    def _digest(self):
        digest = hashlib.sha256(json.dumps([self.options, self.args.beam]).encode())
        for path in filter(None, (self.path, self.args.subwords)):
            try:
                with open(path, "rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
            except OSError as error:
                raise InputError(f"{path} can't be read: {error.strerror}") from None
        return digest.hexdigest()

    def translate(self, lines, direction, title):
        owner, translator = LazyModel.loaded
        if owner is not self:
            LazyModel.loaded = (None, None)  # frees the last one first
            translator = Translator.from_pretrained(
                self.path, self.args.data, self.args.subwords, *self.direction, self.args.beam,
                **self.options,
            )  # fmt: skip
            LazyModel.loaded = (self, translator)
        translator = translator.for_direction(*direction)
        return translator.translate(lines, batch_size=self.args.batch_size, progress=title)
