"""What the tokens of a task are: the data-bin's dictionaries, instructions and language tokens."""

import logging
from pathlib import Path
from typing import NamedTuple, Optional

from fairseq import utils
from fairseq.data import Dictionary

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.starting_point import StartingPoint
from fairseq_instr.checkpoints.task_state import trained_language_tokens
from fairseq_instr.data.dictionary import InstructedDictionary, load_dictionary
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import INVENTORY_FILE, Inventory
from fairseq_instr.instructions.phrasing import PhrasedInventory, hold_out, untrained_words
from fairseq_instr.prompts.language_tokens import (
    AUTO,
    LanguageTokens,
    choose_language_tokens,
    find_unsaid,
)
from fairseq_instr.prompts.options import PHRASES
from fairseq_instr.prompts.tokens import DECODER_PREFIX
from fairseq_instr.text.pairs import parse_pairs

logger = logging.getLogger(__name__)


class Vocabulary(NamedTuple):
    """Of a task for a pair of languages."""

    source: InstructedDictionary  # with the inventory's symbols at its end
    target: Dictionary  # as it is in the data-bin
    inventory: Inventory
    language_tokens: Optional[LanguageTokens]  # of a pretrained model; None where it has none

    @classmethod
    def read(cls, cfg) -> "Vocabulary":
        """The vocabulary of the (first) data-bin, of a task whose languages are known.

        Raises:
            InputError: if a file is missing, or the dictionaries don't go together.
        """
        data = utils.split_paths(cfg.data)[0]
        inventory = _load_inventory(cfg, data)
        tokens = _find_language_tokens(cfg)
        appended = tokens.appended if tokens else ()
        source, target = (
            load_dictionary(data, language, appended)
            for language in (cfg.source_lang, cfg.target_lang)
        )
        for option, text in (
            ("--lang-pairs", cfg.lang_pairs),
            ("--eval-lang-pairs", cfg.eval_lang_pairs),
        ):
            for language in {each for pair in parse_pairs(text, option) for each in pair}:
                if load_dictionary(data, language, appended) != source or source != target:
                    raise InputError(
                        f"{option}: dict.{language}.txt differs from the others in {data}; "
                        "several pairs need one joined dictionary, give fairseq-preprocess the "
                        "same --srcdict"
                    )
        logger.info(
            f"[{cfg.source_lang}] dictionary: {len(source)} types and {len(inventory)} "
            f"instructions on {len(inventory.axes)} axes"
        )
        logger.info(f"[{cfg.target_lang}] dictionary: {len(target)} types")
        if cfg.prompt_placement == DECODER_PREFIX and inventory and source != target:
            raise InputError(
                "--prompt-placement decoder-prefix needs a joined dictionary and "
                "--share-all-embeddings; dict.* of source and target differ"
            )
        unsaid = cfg.language_tokens == AUTO and tokens is None
        style = find_unsaid(source.symbols, cfg.target_lang) if unsaid else None
        if style:
            logger.warning(
                f"--language-tokens auto: the dictionary has a language token for "
                f"{cfg.target_lang!r}, and nothing says that the model was trained with it; give "
                f"--language-tokens {style} or another, or none"
            )
        hidden = [tokens.languages(d.symbols).values() if tokens else () for d in (source, target)]
        grown = InstructedDictionary.grow(source, symbols_of(cfg, inventory).symbols, hidden[0])
        if tokens:
            target = InstructedDictionary.grow(target, (), hidden[1])
        return cls(grown, target, inventory, tokens)


def symbols_of(cfg, inventory: Inventory) -> Inventory:
    """The instructions that have symbols of their own: none where a template says them."""
    return Inventory() if cfg.prompt_template else inventory


def _load_inventory(cfg, data: str) -> Inventory:
    """The inventory given by `--inventory`, or the data-bin's, or an empty one.

    Its class says how prompts say instructions.
    """
    kind = PhrasedInventory if cfg.prompt_rendering == PHRASES else Inventory
    path = Path(data, INVENTORY_FILE)
    given = cfg.inventory or (path if path.exists() else None)
    inventory = kind.load(given) if given else kind()
    if cfg.held_out_phrases and isinstance(inventory, PhrasedInventory):
        inventory.held_out = hold_out(inventory, cfg.held_out_phrases, cfg.seed)
        unheard = ", ".join(sorted(untrained_words(inventory))) or "none"
        logger.info(f"held-out phrases: words that no trained phrase has: {unheard}")
    return inventory


def _find_language_tokens(cfg) -> Optional[LanguageTokens]:
    if cfg.path:
        origin = utils.split_paths(cfg.path)[0]
        state = read_checkpoint(origin, mmap=True)
    else:
        start = StartingPoint.find(cfg)
        if start is None:
            return choose_language_tokens(cfg.language_tokens, None, "")
        origin, state = start.origin, start.state
    return choose_language_tokens(cfg.language_tokens, trained_language_tokens(state), origin)
