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
            "help": "how appended tokens say an instruction: symbols (one token each), or phrases "
            "(the words of an English phrase; training draws one for each sample and epoch)"
        },
    )
    held_out_phrases: Optional[int] = field(
        default=None,
        metadata={
            "help": "--prompt-rendering phrases: keep N phrases of every instruction out of "
            "training, to evaluate unseen wording; --seed chooses them. Default: those that the "
            "starting checkpoint was trained without, or 0"
        },
    )
    phrase_word_dropout: float = field(
        default=0.0,
        metadata={
            "help": "--prompt-rendering phrases: probability of dropping each word of a phrase in "
            "training. A phrase stays whole where the rest would not mean its instruction"
        },
    )


@dataclass
class TemplateOptions:
    prompt_template: Optional[str] = field(
        default=None,
        metadata={
            "help": "say instructions in words of the model's own vocabulary: a template of the "
            "library (alpaca, post_ins, target_language) or a YAML file"
        },
    )
    prompt_subwords: Optional[str] = field(
        default=None,
        metadata={
            "help": "subwords of the template's words, the same as the data's: a SentencePiece "
            "model, or the folder of a Hugging Face tokenizer. Default: tokenizer in the data-bin"
        },
    )
    shots: int = field(
        default=0, metadata={"help": "example translations that a template shows first; 0 = none"}
    )
    demonstrations: Optional[str] = field(
        default=None,
        metadata={
            "help": "prefix of the raw text that --shots draws examples from, such as dev for "
            "dev.en and dev.de; --seed chooses them"
        },
    )
