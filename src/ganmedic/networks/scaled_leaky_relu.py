"""LeakyReLU with a gain behind it, as StyleGAN2 has it."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking

_OWNER = "ScaledLeakyReLU"


@keras.saving.register_keras_serializable(package="ganmedic")
class ScaledLeakyReLU(keras.layers.Layer):  # type: ignore[misc]
    """LeakyReLU times a gain, so that what is of unit spread before is nearly so behind; bounded in float16.

    y = gain · max(x, slope · x). Under a float16 policy y is clipped to ±limit · gain / √2, as in StyleGAN2-ADA: a network without
    normalisation can drift to numbers that float16 lacks.

    Args:
        negative_slope: from 0 to 1.
        gain: above 0; √2 keeps the spread, 1 halves the mean square, for a sum with another branch.
        limit: above 0; the bound at a gain of √2, in float16 alone.
        **options: those of every Keras layer.

    Input and output: float tensor of any shape.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> ScaledLeakyReLU(0.5, gain=2.0)(np.array([-1.0, 3.0], "float32")).numpy().tolist()
        [-1.0, 6.0]

    References:
        Karras et al., *Analyzing and Improving the Image Quality of StyleGAN*, 2020 (arXiv:1912.04958), appendix B; the limit:
        Karras et al., *Training Generative Adversarial Networks with Limited Data*, 2020 (arXiv:2006.06676), appendix C, and its
        code (`conv_clamp`).
    """

    def __init__(
        self, negative_slope: float = 0.2, gain: float = math.sqrt(2.0), limit: float = 256.0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.negative_slope = checking.number(_OWNER, "negative_slope", negative_slope, low=0.0, high=1.0)
        self.gain = checking.number(_OWNER, "gain", gain, above=0.0)
        self.limit = checking.number(_OWNER, "limit", limit, above=0.0)

    def call(self, inputs: Any) -> Any:
        """Float tensor of any shape."""
        outputs = tf.nn.leaky_relu(inputs, self.negative_slope) * tf.cast(self.gain, inputs.dtype)
        if inputs.dtype != tf.float16:
            return outputs
        bound = self.limit * self.gain / math.sqrt(2.0)
        return tf.clip_by_value(outputs, tf.cast(-bound, outputs.dtype), tf.cast(bound, outputs.dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {
            **super().get_config(),
            "negative_slope": self.negative_slope,
            "gain": self.gain,
            "limit": self.limit,
        }
