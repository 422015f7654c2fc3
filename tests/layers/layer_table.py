"""Every layer in the forms that the conformance suite runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ganmedic import layers

VECTORS, IMAGES = (4, 6), (4, 4, 4, 4)


@dataclass(frozen=True)
class Case:
    """A layer and the shapes it is called with."""

    make: Callable[..., keras.layers.Layer]
    shapes: tuple[tuple[int, ...], ...] = (IMAGES,)

    def inputs(self, fill: str = "normal", dtype: str = "float32") -> Any:
        """One array, or a list of them."""
        random = np.random.default_rng(3)
        arrays = [self._filled(random.normal(size=shape), fill).astype(dtype) for shape in self.shapes]
        return arrays[0] if len(arrays) == 1 else arrays

    @staticmethod
    def _filled(array: Any, fill: str) -> Any:
        if fill == "zero":
            return np.zeros_like(array)
        if fill == "identical":
            return np.repeat(array[:1], len(array), axis=0)
        return array * 1e4 if fill == "huge" else array

    def built(self, **options: Any) -> keras.layers.Layer:
        """The layer with weights, none of which is zero."""
        keras.utils.set_random_seed(5)
        layer = self.make(**options)
        layer.build(list(self.shapes) if len(self.shapes) > 1 else self.shapes[0])
        awaken(layer)
        return layer


def awaken(layer: keras.layers.Layer) -> None:
    """Strengths and biases start at zero, where much would go unseen."""
    random = np.random.default_rng(11)
    for variable in layer.trainable_variables:
        if not np.any(np.asarray(variable.numpy(), "float64")):
            variable.assign(random.normal(size=variable.shape) * 0.5)


def _around(wrapper: Any, inner: Any, *arguments: Any, **settings: Any) -> Callable[..., keras.layers.Layer]:
    return lambda **options: wrapper(inner(*arguments, **settings, **options))


def _of(kind: Any, *arguments: Any, **settings: Any) -> Callable[..., keras.layers.Layer]:
    return lambda **options: kind(*arguments, **settings, **options)


DENSE, CONV, UP = keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose
STYLED = (IMAGES, (4, 3))
TABLE = {
    "minibatch": Case(_of(layers.MinibatchStandardDeviation, 2, 2)),
    "pixel": Case(_of(layers.PixelNormalization)),
    "equalized_dense": Case(
        lambda **options: layers.EqualizedLearningRate(DENSE(3, **options), 1.0, learning_rate_multiplier=0.1),
        (VECTORS,),
    ),
    "equalized_conv": Case(_around(layers.EqualizedLearningRate, CONV, 3, 3, padding="same")),
    "equalized_transpose": Case(_around(layers.EqualizedLearningRate, UP, 3, 4, 2, padding="same")),
    "spectral_dense": Case(_around(layers.SpectralNormalization, DENSE, 3), (VECTORS,)),
    "spectral_conv": Case(_around(layers.SpectralNormalization, CONV, 3, 3, 2, padding="same")),
    "spectral_transpose": Case(_around(layers.SpectralNormalization, UP, 3, 4, 2, padding="same")),
    "blur_up": Case(_of(layers.BlurUpsample2D)),
    "blur_down": Case(_of(layers.BlurDownsample2D, (1, 2, 1))),
    "attention": Case(_of(layers.SelfAttention2D, 2, use_bias=True, spectral_normalization=True)),
    "noise": Case(_of(layers.NoiseInjection, seed=7)),
    "noise_fixed": Case(_of(layers.NoiseInjection, per_channel=False, inference="fixed")),
    "modulated": Case(_of(layers.ModulatedConv2D, 3, 3), STYLED),
    "modulated_colours": Case(_of(layers.ModulatedConv2D, 3, 1, False), STYLED),
    "modulated_up": Case(_of(layers.ModulatedConv2D, 3, 3, resample="up"), STYLED),
    "modulated_down": Case(_of(layers.ModulatedConv2D, 3, 3, resample="down", resample_kernel=(1, 2, 1)), STYLED),
}
