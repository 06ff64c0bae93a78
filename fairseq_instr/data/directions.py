"""The language pairs of a task, and whether its prompts say the target language."""

from __future__ import annotations

from typing import List, Optional, Set, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory, direction
from fairseq_instr.text.pairs import Pair, parse_pairs, split_pair

AUTO, ALWAYS, NEVER = "auto", "always", "never"
DIRECTION_MODES = (AUTO, ALWAYS, NEVER)
"""Values of `--direction-instruction`."""


class Directions:
    """What asks for the target language of each pair.

    Args:
        native: whether prompts say it in the language tokens of a pretrained model.

    Attributes:
        trained: pairs of the loaded checkpoint, such as `en-de`; empty if they are not known.
    """

    def __init__(self, cfg, inventory: Inventory, native: bool):
        self.cfg, self.inventory, self.native = cfg, inventory, native
        self.trained: Tuple[str, ...] = ()
        self.one_pair = False  # whether `-s` and `-t` choose among `--lang-pairs`
        self._taken: Optional[str] = None  # what --direction-instruction auto became

    @property
    def pairs(self) -> List[Pair]:
        """Language pairs that are trained, or translated."""
        own = (self.cfg.source_lang, self.cfg.target_lang)
        several = None if self.one_pair else self.cfg.lang_pairs
        return parse_pairs(several, "--lang-pairs") or [own]

    @property
    def validated_pairs(self) -> List[Pair]:
        """Language pairs that are validated besides."""
        return parse_pairs(self.cfg.eval_lang_pairs, "--eval-lang-pairs")

    @property
    def languages(self) -> Set[str]:
        """All languages of these pairs, and those that can be asked for."""
        pairs = (*self.pairs, *self.validated_pairs)
        return {*self.inventory.target_languages, *(code for pair in pairs for code in pair)}

    @property
    def given(self) -> bool:
        """Whether prompts say the target language as an instruction."""
        mode = self.cfg.direction_instruction
        several = len(self.inventory.members(TARGET_LANGUAGE)) > 1
        return mode == ALWAYS or (mode == AUTO and several)

    @property
    def said(self) -> bool:
        """Whether prompts say the target language, as an instruction or in language tokens."""
        return self.given or self.native

    def request(self, pair: Pair) -> Optional[Request]:
        """What asks for a pair's target language, where prompts say it.

        Raises:
            InputError: if the inventory lacks the language.
        """
        if not self.given:
            several = len({target for _, target in self.pairs}) > 1
            if several and self.cfg.direction_instruction == AUTO:
                raise InputError(
                    f"--lang-pairs {self.cfg.lang_pairs}: several target languages need an "
                    "inventory with a to:LANGUAGE for each; write one into the data-bin with "
                    "fairseq-instr inventory"
                )
            return None
        name = direction(pair[1])
        if name not in self.inventory:
            raise InputError(
                f"target language {pair[1]!r} has no instruction {name!r} in the inventory; "
                f"languages there: {', '.join(self.inventory.target_languages) or 'none'}; add "
                "it to the inventory, or give --direction-instruction never"
            )
        return Request(self.inventory.position(name))

    def take(self, trained: str) -> None:
        """Under `auto`, say directions from here on as training did, `always` or `never`.

        Raises:
            InputError: if another checkpoint was trained differently.
        """
        if self.cfg.direction_instruction == AUTO:
            self._taken = self.cfg.direction_instruction = trained
        elif self._taken not in (None, trained):
            raise InputError(
                "--direction-instruction auto: the checkpoints were trained differently, with "
                "always and with never; say which one is meant"
            )

    def check_trained(self) -> None:
        """Refuse a direction that a model without direction instructions was not trained in.

        Raises:
            InputError: names the directions that it was trained in.
        """
        known: List[Tuple[str, str]] = [split_pair(pair) or ("", "") for pair in self.trained]
        if not known or self.said:
            return
        for source, target in self.pairs:
            if source not in dict(known) or target not in {pair[1] for pair in known}:
                raise InputError(
                    f"-s {source} -t {target}: the model was trained in "
                    f"{', '.join(self.trained)} alone; give one of these"
                )
