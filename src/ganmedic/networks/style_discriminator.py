"""The residual discriminator of StyleGAN2."""

from __future__ import annotations

import math
from typing import Any

import keras

from ganmedic.layers import BlurDownsample2D, EqualizedLearningRate, MinibatchStandardDeviation
from ganmedic.networks._arguments import SMALLEST
from ganmedic.networks._ends import head_dtype, model, projected_score, samples_and_labels
from ganmedic.networks._weights import Seeds
from ganmedic.networks.scaled_leaky_relu import ScaledLeakyReLU


def style_discriminator(
    widths: dict[int, int], channels: int, classes: int | None, minibatch_group: int | None, seeds: Seeds
) -> keras.Model:
    """The discriminator that goes with `style`.

    Args:
        widths: channels by size, 4 to the resolution.
        channels: of the images.
        classes: None without labels.
        minibatch_group: None without the statistic of the batch.
        seeds: of its kernels.
    """
    resolution = max(widths)
    samples, labels = samples_and_labels((resolution, resolution, channels), classes)
    values = _active(_convolved(samples, widths[resolution], 1, seeds, "features"), "features")
    for size in sorted(widths, reverse=True)[:-1]:
        values = _block(values, widths[size], widths[size // 2], size, seeds)
    if minibatch_group is not None:
        values = MinibatchStandardDeviation(minibatch_group, name="batch_spread")(values)
    values = _active(_convolved(values, widths[SMALLEST], 3, seeds, "conv_4"), "conv_4")
    values = keras.layers.Flatten(name="row")(values)
    # In float32 at least from here on.
    features = _active(_dense(values, widths[SMALLEST], seeds, "vector"), "vector", dtype=head_dtype())
    score = _dense(features, 1, seeds, "score")
    return model("discriminator", samples, labels, projected_score(features, score, labels, classes, seeds))


def _block(values: Any, width: int, next_width: int, size: int, seeds: Seeds) -> Any:
    """Two 3x3 convolutions, the second to half the size, and a 1x1 branch; both halve their mean square before the sum."""
    name = f"block_{size}"
    branch = BlurDownsample2D(name=f"{name}_branch_down")(values)
    branch = _convolved(branch, next_width, 1, seeds, f"{name}_branch", gain=math.sqrt(0.5), use_bias=False)
    values = _active(_convolved(values, width, 3, seeds, f"{name}_same"), f"{name}_same")
    # One more row and column for the filter, so that the kernel lies evenly on the image.
    values = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_padded")(values)
    values = BlurDownsample2D(factor=1, name=f"{name}_blurred")(values)
    values = _convolved(values, next_width, 3, seeds, f"{name}_down", strides=2, padding="valid")
    values = _active(values, f"{name}_down", gain=1.0)
    return keras.layers.Add(name=name)([values, branch])


def _convolved(
    values: Any, filters: int, kernel_size: int, seeds: Seeds, name: str, *, gain: float = 1.0, **options: Any
) -> Any:
    inner = keras.layers.Conv2D(filters, kernel_size, **{"padding": "same", **options}, name=f"{name}_conv")
    return EqualizedLearningRate(inner, gain, seed=seeds.next(), name=name)(values)


def _dense(values: Any, units: int, seeds: Seeds, name: str) -> Any:
    inner = keras.layers.Dense(units, dtype=head_dtype(), name=f"{name}_dense")
    return EqualizedLearningRate(inner, 1.0, seed=seeds.next(), name=name)(values)


def _active(values: Any, name: str, *, gain: float = math.sqrt(2.0), **options: Any) -> Any:
    return ScaledLeakyReLU(gain=gain, name=f"{name}_active", **options)(values)
