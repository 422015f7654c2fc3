"""Structural similarity of two images at several scales.

References:
    Wang, Simoncelli, Bovik 2003, *Multi-scale Structural Similarity for Image Quality Assessment*, Asilomar, section 3.
    Wang, Bovik, Sheikh, Simoncelli 2004, *Image Quality Assessment: From Error Visibility to Structural Similarity*, IEEE TIP 13.
"""

from __future__ import annotations

import numpy as np

from ganmedic.metrics.distances import Doubles

#: Weights of the scales, the finest first.
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SPREAD = 11, 1.5
#: Stabilisers of luminance and contrast, for values in [0, 1].
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2


def scales(height: int, width: int) -> int:
    """How many scales an image has: its shorter side is halved as long as the window still fits, at most 4 times."""
    side, count = min(height, width), 1
    while count < len(WEIGHTS) and (side + 1) // 2 >= _WINDOW:
        side, count = (side + 1) // 2, count + 1
    return count


def window(height: int, width: int) -> int:
    """Side of the Gaussian window: 11 pixels, or the largest odd number that fits."""
    side = min(height, width, _WINDOW)
    return side - 1 + side % 2


def ms_ssim(first: Doubles, second: Doubles) -> Doubles:
    """Similarity of each image to the one at the same place: 1 for equal ones, 0 for those that have nothing in common.

    Args:
        first, second: float arrays (n, height, width, channels) in [0, 1].

    Returns:
        Float array (n,), the mean over channels. Images too small for five scales have fewer, with the weights of the finest
        brought to a sum of 1.
    """
    _, height, width, channels = first.shape
    count = scales(height, width)
    weights = np.array(WEIGHTS[:count]) / sum(WEIGHTS[:count])
    taps = _taps(window(height, width))
    result = np.ones((len(first), channels))
    for scale, weight in enumerate(weights):
        if scale:
            first, second = _halved(first), _halved(second)
        luminance, contrast = _compared(first, second, taps)
        part = (luminance * contrast if scale == count - 1 else contrast).mean(axis=(1, 2))
        result *= np.maximum(part, 0.0) ** weight
    return np.asarray(result.mean(axis=1))


def _compared(first: Doubles, second: Doubles, taps: Doubles) -> tuple[Doubles, Doubles]:
    one, other = _averaged(first, taps), _averaged(second, taps)
    product, squares = one * other, one**2 + other**2
    covariance = _averaged(first * second, taps) - product
    variances = _averaged(first**2 + second**2, taps) - squares
    luminance = (2 * product + _LUMINANCE) / (squares + _LUMINANCE)
    return luminance, (2 * covariance + _CONTRAST) / (variances + _CONTRAST)


def _taps(size: int) -> Doubles:
    places = np.arange(size) - (size - 1) / 2
    heights = np.exp(-(places**2) / (2 * _SPREAD**2))
    return np.asarray(heights / heights.sum(), np.float64)


def _averaged(images: Doubles, taps: Doubles) -> Doubles:
    for axis in (1, 2):
        moved = np.moveaxis(images, axis, 0)
        length = len(moved) - len(taps) + 1
        images = np.moveaxis(np.asarray(sum(tap * moved[k : k + length] for k, tap in enumerate(taps))), 0, axis)
    return images


def _halved(images: Doubles) -> Doubles:
    """Means of 2 x 2; a last odd row or column counts twice."""
    odd = [(0, 0), (0, images.shape[1] % 2), (0, images.shape[2] % 2), (0, 0)]
    even = np.pad(images, odd, mode="symmetric")
    result: Doubles = (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4
    return result
