"""Pixelwise normalisation of feature vectors: keeps a generator's signal from growing layer by layer."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.layers._images import check_channels
from ganmedic.precision import widened

_OWNER = "PixelNormalization"


@keras.saving.register_keras_serializable(package="ganmedic")
class PixelNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Scales the feature vector of each position to unit mean square.

    When the two networks answer each other with ever larger signals, a generator's activations grow without end; here they
    cannot. In StyleGAN it normalises the latent vector. Each sample and each position is treated by itself, so, unlike batch
    normalisation, it ties no samples together. It has no weights.

        y = x / √( mean over channels of x² + ε )

    It is computed in float32 at least.

    Args:
        epsilon: above 0; it keeps the gradient at a vector of zeros finite, at 1/√ε.
        **options: those of every Keras layer.

    Input and output: float tensor (batch, ..., channels).

    Raises:
        TypeError, ValueError: `epsilon` is no number above 0.

    Example:
        >>> PixelNormalization(dtype="float64")(np.array([[3.0, 4.0]])).numpy().round(4).tolist()
        [[0.8485, 1.1314]]

    References:
        Karras, Aila, Laine, Lehtinen, *Progressive Growing of GANs for Improved Quality, Stability, and Variation*, 2018
        (arXiv:1710.10196), section 4.2.
    """

    def __init__(self, epsilon: float = 1e-8, **options: Any) -> None:
        super().__init__(**options)
        self.epsilon = checking.number(_OWNER, "epsilon", epsilon, above=0.0)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Checks the shape; there are no weights."""
        check_channels(_OWNER, input_shape)

    def call(self, inputs: Any) -> Any:
        """Float tensor (batch, ..., channels)."""
        values = widened(inputs)
        mean_square = tf.reduce_mean(tf.square(values), axis=-1, keepdims=True)
        return tf.cast(values * tf.math.rsqrt(mean_square + self.epsilon), inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {**super().get_config(), "epsilon": self.epsilon}
