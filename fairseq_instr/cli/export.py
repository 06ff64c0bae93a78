r"""Export an encoder-decoder and its instructions to a CTranslate2 folder.

    fairseq-instr export --checkpoint tuned.pt --data data-bin --subwords subwords.model \
        --quantization int8 --output served

Neither torch nor fairseq is needed to translate with the folder:

    from fairseq_instr import CTranslate2Translator
    CTranslate2Translator.from_pretrained("served").translate(["Hello."], instruct="formal")
"""

from __future__ import annotations

from fairseq_instr.cli.options import REQUIRED, add_model_languages, add_output, option
from fairseq_instr.serving.folder import QUANTIZATIONS
from fairseq_instr.text.subwords import SUBWORDS


def add_arguments(parser) -> None:
    option(parser, "--checkpoint", REQUIRED, "tuned or base model")
    option(parser, "--data", REQUIRED, "data-bin: dictionaries and inventory")
    option(parser, "--subwords", None, f"{SUBWORDS}; copied into the folder", metavar="MODEL")
    add_model_languages(parser, "checkpoint")
    text = "number format of the weights"
    option(parser, "--quantization", "float32", text, choices=QUANTIZATIONS)
    add_output(parser, force="replace an earlier export")


def run(args) -> None:
    from fairseq_instr.serving.export import export_ctranslate2

    export_ctranslate2(**vars(args))
    print(f"{args.output}: {args.quantization}")
