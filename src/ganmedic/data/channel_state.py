"""Mean, spread and range of a slice of values, and how two such measurements become one.

    n    = n1 + n2
    mean = (n1 mean1 + n2 mean2) / n
    M2   = M2_1 + M2_2 + (mean2 - mean1)^2 n1 n2 / n          spread = sqrt(M2 / n)

The spread itself is kept and not M2, so that neither 1e200 nor 1e-200 leaves what float64 can hold.

References:
    Chan, Golub, LeVeque, *Algorithms for Computing the Sample Variance: Analysis and Recommendations*, 1983,
    https://doi.org/10.1080/00031305.1983.10483115 (equation 1.5 merges, 1.7 corrects the two-pass algorithm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: So many values are converted to float64 at a time: 512 kB, which stay in the cache of one core.
SLICE = 65_536
#: So many values lie side by side while they are summed: three channels alone would leave the vector unit idle.
_SIDE_BY_SIDE = 1024
#: What is counted of each channel, and what is measured.
COUNTED, MEASURED = ("count", "nonfinite"), ("mean", "spread", "minimum", "maximum")

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class ChannelState:
    """What is known of some values: six numbers a channel."""

    def __init__(
        self, count: Counts, nonfinite: Counts, mean: Floats, spread: Floats, minimum: Floats, maximum: Floats
    ) -> None:
        self.count, self.nonfinite = count, nonfinite
        self.mean, self.spread, self.minimum, self.maximum = mean, spread, minimum, maximum

    @classmethod
    def empty(cls, channels: int) -> ChannelState:
        zeros, none = np.zeros(channels), np.zeros(channels, np.int64)
        return cls(none, none.copy(), zeros, zeros.copy(), np.full(channels, np.inf), np.full(channels, -np.inf))

    @classmethod
    def of(cls, lists: Mapping[str, Floats]) -> ChannelState:
        state = cls.empty(len(lists["count"]))
        state.count, state.nonfinite = (lists[name].astype(np.int64) for name in COUNTED)
        for name in MEASURED:
            setattr(state, name, np.where(state.count > 0, lists[name], getattr(state, name)))
        return state

    @property
    def channels(self) -> int:
        return len(self.count)

    def merge(self, other: ChannelState) -> None:
        count = self.count + other.count
        some = np.maximum(count, 1)
        before, after = self.count / some, other.count / some
        # Halves, for the difference of two finite numbers may be infinite.
        half = other.mean / 2 - self.mean / 2
        between = np.abs(half) * (2 * np.sqrt(before * after))
        within = np.hypot(self.spread * np.sqrt(before), other.spread * np.sqrt(after))
        self.mean = self.mean * before + other.mean * after
        self.spread = np.hypot(within, between)
        self.minimum = np.minimum(self.minimum, other.minimum)
        self.maximum = np.maximum(self.maximum, other.maximum)
        self.count, self.nonfinite = count, self.nonfinite + other.nonfinite
        # A constant has that mean and no spread, whatever was rounded on the way.
        constant = self.minimum == self.maximum
        self.mean = np.where(constant, self.minimum, self.mean)
        self.spread = np.where(constant, 0.0, self.spread)


def measured(values: NDArray[Any]) -> ChannelState:
    """Measures a slice: real array (values, channels), not empty."""
    count, channels = values.shape
    aside = max(1, min(count, _SIDE_BY_SIDE // channels))
    whole = count - count % aside
    state = _quickly(values[:whole], aside)
    if whole < count:
        state.merge(_quickly(values[whole:], 1))
    return state


def _quickly(values: NDArray[Any], aside: int) -> ChannelState:
    """Measures values without a look at each: what is not finite, too large or too small shows itself in the sums."""
    count, channels = values.shape
    rows = values.reshape(count // aside, aside * channels)
    real = rows.astype(np.float64)
    # Minimum and maximum are fastest in the type of the data, where the processor knows it.
    ordered = rows if rows.dtype.isnative and rows.dtype.kind in "uif" and rows.dtype.itemsize != 2 else real

    def folded(sums: Floats) -> Floats:
        total: Floats = sums.reshape(aside, channels).sum(axis=0)
        return total

    with np.errstate(all="ignore"):
        minimum = ordered.min(axis=0).reshape(aside, channels).min(axis=0).astype(np.float64)
        maximum = ordered.max(axis=0).reshape(aside, channels).max(axis=0).astype(np.float64)
        mean = folded(real.sum(axis=0)) / count
        # From here on `real`, and `ordered` where it is the same, lies around zero.
        real -= np.tile(mean, aside)
        # What the rounded mean leaves over: the correction of the two-pass algorithm (Chan et al., equation 1.7).
        rest = folded(real.sum(axis=0)) / count
        spread = np.sqrt(np.maximum(folded(np.einsum("ij,ij->j", real, real)) / count - rest * rest, 0.0))
        mean = mean + rest
    unsure = ~np.isfinite(mean) | ~np.isfinite(spread) | ((spread < _SMALL) & (minimum != maximum))
    if unsure.any():
        return _carefully(values.astype(np.float64))
    counts = np.full(channels, count, np.int64)
    return ChannelState(counts, np.zeros(channels, np.int64), mean, spread, minimum, maximum)


#: Squares of differences below this one lose digits, or all of them (float64 ends at 2.2e-308).
_SMALL = 1e-145


def _carefully(real: Floats) -> ChannelState:
    """Measures values of which some are not finite, or too large or too small to be squared."""
    finite = np.isfinite(real)
    count = finite.sum(axis=0)
    some = np.maximum(count, 1)
    minimum = np.where(finite, real, np.inf).min(axis=0)
    maximum = np.where(finite, real, -np.inf).max(axis=0)
    # The middle is taken off and the rest brought to [-1, 1] by a power of two, which rounds nothing.
    lowest, highest = (np.where(count > 0, end, 0.0) for end in (minimum, maximum))
    middle, reach = lowest / 2 + highest / 2, highest / 2 - lowest / 2
    exponent = np.frexp(np.where(reach > 0, reach, 1.0))[1]
    unit = np.where(finite, np.ldexp(np.where(finite, real, 0.0) / 2 - middle / 2, 1 - exponent), 0.0)
    mean = unit.sum(axis=0) / some
    spread = np.sqrt((np.where(finite, unit - mean, 0.0) ** 2).sum(axis=0) / some)
    return ChannelState(
        count.astype(np.int64),
        (~finite).sum(axis=0).astype(np.int64),
        middle + np.ldexp(mean, exponent),
        np.ldexp(spread, exponent),
        minimum,
        maximum,
    )


def slices(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The values as arrays (values, channels) of about `SLICE` entries; none is larger than a sample or 16 rows."""
    channels = values.shape[-1]
    if values.size == 0:
        return
    # A sample that does not lie in memory as it is written is copied by `reshape`: one group of samples at a time.
    group = len(values) if values.flags.c_contiguous else max(1, SLICE // (values.size // len(values)))
    step = max(16, SLICE // channels)
    for first in range(0, len(values), group):
        flat = values[first : first + group].reshape(-1, channels)
        for begin in range(0, len(flat), step):
            yield flat[begin : begin + step]
