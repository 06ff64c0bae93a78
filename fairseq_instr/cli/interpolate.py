r"""Mix the weights of a base model and its tuned version: (1 - w) base + w tuned.

    fairseq-instr interpolate --base base.pt --tuned tuned.pt --tuned-weight 0.7 --output mixed.pt

Low-rank adapters are merged into their base; w = 1 does nothing else.
"""

from __future__ import annotations

from fairseq_instr.cli.options import REQUIRED, add_output, option


def add_arguments(parser) -> None:
    option(parser, "--base", REQUIRED, "checkpoint of the base model")
    option(parser, "--tuned", REQUIRED, "checkpoint of the tuned model")
    option(parser, "--tuned-weight", REQUIRED, "w, from 0 (base) to 1 (tuned)", type=float)
    add_output(parser, "checkpoint to write")


def run(args) -> None:
    from fairseq_instr.checkpoints.interpolation import interpolate_checkpoints

    interpolate_checkpoints(**vars(args))
    print(f"{args.output}: {1 - args.tuned_weight:g} base + {args.tuned_weight:g} tuned")
