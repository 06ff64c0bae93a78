"""How the subcommands declare their options, and the options that several of them share.

`main` adds the default of each option to its help.
"""

from __future__ import annotations

from typing import Any, Dict

from fairseq_instr.errors import InputError
from fairseq_instr.text.subwords import SUBWORDS

REQUIRED = object()  # in the place of a default: the option must be given


def option(parser, name: str, default: Any, help: str, short: str = "", **more) -> None:
    """Declare an option that takes a value; a default that is a number says which kind.

    Args:
        default: the default, or `REQUIRED`.
        short: such as `-s`.
        **more: further arguments of `add_argument`; `dest` where the function that is called
            has another name for it.
    """
    if isinstance(default, (int, float)):
        more = {"type": type(default), "metavar": "N", **more}
    given = {"required": True} if default is REQUIRED else {"default": default}
    parser.add_argument(*filter(None, (short, name)), help=help, **given, **more)


def flag(parser, name: str, help: str) -> None:
    """Declare an option that takes no value."""
    parser.add_argument(name, action="store_true", help=help)


def take(args, names: str) -> Dict[str, Any]:
    """Options of a command line as keyword arguments: `"seed force"` -> seed and force."""
    return {name: getattr(args, name) for name in names.split()}


def add_output(parser, what: str = "folder to write", force: str = "overwrite the output") -> None:
    """`--output` and `--force`."""
    option(parser, "--output", REQUIRED, what, metavar="PATH")
    flag(parser, "--force", force)


def add_languages(parser) -> None:
    """`-s` and `-t` of a subcommand that reads text."""
    option(parser, "--source-language", REQUIRED, "such as en", "-s", metavar="CODE")
    option(parser, "--target-language", REQUIRED, "such as de", "-t", metavar="CODE")


def add_model_languages(parser, of: str) -> None:
    """`-s` and `-t` of a subcommand that takes a model."""
    for name in ("source", "target"):
        option(
            parser, f"--{name}-lang", None, f"default: the {of}'s", f"-{name[0]}", dest=name,
            metavar="CODE",
        )  # fmt: skip


TEXT = "source target source_language target_language"
"""What `add_text` declares, for `take`."""


def add_text(parser) -> None:
    """Two aligned files and their languages."""
    text = "source text, one segment a line, plain or .gz"
    option(parser, "--source", REQUIRED, text, metavar="FILE")
    option(parser, "--target", REQUIRED, "its translation, aligned by line", metavar="FILE")
    add_languages(parser)


def add_subwords(parser) -> None:
    """The subwords that raw text is spelled in."""
    option(parser, "--subwords", REQUIRED, SUBWORDS, metavar="MODEL")
    flag(parser, "--allow-unknown", "accept subwords that the dictionary lacks")


def add_checks(parser) -> None:
    """What keeps pairs out of task data, see `checks`."""
    option(
        parser, "--subwords", None, f"the pretrained model's {SUBWORDS}; with --dictionary, leave "
        "out targets that it can't write", metavar="MODEL",
    )  # fmt: skip
    text = "the pretrained model's dictionary of the target"
    option(parser, "--dictionary", None, text, metavar="FILE")
    add_pair_filters(parser, 3.0)
    flag(
        parser, "--identify-language", "leave out pairs that langid takes for other languages",
    )  # fmt: skip


def add_pair_filters(parser, max_length_ratio: float) -> None:
    """Which pairs are left out for their lengths, or because a test set has them."""
    option(
        parser, "--max-length-ratio", max_length_ratio, "leave out pairs with a side longer than "
        "RATIO times the other, after 15 characters are added to both", metavar="RATIO",
    )  # fmt: skip
    option(
        parser, "--exclude", [], "test sets: leave out pairs whose source or target is a line of a "
        "test set, whatever its case, spaces and punctuation", nargs="*", metavar="FILE",
    )  # fmt: skip


def checks(args):
    """The `Checks` of a command line."""
    from fairseq_instr.curation import Checks

    return Checks(**take(args, "subwords dictionary max_length_ratio exclude identify_language"))


def add_model(parser, name: str = "--tuned") -> None:
    """A model that translates, its data-bin and its languages."""
    what = "checkpoint, or folder that `fairseq-instr export` wrote"
    option(parser, name, None, what, metavar="MODEL")
    option(parser, "--data", None, "data-bin of a checkpoint")
    option(parser, "--subwords", None, f"of a checkpoint: {SUBWORDS}", metavar="MODEL")
    add_model_languages(parser, "model")


def parse_samples(text: str):
    """`1000,uppercase:5000` -> (1000, {"uppercase": 5000})."""
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
