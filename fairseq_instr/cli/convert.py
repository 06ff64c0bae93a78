r"""Convert a model between a Hugging Face folder and a fairseq checkpoint.

    fairseq-instr convert from-hugging-face Llama-2-7b-hf --output llama
    fairseq-instr convert to-hugging-face tuned.pt --tokenizer llama/tokenizer --output tuned-hf
    fairseq-instr convert upgrade wmt16.pt --output base.pt

The first writes llama/model.pt, llama/dict.txt and llama/tokenizer/. The last completes a
checkpoint of an old fairseq, or one that was stripped to its model, so that fairseq loads it.
"""

from __future__ import annotations

from fairseq_instr.cli.options import REQUIRED, add_output, flag, option, take

ROLES = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
DTYPES = ("float32", "bfloat16", "float16")


def add_arguments(parser) -> None:
    commands = parser.add_subparsers(dest="conversion", required=True)
    forth = commands.add_parser("from-hugging-face", help="Hugging Face folder -> fairseq")
    forth.add_argument("folder", help="config.json, safetensors and tokenizer.json")
    for role, symbol in ROLES.items():
        option(forth, f"--{role}-token", None, f"token that becomes fairseq's {symbol}")
    back = commands.add_parser("to-hugging-face", help="fairseq -> Hugging Face folder")
    back.add_argument("checkpoint", help="fairseq checkpoint")
    option(back, "--tokenizer", REQUIRED, "tokenizer/ that from-hugging-face wrote")
    option(back, "--shard-size", 5.0, "largest size of a file, in 10^9 bytes")
    upgrade = commands.add_parser("upgrade", help="old or stripped checkpoint -> complete one")
    upgrade.add_argument("checkpoint", help="fairseq checkpoint")
    flag(upgrade, "--ema", "take the moving average that --store-ema kept")
    for command in (forth, back):
        text = "number format of the weights; default: that of the input"
        option(command, "--dtype", None, text, choices=DTYPES)
        add_output(command)
    add_output(upgrade, "checkpoint to write")


def run(args) -> None:
    if args.conversion == "upgrade":
        from fairseq_instr.checkpoints.upgrading import upgrade_checkpoint

        upgrade_checkpoint(path=args.checkpoint, use_ema=args.ema, **take(args, "output force"))
        print(args.output)
    elif args.conversion == "from-hugging-face":
        from fairseq_instr.checkpoints.hugging_face import from_hugging_face

        tokens = {role: getattr(args, f"{role}_token") for role in ROLES}
        vocabulary = from_hugging_face(tokens=tokens, **take(args, "folder output dtype force"))
        special = ", ".join(f"{s} {getattr(vocabulary, role)}" for role, s in ROLES.items())
        print(f"{args.output}: vocabulary of {vocabulary.size}, {special}")
    else:
        from fairseq_instr.checkpoints.hugging_face import to_hugging_face

        names = to_hugging_face(
            shard_bytes=int(args.shard_size * 10**9),
            **take(args, "checkpoint tokenizer output dtype force"),
        )
        print(f"{args.output}: {', '.join(names)}")
