"""Conflicts: the same source and target under a prompt with one wrong instruction.

One instruction is swapped for another of its axis, so that on `target-language` the wrong
language is never the right one; an axis with one member conflicts by dropping it. What is
drawn depends on the seed, the epoch and the sample's place in the epoch alone: it is fresh in
each epoch, and the same for any number of workers, shards and resumes.
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

import numpy as np

from fairseq_instr.data.permutation import stable_hash
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request, parse
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory

ALL_AXES = "all"
_KEY = stable_hash("conflicts")


def parse_axes(text: str, inventory: Inventory) -> Tuple[str, ...]:
    """Axes of a `--conflict-axes` such as `target-language,case`, or `all`.

    `all` leaves `target-language` out where there is a single one: no other can be asked for.

    Raises:
        InputError: if an axis has no instruction, or `target-language` has a single one.
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
    return axes


def parse_swapped(
    text: Optional[str], axes: Sequence[str], inventory: Inventory
) -> Optional[Tuple[int, ...]]:
    """Positions of a `--conflict-instructions` such as `to:en`; None where none is given.

    Raises:
        InputError: if one is unknown, or not on the axes of the conflicts.
    """
    if text is None:
        return None
    names = parse(text)
    accepted = [i.name for i in inventory if i.axis in axes]
    for name in names:
        if name not in accepted:
            raise InputError(
                f"--conflict-instructions {text}: {name!r} is not an instruction on the axes of "
                f"--conflict-axes, {', '.join(axes)}; accepted: {', '.join(accepted)}"
            )
    return tuple(map(inventory.position, names))


def uniform(key: int, seed: int, epoch: int, places: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) that depend on the arguments alone, by SplitMix64 (Steele et al., 2014).

    A counter in place of a generator's state: any sample's draw is computed without the others.
    """
    base = np.random.SeedSequence([key, seed, epoch]).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        z = base + (places.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / float(1 << 53)


class ConflictSampler:
    """Draws conflicts.

    Args:
        inventory: where wrong instructions come from.
        axes: axes on which instructions are swapped.
        rate: share of the samples that get a conflict, 0 to 1.
        seed: of the draws.
        only: positions of the instructions that may be swapped; None for all on the axes.

    Raises:
        InputError: if the rate is outside 0..1.
    """

    def __init__(
        self,
        inventory: Inventory,
        axes: Sequence[str],
        rate: float,
        seed: int = 1,
        only: Optional[Sequence[int]] = None,
    ):
        if not 0 <= rate <= 1:
            raise InputError(f"--conflict-rate {rate} is not accepted: give a share from 0 to 1")
        self.rate = rate
        self.seed = seed
        # position of what may be swapped -> the other members of its axis
        self._swaps = {
            position: tuple(
                i
                for i in inventory.members(instruction.axis)
                # one with a slot would need an argument, and any may be right
                if i != position and inventory[i].argument is None
            )
            for position, instruction in enumerate(inventory)
            if instruction.axis in axes and (only is None or position in only)
        }

    def chosen(self, epoch: int, places: np.ndarray) -> np.ndarray:
        """Which samples get a conflict if they have an instruction to swap: bool array."""
        return uniform(_KEY, self.seed, epoch, places) < self.rate

    def applies(self, requests: Sequence[Request]) -> bool:
        """Whether one of the requests may be swapped."""
        return any(request.position in self._swaps for request in requests)

    def draw(
        self, epoch: int, place: int, requests: Sequence[Request]
    ) -> Optional[Tuple[Request, ...]]:
        """Requests in conflict with the sample at a place of an epoch; None if it gets none.

        Args:
            epoch: epoch, from 1.
            place: the sample's place in the epoch.
            requests: what is asked of it.
        """
        candidates = [request for request in requests if request.position in self._swaps]
        if not candidates or not self.chosen(epoch, np.array([place]))[0]:
            return None
        which, other = uniform(_KEY + 1, self.seed, epoch, np.array([2 * place, 2 * place + 1]))
        wrong = candidates[int(which * len(candidates))]
        others = self._swaps[wrong.position]
        swapped = [request for request in requests if request is not wrong]
        if others:
            swapped.append(Request(others[int(other * len(others))]))
        return tuple(sorted(swapped, key=lambda request: request.position))
