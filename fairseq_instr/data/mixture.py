"""The mixture: how many samples of each group an epoch holds, and which.

A group is a set of corpora that share a sampling weight; inside a group every sample counts
the same. In each epoch the groups stand in exactly the stated ratio; within a group, samples
come from an endless stream of permutations, so every sample is seen once per pass over its
group and none is lost when epochs and passes don't end together.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Dict, Mapping, Optional

import numpy as np

from fairseq_instr.data.draws import stable_hash
from fairseq_instr.data.permutation import stream_slice
from fairseq_instr.errors import InputError

_KEY = stable_hash("mixture")


def parse_mixture(text: str) -> Dict[str, Fraction]:
    """Weights of a `--mixture` such as `parallel:2,task:1`; raises as `parse_weights`."""
    return parse_weights(text, "--mixture", "GROUP", "parallel:2,task:1")


def parse_weights(text: str, option: str, what: str, example: str) -> Dict[str, Fraction]:
    """Weights by name, of an option such as `--mixture parallel:2,task:1`.

    Args:
        what: what the names are, for errors: `GROUP`.
        example: of a value, for errors.

    Raises:
        InputError: if an entry is not NAME:WEIGHT, a weight is not above zero, or a name
            stands twice.
    """
    weights: Dict[str, Fraction] = {}
    for entry in text.split(","):
        name, colon, weight = (part.strip() for part in entry.rpartition(":"))
        try:
            value = Fraction(weight)
        except (ValueError, ZeroDivisionError):
            value = Fraction(0)
        if not colon or not name or value <= 0 or name in weights:
            raise InputError(
                f"{option} {text!r}: {entry.strip()!r} is not accepted; give each {what.lower()} "
                f"once, as {what}:WEIGHT with a weight above zero, such as {example}"
            )
        weights[name] = value
    return weights


class Mixture:
    """Which samples each epoch sees.

    Args:
        sizes: number of samples of each group.
        weights: weight of each group; None to take every group as a whole in each epoch.
        epoch_samples: samples in an epoch, all groups together. None: as many as make one
            pass over the group that is scarcest for its weight, so that no group is seen twice.

    Raises:
        InputError: if a weighted group is not there or is empty.

    Example: `Mixture({"parallel": 100, "task": 10}, {"parallel": 2, "task": 1})` draws 20
    and 10 samples in each epoch, and has seen every parallel sample after five of them.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        weights: Optional[Mapping[str, Fraction]] = None,
        seed: int = 1,
        epoch_samples: Optional[int] = None,
    ):
        if weights is None:
            weights = {name: Fraction(size) for name, size in sizes.items() if size}
        for name in weights:
            if not sizes.get(name):
                raise InputError(
                    f"--mixture names the group {name!r}, which has no training data; groups "
                    f"with data: {', '.join(n for n, size in sizes.items() if size) or 'none'}; a "
                    "corpus of another pair than -s and -t or --lang-pairs name is left out"
                )
        self.sizes = {name: sizes[name] for name in weights}
        self.weights = {name: Fraction(weight) for name, weight in weights.items()}
        self.seed = seed
        total = sum(self.weights.values())
        if epoch_samples is not None:
            self._scale = Fraction(epoch_samples) / total
        else:
            self._scale = min(self.sizes[n] / self.weights[n] for n in self.weights)

    @classmethod
    def of(cls, cfg, sizes: Mapping[str, int], at_once: int) -> Optional[Mixture]:
        """The mixture that the options ask for; None for all of the data in each epoch.

        Args:
            at_once: most samples that an epoch has without a mixture; more are drawn by parts.

        Raises:
            InputError: if an option is not accepted, or needs another.
        """
        samples = cfg.epoch_samples
        if not cfg.mixture:
            if samples:
                raise InputError("--epoch-samples goes with --mixture; give the groups' weights")
            return cls(sizes, seed=cfg.seed) if sum(sizes.values()) > at_once else None
        if samples is not None and samples <= 0:
            raise InputError(f"--epoch-samples {samples}: give a number above zero")
        return cls(sizes, parse_mixture(cfg.mixture), cfg.seed, samples)

    @property
    def epoch_samples(self) -> int:
        """Samples in an epoch, all groups together, rounded up."""
        return math.ceil(self._scale * sum(self.weights.values()))

    def drawn_before(self, name: str, epoch: int, part: int = 0, parts: int = 1) -> int:
        """Samples of a group drawn before part `part` (from 0) of `parts` of an epoch."""
        return int(self._scale * self.weights[name] * (epoch - 1 + Fraction(part, parts)))

    def counts(self, epoch: int, part: int = 0, parts: int = 1) -> Dict[str, int]:
        """Samples of each group in an epoch (from 1), or in part `part` (from 0) of `parts`.

        The groups stand in the stated ratio in each part; fractions even out.
        """
        return {
            name: self.drawn_before(name, epoch, part + 1, parts)
            - self.drawn_before(name, epoch, part, parts)
            for name in self.weights
        }

    def draw(self, epoch: int, part: int = 0, parts: int = 1) -> Dict[str, np.ndarray]:
        """Indices into each group that an epoch, or a part of it, sees: int64, random order."""
        drawn = {}
        for name, count in self.counts(epoch, part, parts).items():
            first, key = self.drawn_before(name, epoch, part, parts), stable_hash(name)
            drawn[name] = stream_slice(self.sizes[name], first, count, (_KEY, self.seed, key))
        return drawn
