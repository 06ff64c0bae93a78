"""What a checkpoint remembers of the task that trained it, and using it must agree with."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.phrasing import PhrasedInventory
from fairseq_instr.prompts.language_tokens import LanguageTokens

INVENTORY_KEY, HELD_OUT_KEY = "instruction_inventory", "held_out_phrases"
_RENDERING_KEY = "prompt_rendering"
_KEYS = {
    "placement": "prompt_placement",
    "in_words": "prompt_in_words",
    "direction": "direction_instruction",
    "dictionaries": "dictionary_fingerprints",
    "pairs": "language_pairs",
    "language_tokens": "language_tokens",
    "chat_template": "chat_template",
}
"""Field of `TaskState` -> key in the state of a task, of all but the inventory."""


class TaskState(NamedTuple):
    """What one checkpoint remembers, or what a task would let one remember."""

    inventory: Optional[Inventory]  # the instructions that have symbols; None for a base model
    placement: Optional[str] = None  # value of `--prompt-placement`; None for a base model
    # `always` or `never`, whether prompts said the direction; None for a base model
    direction: Optional[str] = None
    # template that said the instructions, as text; False where symbols did, True for checkpoints
    # that don't remember theirs
    in_words: Union[str, bool] = False
    # fingerprints of the dictionaries by side, `source` and `target`; empty for checkpoints that
    # remember none
    dictionaries: Mapping[str, str] = {}
    # language pairs that were trained, such as `en-de`; empty for checkpoints that remember none
    pairs: Tuple[str, ...] = ()
    # of the pretrained model, in which prompts say the direction; None where they don't
    language_tokens: Optional[LanguageTokens] = None
    # how prompts in words are said, as Hugging Face's tokenizers take it; None where there are none
    chat_template: Optional[str] = None

    @classmethod
    def of(cls, state: Mapping) -> TaskState:
        """Read the state of a task in a checkpoint.

        Raises:
            InputError: if the inventory, or the phrases that training left out, are not as a
                task writes them.
        """
        saved: Dict[str, Any] = {field: state.get(key) for field, key in _KEYS.items()}
        saved.update(
            in_words=saved["in_words"] or False,
            dictionaries=saved["dictionaries"] or {},
            pairs=tuple(map(str, saved["pairs"] or ())),
            language_tokens=LanguageTokens.of_list(saved["language_tokens"]),
        )
        return cls(inventory_of(state), **saved)

    @staticmethod
    def without(state: Mapping) -> dict:
        """What fairseq's own tasks keep in the state of a task."""
        own = {INVENTORY_KEY, HELD_OUT_KEY, _RENDERING_KEY, *_KEYS.values()}
        return {key: value for key, value in state.items() if key not in own}

    def to_dict(self) -> dict:
        """The state as `of` reads it."""
        inventory = Inventory() if self.inventory is None else self.inventory
        held_out = held_out_of(inventory)
        fields = {
            **self._asdict(),
            "dictionaries": dict(self.dictionaries),
            "pairs": list(self.pairs),
            "language_tokens": self.language_tokens and [*self.language_tokens],
        }
        return {
            INVENTORY_KEY: inventory.to_dict(),
            _RENDERING_KEY: inventory.rendering,
            HELD_OUT_KEY: {name: list(phrases) for name, phrases in held_out.items()},
            **{key: fields[field] for field, key in _KEYS.items()},
        }

    def base_dict(self) -> dict:
        """The state of a base model, which knows its language tokens alone."""
        key = _KEYS["language_tokens"]
        return {key: self.to_dict()[key]}

    def check_extends(
        self, trained: TaskState, origin: str = "the checkpoint", moved: bool = False
    ) -> None:
        """Make sure that a task can use a checkpoint.

        Args:
            trained: of the checkpoint; `self` is the task's.
            origin: the checkpoint, for errors.
            moved: whether prompts may stand elsewhere than in the checkpoint's training.

        Raises:
            InputError: if the inventories, the renderings or placements of the prompt, or the
                dictionaries differ.
        """
        for side, expected in trained.dictionaries.items():
            if self.dictionaries.get(side, expected) != expected:
                raise InputError(
                    f"{origin} was trained with another {side} dictionary; use the data-bin and "
                    "the subwords that it was trained with"
                )
        if trained.language_tokens not in (None, self.language_tokens):
            raise InputError(
                f"--language-tokens: {origin} was trained with language tokens such as "
                f"{trained.language_tokens.token('de')}, which the task does not say; leave the "
                "option out"
            )
        if trained.in_words and not self.in_words:
            raise InputError(f"{origin} was trained with prompts in words; give --prompt-template")
        if trained.inventory and self.in_words:
            raise InputError(
                f"--prompt-template: {origin} was trained with symbols for "
                f"{len(trained.inventory)} instructions; leave the option out"
            )
        placements = (None, self.placement)
        if trained.inventory and trained.placement not in placements and not moved:
            raise InputError(
                f"--prompt-placement {self.placement}: {origin} was trained with "
                f"{trained.placement}; give --prompt-placement {trained.placement}"
            )
        if trained.inventory is not None and self.inventory is not None:
            self.inventory.check_extends(trained.inventory, origin)


