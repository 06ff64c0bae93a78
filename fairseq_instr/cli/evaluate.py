r"""Measure models: do they obey instructions, do they keep to the language asked for?

Two things are measured, each with its own options. Instructions, a base model against its tuned
version:

    python scripts/evaluate.py --data data-bin --subwords subwords.model \
        --base base.pt --tuned tuned.pt --mixed 0.7=mixed.pt -s en -t de \
        --source test.en --reference test.de --pairs all --triples 20 --rerank --output report

writes report.json, report.md and plots: response rate and adequacy of every instruction in the
inventory, of pairs and of a random sample of triples, in any order, with verified reranking;
BLEU and chrF2 of plain translation with significance; sample outputs.

Translation directions, supervised and zero-shot, of any number of systems:

    python scripts/evaluate.py --directions de-fr,fr-de,en-de --trained en-de,de-en \
        --data data-bin --subwords subwords.model --text test --training-text train \
        --systems mle=stage1.pt tuned=seed1.pt,seed2.pt --pivot mle,tuned --output report

writes report.json, report.md, a plot and all outputs: off-target ratio with its floor on the
references, words of other languages, BLEU and chrF2 beside those of translating through English.
An evaluation that was broken off goes on when it is started again.
"""

from pathlib import Path

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import compositions, instructions, phrasings, samples
from fairseq_instr.evaluation.quality import measure_quality, paired_significance
from fairseq_instr.generation.translator import Translator, parse_task_options
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.reports.instructions import summarise, write_report
from fairseq_instr.reports.presentation import (
    REPORT_MD,
    command_line,
    refuse_to_overwrite_report,
)
from fairseq_instr.text.lines import read_lines


def parse_mixed(entries):
    """Split `0.7=mixed.pt` into {"0.7": "mixed.pt"}."""
    mixed = {}
    for entry in entries:
        weight, equals, path = entry.partition("=")
        try:
            float(weight)
        except ValueError:
            equals = ""
        if not equals:
            raise InputError(f"--mixed {entry!r} is not accepted: give WEIGHT=CHECKPOINT")
        mixed[weight] = path
    return mixed


def add_arguments(parser):
    parser.add_argument("--data", required=True, help="data-bin: dictionaries and inventory")
    parser.add_argument("--subwords", help="SentencePiece model; none if text is in pieces")
    parser.add_argument("--base", required=True, help="checkpoint of the base model")
    parser.add_argument("--tuned", required=True, help="checkpoint of the tuned model")
    parser.add_argument("--mixed", nargs="*", default=[], help="interpolations, WEIGHT=CHECKPOINT")
    parser.add_argument("-s", "--source-language", required=True)
    parser.add_argument("-t", "--target-language", required=True)
    parser.add_argument("--source", required=True, help="test sources, raw text")
    parser.add_argument("--reference", required=True, help="test references, raw text")
    parser.add_argument(
        "--labelled", nargs="*", default=[], help="labelled test sets: prefix of .SRC .TGT .instr"
    )
    parser.add_argument("--lines", type=int, default=1000, help="lines an instruction, at most")
    parser.add_argument("--pairs", default="0", help="pairs of instructions: a number, or 'all'")
    parser.add_argument(
        "--triples", type=int, default=0, help="triples of instructions, a random sample by --seed"
    )
    parser.add_argument(
        "--pair-lines", type=int, default=50, help="lines a pair, and a triple, at most"
    )
    parser.add_argument(
        "--order-lines", type=int, default=200,
        help="lines of pairs and triples that are asked for again in another order",
    )  # fmt: skip
    parser.add_argument(
        "--mixed-lines", type=int, default=100, help="lines an instruction for interpolations"
    )
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument(
        "--decoding", default="",
        help="task options that the tuned model decodes with, such as --decoding='--guidance 0.5'",
    )  # fmt: skip
    parser.add_argument(
        "--rerank", action="store_true",
        help="also measure the first of the tuned model's --beam hypotheses that verifiers accept",
    )  # fmt: skip
    parser.add_argument(
        "--phrasings", nargs="+", default=[], choices=phrasings.KINDS,
        help="also ask the tuned model in phrases: those that it was trained with, those held out",
    )  # fmt: skip
    parser.add_argument(
        "--phrasing-lines", type=int, default=100, help="lines an instruction for --phrasings"
    )
    parser.add_argument("--batch-size", type=int, default=64, help="sentences decoded together")
    parser.add_argument("--samples", type=int, default=2, help="outputs shown an instruction")
    parser.add_argument(
        "--seed", type=int, default=1,
        help="of the choice of pairs, triples, orders and samples, and of the bootstrap",
    )  # fmt: skip
    parser.add_argument("--output", required=True, help="folder of the report")
    parser.add_argument("--force", action="store_true", help="overwrite a report there")


