r"""Make task data for instructions from parallel text, by the rules of the catalogue.

    python scripts/curate_instructions.py --source train.en.gz --target train.de.gz \
        --source-language en --target-language de --instructions uppercase,html-bold \
        --samples 1000 --subwords subwords.model --dictionary dict.de.txt --output task

writes task/NAME/train.{en,de,instr} for each instruction, raw text, and what was kept, what was
rejected and why to task/data_card.{md,json}. The text may be of any size; a run that was
interrupted goes on when it is started again.

On several machines, each takes its share, in any order, and the last step checks them and adds
them up; the samples are those of a single run:

    python scripts/curate_instructions.py ... --output task --shard 3/16
    python scripts/curate_instructions.py ... --output task --merge
"""

import argparse
from pathlib import Path
from typing import Dict, List, Sequence

from tqdm import tqdm

from fairseq_instr.curation import data_card
from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.filters import in_languages, length_ratio, not_in, well_formed
from fairseq_instr.curation.formats import MARKS, Formats
from fairseq_instr.curation.from_parallel import FORMATTED, Curation
from fairseq_instr.curation.shards import (
    collect,
    find_shards,
    merge_shards,
    parse_shard,
    shard_file,
)
from fairseq_instr.errors import InputError
from fairseq_instr.files import refuse_to_overwrite, write_atomically
from fairseq_instr.instructions import Instruction, catalogue
from fairseq_instr.instructions.asking import spell_line
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import parse
from fairseq_instr.text.subwords import Subwords, spelling_check

ALL = "all"


def main():
    args = build_parser().parse_args()
    if bool(args.subwords) != bool(args.dictionary):
        raise InputError("--subwords and --dictionary go together; give both or none")
    if args.merge and args.shard:
        raise InputError("--shard and --merge are steps of their own; give one of them")
    shard = parse_shard(args.shard or "1/1")
    text = AlignedText(args.source, args.target, args.skip_invalid)
    instructions = choose(args.instructions, args.target_language)
    names = [instruction.name for instruction in instructions]
    formats = None
    if args.formatted:
        languages = (args.source_language, args.target_language)
        formats = Formats(args.formatted, languages, args.seed, parse(args.format_axes))
        names.append(FORMATTED)
    samples = parse_samples(args.samples, names)
    streams = (args.source_language, args.target_language, "instr")
    if not args.shard:
        for name in names:
            for extension in streams:
                refuse_to_overwrite(Path(args.output, name, f"train.{extension}"), args.force)
        refuse_to_overwrite(Path(args.output, "data_card.json"), args.force)
    subwords = Subwords(args.subwords) if args.subwords else None
    curation = Curation(
        instructions,
        args.target_language,
        samples,
        args.seed,
        formats=formats,
        can_spell=spelling_check(subwords, args.dictionary) if subwords else None,
        filters=(well_formed, length_ratio(args.max_length_ratio), not_in(args.exclude)),
        costly_filters=(
            [in_languages(args.source_language, args.target_language)]
            if args.identify_language
            else []
        ),
    )
    made_from = describe(args, text, samples)
    paths = [shard_file(args.output, shard)]
    if args.merge:
        paths = find_shards(args.output)
        made_before = merge_shards(paths, curation)
        if made_before != made_from:
            raise InputError(
                f"--merge: the shards in {args.output} were made with other files or options; "
                "give the same ones"
            )
    else:
        if args.force:
            paths[0].unlink(missing_ok=True)
        with tqdm(total=text.sizes[0], desc="source", unit="B", unit_scale=True) as bar:
            collect(text, curation, paths[0], made_from, shard, bar.update)
    if args.shard:
        print(f"{paths[0]}: {curation.pairs} pairs; run the other shards, then --merge")
        return
    collected, refused = curation.finish()
    for name, found in collected.items():
        lines = zip(*((s.source, s.target, spell(s.instruction, subwords)) for s in found))
        for extension, column in zip(streams, lines):
            content = "".join(f"{line}\n" for line in column)
            write_atomically(Path(args.output, name, f"train.{extension}"), content, args.force)
    card = data_card.describe(curation, collected, refused, made_from)
    data_card.write(args.output, card, args.force)
    for name, entry in card["instructions"].items():
        reasons = ", ".join(f"{reason}: {n}" for reason, n in entry["rejected"].items())
        print(f"{name:18} {entry['samples']:6} samples; rejected: {reasons or 'none'}")
    for path in paths:
        path.unlink()  # all that they held is written
    if refused and args.instructions.strip() != ALL:
        raise InputError("; ".join(refused.values()))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="source text, one segment a line, or .gz")
    parser.add_argument("--target", required=True, help="target text, aligned by line, or .gz")
    parser.add_argument("--source-language", required=True)
    parser.add_argument("--target-language", required=True)
    parser.add_argument(
        "--instructions",
        required=True,
        help=f"names, separated by commas, or '{ALL}' that can be had for the target language",
    )
    parser.add_argument(
        "--samples",
        default="1000",
        help="per instruction, at most; single ones by name: 1000,uppercase:5000",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--formatted",
        type=float,
        default=0.0,
        help="share of the pairs whose source and target carry the format of another instruction, "
        "such as quotation marks, that the translation keeps; makes models obey several at once; "
        f"some become samples that ask for nothing, in {FORMATTED}",
    )
    parser.add_argument(
        "--format-axes",
        default=",".join(MARKS),
        help="axes of these formats, separated by commas; default: %(default)s",
    )
    parser.add_argument("--subwords", help="SentencePiece model of the pretrained model")
    parser.add_argument("--dictionary", help="its dict.LANGUAGE.txt of the target")
    parser.add_argument(
        "--max-length-ratio",
        type=float,
        default=3.0,
        help="leave out pairs of which one side is longer by more, 15 characters allowed",
    )
    parser.add_argument(
        "--exclude",
        nargs="*",
        default=[],
        metavar="FILE",
        help="test sets: leave out pairs with a side that stands in one (letters and digits "
        "compared, case folded)",
    )
    parser.add_argument(
        "--identify-language",
        action="store_true",
        help="leave out pairs that langid takes for other languages; slower, looks only at "
        "pairs that would be kept",
    )
    parser.add_argument(
        "--skip-invalid", action="store_true", help="skip and count lines that are not UTF-8"
    )
    parser.add_argument("--shard", help="I/N: take the I-th of N shares of the text")
    parser.add_argument("--merge", action="store_true", help="add up all shards in --output")
    parser.add_argument("--output", required=True, help="folder to write")
    parser.add_argument("--force", action="store_true", help="overwrite what is there")
    return parser


