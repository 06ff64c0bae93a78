"""Options of prompts, which the task takes over.

In words around the source, for decoder-only models: see `templates`. In appended tokens: see
`tokens` (a symbol an instruction) and `phrases` (a symbol a word).
"""

from dataclasses import dataclass
from typing import Optional

from fairseq_instr.config_fields import with_help

SYMBOLS, PHRASES = "symbols", "phrases"
RENDERINGS = (SYMBOLS, PHRASES)


@dataclass
class PhraseOptions:
    prompt_rendering: str = with_help(
        SYMBOLS,
        "how appended tokens say an instruction: symbols (one token each), or phrases (the words "
        "of an English phrase; training draws one for each sample and epoch)",
    )
    held_out_phrases: Optional[int] = with_help(
        None,
        "--prompt-rendering phrases: keep N phrases of every instruction out of training, to "
        "evaluate unseen wording; --seed chooses them. Default: those that the starting "
        "checkpoint was trained without, or 0",
    )
    phrase_word_dropout: float = with_help(
        0.0,
        "--prompt-rendering phrases: probability of dropping each word of a phrase in training. A "
        "phrase stays whole where the rest would not mean its instruction",
    )


@dataclass
class TemplateOptions:
    prompt_template: Optional[str] = with_help(
        None,
        "say instructions in words of the model's own vocabulary: a template of the library "
        "(alpaca, post_ins, target_language), a YAML file, or what one holds as a JSON object",
    )
    prompt_subwords: Optional[str] = with_help(
        None,
        "subwords of the template's words, the same as the data's: a SentencePiece model, or the "
        "folder of a Hugging Face tokenizer. Default: tokenizer in the data-bin",
    )
    shots: int = with_help(0, "example translations that a template shows first; 0 = none")
    demonstrations: Optional[str] = with_help(
        None,
        "prefix of the raw text that --shots draws examples from, such as dev for dev.en and "
        "dev.de; --seed chooses them",
    )
