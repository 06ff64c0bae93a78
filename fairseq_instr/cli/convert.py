r"""Convert a model of the LLaMA family between a Hugging Face folder and a fairseq checkpoint.

Such as:

    python scripts/convert_llama_checkpoint.py from-hugging-face Llama-2-7b-hf --output llama
    python scripts/convert_llama_checkpoint.py to-hugging-face tuned.pt \
        --tokenizer llama/tokenizer --output tuned-hf --dtype bfloat16

The first writes llama/model.pt, llama/dict.txt and llama/tokenizer/.
"""

import argparse

from fairseq_instr.checkpoints.hugging_face import DTYPES, from_hugging_face, to_hugging_face

ROLES = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    forth = commands.add_parser("from-hugging-face", help="Hugging Face folder -> fairseq")
    forth.add_argument("folder", help="config.json, safetensors and tokenizer.json")
    forth.add_argument("--output", required=True, help="folder to write")
    for role, symbol in ROLES.items():
        forth.add_argument(f"--{role}-token", help=f"token that becomes fairseq's {symbol}")
    back = commands.add_parser("to-hugging-face", help="fairseq -> Hugging Face folder")
    back.add_argument("checkpoint", help="fairseq checkpoint")
    back.add_argument("--tokenizer", required=True, help="tokenizer/ that the way forth wrote")
    back.add_argument("--output", required=True, help="folder to write")
    back.add_argument("--shard-size", type=float, default=5.0, help="of a file, in 10^9 bytes")
    for command in (forth, back):
        command.add_argument("--dtype", choices=DTYPES, help="of the weights; default: as they are")
        command.add_argument("--force", action="store_true", help="overwrite the output")
    args = parser.parse_args()
    if args.command == "from-hugging-face":
        tokens = {role: getattr(args, f"{role}_token") for role in ROLES}
        vocabulary = from_hugging_face(args.folder, args.output, args.dtype, tokens, args.force)
        special = ", ".join(f"{s} {getattr(vocabulary, role)}" for role, s in ROLES.items())
        print(f"{args.output}: vocabulary of {vocabulary.size}, {special}")
    else:
        shard_bytes = int(args.shard_size * 10**9)
        names = to_hugging_face(
            args.checkpoint, args.tokenizer, args.output, args.dtype, shard_bytes, args.force
        )
        print(f"{args.output}: {', '.join(names)}")


if __name__ == "__main__":
    main()
