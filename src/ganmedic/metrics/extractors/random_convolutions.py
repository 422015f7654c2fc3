"""Random convolutional features of images of any size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ganmedic.metrics.extractors.extractor import Extractor
from ganmedic.metrics.samples import Floats

#: Sides, in pixels, that an image is looked at beside its own; at most so many positions along a side are looked at.
_SIDES, _POSITIONS, _SMALLEST = (32, 16, 8), 64, 8
_FIRST_FILTERS, _FIRST_SIZE, _SECOND_SIZE = 16, 5, 3
#: Numbers that the windows of a block take (16 MB of float32).
_AT_ONCE = 2**22


class RandomConvolutions(Extractor):
    """Two random He-initialised convolutions with a relu each, at the image's own scale and at two smaller ones.

    Of each map mean and standard deviation over the image are kept. At its own scale a large image is looked at in patches a few
    pixels apart, so that faults of single pixels count at any resolution.

    Example:
        >>> RandomConvolutions(0, 16)(np.zeros((2, 8, 12, 1), np.float32)).shape
        (2, 32)
    """

    def __init__(self, seed: int, filters: int) -> None:
        self.seed = seed
        self.filters = filters
        self.name = f"random-conv-{filters}, seed {seed}"

    def _extract(self, samples: Floats) -> Floats:
        _, height, width, channels = samples.shape
        side = min(height, width)
        if side < _SMALLEST:
            raise ValueError(
                f"{self.name}: images of {height} x {width} came; at least {_SMALLEST} x {_SMALLEST} is expected. "
                "Use extractor='pixels' for smaller ones."
            )
        first, second = self._weights(channels)
        scales = [(height, width)]
        scales += [(round(height * s / side), round(width * s / side)) for s in [s for s in _SIDES if s < side][:2]]
        step = max(1, _AT_ONCE // (min(height, _POSITIONS) * min(width, _POSITIONS) * len(first)))
        parts = []
        for begin in range(0, len(samples), step):
            block = samples[begin : begin + step]
            parts.append(
                np.concatenate([_looked_at(_resized(block, *scale), first, second) for scale in scales], axis=1)
            )
        return np.concatenate(parts)

    def _weights(self, channels: int) -> tuple[Floats, Floats]:
        random = np.random.Generator(np.random.Philox(self.seed))
        inputs = _FIRST_SIZE**2 * channels, _SECOND_SIZE**2 * _FIRST_FILTERS
        first, second = (
            (random.standard_normal((count, filters)) * math.sqrt(2.0 / count)).astype(np.float32)
            for count, filters in zip(inputs, (_FIRST_FILTERS, self.filters), strict=True)
        )
        # What comes out of a relu is never below 0: a filter with a sum would be always dead or always open.
        return first, second - second.mean(axis=0)


def _looked_at(images: Floats, first: Floats, second: Floats) -> Floats:
    maps = _halved(_convolved(images, first, _FIRST_SIZE, _stride(images.shape[1]), _stride(images.shape[2])))
    maps = _convolved(maps, second, _SECOND_SIZE, 1, 1)
    count, filters = len(maps), maps.shape[-1]
    flat = maps.reshape(count, -1, filters)
    return np.concatenate([flat.mean(axis=1), flat.std(axis=1)], axis=1)


def _stride(length: int) -> int:
    return max(1, length // _POSITIONS)


def _convolved(images: Floats, weights: Floats, size: int, down: int, across: int) -> Floats:
    """Convolution and relu: one matrix product for each row of the kernel, on windows that are contiguous in memory."""
    count, height, _, channels = images.shape
    margin = size // 2
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="edge")
    lines = padded.reshape(count, height + 2 * margin, -1)
    windows = np.lib.stride_tricks.sliding_window_view(lines, size * channels, axis=2)[:, :, :: channels * across]
    by_row = weights.reshape(size, size * channels, -1)
    product = np.zeros((1, 1), np.float32)
    for place in range(size):
        line = windows[:, place : place + height : down]
        product = product + line.reshape(-1, size * channels) @ by_row[place]
    result: Floats = np.maximum(product, 0.0).reshape(*line.shape[:3], -1)
    return result


def _halved(maps: Floats) -> Floats:
    """Means of 2 x 2; a last odd row or column is left out."""
    rows, columns = maps.shape[1] // 2 * 2, maps.shape[2] // 2 * 2
    corners = [maps[:, low:rows:2, left:columns:2] for low in (0, 1) for left in (0, 1)]
    result: Floats = (corners[0] + corners[1] + corners[2] + corners[3]) / np.float32(4)
    return result


def _resized(images: Floats, height: int, width: int) -> Floats:
    """Averages over areas, also where sizes do not divide."""
    if images.shape[1:3] == (height, width):
        return images
    lower = np.tensordot(images, _areas(images.shape[1], height), axes=([1], [1]))
    smaller = np.tensordot(lower, _areas(images.shape[2], width), axes=([1], [1]))
    return np.ascontiguousarray(np.moveaxis(smaller, 1, -1), np.float32)


def _areas(before: int, after: int) -> NDArray[np.float32]:
    """Matrix (after, before): the share of each old pixel in each new one."""
    edges = np.arange(after + 1) * (before / after)
    begins, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(before)[None, :]
    overlap = np.clip(np.minimum(ends, pixels + 1) - np.maximum(begins, pixels), 0.0, None)
    return np.asarray(overlap * (after / before), np.float32)
