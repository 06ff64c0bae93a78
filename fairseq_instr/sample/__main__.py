"""Command line: `python -m fairseq_instr.sample --output DIR --languages en,de`."""

from __future__ import annotations

import argparse
import sys

from fairseq_instr.errors import InputError
from fairseq_instr.sample.content import count
from fairseq_instr.sample.corpus import write
from fairseq_instr.sample.lexicon import LANGUAGES


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fairseq_instr.sample",
        description="Write aligned sentences of the embedded sample corpus: <split>.<language>.",
        epilog=f"The grammar has {count():,} sentences in each of {', '.join(LANGUAGES)}.",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write into")
    parser.add_argument(
        "--languages",
        default=",".join(LANGUAGES),
        metavar="LIST",
        help="comma-separated; default: %(default)s",
    )
    parser.add_argument("--train", type=int, default=4000, metavar="N", help="default: %(default)s")
    parser.add_argument("--valid", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--test", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--force", action="store_true", help="overwrite files that exist")
    return parser


def main(args=None) -> int:
    options = get_parser().parse_args(args)
    sizes = {"train": options.train, "valid": options.valid, "test": options.test}
    languages = [language.strip() for language in options.languages.split(",") if language.strip()]
    try:
        paths = write(options.output, sizes, languages, options.seed, options.force)
    except InputError as error:
        print(f"fairseq_instr.sample: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"fairseq_instr.sample: error: --output {options.output} can't be written: "
            f"{error.strerror}; give a folder that can",
            file=sys.stderr,
        )
        return 1
    print(f"wrote {len(paths)} files to {options.output}: {sizes}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
