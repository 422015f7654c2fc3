"""Random rectified projections of rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ganmedic.metrics.extractors.extractor import Extractor
from ganmedic.metrics.samples import Floats

_FEATURES = 256


class RandomRows(Extractor):
    """relu(W x + b) of rows in units of each column's spread; He-initialised W, normal b.

    Example:
        >>> RandomRows(0)(np.zeros((3, 2))).shape
        (3, 256)

    References:
        Cho, Saul 2009, *Kernel Methods for Deep Learning*, NIPS, section 2.3: their products tend to the arc-cosine kernel.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.name = f"random-relu-{_FEATURES}, seed {seed}"
        self._mean: Any = 0.0
        self._spread: Any = 1.0

    def fitted(self, real: NDArray[Any]) -> Self:
        """Takes mean and spread of the columns from real rows (n, columns); one without spread keeps its unit."""
        self._mean = real.mean(axis=0, dtype=np.float64)
        spread = real.std(axis=0, dtype=np.float64)
        self._spread = np.where(spread > 1e-12 * np.maximum(1.0, np.abs(self._mean)), spread, 1.0)
        return self

    def _extract(self, samples: Floats) -> Floats:
        random = np.random.Generator(np.random.Philox(self.seed))
        columns = samples.shape[1]
        weights = random.standard_normal((columns, _FEATURES)) * np.sqrt(2.0 / columns)
        biases = random.standard_normal(_FEATURES)
        scaled = (samples.astype(np.float64) - self._mean) / self._spread
        return np.asarray(np.maximum(scaled @ weights + biases, 0.0), np.float32)