def run(args):
    refuse_to_overwrite_report(args.output, args.force)
    for option in ("triples", "order_lines", "samples"):
        if getattr(args, option) < 0:
            raise InputError(
                f"--{option.replace('_', '-')} {getattr(args, option)} is not accepted: give 0 "
                "(none) or a number above it"
            )
    if args.phrasing_lines < 1:
        raise InputError(f"--phrasing-lines {args.phrasing_lines}: give a number above zero")
    if args.rerank and args.beam < 2:
        raise InputError(
            f"--rerank has nothing to choose from with --beam {args.beam}: give 2 or more"
        )
    mixed_paths = parse_mixed(args.mixed)
    decoding = parse_task_options(args.decoding)
    test = instructions.InstructionTestSet(
        read_lines(args.source), read_lines(args.reference), args.target_language
    )

    def load(path, **options):
        return Translator.from_pretrained(
            path, args.data, args.subwords, args.source_language, args.target_language, args.beam,
            **options,
        )  # fmt: skip

    def translating(translator, title):
        return lambda lines, asked: translator.translate(
            lines, asked, args.batch_size, progress=title
        )

    tuned_translator = load(args.tuned, **decoding)
    phrases = {}
    if args.phrasings:
        phrases = phrasings.choose_phrases(tuned_translator.inventory, args.phrasings)
    names = tuned_translator.inventory.names
    left_out = [
        name
        for name in names
        if look_up(name).rewrite and not test.add_rule_made((name,), args.lines)
    ]
    for prefix in args.labelled:
        test.add_labelled(prefix, args.source_language, args.target_language)
    singles = [(name,) for name in names if (name,) in test.cases]
    pairs = [
        pair
        for pair in instructions.choose_pairs([name for (name,) in singles], args.pairs, args.seed)
        if test.add_rule_made(pair, args.pair_lines)
    ]

    triples, n_valid = compositions.add_triples(
        test, [name for (name,) in singles], args.triples, args.seed, args.pair_lines
    )
    cases = singles + pairs + triples

    def tuned_n_best(lines, asked):
        n_best = args.beam if args.rerank else 1
        found = tuned_translator.translate_n_best(lines, asked, n_best, args.batch_size, "tuned")
        return [[hypothesis.text for hypothesis in hypotheses] for hypotheses in found]

    hypotheses = compositions.RememberedHypotheses(tuned_n_best)
    plain, tuned, under = instructions.measure_instructed(hypotheses, test, cases)
    order = compositions.measure_order(
        hypotheses, test, under, pairs + triples, args.order_lines, args.seed
    )
    in_phrases = phrasings.measure_phrasings(
        hypotheses, test, singles, phrases, args.phrasing_lines
    )
    base_outputs, base = instructions.measure_plain(
        translating(load(args.base), "base"), test, singles
    )
    systems = {"base": [base_outputs[source] for source in test.sources], "tuned": plain}
    outputs = {
        "base": {names: [base_outputs[line[0]] for line in test.cases[names]] for names in cases},
        "tuned": under,
    }
    reranked = {}
    if args.rerank:
        responses, outputs["reranked"] = compositions.measure_reranked(hypotheses, test, cases)
        reranked = compositions.summarise_reranked(args.beam, tuned, responses)
    mixed = {"0": instructions.summarise_mixed(base, systems["base"], test)}
    for weight, path in mixed_paths.items():
        cut = test.cut(singles, args.mixed_lines)
        translate = translating(load(path, **decoding), f"weight {weight}")
        mixed_plain, responses, _ = instructions.measure_instructed(translate, cut, singles)
        systems[f"mixed {weight}"] = mixed_plain
        mixed[weight] = instructions.summarise_mixed(responses, mixed_plain, test)
    mixed["1"] = instructions.summarise_mixed({case: tuned[case] for case in singles}, plain, test)

    report = summarise(
        command=command_line(),
        conditions={
            "decoding": f"beam {args.beam}, batches of {args.batch_size}"
            + (f"; tuned: {args.decoding}" if args.decoding else ""),
            "test set": f"{len(test.sources)} lines, {args.source_language} to "
            f"{args.target_language}",
            "lines": f"up to {args.lines} an instruction, {args.pair_lines} a pair or triple, "
            f"{args.mixed_lines} an instruction for interpolations; those where the "
            "instruction changes the reference",
            "triples": f"{len(triples)} of {n_valid} valid ones, drawn with seed {args.seed} among "
            "those whose rules apply to some line",
            "base": "translates plainly; its rate is how often that obeys by chance",
            "not measured": ", ".join(left_out) or "none",
        },
        axes={name: look_up(name).axis for name in names},
        base={name: base[(name,)] for (name,) in singles},
        tuned={name: tuned[(name,)] for (name,) in singles},
        quality={name: measure_quality(out, test.references) for name, out in systems.items()},
        significance=paired_significance(systems, test.references, seed=args.seed),
        pairs={instructions.JOINT.join(pair): tuned[pair] for pair in pairs},
        mixed=mixed if mixed_paths else {},
        examples={
            name: {
                "source": test.cases[(name,)][0][0],
                "base": base_outputs[test.cases[(name,)][0][0]],
                "tuned": under[(name,)][0],
            }
            for (name,) in singles
        },
        triples={instructions.JOINT.join(triple): tuned[triple] for triple in triples},
        order=order,
        reranked=reranked,
        phrasings=phrasings.summarise_phrasings(in_phrases, phrases),
        samples=samples.sample_cases(
            test, outputs, singles, pairs + triples, args.samples, args.seed
        ),
    )
    write_report(report, args.output, args.force)
    print(Path(args.output, REPORT_MD).read_text(encoding="utf-8"))
