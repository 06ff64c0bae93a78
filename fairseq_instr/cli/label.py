"""Make task data from labelled text: formality, gender, terminology, or any label.

    fairseq-instr label formality --folder train/en-de -s en -t de --output task/formality
    fairseq-instr label gender --folder mt_geneval --split dev -s en -t de --output task/gender
    fairseq-instr label terminology --source dev.en.sgm --target dev.fr.sgm -s en -t fr ...
    fairseq-instr label text --label news --source a.en --target a.de -s en -t de ...

Writes raw text, OUTPUT/train.{SOURCE,TARGET,instr}. OUTPUT/data_card.json says what was left out.
The next step is fairseq-instr binarise.
"""

from __future__ import annotations

from fairseq_instr.cli.options import (
    REQUIRED,
    add_checks,
    add_languages,
    add_output,
    checks,
    option,
    take,
)
from fairseq_instr.curation import label, labelled


def add_arguments(parser) -> None:
    kinds = parser.add_subparsers(dest="kind", required=True)
    formality = kinds.add_parser("formality", help="the layout of CoCoA-MT")
    option(formality, "--folder", REQUIRED, "folder of one language pair")
    text = "training lines to leave out since they are test lines"
    option(formality, "--drop", None, text, metavar="TABLE")
    gender = kinds.add_parser("gender", help="the layout of MT-GenEval")
    option(gender, "--folder", REQUIRED, "folder of the data set")
    option(gender, "--split", "dev", "dev or test")
    terminology = kinds.add_parser("terminology", help="SGM files with marked terms")
    text = kinds.add_parser("text", help="aligned text that has one label throughout")
    what = "instruction of all pairs, such as news, or one of your own"
    option(text, "--label", REQUIRED, what, metavar="NAME")
    for kind in (terminology, text):
        option(kind, "--source", REQUIRED, "source text, plain or .gz", metavar="FILE")
        option(kind, "--target", REQUIRED, "its translation, plain or .gz", metavar="FILE")
    for kind in (formality, gender, terminology, text):
        add_languages(kind)
        add_checks(kind)
        add_output(kind)


def run(args):
    languages = (args.source_language, args.target_language)
    if args.kind == "formality":
        samples = labelled.read_formality(args.folder, *languages, args.drop)
    elif args.kind == "gender":
        samples = labelled.read_gender(args.folder, args.split, *languages)
    elif args.kind == "terminology":
        samples = labelled.read_terminology(args.source, args.target)
    else:
        samples = labelled.read_text(args.source, args.target, args.label)
    card = label(
        samples=samples,
        checks=checks(args),
        **take(args, "source_language target_language output force"),
    )
    for name, count in sorted(card["samples"].items()):
        print(f"{name:18} {count:6} samples")
    print("rejected:", ", ".join(f"{r}: {n}" for r, n in card["rejected"].items()) or "none")
