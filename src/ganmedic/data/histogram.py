"""A histogram whose range nobody knows beforehand.

The bins have a width of a power of two and lie on multiples of it. When a value falls outside, neighbours are merged until
256 bins reach. So two histograms can always be added exactly, in any order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bins at most.
BINS = 256
#: A single value needs no narrower bins than this share of its size: float32 knows no finer ones.
_FINEST = 24


class Histogram:
    """Counts of the finite values of one channel or column."""

    def __init__(self) -> None:
        self.exponent = -1074
        self.first = 0
        self.counts: NDArray[np.int64] = np.zeros(0, np.int64)

    @classmethod
    def of_bytes(cls, counts: NDArray[np.int64]) -> Histogram:
        """The histogram of 8-bit values, of which each is counted: int64 array (256,)."""
        made = cls()
        made.exponent, made.first, made.counts = 0, 0, counts.copy()
        return made

    @classmethod
    def of_bins(cls, edges: Sequence[float], counts: Sequence[int]) -> Histogram:
        """The histogram whose edges and counts these are: the way back from `edges` and `counts`."""
        made = cls()
        made.exponent = math.frexp(edges[1] - edges[0])[1] - 1
        made.first, made.counts = round(math.ldexp(edges[0], -made.exponent)), np.array(counts, np.int64)
        return made

    def update(self, values: NDArray[Any]) -> None:
        """Count values, an array of any shape; what is not finite is left out."""
        real = np.asarray(values, np.float64).ravel()
        real = real[np.isfinite(real)]
        if not len(real):
            return
        low, high = float(real.min()), float(real.max())
        exponent = max(_exponent(low, high), self.exponent if len(self.counts) else -1074)
        made = Histogram()
        made.exponent = exponent
        places = np.floor(np.ldexp(real, -exponent))
        made.first = int(places.min())
        made.counts = np.bincount((places - made.first).astype(np.int64)).astype(np.int64)
        self.merge(made)

    def merge(self, other: Histogram) -> None:
        """Add the counts of another one."""
        if not len(other.counts):
            return
        if not len(self.counts):
            self.exponent, self.first, self.counts = other.exponent, other.first, other.counts.copy()
            return
        exponent = max(self.exponent, other.exponent)
        while True:
            parts = [part._coarser(exponent) for part in (self, other)]
            first = min(begin for begin, _ in parts)
            size = max(begin + len(counts) for begin, counts in parts) - first
            if size <= BINS + 1:
                break
            exponent += max(1, (size // (BINS + 1)).bit_length() - 1)
        merged = np.zeros(size, np.int64)
        for begin, counts in parts:
            merged[begin - first : begin - first + len(counts)] += counts
        self.exponent, self.first, self.counts = exponent, first, merged

    def _coarser(self, exponent: int) -> tuple[int, NDArray[np.int64]]:
        shift = exponent - self.exponent
        if shift == 0:
            return self.first, self.counts
        places = [(self.first + index) >> shift for index in range(len(self.counts))]
        merged = np.zeros(places[-1] - places[0] + 1, np.int64)
        np.add.at(merged, np.array(places) - places[0], self.counts)
        return places[0], merged

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    @property
    def edges(self) -> NDArray[np.float64]:
        """Where the bins begin, and where the last one ends: float64 array (bins + 1,)."""
        return np.ldexp(np.arange(self.first, self.first + len(self.counts) + 1, dtype=np.float64), self.exponent)

    def share_outside(self, low: float, high: float) -> float:
        """Share of the values outside [low, high]; within a bin that an end cuts, they count as spread evenly.

        Values that lie on an end itself are within. They fall into the bin that begins at `high`, which therefore counts no
        more than the one behind it.
        """
        edges, counts = self.edges, self.counts.astype(np.float64)
        width = edges[1:] - edges[:-1]
        below = np.clip((low - edges[:-1]) / width, 0.0, 1.0)
        above = np.clip((edges[1:] - high) / width, 0.0, 1.0)
        outside = counts * (below + above)
        place = int(np.searchsorted(edges, high))
        if place < len(counts) and edges[place] - high <= 1e-3 * width[place]:
            following = counts[place + 1] if place + 1 < len(counts) else 0.0
            outside[place] = min(outside[place], following)
        return float(outside.sum() / max(1, self.total))

    def quantile(self, share: float) -> float:
        """The value below which that share of the values lies, to the width of a bin."""
        if not self.total:
            return math.nan
        running = np.cumsum(self.counts) / self.total
        place = int(np.searchsorted(running, share))
        return float(self.edges[min(place, len(self.counts) - 1)])


def _exponent(low: float, high: float) -> int:
    """The smallest power of two by which BINS bins reach from `low` to `high`."""
    largest = max(abs(low), abs(high))
    finest = (math.frexp(largest)[1] if largest else -1000) - _FINEST
    # Halves, for the difference of two finite numbers may be infinite.
    half = high / 2 - low / 2
    needed = math.frexp(half)[1] + 2 - 8 if half > 0 else finest
    return max(needed, finest, -1000)
