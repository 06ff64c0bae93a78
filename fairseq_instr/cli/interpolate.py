r"""Mix the weights of a base model and its tuned version.

Such as:

    python scripts/interpolate_checkpoints.py --base base.pt --tuned tuned.pt \
        --tuned-weight 0.7 --output mixed.pt
"""

import argparse

from fairseq_instr.checkpoints.interpolation import interpolate_checkpoints


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", required=True, help="checkpoint of the base model")
    parser.add_argument("--tuned", required=True, help="checkpoint of the tuned model")
    parser.add_argument(
        "--tuned-weight", type=float, required=True, help="w, from 0 (base) to 1 (tuned)"
    )
    parser.add_argument("--output", required=True, help="checkpoint to write")
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    args = parser.parse_args()
    interpolate_checkpoints(args.base, args.tuned, args.tuned_weight, args.output, args.force)
    print(f"{args.output}: {1 - args.tuned_weight:g} base + {args.tuned_weight:g} tuned")


if __name__ == "__main__":
    main()
