r"""Measure how often plain references obey the instructions of the catalogue unasked.

Such as:

    python scripts/measure_base_rates.py --pair de=test.en,test.de --pair fr=test.en,test.fr \
        --text "Multi30k test_2016_flickr" --output base_rates.yaml
"""

import argparse

import yaml

from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.instructions.catalogue.base_rates import measure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pair",
        action="append",
        required=True,
        help="LANGUAGE=SOURCE,TARGET: aligned files, plain or .gz; several times, also for one "
        "language",
    )
    parser.add_argument("--text", required=True, help="name of the text, kept with the rates")
    parser.add_argument("--output", required=True, help="YAML file to write")
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    args = parser.parse_args()
    pairs = {}
    for entry in args.pair:
        language, _, files = entry.partition("=")
        source, comma, target = files.partition(",")
        if not (language and comma and source and target):
            raise InputError(f"--pair {entry!r} is not accepted: give LANGUAGE=SOURCE,TARGET")
        pairs.setdefault(language, []).extend(read(source, target))
    content = {
        "text": args.text,
        "pairs": {language: len(lines) for language, lines in pairs.items()},
        "rates": {
            language: {name: round(rate, 4) for name, rate in measure(lines, language).items()}
            for language, lines in pairs.items()
        },
    }
    write_atomically(args.output, yaml.safe_dump(content, sort_keys=False), args.force)
    print(f"{args.output}: {content['pairs']}")


def read(source, target):
    for chunk in AlignedText(source, target).chunks():
        for pair in zip(chunk.sources, chunk.targets):
            yield tuple(side.decode("utf-8") for side in pair)


if __name__ == "__main__":
    main()
