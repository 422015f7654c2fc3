"""Zeros put in, padding, a filter and leaving out: what the blurs and the modulated convolution are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ganmedic import checking


def checked_kernel(owner: str, name: str, taps: Any) -> tuple[float, ...]:
    """The taps of a filter as numbers.

    Raises:
        TypeError, ValueError: no sequence of numbers came, or their sum is zero.
    """
    if isinstance(taps, str) or not isinstance(taps, Sequence | np.ndarray) or not len(taps):
        raise TypeError(f"{owner}: {name} is {taps!r}; a sequence of numbers is expected, such as (1, 3, 3, 1).")
    numbers = tuple(checking.number(owner, f"{name}[{place}]", tap) for place, tap in enumerate(taps))
    if abs(sum(numbers)) < 1e-12:
        raise ValueError(
            f"{owner}: {name} is {taps!r}, whose sum is 0; taps that can be normalised to a sum of 1 are expected, "
            "such as (1, 3, 3, 1)."
        )
    return numbers


def zeros_between(images: Any, factor: int) -> Any:
    """(batch, height, width, channels) with `factor - 1` zeros after each row and column."""
    if factor == 1:
        return images
    batch, height, width, channels = (tf.shape(images)[axis] for axis in range(4))
    rest = [0, factor - 1]
    split = tf.reshape(images, [batch, height, 1, width, 1, channels])
    wide = tf.pad(split, [[0, 0], [0, 0], rest, [0, 0], rest, [0, 0]])
    static = [None if size is None else size * factor for size in images.shape[1:3]]
    result = tf.reshape(wide, [batch, height * factor, width * factor, channels])
    return tf.ensure_shape(result, [images.shape[0], *static, images.shape[3]])


def padded(images: Any, before: int, after: int) -> Any:
    """Height and width with zeros added at both ends; a negative number takes rows and columns away."""
    cut = slice(max(0, -before), -max(0, -after) or None)
    margin = [max(0, before), max(0, after)]
    return tf.pad(images[:, cut, cut, :], [[0, 0], margin, margin, [0, 0]])


def filtered(images: Any, taps: Sequence[float], *, gain: float = 1.0, stride: int = 1) -> Any:
    """Each channel convolved with the normalised filter along height and width, where it fits; every `stride`-th kept."""
    line = np.asarray(taps[::-1], np.float64) / sum(taps)
    channels = int(images.shape[-1])
    square = np.repeat((np.outer(line, line) * gain)[:, :, None, None], channels, axis=2)
    kernel = tf.cast(tf.constant(square), images.dtype)
    return tf.nn.depthwise_conv2d(images, kernel, [1, stride, stride, 1], "VALID")


def blurred_larger(images: Any, taps: Sequence[float], factor: int) -> Any:
    """Height and width times the factor: zeros between, then the filter."""
    excess = len(taps) - factor
    wide = padded(zeros_between(images, factor), (excess + 1) // 2 + factor - 1, excess // 2)
    return filtered(wide, taps, gain=float(factor**2))


def blurred_smaller(images: Any, taps: Sequence[float], factor: int) -> Any:
    """Height and width over the factor, rounded down: the filter, then every `factor`-th."""
    excess = len(taps) - factor
    return filtered(padded(images, (excess + 1) // 2, excess // 2), taps, stride=factor)
