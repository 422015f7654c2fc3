"""The contract of what turns samples into features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ganmedic.metrics.samples import Floats


class Features(Protocol):
    """Any callable from samples to features.

    It gets float32 images (n, height, width, channels) in [-1, 1], or rows (n, columns), and returns one row of numbers a sample.
    It has a `name` that goes into every score, and may have `fit(real_set)`, which returns one adapted to the real samples.
    """

    def __call__(self, samples: Any, /) -> Any: ...


class Extractor(ABC):
    """Base of the extractors.

    Attributes:
        name: what stands in every score made with it.
        note: what a reader of a score has to know of it; empty mostly.
    """

    name: str
    note: str = ""
    #: Samples worked on at a time.
    at_once = 256

    def __call__(self, samples: ArrayLike) -> Floats:
        """Features of samples.

        Args:
            samples: images (n, height, width, channels), floats in [-1, 1] or 8 or 16-bit whole numbers; or rows (n, columns).

        Returns:
            Float32 array (n, d).

        Raises:
            ValueError: images are floats beyond [-1, 1], or of a shape it does not take.
        """
        values = _scaled(self.name, np.asarray(samples))
        parts = [
            np.asarray(self._extract(values[begin : begin + self.at_once]), np.float32)
            for begin in range(0, len(values), self.at_once)
        ]
        if not parts:
            raise ValueError(
                f"{self.name}: no samples came, of shape {values.shape}; at least one is expected. Give some samples."
            )
        return np.concatenate(parts)

    @abstractmethod
    def _extract(self, samples: Floats) -> Floats:
        """Features (n, d) of a block of samples: rows, or images in [-1, 1]."""


def describe(extractor: Any) -> str:
    """The name of an extractor."""
    return str(extractor.name)


def _scaled(owner: str, values: Any) -> Floats:
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim not in (2, 4):
        raise ValueError(
            f"{owner}: samples of shape {values.shape} came; images (n, height, width, channels) or rows (n, columns) are "
            "expected. Reshape them."
        )
    if values.ndim == 4 and values.dtype in (np.uint8, np.uint16):
        return np.asarray(values.astype(np.float32) * np.float32(2 / np.iinfo(values.dtype).max) - 1, np.float32)
    scaled = np.asarray(values, np.float32)
    if values.ndim == 4 and scaled.size and (scaled.min() < -1.01 or scaled.max() > 1.01):
        raise ValueError(
            f"{owner}: images from {scaled.min():g} to {scaled.max():g} came; floats in [-1, 1] are expected. "
            "Scale them, or give bytes as uint8."
        )
    return scaled
