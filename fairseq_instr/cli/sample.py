"""Write the embedded sample corpus: aligned sentences of a small grammar in six languages.

    fairseq-instr sample --output text --languages en,de

Writes text/{train,valid,test}.{en,de}. With this text a recipe can be tried without a download.
"""

from __future__ import annotations

from fairseq_instr.cli.options import add_output, option, take
from fairseq_instr.sample import LANGUAGES, write


def add_arguments(parser) -> None:
    text = "languages, separated by commas"
    option(parser, "--languages", ",".join(LANGUAGES), text, metavar="CODES")
    for split, size in (("train", 4000), ("valid", 200), ("test", 200)):
        option(parser, f"--{split}", size, "sentences")
    option(parser, "--seed", 1, "random seed: which sentences are drawn")
    add_output(parser)


def run(args):
    paths = write(
        folder=args.output,
        sizes=take(args, "train valid test"),
        languages=[language.strip() for language in args.languages.split(",")],
        **take(args, "seed force"),
    )
    print(f"{args.output}: {', '.join(path.name for path in paths)}")
