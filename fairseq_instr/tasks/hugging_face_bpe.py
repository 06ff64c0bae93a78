"""fairseq's `--bpe hugging_face`: the tokenizer of a Hugging Face folder."""

from dataclasses import dataclass

from fairseq.data.encoders import register_bpe
from fairseq.dataclass import FairseqDataclass

from fairseq_instr.config_fields import with_help
from fairseq_instr.errors import InputError
from fairseq_instr.text.hugging_face import HuggingFaceSubwords


@dataclass
class HuggingFaceConfig(FairseqDataclass):
    tokenizer_folder: str = with_help(
        "",
        "folder tokenizer/ that `fairseq-instr convert from-hugging-face` wrote",
    )


@register_bpe("hugging_face", dataclass=HuggingFaceConfig)
class HuggingFaceBPE(HuggingFaceSubwords):
    """`--bpe hugging_face --tokenizer-folder FOLDER`: raw text for `fairseq-interactive`.

    Raises:
        InputError: if the folder is not given or holds no tokenizer.
    """

    def __init__(self, cfg):
        if not cfg.tokenizer_folder:
            raise InputError("--bpe hugging_face needs --tokenizer-folder FOLDER")
        super().__init__(cfg.tokenizer_folder)
