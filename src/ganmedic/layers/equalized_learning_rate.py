"""Equalised learning rate: every weight has the same spread, so Adam's steps mean the same in every layer."""

from __future__ import annotations

import math
from typing import Any

import keras

from ganmedic import checking
from ganmedic.layers._reparametrised import Reparametrised

_OWNER = "EqualizedLearningRate"
_INITIALIZERS = ("kernel_initializer", "depthwise_initializer", "embeddings_initializer")
_KERAS_DEFAULTS = (keras.initializers.GlorotUniform, keras.initializers.RandomUniform)


@keras.saving.register_keras_serializable(package="ganmedic")
class EqualizedLearningRate(Reparametrised):
    """Stores a weight of unit spread, and scales it when the inner layer computes.

    Adam moves each number by about its learning rate, whatever the gradient's size. A layer of small weights thus learns
    faster than one of large weights, and no learning rate suits both. Here all stored weights are of one size:

        v ~ N(0, 1) / multiplier,    w = v · multiplier · gain / √fan_in,    bias: b · multiplier

    The outputs at the start have the variance that He's initialisation gives (gain √2), and a learning rate acts as if
    multiplied by `learning_rate_multiplier`. fan_in is the number of inputs of one unit: height · width · channels of the
    kernel for a convolution (transposed ones included), height · width for a depthwise one, 1 for an `Embedding`.

    Args:
        layer: a `Dense`, convolution or `Embedding` with the kernel initialiser Keras gives it; N(0, 1/multiplier) takes its place.
        gain: above 0; √2 before a ReLU, 1 before a linear output.
        learning_rate_multiplier: above 0; StyleGAN takes 0.01 in its mapping network.
        seed: whole number from 0, or None; seed of the weights at the start.
        **options: those of every Keras layer; `dtype` is that of the inner layer.

    Raises:
        TypeError, ValueError: an argument is out of its range, or the layer has an initialiser of its own, or it is not
            clear which of its weights is meant.

    Example:
        >>> layer = EqualizedLearningRate(keras.layers.Dense(2, use_bias=False), gain=1.0)
        >>> layer.build((None, 4))
        >>> layer.layer.kernel.assign([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]]).shape
        TensorShape([4, 2])
        >>> layer(np.ones((1, 4), "float32")).numpy().tolist()
        [[1.0, 1.0]]

    References:
        Karras, Aila, Laine, Lehtinen, *Progressive Growing of GANs for Improved Quality, Stability, and Variation*, 2018
        (arXiv:1710.10196), section 4.1. The multiplier: Karras, Laine, Aila, *A Style-Based Generator Architecture for
        Generative Adversarial Networks*, 2019 (arXiv:1812.04948).
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        gain: float = math.sqrt(2.0),
        learning_rate_multiplier: float = 1.0,
        *,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(layer, **options)
        self.gain = checking.number(_OWNER, "gain", gain, above=0.0)
        self.learning_rate_multiplier = checking.number(
            _OWNER, "learning_rate_multiplier", learning_rate_multiplier, above=0.0
        )
        self.seed = None if seed is None else checking.whole(_OWNER, "seed", seed, low=0)
        self._take_over_initializer()

    def _take_over_initializer(self) -> None:
        spread = 1.0 / self.learning_rate_multiplier
        for name in _INITIALIZERS:
            current = getattr(self.layer, name, None)
            if current is None:
                continue
            ours = isinstance(current, keras.initializers.RandomNormal) and math.isclose(current.stddev, spread)
            # A layer that comes out of a file is built already, with the initialiser that was set here before it was saved.
            if not ours and (self.layer.built or not isinstance(current, _KERAS_DEFAULTS)):
                state = "was built with" if self.layer.built else "has"
                raise ValueError(
                    f"{_OWNER}: the inner layer {state} the {name} {type(current).__name__}; a layer that is not built and "
                    "has the one Keras gives it is expected. Leave the initialiser out: the spread of the weights is set by gain."
                )
            if not self.layer.built:
                setattr(self.layer, name, keras.initializers.RandomNormal(0.0, spread, seed=self.seed))

    def new_values(self, training: bool) -> list[tuple[keras.Variable, Any]]:
        """Kernel and bias, scaled."""
        weight = self.weight_of_layer()
        embeds = isinstance(self.layer, keras.layers.Embedding)
        fan_in = 1 if embeds else math.prod(weight.shape) // self.num_units()
        values = [(weight, weight.value * (self.gain / math.sqrt(fan_in) * self.learning_rate_multiplier))]
        bias = getattr(self.layer, "bias", None)
        if bias is not None and self.learning_rate_multiplier != 1.0:
            values.append((bias, bias.value * self.learning_rate_multiplier))
        return values

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs, the inner layer included."""
        return {
            **super().get_config(),
            "gain": self.gain,
            "learning_rate_multiplier": self.learning_rate_multiplier,
            "seed": self.seed,
        }


def equalized_dense(
    units: int, *, gain: float = math.sqrt(2.0), learning_rate_multiplier: float = 1.0, **options: Any
) -> EqualizedLearningRate:
    """`EqualizedLearningRate` around `keras.layers.Dense(units, **options)`."""
    return EqualizedLearningRate(keras.layers.Dense(units, **options), gain, learning_rate_multiplier)


def equalized_conv2d(
    filters: int,
    kernel_size: int,
    *,
    gain: float = math.sqrt(2.0),
    learning_rate_multiplier: float = 1.0,
    **options: Any,
) -> EqualizedLearningRate:
    """`EqualizedLearningRate` around `keras.layers.Conv2D(filters, kernel_size, **options)`, `same` padding unless told."""
    layer = keras.layers.Conv2D(filters, kernel_size, **{"padding": "same", **options})
    return EqualizedLearningRate(layer, gain, learning_rate_multiplier)
