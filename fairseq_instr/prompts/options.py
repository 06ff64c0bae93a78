"""Options of prompts, which the task takes over.

In words around the source, for decoder-only models: see `templates`. In appended tokens: see
`tokens` (a symbol an instruction) and `phrases` (a symbol a word).
"""

from dataclasses import dataclass, field
from typing import Optional

SYMBOLS, PHRASES = "symbols", "phrases"
RENDERINGS = (SYMBOLS, PHRASES)


@dataclass
class PhraseOptions:
    prompt_rendering: str = field(
        default=SYMBOLS,
        metadata={
            "help": "what appended tokens say an instruction: symbols (one each), or phrases (the "
            "words of an English phrase, drawn anew for each sample in each epoch)"
        },
    )
    held_out_phrases: Optional[int] = field(
        default=None,
        metadata={
            "help": "--prompt-rendering phrases: phrases of each instruction that training leaves "
            "out, chosen by --seed, to be measured as never trained; default: those that the "
            "checkpoint to start from was trained without, else 0"
        },
    )
    phrase_word_dropout: float = field(
        default=0.0,
        metadata={
            "help": "--prompt-rendering phrases: probability that training leaves a word of a "
            "phrase out; what is left must still mean the instruction, or all words stay"
        },
    )


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
