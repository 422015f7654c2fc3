"""Wasserstein distance along lines.

References:
    Rabin, Peyré, Delon, Bernot 2011, *Wasserstein Barycenter and its Application to Texture Mixing*, SSVM, section 2.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganmedic.metrics.distances import Doubles, Floats
from ganmedic.metrics.intervals import GROUPS

#: Directions worked on at a time, and those on which groups are left out in turn.
_AT_ONCE, _LEFT_OUT = 32, 32


def directions(columns: int, count: int, seed: int) -> Floats:
    """Directions drawn evenly from the sphere, unit float32 array (columns, count); along a line there is but one."""
    if columns == 1:
        return np.ones((1, 1), np.float32)
    drawn = np.random.default_rng(seed).standard_normal((columns, count))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=0), np.float32)


def between_sorted(ours: Floats, theirs: Floats) -> Doubles:
    """Wasserstein-1 distance of each row of numbers to the same row of the other, both sorted: float arrays (rows, n) and (rows, m).

    It is the area between the two quantile functions; with unequal counts these step at the multiples of 1/n and of 1/m.
    """
    n, m = ours.shape[1], theirs.shape[1]
    if n == m:
        return np.asarray(np.abs(ours - theirs).mean(axis=1, dtype=np.float64))
    steps = np.unique(np.concatenate([np.arange(n + 1) * m, np.arange(m + 1) * n]))
    widths = np.diff(steps) / (n * m)
    begins = steps[:-1]
    return np.asarray(np.abs(ours[:, begins // m] - theirs[:, begins // n]) @ widths)


def sliced(
    real: Floats,
    fake: Floats,
    along: Floats,
    groups: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None,
) -> tuple[float, Doubles | None]:
    """Mean of the Wasserstein-1 distances along directions.

    Args:
        real, fake: float arrays (n, columns) and (m, columns).
        along: unit directions (columns, count).
        groups: the group of each row of either, to be left out in turn; None for none.

    Returns:
        The mean, and the means without each group over the first 32 directions, shifted by what these differ from all of them.
    """
    total, some = [], []
    without: list[Doubles] = []
    for begin in range(0, along.shape[1], _AT_ONCE):
        part = along[:, begin : begin + _AT_ONCE]
        ours, theirs = (part.T @ rows.T for rows in (real, fake))
        if groups is None or begin >= _LEFT_OUT:
            total.append(between_sorted(np.sort(ours, axis=1), np.sort(theirs, axis=1)))
            continue
        orders = np.argsort(ours, axis=1), np.argsort(theirs, axis=1)
        sides = [
            np.take_along_axis(values, order, axis=1) for values, order in zip((ours, theirs), orders, strict=True)
        ]
        total.append(between_sorted(sides[0], sides[1]))
        some.append(total[-1])
        belongs = [of[order] for of, order in zip(groups, orders, strict=True)]
        rows = []
        for group in range(GROUPS):
            kept = [values[of != group].reshape(len(values), -1) for values, of in zip(sides, belongs, strict=True)]
            rows.append(between_sorted(kept[0], kept[1]))
        without.append(np.array(rows))
    value = float(np.concatenate(total).mean())
    if not without:
        return value, None
    shift = value - float(np.concatenate(some).mean())
    return value, np.concatenate(without, axis=1).mean(axis=1) + shift