def task_state_of(state: Mapping) -> TaskState:
    """What a checkpoint remembers of its task; raises as `TaskState.of`."""
    return TaskState.of(state.get("task_state") or {})


def trained_language_tokens(state: Mapping) -> Optional[LanguageTokens]:
    """Language tokens that a checkpoint was trained with, by this task or one of fairseq's."""
    own = task_state_of(state).language_tokens
    return own or LanguageTokens.of_settings(settings_of(state, "task"))


def fingerprint(symbols: Sequence[str]) -> str:
    """Sixteen hexadecimal digits that two dictionaries share if their entries and order agree."""
    return hashlib.sha256("\n".join(symbols).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def inventory_of(state: Mapping) -> Optional[Inventory]:
    """The inventory in the state of a task, of the class that its prompts need; or None."""
    content = state.get(INVENTORY_KEY)
    if content is None:
        return None
    inventory = Inventory.from_dict(content, origin="checkpoint")
    if state.get(_RENDERING_KEY) != PhrasedInventory.rendering:
        return inventory
    held_out = state.get(HELD_OUT_KEY)
    if not isinstance(held_out, dict) or not all(
        isinstance(name, str) and isinstance(phrases, (list, tuple))
        for name, phrases in held_out.items()
    ):
        raise InputError(f"checkpoint: its {HELD_OUT_KEY!r} is no map of names to phrases")
    return PhrasedInventory(inventory, {name: tuple(held_out[name]) for name in held_out})


def held_out_of(inventory: Inventory) -> Mapping[str, Sequence[str]]:
    """Phrases that training leaves out or left out, by the name of their instruction."""
    return inventory.held_out if isinstance(inventory, PhrasedInventory) else {}


def take_held_out(inventory: Inventory, trained: Inventory, asked: Optional[float]) -> None:
    """Leave out the phrases that a checkpoint was trained without; more are untrue.

    `inventory` is changed where `asked`, the value of `--held-out-phrases`, is None.

    Raises:
        InputError: if a phrase is left out that the checkpoint was trained with.
    """
    if not trained or not isinstance(trained, PhrasedInventory):
        return
    if asked is None and isinstance(inventory, PhrasedInventory):
        inventory.held_out = trained.held_out
    for name, phrases in held_out_of(inventory).items():
        seen = set(phrases).difference(trained.held_out.get(name, ()))
        if seen and name in trained:
            raise InputError(
                f"--held-out-phrases {asked}: the checkpoint was trained with {min(seen)!r}, a "
                f"phrase of {name!r}; leave the option out, or start from a model that never "
                "saw it"
            )
