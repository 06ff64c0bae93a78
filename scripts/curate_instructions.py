r"""Make task data for instructions from parallel text, by the rules of the catalogue.

    python scripts/curate_instructions.py --source train.en --target train.de \
        --source-language en --target-language de --instructions uppercase,html-bold \
        --samples 1000 --subwords subwords.model --dictionary dict.de.txt --output task

writes task/NAME/train.{en,de,instr} for each instruction, raw text, and shows what was kept
and what was rejected and why.
"""

import argparse
from pathlib import Path
from typing import Dict, Sequence

from tqdm import tqdm

from fairseq_instr.curation.from_parallel import curate
from fairseq_instr.errors import InputError
from fairseq_instr.files import read_lines, refuse_to_overwrite, write_atomically
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import parse
from fairseq_instr.subwords import Subwords, spelling_check


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="source text, one segment a line")
    parser.add_argument("--target", required=True, help="target text, aligned by line")
    parser.add_argument("--source-language", required=True)
    parser.add_argument("--target-language", required=True)
    parser.add_argument("--instructions", required=True, help="names, separated by commas")
    parser.add_argument(
        "--samples",
        default="1000",
        help="per instruction, at most; single ones by name: 1000,uppercase:5000",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--subwords", help="SentencePiece model of the pretrained model")
    parser.add_argument("--dictionary", help="its dict.LANGUAGE.txt of the target")
    parser.add_argument("--output", required=True, help="folder to write")
    parser.add_argument("--force", action="store_true", help="overwrite files there")
    args = parser.parse_args()
    if bool(args.subwords) != bool(args.dictionary):
        raise InputError("--subwords and --dictionary go together; give both or none")
    instructions = [look_up(name) for name in parse(args.instructions)]
    samples = parse_samples(args.samples, [instruction.name for instruction in instructions])
    sources, targets = read_lines(args.source), read_lines(args.target)
    if len(sources) != len(targets):
        raise InputError(
            f"--source {args.source} has {len(sources)} lines, --target {args.target} has "
            f"{len(targets)}; they must be aligned line by line"
        )
    streams = {
        args.source_language: "source",
        args.target_language: "target",
        "instr": "instruction",
    }
    for instruction in instructions:
        for extension in streams:
            refuse_to_overwrite(
                Path(args.output, instruction.name, f"train.{extension}"), args.force
            )
    can_spell = None
    if args.subwords:
        can_spell = spelling_check(Subwords(args.subwords), args.dictionary)
    kept, rejections = curate(
        tqdm(zip(sources, targets), total=len(sources), desc="pairs", unit="pair"),
        instructions,
        args.target_language,
        samples,
        args.seed,
        can_spell,
    )
    for name, found in kept.items():
        for extension, attribute in streams.items():
            text = "".join(f"{getattr(sample, attribute)}\n" for sample in found)
            write_atomically(Path(args.output, name, f"train.{extension}"), text, args.force)
        reasons = ", ".join(f"{reason}: {n}" for reason, n in rejections[name].most_common())
        print(f"{name:16} {len(found):6} samples; rejected: {reasons or 'none'}")


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
