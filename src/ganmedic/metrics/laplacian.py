"""Patches of images at several scales, as descriptors.

References:
    Karras, Aila, Laine, Lehtinen 2017, *Progressive Growing of GANs*, arXiv 1710.10196, section 5.
    Burt, Adelson 1983, *The Laplacian Pyramid as a Compact Image Code*, IEEE Transactions on Communications 31.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganmedic.metrics.samples import Floats, SampleSet

PATCH, PATCHES = 7, 128
#: The coarsest scale, in pixels.
_COARSEST = 16
_TAPS = np.array([1, 4, 6, 4, 1], np.float32) / 16


def sides(height: int, width: int) -> list[int]:
    """The shorter side of the images of each scale, the finest first."""
    result = [min(height, width)]
    while (result[-1] + 1) // 2 >= _COARSEST:
        result.append((result[-1] + 1) // 2)
    return result


def descriptors(samples: SampleSet, seed: int) -> list[Floats]:
    """Descriptors of all patches, for each scale.

    Args:
        samples: images of at least 7 x 7 pixels.
        seed: draws where the patches lie, 128 in each image and scale.

    Returns:
        For each scale, the finest first, float32 array (images · 128, 49 · channels): each channel has mean 0 and spread 1 over all
        patches of the scale.
    """
    random = np.random.default_rng(seed)
    height, width = samples.values.shape[1:3]
    levels = len(sides(height, width))
    parts: list[list[Floats]] = [[] for _ in range(levels)]
    for block in samples.blocks():
        for level, images in enumerate(pyramid(block, levels)):
            parts[level].append(_patches(images, random))
    return [_normalised(np.concatenate(part), samples.values.shape[-1]) for part in parts]


def pyramid(images: Floats, levels: int) -> list[Floats]:
    """Differences between an image and its blurred self, and at the end the smallest blurred image."""
    result = []
    for _ in range(levels - 1):
        smaller = _blurred(images)[:, ::2, ::2]
        larger = np.zeros_like(images)
        larger[:, ::2, ::2] = smaller
        result.append(images - 4 * _blurred(larger))
        images = smaller
    return [*result, images]


def _blurred(images: Floats) -> Floats:
    for axis in (1, 2):
        margins = [(2, 2) if place == axis else (0, 0) for place in range(4)]
        padded = np.moveaxis(np.pad(images, margins, mode="reflect"), axis, 0)
        length = images.shape[axis]
        blurred = sum(tap * padded[place : place + length] for place, tap in enumerate(_TAPS))
        images = np.moveaxis(np.asarray(blurred, np.float32), 0, axis)
    return images


def _patches(images: Floats, random: np.random.Generator) -> Floats:
    count, height, width, _ = images.shape
    windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
    places: NDArray[np.intp] = np.repeat(np.arange(count), PATCHES)
    rows = random.integers(0, height - PATCH + 1, count * PATCHES)
    columns = random.integers(0, width - PATCH + 1, count * PATCHES)
    return np.asarray(windows[places, rows, columns].reshape(count * PATCHES, -1), np.float32)


def _normalised(patches: Floats, channels: int) -> Floats:
    by_channel = patches.reshape(len(patches), channels, -1)
    mean = by_channel.mean(axis=(0, 2), dtype=np.float64)
    spread = by_channel.std(axis=(0, 2), dtype=np.float64)
    by_channel -= mean.astype(np.float32)[:, None]
    by_channel /= np.where(spread > 1e-6, spread, 1.0).astype(np.float32)[:, None]
    return patches
