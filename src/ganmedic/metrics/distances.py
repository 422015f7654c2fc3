"""Squared distances between many samples, a block at a time.

‖a - b‖² = ‖a‖² + ‖b‖² - 2 a·b turns distances into one matrix product. The three terms cancel where samples are close, so it is
done in float64 around a common centre, and what is left of the rounding is taken for 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Either = NDArray[np.float32] | NDArray[np.float64]
#: Distances held at a time (32 MB of float64), and columns of the matrix that are converted at a time.
_AT_ONCE, _COLUMNS = 2**22, 2048
#: Below this share of ‖a‖² + ‖b‖² a squared distance is rounding: float32 features are not told apart by 1e-6 of their length.
_ROUNDING = 1e-12


def squared_distances(rows: Either, columns: Either, centre: Doubles) -> Iterator[tuple[int, Doubles]]:
    """Squared Euclidean distances of each row to all columns.

    Args:
        rows, columns: float arrays (n, d) and (m, d).
        centre: float array (d,) that is taken off both; near their mean, rounding is least.

    Yields:
        The place of the block's first row, and distances (rows of the block, m), to be used before the next block.
    """
    step = min(1024, max(16, _AT_ONCE // len(columns)))
    for begin in range(0, len(rows), step):
        block = rows[begin : begin + step].astype(np.float64) - centre
        lengths = np.einsum("ij,ij->i", block, block)
        squared = np.empty((len(block), len(columns)))
        for start in range(0, len(columns), _COLUMNS):
            other = columns[start : start + _COLUMNS].astype(np.float64) - centre
            sums = lengths[:, None] + np.einsum("ij,ij->i", other, other)
            part = sums - 2.0 * (block @ other.T)
            part[part <= _ROUNDING * sums] = 0.0
            squared[:, start : start + _COLUMNS] = part
        yield begin, squared


def nearest_neighbours(features: Floats, neighbours: int, centre: Doubles) -> Doubles:
    """Squared distances of each sample to its nearest others.

    Args:
        features: float array (n, d), n above `neighbours`.
        neighbours: how many are wanted.
        centre: as for `squared_distances`.

    Returns:
        Float array (n, neighbours), the nearest first. A sample is no neighbour of itself; its copies are, at distance 0.
    """
    nearest = np.empty((len(features), neighbours))
    for begin, squared in squared_distances(features, features, centre):
        own = np.arange(len(squared))
        squared[own, begin + own] = np.inf
        nearest[begin : begin + len(squared)] = np.partition(squared, neighbours - 1, axis=1)[:, :neighbours]
    nearest.sort(axis=1)
    return nearest
