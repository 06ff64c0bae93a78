"""What fairseq's generators are built of, and which options of decoding go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Tuple

from fairseq.data import Dictionary
from torch import Tensor

from fairseq_instr.errors import InputError
from fairseq_instr.generation.alignment import SourceAlignmentGenerator
from fairseq_instr.generation.conditions import ConditionPlanner, Sources
from fairseq_instr.generation.guidance import GuidedEnsemble
from fairseq_instr.generation.language_boost import count_tokens, language_boost
from fairseq_instr.generation.options import GuidanceOptions
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.prompts import Prompt


@dataclass(frozen=True)
class GeneratorParts:
    """Chooses what a generator is built of."""

    cfg: Any  # options of the task
    guidance: GuidanceOptions  # those among them that weigh conditions
    prompt: Prompt
    inventory: Inventory
    source_dictionary: Dictionary
    target_dictionary: Dictionary
    native: bool  # whether prompts have language tokens
    text: Callable[[str, str], Sources]  # (split, language) -> bare sources of the data-bin

    def choose(self, models: List, args, options: Dict[str, Any]) -> Tuple[List, Dict[str, Any]]:
        """Models and keywords for fairseq's `build_generator`; `options` are those that came.

        For a prompt of the decoder, contrast or guidance, the models are guided ones. Alignments
        are those with the bare source.

        Raises:
            InputError: if options don't go together, or lack something.
        """
        guidance = self.guidance
        on_decoder = self.prompt.on_decoder and (bool(self.inventory) or self.native)
        self._check(args, guidance.active, on_decoder)
        scores = getattr(args, "score_reference", False)
        alignment = getattr(args, "print_alignment", None)
        if alignment and not scores:
            options["seq_gen_cls"] = SourceAlignmentGenerator
            others = options.get("extra_gen_cls_kwargs") or {}
            options["extra_gen_cls_kwargs"] = {**others, "print_alignment": alignment}
        if not guidance.active and (scores or not on_decoder):
            return models, options
        n_axes = len(self.inventory.axes)
        planner = ConditionPlanner(
            guidance,
            self.inventory,
            self.prompt,
            self.source_dictionary,
            self.cfg.source_lang,
            self.cfg.seed,
            self.contrast_sources() if guidance.source_contrast else (),
            self.cfg.max_source_positions - self.prompt.n_source(n_axes),
        )
        boost = self._language_boost() if guidance.language_boost else None
        return GuidedEnsemble(models, planner, self.prompt.n_target(n_axes), boost), options

    def contrast_sources(self) -> Sources:
        """Sources that `--source-contrast` draws from."""
        subset = self.guidance.contrast_subset
        try:
            return self.text(subset, self.cfg.source_lang)
        except InputError as error:
            raise InputError(f"--contrast-subset {subset}: {error}") from None

    def _language_boost(self) -> Tensor:
        """What `--language-boost` adds to the scores of tokens."""
        weight, cfg = self.guidance.language_boost, self.cfg
        source, target = cfg.source_lang, cfg.target_lang
        if self.source_dictionary != self.target_dictionary:
            raise InputError(
                f"--language-boost {weight} compares languages in one joined dictionary; "
                f"dict.{source}.txt and dict.{target}.txt differ"
            )
        languages = sorted({source, target, *self.inventory.target_languages})
        subset, n_tokens = cfg.train_subset, len(self.target_dictionary)
        try:
            counts = {code: count_tokens(self.text(subset, code), n_tokens) for code in languages}
        except InputError as error:
            raise InputError(f"--language-boost {weight}: {error}") from None
        return weight * language_boost(counts, target)

    def _check(self, args, guided: bool, on_decoder: bool) -> None:
        """Raise `InputError` for options of decoding that don't go together."""
        by_guidance = guided and "--guidance, contrasts and --language-boost"
        by_prompt = on_decoder and "a prompt, or a language token, of the decoder"
        scoring = getattr(args, "score_reference", False) and bool(self.inventory)
        for name, causes in (
            ("print_alignment", (by_guidance, by_prompt, scoring and "--score-reference")),
            ("sampling", (by_guidance,)),
            ("score_reference", (by_guidance,)),
            # fairseq parts a line at its tabs before the field is taken off
            ("constraints", (self.cfg.instruct_field and "--instruct-field",)),
        ):
            cause = next(filter(None, causes), None)
            if cause and getattr(args, name, None):
                option = f"--{name.replace('_', '-')}"
                raise InputError(f"{option} does not go with {cause}; leave one of them out")
