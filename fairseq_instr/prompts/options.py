"""Options of prompts in words, which the task takes over; see `templates`."""

from dataclasses import dataclass, field
from typing import Optional


@dataclass
class TemplateOptions:
    prompt_template: Optional[str] = field(
        default=None,
        metadata={
            "help": "say the instructions in words: a template of the library (alpaca, post_ins, "
            "target_language) or a YAML file; no symbols join the vocabulary"
        },
    )
    prompt_subwords: Optional[str] = field(
        default=None,
        metadata={
            "help": "what encodes the template's words, as the data were: a SentencePiece model, "
            "or the folder of a Hugging Face tokenizer; default: tokenizer in the data-bin"
        },
    )
    shots: int = field(
        default=0, metadata={"help": "demonstrations that a template shows before each source"}
    )
    demonstrations: Optional[str] = field(
        default=None,
        metadata={
            "help": "prefix of the raw text that demonstrations are drawn from by --seed, such as "
            "dev for dev.en and dev.de"
        },
    )
