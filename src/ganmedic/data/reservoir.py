"""A fair sample of samples, the same one whatever the number of workers.

Each sample draws its lot from its own place (block and position within) and the seed; the lowest lots stay. That is a uniform
sample without replacement, and two samples are merged by taking the lowest of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def lots(block: int, count: int, seed: int) -> NDArray[np.uint64]:
    """Return the lots of the first `count` samples of a block (splitmix64 of their places)."""
    with np.errstate(over="ignore"):
        state = np.arange(count, dtype=np.uint64) + (np.uint64(block) << np.uint64(32)) + np.uint64(seed + 1) * _GOLDEN
        state = state * _GOLDEN
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(state ^ (state >> np.uint64(31)))


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
#: Every lot lies below it.
NO_CUTOFF = (1 << 64) - 1


class Reservoir:
    """The samples of the lowest lots.

    Args:
        size: how many are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: list[tuple[int, int, Any]] = []
        self.cutoff = NO_CUTOFF

    def add(self, drawn: Sequence[tuple[int, int, Any]]) -> None:
        """Add samples: lot, index in the data set, and what is kept of each."""
        self._kept += [entry for entry in drawn if entry[0] <= self.cutoff]
        if len(self._kept) > 2 * self.size:
            self._settle()

    def samples(self) -> tuple[NDArray[np.int64], list[Any]]:
        """Return the indices, in order, and what was kept of each."""
        self._settle()
        ordered = sorted(self._kept, key=lambda entry: entry[1])
        return np.array([entry[1] for entry in ordered], np.int64), [entry[2] for entry in ordered]

    def _settle(self) -> None:
        self._kept.sort(key=lambda entry: entry[0])
        del self._kept[self.size :]
        if len(self._kept) == self.size:
            self.cutoff = self._kept[-1][0]
