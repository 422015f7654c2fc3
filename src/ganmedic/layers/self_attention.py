"""Self-attention over the positions of an image: lets distant parts of a sample agree with each other."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.layers._images import check_images
from ganmedic.layers.spectral_normalization import SpectralNormalization
from ganmedic.precision import widened

_OWNER = "SelfAttention2D"


@keras.saving.register_keras_serializable(package="ganmedic")
class SelfAttention2D(keras.layers.Layer):  # type: ignore[misc]
    """Adds to each position what all others hold, weighted by how well they match.

    Convolutions see a neighbourhood; a dog then has a good coat and five legs. With 1x1 convolutions f, g, h, v and N
    positions:

        β(j, i) = exp(f(x_i)·g(x_j)) / Σ_i exp(f(x_i)·g(x_j)),    o_j = v( Σ_i β(j, i) h(x_i) ),    y = gamma o + x

    gamma is a single number that starts at 0: a network with this layer starts as the network without it. The scores and
    the softmax are float32 at least. Memory grows with N²: at 64x64 a sample takes 64 MB for β in float32.

    Args:
        key_ratio: whole number from 1; f and g have channels // key_ratio channels, at least one.
        value_ratio: whole number from 1; h has channels // value_ratio channels, at least one. The paper writes channels // 8
            and its code has // 2.
        use_bias: whether the convolutions have a bias; the paper's have none.
        spectral_normalization: whether the four convolutions are in `SpectralNormalization`, as in the paper's networks.
        kernel_initializer: that of the four convolutions.
        **options: those of every Keras layer.

    Input and output: float tensor (batch, height, width, channels).

    Raises:
        TypeError, ValueError: an argument is out of its range, or the input is not of rank 4.

    Example:
        >>> images = np.random.default_rng(0).normal(size=(2, 4, 4, 8)).astype("float32")
        >>> layer = SelfAttention2D()
        >>> bool((layer(images) == images).numpy().all())
        True

    References:
        Zhang, Goodfellow, Metaxas, Odena, *Self-Attention Generative Adversarial Networks*, 2019 (arXiv:1805.08318),
        section 3.
    """

    def __init__(
        self,
        key_ratio: int = 8,
        value_ratio: int = 2,
        *,
        use_bias: bool = False,
        spectral_normalization: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.key_ratio = checking.whole(_OWNER, "key_ratio", key_ratio)
        self.value_ratio = checking.whole(_OWNER, "value_ratio", value_ratio)
        self.use_bias = checking.flag(_OWNER, "use_bias", use_bias)
        self.spectral_normalization = checking.flag(_OWNER, "spectral_normalization", spectral_normalization)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Any) -> None:
        """Makes the four convolutions and gamma."""
        channels = check_images(_OWNER, input_shape)
        keys, values = max(1, channels // self.key_ratio), max(1, channels // self.value_ratio)
        self.key_convolution = self._convolution("key_convolution", keys, input_shape)
        self.query_convolution = self._convolution("query_convolution", keys, input_shape)
        self.value_convolution = self._convolution("value_convolution", values, input_shape)
        self.output_convolution = self._convolution("output_convolution", channels, (*input_shape[:-1], values))
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")

    def _convolution(self, name: str, filters: int, input_shape: Any) -> keras.layers.Layer:
        initializer = keras.initializers.deserialize(keras.initializers.serialize(self.kernel_initializer))
        layer = keras.layers.Conv2D(
            filters, 1, use_bias=self.use_bias, kernel_initializer=initializer, dtype=self.dtype_policy, name=name
        )
        if self.spectral_normalization:
            layer = SpectralNormalization(layer, name=name)
        layer.build(input_shape)
        return layer

    def call(self, inputs: Any) -> Any:
        """Float tensor (batch, height, width, channels)."""
        keys = widened(_as_line(self.key_convolution(inputs)))
        queries = widened(_as_line(self.query_convolution(inputs)))
        values = _as_line(self.value_convolution(inputs))
        attention = tf.nn.softmax(tf.matmul(queries, keys, transpose_b=True), axis=-1)
        gathered = tf.matmul(tf.cast(attention, values.dtype), values)
        form = tf.concat([tf.shape(inputs)[:3], [values.shape[-1]]], 0)
        outputs = self.output_convolution(tf.reshape(gathered, form))
        return tf.convert_to_tensor(self.gamma) * outputs + inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        check_images(_OWNER, input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {
            **super().get_config(),
            "key_ratio": self.key_ratio,
            "value_ratio": self.value_ratio,
            "use_bias": self.use_bias,
            "spectral_normalization": self.spectral_normalization,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def _as_line(images: Any) -> Any:
    """(batch, positions, channels)."""
    return tf.reshape(images, [tf.shape(images)[0], -1, images.shape[-1]])
