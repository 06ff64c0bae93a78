r"""Take labelled data in as samples of instructions, through the filters of curation.

    python scripts/curate_labelled.py formality --folder train/en-de \
        --drop train_lines_also_in_test.tsv -s en -t de --output task/formality
    python scripts/curate_labelled.py gender --folder mt_geneval --split dev -s en -t de ...
    python scripts/curate_labelled.py terminology --source dev.en.sgm --target dev.fr.sgm ...
    python scripts/curate_labelled.py text --label news --source a.en --target a.de ...

writes OUTPUT/train.{SOURCE,TARGET,instr} and OUTPUT/data_card.json with what was left out.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

from fairseq_instr.curation.filters import length_ratio, not_in, well_formed
from fairseq_instr.curation.from_parallel import DUPLICATE, NOT_SPELLED
from fairseq_instr.curation.labelled import (
    read_formality,
    read_gender,
    read_terminology,
    read_text,
)
from fairseq_instr.errors import InputError
from fairseq_instr.files import refuse_to_overwrite, write_atomically
from fairseq_instr.instructions.asking import spell_line
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.text.subwords import Subwords, spelling_check


def main():
    args = build_parser().parse_args()
    if bool(args.subwords) != bool(args.dictionary):
        raise InputError("--subwords and --dictionary go together; give both or none")
    streams = (args.source_language, args.target_language, "instr")
    paths = [Path(args.output, f"train.{extension}") for extension in streams]
    card_path = Path(args.output, "data_card.json")
    for path in (*paths, card_path):
        refuse_to_overwrite(path, args.force)
    subwords = Subwords(args.subwords) if args.subwords else None
    can_spell = spelling_check(subwords, args.dictionary) if subwords else None
    filters = (well_formed, length_ratio(args.max_length_ratio), not_in(args.exclude))
    samples, rejected = choose(read(args), filters, can_spell)
    if not samples:
        raise InputError(f"{args.kind}: no sample is left; rejected: {dict(rejected) or 'none'}")
    for number, path in enumerate(paths):
        column = (sample[number] for sample in samples)
        if number == 2 and subwords:
            column = (spell_line(asked, subwords.encode) for asked in column)
        write_atomically(path, "".join(f"{line}\n" for line in column), args.force)
    counts = Counter(sample.instruction.partition("=")[0] for sample in samples)
    card = {"made": "labelled", "kind": args.kind, "samples": counts, "rejected": rejected}
    write_atomically(card_path, json.dumps(card, ensure_ascii=False, indent=2) + "\n", args.force)
    for name, count in sorted(counts.items()):
        print(f"{name:18} {count:6} samples")
    print("rejected:", ", ".join(f"{r}: {n}" for r, n in rejected.most_common()) or "none")


def read(args):
    """The samples of the data set that was asked for."""
    languages = args.source_language, args.target_language
    if args.kind == "formality":
        return read_formality(args.folder, *languages, args.drop)
    if args.kind == "gender":
        return read_gender(args.folder, args.split, *languages)
    if args.kind == "terminology":
        return read_terminology(args.source, args.target)
    look_up(args.label)  # refuses what the catalogue does not know
    return read_text(args.source, args.target, args.label)


def choose(samples, filters, can_spell):
    """Samples that pass the filters, each once, and how many do not, by reason."""
    chosen, rejected = {}, Counter()
    for sample in samples:
        reasons = (check(sample.source, sample.target) for check in filters)
        reason = next((reason for reason in reasons if reason is not None), None)
        if reason is None and sample in chosen:
            reason = DUPLICATE
        if reason is None and can_spell is not None and not can_spell(sample.target):
            reason = NOT_SPELLED
        if reason is None:
            chosen[sample] = None
        else:
            rejected[reason] += 1
    return list(chosen), rejected


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    formality = kinds.add_parser("formality", help="the layout of CoCoA-MT")
    formality.add_argument("--folder", required=True, help="folder of one language pair")
    formality.add_argument("--drop", help="table of training lines that are test lines too")
    gender = kinds.add_parser("gender", help="the layout of MT-GenEval")
    gender.add_argument("--folder", required=True)
    gender.add_argument("--split", default="dev", help="default: %(default)s")
    terminology = kinds.add_parser("terminology", help="SGM files with marked terms")
    text = kinds.add_parser("text", help="aligned text that is all of one kind")
    text.add_argument("--label", required=True, help="instruction of the catalogue, such as news")
    for kind in (terminology, text):
        kind.add_argument("--source", required=True)
        kind.add_argument("--target", required=True)
    for kind in (formality, gender, terminology, text):
        kind.add_argument("-s", "--source-language", required=True)
        kind.add_argument("-t", "--target-language", required=True)
        kind.add_argument("--subwords", help="SentencePiece model of the pretrained model")
        kind.add_argument("--dictionary", help="its dict.LANGUAGE.txt of the target")
        kind.add_argument("--max-length-ratio", type=float, default=3.0)
        kind.add_argument("--exclude", nargs="*", default=[], metavar="FILE", help="test sets")
        kind.add_argument("--output", required=True, help="folder to write")
        kind.add_argument("--force", action="store_true", help="overwrite what is there")
    return parser


if __name__ == "__main__":
    main()
