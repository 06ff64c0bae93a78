"""Options of the task `translation_with_instructions`, and which of them go together."""

from dataclasses import dataclass
from typing import Optional, Set

from fairseq.logging import metrics
from fairseq.tasks.translation import TranslationConfig
from omegaconf import II

from fairseq_instr.config_fields import with_help
from fairseq_instr.criterions.label_smoothed_cross_entropy_with_unlikelihood import LOGGED_AS
from fairseq_instr.data.directions import AUTO, DIRECTION_MODES
from fairseq_instr.errors import InputError
from fairseq_instr.generation.options import GuidanceOptions
from fairseq_instr.prompts.language_tokens import LANGUAGE_TOKENS, PRESETS
from fairseq_instr.prompts.options import PHRASES, RENDERINGS, PhraseOptions, TemplateOptions
from fairseq_instr.prompts.tokens import PLACEMENTS, SOURCE_PREFIX


@dataclass
class TranslationWithInstructionsConfig(
    TranslationConfig, GuidanceOptions, PhraseOptions, TemplateOptions
):
    inventory: Optional[str] = with_help(
        None,
        "file of the instructions that the model knows. Default: instructions.yaml in the (first) "
        "data-bin; without that file, no instructions",
    )
    mixture: Optional[str] = with_help(
        None,
        "how many samples of each group an epoch has: parallel:2,task:1 means two parallel "
        "samples for each task sample. Default: all samples in every epoch",
    )
    epoch_samples: Optional[int] = with_help(
        None,
        "sentence pairs in an epoch. Default: the group that runs out first is seen once, e.g. "
        "30k task pairs and 60k of 1M parallel pairs with parallel:2,task:1; the next epoch takes "
        "the next 60k",
    )
    lang_pairs: Optional[str] = with_help(
        None,
        "language pairs to train on, such as en-it,it-en,en-nl. Several pairs need one joined "
        "dictionary. Default: the pair of -s and -t",
    )
    eval_lang_pairs: Optional[str] = with_help(
        None,
        "more language pairs to validate on, such as the zero-shot direction de-fr. A split of "
        "--valid-subset may then hold some of the pairs only",
    )
    eval_off_target: bool = with_help(
        False,
        "also translate in validation (greedily), and log off_target: the percentage of outputs "
        "that are not in the target language. --best-checkpoint-metric off_target uses the first "
        "split of --valid-subset",
    )
    eval_off_target_lines: int = with_help(
        100, "--eval-off-target: lines to translate of each corpus and direction"
    )
    direction_instruction: str = with_help(
        AUTO,
        "whether prompts say the target language (to:de). always, never, or auto: in training, if "
        "the inventory has several target languages; in generation, as the checkpoint was "
        "trained. A line of an .instr stream that names a language keeps it",
    )
    prompt_placement: str = with_help(
        SOURCE_PREFIX,
        "where the prompt stands: in front of the source (source-prefix), behind it "
        "(source-suffix), or at the start of the decoder's input (decoder-prefix)",
    )
    instruct: Optional[str] = with_help(
        None,
        "fairseq-generate, fairseq-interactive: instructions for every line, such as 'formal, "
        "uppercase'. Training does not use them",
    )
    instruct_field: bool = with_help(
        False,
        "fairseq-interactive: each line is INSTRUCTIONS<tab>SOURCE, such as "
        "formal,uppercase<tab>Come in! A line without a tab is a source",
    )
    strict: bool = with_help(
        False,
        "--instruct-field: stop at the first line with wrong instructions. Default: print that "
        "line's error, give it a blank translation, and go on",
    )
    conflict_axes: Optional[str] = with_help(
        None,
        "give samples a conflict on these axes, such as target-language or 'all': the same pair "
        "under a prompt with one instruction swapped for a wrong one, or dropped. Default: no "
        "conflicts",
    )
    conflict_rate: float = with_help(1.0, "share of samples that get a conflict, 0 to 1")
    conflict_instructions: Optional[str] = with_help(
        None,
        "samples of these instructions alone get a conflict, such as to:de,formal. Default: "
        "samples of all instructions on the axes of --conflict-axes",
    )
    conflict_languages: Optional[str] = with_help(
        None,
        "how often each language is the wrong one in a conflict on target-language: "
        "source:1,en:1,other:2, where source is the language of the sample's source, and other "
        "are the rest, a share each. Default: all alike",
    )
    conflict_copies: float = with_help(
        0.0,
        "share of the conflicts on target-language in which the source itself is the target, "
        "under any language but its own: the model learns not to copy. 0 = none",
    )
    denoise_drop: float = with_help(
        0.1, "group denoise: share of the words to drop from the source"
    )
    denoise_mask: float = with_help(
        0.1, "group denoise: share of the words to replace by <unk> in the source"
    )
    denoise_span: int = with_help(
        1, "group denoise: words in a row that --denoise-mask masks together, as one <unk>"
    )
    denoise_replace: float = with_help(
        0.0,
        "group denoise: share of the words to replace in the source by random words of the same "
        "text, so that less can be copied",
    )
    denoise_shuffle: int = with_help(
        3, "group denoise: most places that a word moves in the source; 0 = none"
    )
    language_tokens: str = with_help(
        AUTO,
        "tokens that tell a pretrained multilingual model its languages, such as "
        "__de__: auto (as the checkpoint was trained), none (the texts hold them already), "
        f"or as trained by another recipe: {', '.join(PRESETS)}",
    )
    allow_architecture_change: bool = with_help(
        False,
        "train on from a checkpoint with other heads, another activation, another "
        "--prompt-placement or the like than it was trained with",
    )
    allow_unknown: bool = with_help(
        False,
        "accept text with more than 5 %% unknown tokens. Default: refuse such a corpus in "
        "training, warn in generation; the text was probably not encoded in subwords",
    )
    allow_plain_task: bool = with_help(
        False,
        "accept a corpus of the group task without an .instr stream, and train on its pairs "
        "without a prompt. Default: refuse it",
    )
    seed: int = II("common.seed")
    path: Optional[str] = II("common_eval.path")
    restore_file: str = II("checkpoint.restore_file")
    continue_once: Optional[str] = II("checkpoint.continue_once")
    finetune_from_model: Optional[str] = II("checkpoint.finetune_from_model")
    save_dir: str = II("checkpoint.save_dir")
    reset_optimizer: bool = II("checkpoint.reset_optimizer")
    max_update: int = II("optimization.max_update")
    best_checkpoint_metric: str = II("checkpoint.best_checkpoint_metric")
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
    if cfg.load_alignments:
        raise InputError(
            "--load-alignments: prompts would shift the alignments; leave it out, or train with "
            "--task translation"
        )
    if cfg.left_pad_target and cfg.prompt_placement != SOURCE_PREFIX:
        raise InputError("--left-pad-target goes with --prompt-placement source-prefix only")
    if cfg.prompt_rendering == PHRASES and cfg.prompt_template:
        raise InputError(
            "--prompt-rendering phrases: --prompt-template says instructions in words already; "
            "leave one of them out"
        )
    for option, given in (
        ("--held-out-phrases", cfg.held_out_phrases),
        ("--phrase-word-dropout", cfg.phrase_word_dropout or None),
    ):
        if given is not None and cfg.prompt_rendering != PHRASES:
            raise InputError(
                f"{option} {given} needs --prompt-rendering phrases; other prompts have none"
            )


