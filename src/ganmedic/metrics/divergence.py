"""How far shares lie from those that are expected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def divergence(owner: str, counts: NDArray[np.int64], expected: Doubles) -> float:
    """Kullback-Leibler divergence of the shares of counts from expected shares, in nats; 0 log 0 is 0.

    Raises:
        ValueError: something was counted that is not expected at all, which makes it infinite.
    """
    places = np.flatnonzero(counts)
    if (expected[places] <= 0).any():
        surprises = [int(place) for place in places if expected[place] <= 0]
        raise ValueError(
            f"{owner}: {len(surprises)} kinds that the reference has no share of came (the first is {surprises[0]}); a divergence is "
            "finite only where the reference has a share of all that comes. Take a larger reference, or None for equal shares."
        )
    shares = counts[places] / counts.sum()
    return max(0.0, float((shares * np.log(shares / expected[places])).sum()))


def checked_shares(owner: str, name: str, shares: Any, count: int, what: str) -> Doubles:
    """Shares of so many kinds, brought to a sum of 1; equal ones for None.

    Raises:
        ValueError: another number of them came, one is negative or not finite, or all are 0.
    """
    if shares is None:
        return np.full(count, 1 / count)
    given = np.asarray(shares, np.float64)
    if given.shape != (count,) or not np.isfinite(given).all() or (given < 0).any() or not given.sum() > 0:
        raise ValueError(
            f"{owner}: {name} came with shape {given.shape}{'' if given.size > 8 else f' ({given.tolist()})'}; one number of at least 0 "
            f"for each of the {count} {what} is expected. None stands for equal shares."
        )
    result: Doubles = given / given.sum()
    return result
