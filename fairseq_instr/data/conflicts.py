"""Conflicts: the same source and target under a prompt with one wrong instruction.

One instruction is swapped for another of its axis, such as `to:de` for `to:fr`, or dropped where
its axis has no other. A target that is right under the changed prompt is no conflict: what the
catalogue says of an instruction decides.

    swapped    for members of the axis that its samples can't obey (`Instruction.overlaps`)
    dropped    if a rule made its targets, which are then no plain translations

A target in one variant of a language, such as `pt-BR`, may be right in another, such as `pt`,
unless they name different scripts. A target that is its source, such as a name, is right in any
language.

A *copy* is a conflict of another kind: the source itself is the target, under the instruction of
any language but its own. It makes unlikely what a small model does in directions that it never
saw, to repeat the source.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import Dict, Iterable, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from fairseq_instr.data.draws import four_numbers
from fairseq_instr.data.mixture import parse_weights
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request, parse
from fairseq_instr.instructions.catalogue import find
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory, target_language
from fairseq_instr.instructions.inventory import direction as direction_name
from fairseq_instr.prompts import Prompt
from fairseq_instr.text.languages import same_language

logger = logging.getLogger(__name__)

ALL_AXES = "all"
SOURCE, OTHER = "source", "other"
"""The source's own language, and all that have no weight of their own."""
_PURPOSE = "conflicts"
_SCRIPT = re.compile(r"[-_]([A-Z][a-z]{3})\b")
"""The script in the code of a language, such as `zh-Hans` or `eng_Latn`."""


def parse_axes(text: str, inventory: Inventory) -> Tuple[str, ...]:
    """Axes of a `--conflict-axes` such as `target-language,case`, or `all`.

    Raises:
        InputError: if an axis has no instruction, `target-language` has a single one, or no axis
            is left.
    """
    axes = tuple(dict.fromkeys(axis.strip() for axis in text.split(",") if axis.strip()))
    # dropping the only direction would teach the model to refuse what it is always asked for
    one_language = len(inventory.members(TARGET_LANGUAGE)) == 1
    if axes == (ALL_AXES,):
        axes = tuple(a for a in inventory.axes if not (a == TARGET_LANGUAGE and one_language))
    for axis in axes:
        if axis not in inventory.axes:
            raise InputError(
                f"--conflict-axes: no instruction of the inventory is on the axis {axis!r}; "
                f"accepted: {ALL_AXES}, {', '.join(inventory.axes) or 'none, it is empty'}"
            )
        if axis == TARGET_LANGUAGE and one_language:
            raise InputError(
                f"--conflict-axes {text}: the inventory has one target language only, "
                "so there is no wrong one to draw; add another to:LANGUAGE or leave this axis out"
            )
    if not axes:
        raise InputError(
            f"--conflict-axes {text!r}: no instruction of the inventory "
            f"({', '.join(inventory.names) or 'which is empty'}) can be swapped; write an "
            "inventory with others into the data-bin with fairseq-instr inventory, or leave the "
            "option out"
        )
    return axes


def parse_swapped(
    text: Optional[str], axes: Sequence[str], inventory: Inventory
) -> Optional[Tuple[int, ...]]:
    """Positions of a `--conflict-instructions` such as `to:en`; None where none is given.

    Raises:
        InputError: if one is unknown, or not on the axes of the conflicts.
    """
    if not text:
        return None
    names = parse(text, inventory.__contains__)
    accepted = [i.name for i in inventory if i.axis in axes]
    for name in names:
        if name not in accepted:
            raise InputError(
                f"--conflict-instructions {text}: {name!r} is not an instruction on the axes of "
                f"--conflict-axes, {', '.join(axes)}; accepted: {', '.join(accepted)}"
            )
    return tuple(map(inventory.position, names))


def parse_languages(text: Optional[str], inventory: Inventory) -> Optional[Dict[str, float]]:
    """Weights of a `--conflict-languages` such as `source:1,en:1,other:2`; None for none.

    Raises:
        InputError: if an entry is not accepted, or the inventory lacks a language.
    """
    if not text:
        return None
    option = "--conflict-languages"
    weights = parse_weights(text, option, "LANGUAGE", f"{SOURCE}:1,en:1,{OTHER}:2")
    accepted = (SOURCE, OTHER, *inventory.target_languages)
    for language in weights:
        if language not in accepted:
            raise InputError(
                f"{option} {text}: {language!r} is not accepted; give {', '.join(accepted)}"
            )
    return {language: float(weight) for language, weight in weights.items()}


def wrong_instead(position: int, inventory: Inventory) -> Tuple[Optional[int], ...]:
    """Positions of what makes the targets of an instruction wrong, if it is asked for instead.

    Others of its axis; None alone to ask for nothing; empty where neither is wrong. Of an
    instruction of the user's own, all is taken to be wrong.
    """
    instruction = inventory[position]
    known = find(instruction.name)
    others = tuple(
        i
        for i in inventory.members(instruction.axis)
        # one with a slot would need an argument, and any may be right
        if i != position
        and inventory[i].argument is None
        and not _may_be_right(instruction, inventory[i])
    )
    return others or ((None,) if known is None or known.rewrite is not None else ())


