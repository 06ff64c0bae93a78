"""Options of the task `translation_with_instructions`, and which of them go together."""

from dataclasses import dataclass, field
from typing import Optional

from fairseq.tasks.translation import TranslationConfig
from omegaconf import II

from fairseq_instr.errors import InputError
from fairseq_instr.generation.options import GuidanceOptions
from fairseq_instr.prompts.language_tokens import LANGUAGE_TOKENS, PRESETS
from fairseq_instr.prompts.options import PHRASES, RENDERINGS, PhraseOptions, TemplateOptions
from fairseq_instr.prompts.tokens import PLACEMENTS, SOURCE_PREFIX

AUTO, ALWAYS, NEVER = "auto", "always", "never"
DIRECTION_MODES = (AUTO, ALWAYS, NEVER)


@dataclass
class TranslationWithInstructionsConfig(
    TranslationConfig, GuidanceOptions, PhraseOptions, TemplateOptions
):
    inventory: Optional[str] = field(
        default=None,
        metadata={
            "help": "inventory of instructions; default: instructions.yaml in the (first) "
            "data-bin, or no instructions where there is none"
        },
    )
    mixture: Optional[str] = field(
        default=None,
        metadata={
            "help": "groups of corpora and their weights, such as parallel:2,task:1; every "
            "epoch holds exactly this ratio; default: all training samples in each epoch"
        },
    )
    epoch_samples: Optional[int] = field(
        default=None,
        metadata={
            "help": "sentence pairs in an epoch of the mixture; default: as many as make one "
            "pass over the group that is scarcest for its weight"
        },
    )
    lang_pairs: Optional[str] = field(
        default=None,
        metadata={
            "help": "language pairs to train on, such as en-it,it-en,en-nl; needs one joined "
            "dictionary; default: the pair of -s and -t"
        },
    )
    eval_lang_pairs: Optional[str] = field(
        default=None,
        metadata={
            "help": "further language pairs to validate on, such as de-fr for a zero-shot "
            "direction; each split of --valid-subset is then read for the pairs that it holds"
        },
    )
    eval_off_target: bool = field(
        default=False,
        metadata={
            "help": "validate with greedy translations too, and log off_target, the percentage "
            "that is not in the target language; --best-checkpoint-metric off_target goes by "
            "the first split of --valid-subset"
        },
    )
    eval_off_target_lines: int = field(
        default=100,
        metadata={"help": "lines of each corpus and direction that --eval-off-target translates"},
    )
    direction_instruction: str = field(
        default=AUTO,
        metadata={
            "help": "add to:LANGUAGE where no .instr stream names a direction: auto (where the "
            "inventory has several target languages; in generation, where the checkpoint was "
            "trained so), always, never"
        },
    )
    prompt_placement: str = field(
        default=SOURCE_PREFIX,
        metadata={"help": "where the instructions stand: " + ", ".join(PLACEMENTS)},
    )
    instruct: Optional[str] = field(
        default=None,
        metadata={
            "help": "instructions for every line that is translated, such as "
            "'formal, uppercase'; for fairseq-generate and fairseq-interactive"
        },
    )
    instruct_field: bool = field(
        default=False,
        metadata={
            "help": "fairseq-interactive: each line is INSTRUCTIONS<tab>SOURCE, with the "
            "instructions separated by commas and possibly none"
        },
    )
    strict: bool = field(
        default=False,
        metadata={
            "help": "--instruct-field: end with an error at the first line whose instructions are "
            "wrong; default: answer that line with its error and a blank translation, and go on"
        },
    )
    conflict_axes: Optional[str] = field(
        default=None,
        metadata={
            "help": "axes on which training and validation samples get a conflict, such as "
            "target-language, or 'all'; default: no conflicts"
        },
    )
    conflict_rate: float = field(
        default=1.0,
        metadata={"help": "share of the samples that get a conflict, 0 to 1"},
    )
    conflict_instructions: Optional[str] = field(
        default=None,
        metadata={
            "help": "swap these instructions alone, such as to:en where translations drift into "
            "English; default: all on the axes of --conflict-axes"
        },
    )
    denoise_drop: float = field(
        default=0.1,
        metadata={"help": "group denoise: share of the source's words that are dropped"},
    )
    denoise_mask: float = field(
        default=0.1,
        metadata={"help": "group denoise: share of the source's words that become <unk>"},
    )
    denoise_shuffle: int = field(
        default=3,
        metadata={"help": "group denoise: how far the source's words move, in words"},
    )
    language_tokens: str = field(
        default=AUTO,
        metadata={
            "help": "tokens that tell a pretrained multilingual model its languages, such as "
            "__de__: auto (as the checkpoint was trained), none (the texts hold them already), "
            f"or as trained by another recipe: {', '.join(PRESETS)}"
        },
    )
    allow_architecture_change: bool = field(
        default=False,
        metadata={
            "help": "train on from a checkpoint with other heads, another activation or the like "
            "than it was trained with"
        },
    )
    allow_unknown: bool = field(
        default=False,
        metadata={
            "help": "accept text of which more than 5 %% of the tokens are unknown to the "
            "dictionary; default: refuse it in training, warn in generation"
        },
    )
    allow_plain_task: bool = field(
        default=False,
        metadata={
            "help": "accept a corpus of the group task that has no .instr stream, and train on its "
            "pairs without a prompt; default: refuse it"
        },
    )
    seed: int = II("common.seed")
    path: Optional[str] = II("common_eval.path")
    restore_file: str = II("checkpoint.restore_file")
    finetune_from_model: Optional[str] = II("checkpoint.finetune_from_model")
    save_dir: str = II("checkpoint.save_dir")
    reset_optimizer: bool = II("checkpoint.reset_optimizer")
    max_update: int = II("optimization.max_update")
    store_ema: bool = II("ema.store_ema")


def check_options(cfg: TranslationWithInstructionsConfig) -> None:
    """Raise `InputError` if an option has no accepted value, or two exclude each other."""
    for option, value, accepted in (
        ("--prompt-placement", cfg.prompt_placement, PLACEMENTS),
        ("--direction-instruction", cfg.direction_instruction, DIRECTION_MODES),
        ("--prompt-rendering", cfg.prompt_rendering, RENDERINGS),
        ("--language-tokens", cfg.language_tokens, LANGUAGE_TOKENS),
    ):
        if value not in accepted:
            raise InputError(f"{option} {value!r} is not accepted; choose {', '.join(accepted)}")
    if cfg.left_pad_target and cfg.prompt_placement != SOURCE_PREFIX:
        raise InputError("--left-pad-target goes with --prompt-placement source-prefix only")
    if cfg.prompt_rendering == PHRASES and cfg.prompt_template:
        raise InputError(
            "--prompt-rendering phrases: --prompt-template says instructions in words already; "
            "leave one of them out"
        )
    if cfg.held_out_phrases is not None and cfg.prompt_rendering != PHRASES:
        raise InputError(
            f"--held-out-phrases {cfg.held_out_phrases} needs --prompt-rendering phrases; other "
            "prompts have no phrases to hold out"
        )
    if cfg.phrase_word_dropout and cfg.prompt_rendering != PHRASES:
        raise InputError(
            f"--phrase-word-dropout {cfg.phrase_word_dropout} needs --prompt-rendering phrases; "
            "other prompts have no words to leave out"
        )
