"""Options that curate, label and distill share."""

from __future__ import annotations

from fairseq_instr.curation import Checks
from fairseq_instr.errors import InputError
from fairseq_instr.text.subwords import SUBWORDS


def add_languages(parser):
    parser.add_argument("-s", "--source-language", required=True, metavar="CODE", help="e.g. en")
    parser.add_argument("-t", "--target-language", required=True, metavar="CODE", help="e.g. de")


def add_text(parser):
    parser.add_argument(
        "--source", required=True, metavar="FILE", help="source text, a line a segment, or .gz"
    )
    parser.add_argument(
        "--target", required=True, metavar="FILE", help="plain translation, aligned by line"
    )
    add_languages(parser)


def add_checks(parser):
    parser.add_argument(
        "--subwords",
        metavar="MODEL",
        help=f"of the pretrained model: {SUBWORDS}; leaves out targets that they can't write with "
        "--dictionary",
    )
    parser.add_argument(
        "--dictionary", metavar="FILE", help="the pretrained model's dictionary of the target"
    )
    parser.add_argument(
        "--max-length-ratio",
        type=float,
        default=3.0,
        metavar="RATIO",
        help="leave out pairs with a side longer than RATIO times the other, 15 characters added "
        "to both (%(default)s)",
    )
    parser.add_argument(
        "--exclude",
        nargs="*",
        default=[],
        metavar="FILE",
        help="test sets: leave out pairs with a side that stands in one; case, spaces and "
        "punctuation don't count",
    )
    parser.add_argument(
        "--identify-language",
        action="store_true",
        help="leave out pairs that langid takes for other languages; looks only at pairs that "
        "would be kept",
    )


def checks(args) -> Checks:
    """The checks of a command line."""
    return Checks(
        subwords=args.subwords,
        dictionary=args.dictionary,
        max_length_ratio=args.max_length_ratio,
        exclude=args.exclude,
        identify_language=args.identify_language,
    )


def add_output(parser, force_help: str = "overwrite what is there"):
    parser.add_argument("--output", required=True, metavar="FOLDER", help="folder to write")
    parser.add_argument("--force", action="store_true", help=force_help)


def parse_samples(text: str):
    """`1000,uppercase:5000` -> (1000, {"uppercase": 5000}).

    Raises:
        InputError: if a number is missing.
    """
    default, *others = text.split(",")
    pairs = [("", default), *(item.strip().partition(":")[::2] for item in others)]
    for _, count in pairs:
        if not count.strip().isdecimal():
            raise InputError(
                f"--samples {text}: {count!r} is no number; give one for all, then NAME:NUMBER "
                "for single instructions"
            )
    (_, n), *n_of = ((name, int(count)) for name, count in pairs)
    return n, dict(n_of)
