"""The features that need neither a download nor training, for images and for rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ganmedic import checking
from ganmedic.metrics.extractors.extractor import Extractor
from ganmedic.metrics.extractors.random_convolutions import RandomConvolutions
from ganmedic.metrics.extractors.random_rows import RandomRows
from ganmedic.metrics.samples import Floats, check_seed


class RandomFeatures(Extractor):
    """Random convolutions for images, random rectified projections for rows; weights are the same on every machine.

    They know edges, colours and textures of all sizes, and nothing of what is depicted: they tell whether two sets differ, and
    order checkpoints of one training, but do not judge as people do.

    Args:
        seed: seed of the weights. Scores of different seeds do not compare.
        filters: how many features a scale of an image has, before mean and spread are taken of each.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> features = RandomFeatures()
        >>> features.name, features(np.zeros((2, 32, 32, 3), np.float32)).shape
        ('random-conv-64, seed 0', (2, 384))

    References:
        Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, *What is the Best Multi-Stage Architecture for Object Recognition?*, ICCV.
        Naeem et al. 2020, arXiv 2002.09797, section 3.4: random embeddings beside those of ImageNet.
    """

    def __init__(self, seed: int = 0, filters: int = 64) -> None:
        self.seed = check_seed("RandomFeatures", seed)
        self.filters = checking.whole("RandomFeatures", "filters", filters, high=4096)
        self._images = RandomConvolutions(self.seed, self.filters)
        self.name = self._images.name

    def fit(self, real: Any) -> Extractor:
        """What suits the real samples: rows are brought to one spread by them, images need nothing."""
        return self._images if real.images else RandomRows(self.seed).fitted(real.values)

    def __call__(self, samples: ArrayLike) -> Floats:
        """Features of images; of rows too, which are then taken to have zero mean and unit variance."""
        values = np.asarray(samples)
        return RandomRows(self.seed)(values) if values.ndim == 2 else self._images(values)

    def _extract(self, samples: Floats) -> Floats:
        return self._images._extract(samples)
