r"""Export an encoder-decoder to a CTranslate2 folder, instructions included.

Such as:

    fairseq-instr export --checkpoint tuned.pt --data data-bin --subwords subwords.model \
        --quantization int8 --output served

    from fairseq_instr import CTranslate2Translator
    CTranslate2Translator.from_pretrained("served").translate(["Hello."], instruct="formal")
"""

from __future__ import annotations

import argparse

from fairseq_instr.serving.folder import QUANTIZATIONS
from fairseq_instr.text.subwords import SUBWORDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--checkpoint", required=True, help="tuned or base model")
    parser.add_argument("--data", required=True, help="data-bin: dictionaries and inventory")
    parser.add_argument("--subwords", help=f"{SUBWORDS}; copied into the folder")
    parser.add_argument("-s", "--source-lang", help="default: the checkpoint's")
    parser.add_argument("-t", "--target-lang", help="default: the checkpoint's")
    parser.add_argument(
        "--quantization",
        default="float32",
        choices=QUANTIZATIONS,
        help="number format of the weights; default: float32",
    )
    parser.add_argument("--output", required=True, help="folder to write")
    parser.add_argument("--force", action="store_true", help="replace an earlier export")


def run(args: argparse.Namespace) -> None:
    """Export and say what was written."""
    from fairseq_instr.serving.export import export_ctranslate2

    export_ctranslate2(
        checkpoint=args.checkpoint,
        data=args.data,
        output=args.output,
        subwords=args.subwords,
        source=args.source_lang,
        target=args.target_lang,
        quantization=args.quantization,
        force=args.force,
    )
    print(f"{args.output}: {args.quantization}")
