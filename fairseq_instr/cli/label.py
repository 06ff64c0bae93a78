"""Make task data from labelled text: formality, gender, terminology, or any label.

    fairseq-instr label formality --folder train/en-de -s en -t de --output task/formality
    fairseq-instr label gender --folder mt_geneval --split dev -s en -t de --output task/gender
    fairseq-instr label terminology --source dev.en.sgm --target dev.fr.sgm -s en -t fr ...
    fairseq-instr label text --label news --source a.en --target a.de -s en -t de ...

writes OUTPUT/train.{SOURCE,TARGET,instr}, raw text, and OUTPUT/data_card.json with what was left
out. The next step is fairseq-instr binarise.
"""

from __future__ import annotations

from fairseq_instr.cli.curation_options import add_checks, add_languages, add_output, checks
from fairseq_instr.curation import label
from fairseq_instr.curation.labelled import (
    read_formality,
    read_gender,
    read_terminology,
    read_text,
)


def add_arguments(parser):
    kinds = parser.add_subparsers(dest="kind", required=True)
    formality = kinds.add_parser("formality", help="the layout of CoCoA-MT")
    formality.add_argument("--folder", required=True, help="folder of one language pair")
    formality.add_argument(
        "--drop", metavar="TABLE", help="training lines to leave out since they are test lines"
    )
    formality.set_defaults(
        read=lambda a: read_formality(a.folder, a.source_language, a.target_language, a.drop)
    )
    gender = kinds.add_parser("gender", help="the layout of MT-GenEval")
    gender.add_argument("--folder", required=True, help="folder of the data set")
    gender.add_argument("--split", default="dev", help="(%(default)s)")
    gender.set_defaults(
        read=lambda a: read_gender(a.folder, a.split, a.source_language, a.target_language)
    )
    terminology = kinds.add_parser("terminology", help="SGM files with marked terms")
    terminology.set_defaults(read=lambda a: read_terminology(a.source, a.target))
    text = kinds.add_parser("text", help="aligned text that is all of one kind")
    text.add_argument(
        "--label", required=True, metavar="NAME", help="instruction of the catalogue, e.g. news"
    )
    text.set_defaults(read=lambda a: read_text(a.source, a.target, a.label))
    for kind in (terminology, text):
        kind.add_argument("--source", required=True, metavar="FILE", help="plain or .gz")
        kind.add_argument("--target", required=True, metavar="FILE", help="plain or .gz")
    for kind in (formality, gender, terminology, text):
        add_languages(kind)
        add_checks(kind)
        add_output(kind)


def run(args):
    card = label(
        samples=args.read(args),
        source_language=args.source_language,
        target_language=args.target_language,
        output=args.output,
        checks=checks(args),
        force=args.force,
    )
    for name, count in sorted(card["samples"].items()):
        print(f"{name:18} {count:6} samples")
    print("rejected:", ", ".join(f"{r}: {n}" for r, n in card["rejected"].items()) or "none")
