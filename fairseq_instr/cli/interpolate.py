r"""Mix the weights of a base model and its tuned version: (1 - w) base + w tuned.

Such as:

    fairseq-instr interpolate --base base.pt --tuned tuned.pt --tuned-weight 0.7 --output mixed.pt
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--base", required=True, help="checkpoint of the base model")
    parser.add_argument("--tuned", required=True, help="checkpoint of the tuned model")
    parser.add_argument(
        "--tuned-weight", type=float, required=True, help="w, from 0 (base) to 1 (tuned)"
    )
    parser.add_argument("--output", required=True, help="checkpoint to write")
    parser.add_argument("--force", action="store_true", help="overwrite the output")


def run(args: argparse.Namespace) -> None:
    """Mix and say what was written."""
    from fairseq_instr.checkpoints.interpolation import interpolate_checkpoints

    interpolate_checkpoints(
        base=args.base,
        tuned=args.tuned,
        tuned_weight=args.tuned_weight,
        output=args.output,
        force=args.force,
    )
    print(f"{args.output}: {1 - args.tuned_weight:g} base + {args.tuned_weight:g} tuned")
