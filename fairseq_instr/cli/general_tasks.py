r"""General tasks in Alpaca's JSON: into a corpus for the group `general`, and out for AlpacaEval.

    fairseq-instr general-tasks corpus alpaca.json --subwords llama/tokenizer --output train
    fairseq-preprocess -s prompt -t response --trainpref train --srcdict llama/dict.txt \
        --tgtdict llama/dict.txt --destdir data-bin/general
    fairseq-instr general-tasks alpaca-eval alpaca_eval.json --subwords llama/tokenizer \
        --hypotheses generate.log --generator ours --output outputs.json

The second wants the tasks of alpaca_eval.json made into a corpus, and generated in that order.
"""

from __future__ import annotations

from fairseq_instr.cli.options import REQUIRED, add_output, option
from fairseq_instr.curation.general_tasks import (
    read_hypotheses,
    read_tasks,
    write_alpaca_eval,
    write_corpus,
)
from fairseq_instr.text.subwords import load_subwords


def add_arguments(parser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    corpus = commands.add_parser("corpus", help="JSON -> OUTPUT.prompt and OUTPUT.response")
    evaluation = commands.add_parser("alpaca-eval", help="generated outputs -> AlpacaEval's JSON")
    for command in (corpus, evaluation):
        command.add_argument("tasks", help="JSON list of instruction, input, output")
        text = "SentencePiece model, or folder of a tokenizer"
        option(command, "--subwords", REQUIRED, text, metavar="MODEL")
        add_output(command, "prefix or file to write")
    option(evaluation, "--hypotheses", REQUIRED, "output of fairseq-generate", metavar="LOG")
    option(evaluation, "--generator", REQUIRED, "name of the model", metavar="NAME")


def run(args):
    tasks, subwords = read_tasks(args.tasks), load_subwords(args.subwords).source
    if args.command == "corpus":
        count = write_corpus(tasks, args.output, subwords, args.force)
        print(f"{args.output}: {count} of {len(tasks)} tasks; the others have no output")
    else:
        outputs = read_hypotheses(args.hypotheses, subwords)
        write_alpaca_eval(tasks, outputs, args.generator, args.output, args.force)
        print(f"{args.output}: {len(outputs)} outputs of {args.generator}")
