"""Random numbers that depend on the seed, the epoch and a sample's place in it alone.

So they are fresh in each epoch, and the same for any number of workers, shards and resumes.
Philox (Salmon et al., 2011) has a counter in place of a state that is gone through: the numbers
of a place are computed without those of the others.
"""

from __future__ import annotations

import zlib

import numpy as np


def stable_hash(name: str) -> int:
    """A number in 0..2^32-1 that is the same in every process (`hash` is not)."""
    return zlib.crc32(name.encode("utf-8"))


def numbers_at(
    purpose: str, seed: int, epoch: int, place: int, item: int = 0
) -> np.random.Generator:
    """A generator of any many numbers for one place of an epoch.

    Args:
        purpose: such as `denoise`; each has numbers of its own.
        item: number of something at that place which has draws of its own.
    """
    key = [stable_hash(purpose), seed]
    return np.random.Generator(np.random.Philox(key=key, counter=[0, item, place, epoch]))


def four_numbers(purpose: str, seed: int, epoch: int, first: int, count: int) -> np.ndarray:
    """Four numbers in [0, 1) for each of the places from `first` on: float64 `(count, 4)`."""
    key = [stable_hash(purpose), seed]
    generator = np.random.Generator(np.random.Philox(key=key, counter=[first, 0, 0, epoch]))
    return generator.random((count, 4))
