r"""Export an encoder-decoder to a CTranslate2 folder, instructions included.

Such as:

    python scripts/export_ctranslate2.py --checkpoint tuned.pt --data data-bin \
        --subwords subwords.model --quantization int8 --output served

    from fairseq_instr.serving.translator import CTranslate2Translator
    CTranslate2Translator.from_pretrained("served").translate(["Hello."], instruct="formal")
"""

import argparse

from fairseq_instr.serving.export import QUANTIZATIONS, export_ctranslate2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, help="tuned or base model")
    parser.add_argument("--data", required=True, help="data-bin: dictionaries and inventory")
    parser.add_argument("--subwords", help="SentencePiece model, copied into the folder")
    parser.add_argument("-s", "--source-lang", help="default: the checkpoint's")
    parser.add_argument("-t", "--target-lang", help="default: the checkpoint's")
    parser.add_argument(
        "--quantization", default="float32", choices=QUANTIZATIONS, help="of the weights"
    )
    parser.add_argument("--output", required=True, help="folder to write")
    parser.add_argument("--force", action="store_true", help="replace an earlier export")
    args = parser.parse_args()
    export_ctranslate2(
        args.checkpoint,
        args.data,
        args.output,
        args.subwords,
        args.source_lang,
        args.target_lang,
        args.quantization,
        args.force,
    )
    print(f"{args.output}: {args.quantization}")


if __name__ == "__main__":
    main()
