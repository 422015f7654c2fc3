"""Samples compared as they are."""

from __future__ import annotations

import numpy as np

from ganmedic.metrics.extractors.extractor import Extractor
from ganmedic.metrics.samples import Floats


class Pixels(Extractor):
    """Images flattened, rows as they are: for points, for tables, and for features that are known already.

    Distances between the pixels of photographs say little: a shift by one pixel moves far.

    Example:
        >>> Pixels()(np.zeros((2, 8, 8, 3), np.float32)).shape
        (2, 192)
    """

    name = "pixels"

    def _extract(self, samples: Floats) -> Floats:
        return np.ascontiguousarray(samples.reshape(len(samples), -1))