def choose(names: str, language: str) -> List[Instruction]:
    """Instructions by name, or all of which parallel text gives data in a language."""
    if names.strip() == ALL:
        return [
            instruction
            for instruction in catalogue().values()
            if instruction.source_of_data != "labelled" and instruction.serves(language)
        ]
    return [look_up(name) for name in parse(names)]


def describe(args, text: AlignedText, samples: Dict[str, int]) -> dict:
    """What the samples depend on, for the data card and to compare shards."""
    return {
        "source": f"{text.paths[0].name}, {text.sizes[0]} bytes",
        "target": f"{text.paths[1].name}, {text.sizes[1]} bytes",
        "languages": f"{args.source_language}-{args.target_language}",
        "samples": samples,
        "seed": args.seed,
        "formatted": args.formatted,
        "format_axes": args.format_axes if args.formatted else None,
        "subwords": Path(args.subwords).name if args.subwords else None,
        "dictionary": Path(args.dictionary).name if args.dictionary else None,
        "max_length_ratio": args.max_length_ratio,
        "excluded": [Path(path).name for path in args.exclude],
        "identify_language": args.identify_language,
    }


def spell(asked: str, subwords) -> str:
    """A line of the `.instr` file; with subwords, its argument is spelled as the source is."""
    return spell_line(asked, subwords.encode) if subwords else asked


def parse_samples(text: str, names: Sequence[str]) -> Dict[str, int]:
    """`1000,uppercase:5000` -> samples of each of `names`.

    Raises:
        InputError: if a number is missing or not above zero, or a name is not in `names`.
    """
    default, *exceptions = text.split(",")
    samples = {}
    for item in exceptions:
        name, _, count = item.strip().partition(":")
        if name not in names:
            raise InputError(
                f"--samples {text}: {name!r} is not among --instructions, {', '.join(names)}"
            )
        samples[name] = count
    samples = {name: samples.get(name, default) for name in names}
    for name, count in samples.items():
        if not count.strip().isdecimal() or int(count) == 0:
            raise InputError(
                f"--samples {text}: {count!r} for {name} is not a number above zero; give "
                "one for all, then NAME:NUMBER for single ones"
            )
    return {name: int(count) for name, count in samples.items()}


if __name__ == "__main__":
    main()
