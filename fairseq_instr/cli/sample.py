"""Write the embedded sample corpus: aligned sentences of a small grammar in six languages.

    fairseq-instr sample --output text --languages en,de

writes text/{train,valid,test}.{en,de}, to try a recipe on without a download.
"""

from __future__ import annotations

from fairseq_instr.sample import LANGUAGES, write


def add_arguments(parser):
    parser.add_argument("--output", required=True, metavar="FOLDER", help="folder to write")
    parser.add_argument(
        "--languages",
        default=",".join(LANGUAGES),
        metavar="CODES",
        help="separated by commas (%(default)s)",
    )
    for split, size in (("train", 4000), ("valid", 200), ("test", 200)):
        parser.add_argument(
            f"--{split}", type=int, default=size, metavar="N", help="sentences (%(default)s)"
        )
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--force", action="store_true", help="overwrite files that exist")


def run(args):
    paths = write(
        folder=args.output,
        sizes={"train": args.train, "valid": args.valid, "test": args.test},
        languages=[language.strip() for language in args.languages.split(",")],
        seed=args.seed,
        force=args.force,
    )
    print(f"{args.output}: {', '.join(path.name for path in paths)}")