def _may_be_right(instruction: Instruction, other: Instruction) -> bool:
    """Whether targets of an instruction may be right under another one of its axis."""
    language, another = target_language(instruction.name), target_language(other.name)
    if language and another:
        return are_variants(language, another)
    known = find(instruction.name)
    return known is not None and other.name in known.overlaps


def are_variants(code: str, other: str) -> bool:
    """Whether two codes may be of one language, and don't name different scripts.

    Example: `pt` and `pt-BR` are, `zh-Hans` and `zh-Hant` are not.
    """
    scripts = {*_SCRIPT.findall(code), *_SCRIPT.findall(other)}
    return same_language(code, other) and len(scripts) < 2


class Conflict(NamedTuple):
    """What makes a conflict of a sample."""

    requests: Tuple[Request, ...]  # what is asked for, in canonical order
    copies: bool = False  # whether the source takes the place of the target


class ConflictSampler:
    """Draws conflicts.

    Args:
        rate: share of the samples that get a conflict, 0 to 1.
        only: positions of the instructions that may be swapped; None for all on the axes.
        languages: how often each language is the wrong one that is asked for: weights by code,
            `source` for the source's own, `other` for the rest, a share each. None, or a sample
            of which no language has a weight: all alike.
        copies: share of the conflicts on `target-language` that are copies, 0 to 1.

    Attributes:
        left_out: names of instructions on the axes that no conflict can be made of.

    Raises:
        InputError: if a share is outside 0..1, no instruction on the axes makes a conflict, or
            languages are stated that are not on the axes.
    """

    def __init__(
        self,
        inventory: Inventory,
        axes: Sequence[str],
        rate: float,
        seed: int = 1,
        only: Optional[Sequence[int]] = None,
        languages: Optional[Mapping[str, float]] = None,
        copies: float = 0.0,
    ):
        for option, share in (("--conflict-rate", rate), ("--conflict-copies", copies)):
            if not 0 <= share <= 1:
                raise InputError(f"{option} {share} is not accepted: give a share from 0 to 1")
        if (languages or copies) and TARGET_LANGUAGE not in axes:
            raise InputError(
                f"{'--conflict-languages' if languages else '--conflict-copies'} needs "
                f"{TARGET_LANGUAGE} among --conflict-axes, which are {', '.join(axes)}"
            )
        self.rate = rate
        self.copies = copies
        self._inventory = inventory
        self._weights = dict(languages or {})
        self._language_of = {
            inventory.position(direction_name(code)): code for code in inventory.target_languages
        }
        self.seed = seed
        changes = {
            position: wrong_instead(position, inventory)
            for position, instruction in enumerate(inventory)
            if instruction.axis in axes and (only is None or position in only)
        }
        self._changes = {position: wrong for position, wrong in changes.items() if wrong}
        self._considered = frozenset(changes)
        self.left_out = tuple(inventory[i].name for i, wrong in changes.items() if not wrong)
        if self.left_out and not self._changes:
            raise InputError(
                f"--conflict-axes {','.join(axes)}: targets of {', '.join(self.left_out)} may be "
                "right without the instruction, and under each other one of its axis, so that "
                "there is no conflict; name other axes"
            )

    @classmethod
    def of(cls, cfg, inventory: Inventory, joined: bool) -> Optional[ConflictSampler]:
        """The sampler that the options of the task ask for; None for none.

        Raises:
            InputError: if an option is not accepted, or needs another.
        """
        if not cfg.conflict_axes:
            for option, value in (
                ("--conflict-instructions", cfg.conflict_instructions),
                ("--conflict-languages", cfg.conflict_languages),
                ("--conflict-copies", cfg.conflict_copies),
            ):
                if value:
                    raise InputError(f"{option} {value} needs --conflict-axes; give its axis")
            return None
        too_long = cfg.max_source_positions > cfg.max_target_positions
        if cfg.conflict_copies and (too_long or not joined):
            lacks = "one joined dictionary" if not joined else (
                f"--max-target-positions {cfg.max_source_positions} or more, as "
                "--max-source-positions has it"
            )  # fmt: skip
            raise InputError(
                f"--conflict-copies {cfg.conflict_copies} needs {lacks}: sources become targets"
            )
        axes = parse_axes(cfg.conflict_axes, inventory)
        return cls(
            inventory,
            axes,
            cfg.conflict_rate,
            seed=cfg.seed,
            only=parse_swapped(cfg.conflict_instructions, axes, inventory),
            languages=parse_languages(cfg.conflict_languages, inventory),
            copies=cfg.conflict_copies,
        )

    def chosen(self, epoch: int, places: np.ndarray) -> np.ndarray:
        """Which samples get a conflict if they have an instruction to swap: bool array."""
        if not len(places):
            return np.zeros(0, dtype=bool)
        first = int(places.min())
        count = int(places.max()) - first + 1
        drawn = four_numbers(_PURPOSE, self.seed, epoch, first, count)[:, 0]
        return drawn[places - first] < self.rate

    def count_left_out(self, compositions: Mapping[Tuple[int, ...], int]) -> Tuple[int, int]:
        """(lines that get no conflict, all lines) of those with an instruction on the axes.

        Args:
            compositions: lines by the positions of their instructions.
        """
        on_axes = {c: n for c, n in compositions.items() if not self._considered.isdisjoint(c)}
        without = sum(n for c, n in on_axes.items() if self._changes.keys().isdisjoint(c))
        return without, sum(on_axes.values())

    def log_left_out(self, split: str, compositions: Iterable[Counter]) -> None:
        """Log how many lines of the streams of a split get no conflict; see `count_left_out`."""
        without, lines = self.count_left_out(sum(compositions, Counter()))
        logger.info(
            f"{split}: {without} of {lines} lines with instructions on the axes of "
            "--conflict-axes get no conflict: their targets may be right under each other "
            f"prompt ({', '.join(self.left_out) or 'none'})"
        )

    def applies(self, requests: Iterable[Request]) -> bool:
        """Whether one of the requests may be swapped."""
        return any(request.position in self._changes for request in requests)

    def check_applies(self, requests: Iterable[Request]) -> None:
        """Refuse training data that ask for nothing which may be swapped.

        Args:
            requests: all that the samples ask for.

        Raises:
            InputError: if none of them may be.
        """
        if not self.applies(requests):
            swapped = ", ".join(self._inventory[i].name for i in self._changes) or "none"
            raise InputError(
                "--conflict-axes: no sample of the training data asks for an instruction that a "
                f"conflict swaps ({swapped}); train on a corpus with such an .instr stream, give "
                "--direction-instruction always for directions, or leave the option out"
            )

    def check_prompts(self, prompt: Prompt) -> None:
        """Refuse prompts in which a conflict reads as its sample.

        Raises:
            InputError: if two instructions that are swapped are said alike, or one not at all.
        """
        for position, instead in self._changes.items():
            for other in instead:
                asked = (Request(position),), () if other is None else (Request(other),)
                try:
                    right, wrong = (prompt.render(each)._replace(together=None) for each in asked)
                except InputError:  # such as demonstrations, which need a direction too
                    continue
                if right == wrong:
                    name = self._inventory[position].name
                    than = "without" if other is None else f"with {self._inventory[other].name!r}"
                    raise InputError(
                        f"--conflict-axes: the prompt with {name!r} is the one {than}, so that a "
                        "conflict would be its own sample; put {instructions} into "
                        "--prompt-template, or leave the axis out"
                    )

    def draw(
        self,
        epoch: int,
        place: int,
        requests: Sequence[Request],
        source: Optional[str] = None,
        untranslated: bool = False,
    ) -> Optional[Conflict]:
        """What is in conflict with the sample at a place of an epoch; None if it gets none.

        Args:
            source: language of its source, which tells copies and `source` from others.
            untranslated: whether its target is its source.
        """
        candidates = [
            request
            for request in requests
            if request.position in self._changes
            # a name or a number is the same in any language
            and not (untranslated and request.position in self._language_of)
        ]
        if not candidates:
            return None
        chosen, which, other, copied = four_numbers(_PURPOSE, self.seed, epoch, place, 1)[0]
        if chosen >= self.rate:
            return None
        wrong = candidates[int(which * len(candidates))]
        instead = self._changes[wrong.position]
        language = self._language_of.get(wrong.position)
        # of text in one language, as in the group denoise, the target is the copy
        copies = language is not None and source not in (None, language) and copied < self.copies
        if copies:  # the right language is as wrong for it as the others
            wrong_for_it = self._languages_unlike(source)
            copies, instead = bool(wrong_for_it), wrong_for_it or instead
        if language is None or not self._weights:
            position = instead[int(other * len(instead))]
        else:
            bounds = np.cumsum(self._shares(instead, source))
            position = instead[int(np.searchsorted(bounds, other * bounds[-1], side="right"))]
        changed = [request for request in requests if request is not wrong]
        if position is not None:
            changed.append(Request(position))
        return Conflict(tuple(sorted(changed, key=lambda request: request.position)), copies)

    def _languages_unlike(self, source: Optional[str]) -> Tuple[Optional[int], ...]:
        return tuple(p for p, c in self._language_of.items() if not are_variants(c, source or ""))

    def _shares(self, instead: Sequence[Optional[int]], source: Optional[str]) -> np.ndarray:
        """How often each of some directions is asked for, not normalised: float64 `(n,)`."""
        known = self._language_of
        languages = ["" if position is None else known.get(position, "") for position in instead]
        others = [c for c in languages if c not in self._weights and c != source]
        shares = np.array(
            [
                self._weights.get(language, 0.0)
                + (self._weights.get(SOURCE, 0.0) if language == source else 0.0)
                + (self._weights.get(OTHER, 0.0) / len(others) if language in others else 0.0)
                for language in languages
            ]
        )
        return shares if shares.any() else np.ones(len(languages))
