r"""Train decoder-only models on other tasks than translation, and measure them on such tasks.

    fairseq-instr general-tasks corpus alpaca.json --subwords llama/tokenizer --output train
    fairseq-preprocess -s prompt -t response --trainpref train --srcdict llama/dict.txt \
        --tgtdict llama/dict.txt --destdir data-bin/general
    fairseq-instr general-tasks evaluate held_out.json --subwords llama/tokenizer \
        --dictionary llama/dict.txt --systems before=llama/model.pt after=tuned.pt --output report
    fairseq-instr general-tasks alpaca-eval alpaca_eval.json --subwords llama/tokenizer \
        --hypotheses generate.log --generator ours --output outputs.json

Tasks are Alpaca's JSON. `corpus` writes train.prompt and train.response, for the group `general` of
a mixture. `evaluate` writes report.json, report.md, and the answers of each system in AlpacaEval's
JSON. `alpaca-eval` writes that JSON from a log of fairseq-generate on a corpus of the same tasks.

Whoever has no tasks lets an instruction-tuned model write some, with its own answers:

    fairseq-instr general-tasks write SmolLM2-135M-Instruct --tasks 1000 --output own.json
    fairseq-instr general-tasks corpus alpaca.json own.json --subwords llama/tokenizer ...
"""

from __future__ import annotations

import functools
from typing import List

from tqdm import tqdm

from fairseq_instr.cli import systems
from fairseq_instr.cli.options import REQUIRED, add_output, option, take
from fairseq_instr.curation import general_tasks
from fairseq_instr.curation.self_written_tasks import self_written_tasks
from fairseq_instr.errors import check_at_least
from fairseq_instr.evaluation import evaluate_general_tasks
from fairseq_instr.files import refuse_to_overwrite, write_json
from fairseq_instr.reports import report_folder, write_report
from fairseq_instr.text.identification import LangidIdentifier
from fairseq_instr.text.subwords import SUBWORDS, load_subwords


def add_arguments(parser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    corpus = commands.add_parser("corpus", help="JSON files -> OUTPUT.prompt and OUTPUT.response")
    evaluation = commands.add_parser("evaluate", help="measure models on held-out tasks")
    alpaca_eval = commands.add_parser("alpaca-eval", help="generated outputs -> AlpacaEval's JSON")
    write = commands.add_parser("write", help="an instruction-tuned model's own tasks -> JSON")
    for command in (corpus, evaluation, alpaca_eval):
        text = "JSON list of instruction, input, output"
        command.add_argument("tasks", help=text, nargs="+" if command is corpus else None)
        option(command, "--subwords", REQUIRED, SUBWORDS, metavar="MODEL")
    for command in (corpus, alpaca_eval):
        add_output(command, "prefix or file to write")
    option(alpaca_eval, "--hypotheses", REQUIRED, "output of fairseq-generate", metavar="LOG")
    option(alpaca_eval, "--generator", REQUIRED, "name of the model", metavar="NAME")

    option(evaluation, "--dictionary", REQUIRED, "the models' dict.txt", metavar="FILE")
    option(
        evaluation, "--systems", REQUIRED, "checkpoints to measure, tuned or not", nargs="+",
        metavar="NAME=CHECKPOINT",
    )  # fmt: skip
    option(
        evaluation, "--languages", None, "stated set of languages that answers are identified "
        "among, such as en,de,fr; default: all", metavar="CODES",
    )  # fmt: skip
    option(evaluation, "--identifier", "langid", "language identifier: langid or py3langid")
    text = "measure on the first N tasks alone; default: all"
    option(evaluation, "--tasks", None, text, dest="n_tasks", type=int, metavar="N")
    option(evaluation, "--new-tokens", 128, "longest answer in tokens")
    option(evaluation, "--batch-size", 16, "prompts answered together")
    option(evaluation, "--samples", 3, "sample answers shown of a constraint")
    option(evaluation, "--seed", 1, "random seed of the samples")
    add_output(evaluation, "folder to write the report to", "overwrite a report in --output")

    write.add_argument("model", help="Hugging Face folder of a chat model")
    option(write, "--tasks", 1000, "how many tasks to write", dest="n_tasks")
    option(write, "--instruction-tokens", 64, "longest instruction in tokens")
    option(write, "--answer-tokens", 128, "longest answer in tokens")
    option(
        write, "--answer-system", "Answer in one or two short sentences.",
        "system message under which the model answers; '' for its own", metavar="TEXT",
    )  # fmt: skip
    option(write, "--temperature", 1.0, "temperature of the softmax that tokens are drawn from")
    option(write, "--top-p", 0.95, "probability mass that tokens are drawn from", metavar="P")
    option(write, "--batch-size", 64, "tasks written together")
    option(write, "--dtype", "bfloat16", "type of the weights", choices=("bfloat16", "float32"))
    option(write, "--seed", 1, "random seed of the draws")
    add_output(write, "JSON to write; it grows with each batch")


def run(args):
    if args.command == "evaluate":
        _evaluate(args)
        return
    if args.command == "write":
        _write(args)
        return
    subwords = load_subwords(args.subwords).source
    if args.command == "corpus":
        tasks = [task for path in args.tasks for task in general_tasks.read_tasks(path)]
        count = general_tasks.write_corpus(tasks, args.output, subwords, args.force)
        print(f"{args.output}: {count} of {len(tasks)} tasks; the others have no output")
    else:
        tasks = general_tasks.read_tasks(args.tasks)
        outputs = general_tasks.read_hypotheses(args.hypotheses, subwords)
        general_tasks.write_alpaca_eval(tasks, outputs, args.generator, args.output, args.force)
        print(f"{args.output}: {len(outputs)} outputs of {args.generator}")


def _evaluate(args) -> None:
    checkpoints = systems.parse_named(args.systems, "--systems", "CHECKPOINT")
    check_at_least(1, tasks=args.n_tasks)
    tasks = general_tasks.read_tasks(args.tasks)[: args.n_tasks]
    with report_folder(args.output, args.force) as folder:
        from fairseq_instr.generation.answers import PromptReader

        report, answers, answered = evaluate_general_tasks(
            systems={
                name: functools.partial(PromptReader, path, args.dictionary, args.subwords)
                for name, path in checkpoints.items()
            },
            tasks=tasks,
            identifier=LangidIdentifier(args.identifier),
            languages=systems.split_commas(args.languages) if args.languages else None,
            **take(args, "new_tokens batch_size samples seed"),
        )
        report["command"] = systems.command_line("general-tasks")
        for name, outputs in answers.items():
            path = folder / "outputs" / f"{name}.json"
            general_tasks.write_alpaca_eval(answered, outputs, name, path, force=True)
        print(write_report(report, folder, args.force))


def _write(args) -> None:
    check_at_least(1, tasks=args.n_tasks)
    refuse_to_overwrite(args.output, args.force)
    texts = take(args, "instruction_tokens answer_tokens answer_system batch_size")
    drawing = take(args, "temperature top_p dtype seed")
    tasks: List[general_tasks.GeneralTask] = []
    with tqdm(total=args.n_tasks, desc="tasks written", unit="task") as bar:
        for batch in self_written_tasks(args.model, **texts, **drawing):
            tasks = [*tasks, *batch][: args.n_tasks]
            bar.update(len(tasks) - bar.n)
            if batch:  # what is written so far outlives an interruption
                write_json(args.output, [task._asdict() for task in tasks], force=True)
            if len(tasks) == args.n_tasks:
                return