def check_criterion(cfg: TranslationWithInstructionsConfig, criterion) -> None:
    """Raise `InputError` if a criterion and the options of the task don't go together.

    These are unlikelihood without conflicts, conflicts without unlikelihood, and a
    `--best-checkpoint-metric` that validation does not measure.
    """
    weight = getattr(criterion, "unlikelihood_weight", None)
    if weight and not cfg.conflict_axes:
        raise InputError(
            f"--unlikelihood-weight {weight} needs conflicts in the data; give --conflict-axes "
            "target-language, other axes, or all"
        )
    if weight is None and cfg.conflict_axes:
        raise InputError(
            f"--conflict-axes {cfg.conflict_axes} needs --criterion "
            "label_smoothed_cross_entropy_with_unlikelihood; others ignore conflicts"
        )
    asked = cfg.best_checkpoint_metric
    options = {"off_target": "eval_off_target", "bleu": "eval_bleu"}
    measured = {name for name, option in options.items() if getattr(cfg, option)}
    measured |= _logged_metrics(criterion)
    if asked not in measured:
        option = options.get(asked)
        advice = f"give --{option.replace('_', '-')} too" if option else "choose another"
        raise InputError(
            f"--best-checkpoint-metric {asked} is not measured in validation; {advice}; measured: "
            f"{', '.join(sorted(measured))}"
        )


def _logged_metrics(criterion) -> Set[str]:
    sums = {"loss": 1, "nll_loss": 1, "ntokens": 1, "nsentences": 1, "sample_size": 1}
    if getattr(criterion, "conflict_loss", None):
        sums[LOGGED_AS[criterion.conflict_loss]] = 1
    with metrics.aggregate(new_root=True) as logged:
        criterion.__class__.reduce_metrics([sums])
    names = set(logged.get_smoothed_values())
    return names | ({"accuracy"} if getattr(criterion, "report_accuracy", False) else set())
