r"""Convert a model between a Hugging Face folder and a fairseq checkpoint.

Such as:

    fairseq-instr convert from-hugging-face Llama-2-7b-hf --output llama
    fairseq-instr convert to-hugging-face tuned.pt --tokenizer llama/tokenizer --output tuned-hf
    fairseq-instr convert upgrade wmt16.pt --output base.pt

The first writes llama/model.pt, llama/dict.txt and llama/tokenizer/. The last makes a checkpoint
that fairseq can read of one that an earlier version saved, or that was stripped to its model.
"""

from __future__ import annotations

import argparse

ROLES = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
DTYPES = ("float32", "bfloat16", "float16")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the conversions and their options."""
    commands = parser.add_subparsers(dest="conversion", required=True)
    forth = commands.add_parser("from-hugging-face", help="Hugging Face folder -> fairseq")
    forth.add_argument("folder", help="config.json, safetensors and tokenizer.json")
    forth.add_argument("--output", required=True, help="folder to write")
    for role, symbol in ROLES.items():
        forth.add_argument(f"--{role}-token", help=f"token that becomes fairseq's {symbol}")
    back = commands.add_parser("to-hugging-face", help="fairseq -> Hugging Face folder")
    back.add_argument("checkpoint", help="fairseq checkpoint")
    back.add_argument("--tokenizer", required=True, help="tokenizer/ that from-hugging-face wrote")
    back.add_argument("--output", required=True, help="folder to write")
    back.add_argument("--shard-size", type=float, default=5.0, help="of a file, in 10^9 bytes")
    upgrade = commands.add_parser("upgrade", help="old or stripped checkpoint -> complete one")
    upgrade.add_argument("checkpoint", help="fairseq checkpoint")
    upgrade.add_argument("--output", required=True, help="checkpoint to write")
    upgrade.add_argument(
        "--ema", action="store_true", help="take the moving average that --store-ema kept"
    )
    for command in (forth, back):
        command.add_argument("--dtype", choices=DTYPES, help="of the weights; default: as they are")
    for command in (forth, back, upgrade):
        command.add_argument("--force", action="store_true", help="overwrite the output")


def run(args: argparse.Namespace) -> None:
    """Convert and say what was written."""
    if args.conversion == "upgrade":
        from fairseq_instr.checkpoints.upgrading import upgrade_checkpoint

        upgrade_checkpoint(
            path=args.checkpoint, output=args.output, use_ema=args.ema, force=args.force
        )
        print(args.output)
    elif args.conversion == "from-hugging-face":
        from fairseq_instr.checkpoints.hugging_face import from_hugging_face

        vocabulary = from_hugging_face(
            folder=args.folder,
            output=args.output,
            dtype=args.dtype,
            tokens={role: getattr(args, f"{role}_token") for role in ROLES},
            force=args.force,
        )
        special = ", ".join(f"{s} {getattr(vocabulary, role)}" for role, s in ROLES.items())
        print(f"{args.output}: vocabulary of {vocabulary.size}, {special}")
    else:
        from fairseq_instr.checkpoints.hugging_face import to_hugging_face

        names = to_hugging_face(
            checkpoint=args.checkpoint,
            tokenizer=args.tokenizer,
            output=args.output,
            dtype=args.dtype,
            shard_bytes=int(args.shard_size * 10**9),
            force=args.force,
        )
        print(f"{args.output}: {', '.join(names)}")
