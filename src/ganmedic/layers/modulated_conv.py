"""StyleGAN2's convolution, whose kernel is scaled by a style and brought back to unit spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.layers._images import check_channels, check_images
from ganmedic.layers._resampling import checked_kernel, filtered, padded
from ganmedic.layers.equalized_learning_rate import EqualizedLearningRate
from ganmedic.precision import wide_dtype, widened

_OWNER = "ModulatedConv2D"
#: StyleGAN2's own code has the same number inside of the root.
_EPSILON = 1e-8
_RESAMPLE = ("up", "down")


@keras.saving.register_keras_serializable(package="ganmedic")
class ModulatedConv2D(keras.layers.Layer):  # type: ignore[misc]
    """A convolution steered by a style vector, sample by sample.

    It replaces the instance normalisation of StyleGAN, which left blobs in the samples. With a scale s_i for each input
    channel, an affine function of the style (bias 1 at the start):

        w'_ijk = s_i w_ijk                                (modulation)
        w''_ijk = w'_ijk / √( Σ_ik w'_ijk² + 1e-8 )      (demodulation)

    No kernel is made for each sample: conv(x, w'') = d · conv(s x, w) with d_j = 1/√( Σ_i s_i² Σ_k w_ijk² + 1e-8 ), which is the
    same numbers and runs on a CPU and under XLA. Both kernels have an equalised learning rate: N(0, 1) stored, over √fan_in
    used. In float16 and bfloat16, s and w are divided by their largest magnitude first, which demodulation takes back.

    Args:
        filters: whole number from 1.
        kernel_size: odd whole number from 1.
        demodulate: whether to demodulate; StyleGAN2's layer that gives colours does not.
        resample: None, `up` for twice the height and width, or `down` for half of them, rounded down.
        resample_kernel: numbers whose sum is not 0; the filter, as in `BlurUpsample2D`.
        use_bias: whether a bias for each filter is added behind.
        **options: those of every Keras layer.

    Input: a list of the images, float tensor (batch, height, width, channels), and the styles, float tensor (batch, features).
    Output: (batch, height, width, filters), resampled.

    Raises:
        TypeError, ValueError: an argument is out of its range, or the input is no such list.

    Example:
        >>> images, styles = np.ones((2, 8, 8, 3), "float32"), np.ones((2, 16), "float32")
        >>> ModulatedConv2D(4, 3, resample="up")([images, styles]).shape
        TensorShape([2, 16, 16, 4])

    References:
        Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, *Analyzing and Improving the Image Quality of StyleGAN*, 2020
        (arXiv:1912.04958), section 2.2, equations 1 to 3. Division by the largest magnitude: the code of Karras et al.,
        *Training Generative Adversarial Networks with Limited Data*, 2020 (arXiv:2006.06676).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        demodulate: bool = True,
        resample: str | None = None,
        *,
        resample_kernel: Sequence[float] = (1, 3, 3, 1),
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.filters = checking.whole(_OWNER, "filters", filters)
        self.kernel_size = checking.whole(_OWNER, "kernel_size", kernel_size)
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"{_OWNER}: kernel_size is {kernel_size}; an odd number is expected, whose middle lies on a pixel. "
                f"Take {kernel_size - 1} or {kernel_size + 1}."
            )
        self.demodulate = checking.flag(_OWNER, "demodulate", demodulate)
        self.resample = None if resample is None else checking.choice(_OWNER, "resample", resample, _RESAMPLE)
        self.resample_kernel = checked_kernel(_OWNER, "resample_kernel", resample_kernel)
        self.use_bias = checking.flag(_OWNER, "use_bias", use_bias)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, the affine function of the style and the bias."""
        images, styles = _pair(input_shape)
        channels = check_images(_OWNER, images)
        check_channels(_OWNER, styles)
        # The scales are squared and summed: half precision would not do.
        affine = keras.layers.Dense(
            channels, bias_initializer="ones", dtype=wide_dtype(self.variable_dtype).name, name="affine"
        )
        self.affine = EqualizedLearningRate(affine, gain=1.0, name="affine")
        self.affine.build(styles)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, channels, self.filters),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
            autocast=False,
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        """The list of images (batch, height, width, channels) and styles (batch, features)."""
        images, styles = inputs
        scales = widened(self.affine(styles))
        kernel = widened(tf.convert_to_tensor(self.kernel.value))
        kernel = kernel / math.sqrt(self.kernel_size**2 * kernel.shape[2])
        half = images.dtype not in (tf.float32, tf.float64)
        if half and self.demodulate:
            scales = scales / _largest(scales, [1])
            kernel = kernel / _largest(kernel, [0, 1, 2]) / math.sqrt(self.kernel_size**2 * kernel.shape[2])
        outputs = self._convolved(images * _per_channel(scales, images.dtype), tf.cast(kernel, images.dtype))
        if self.demodulate:
            squares = tf.matmul(tf.square(scales), tf.reduce_sum(tf.square(kernel), axis=[0, 1]))
            outputs = outputs * _per_channel(tf.math.rsqrt(squares + _EPSILON), images.dtype)
        return outputs if self.bias is None else outputs + tf.convert_to_tensor(self.bias)

    def _convolved(self, images: Any, kernel: Any) -> Any:
        """The convolution, with the filter behind it (up) or in front (down); together they keep the picture in its place."""
        size, taps = self.kernel_size, self.resample_kernel
        if self.resample == "up":
            # The kernel turned round makes a transposed convolution one of the image with zeros between.
            turned = tf.transpose(kernel[::-1, ::-1], [0, 1, 3, 2])
            wide = keras.ops.conv_transpose(images, turned, strides=2, padding="valid", data_format="channels_last")
            excess = len(taps) - 2 - (size - 1)
            # Of a 1x1 kernel Keras gives the zero behind the last pixel too.
            after = excess // 2 + (1 if size > 1 else 0)
            return filtered(padded(wide, (excess + 1) // 2 + 1, after), taps, gain=4.0)
        if self.resample == "down":
            excess = len(taps) - 2 + (size - 1)
            narrow = filtered(padded(images, (excess + 1) // 2, excess // 2), taps)
            return tf.nn.conv2d(narrow, kernel, 2, "VALID")
        return tf.nn.conv2d(images, kernel, 1, "SAME")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, height, width, filters), resampled."""
        images, _ = _pair(input_shape)
        check_images(_OWNER, images)
        sizes = [
            size if size is None or self.resample is None else size * 2 if self.resample == "up" else size // 2
            for size in images[1:3]
        ]
        return (images[0], *sizes, self.filters)

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "demodulate": self.demodulate,
            "resample": self.resample,
            "resample_kernel": list(self.resample_kernel),
            "use_bias": self.use_bias,
        }


def _pair(shape: Any) -> tuple[Any, Any]:
    if len(shape) != 2 or not all(isinstance(entry, list | tuple) for entry in shape):
        raise ValueError(
            f"{_OWNER}: an input of shape {shape} came; a list of images (batch, height, width, channels) and styles "
            "(batch, features) is expected. Call it as layer([images, styles])."
        )
    return tuple(shape[0]), tuple(shape[1])


def _largest(values: Any, axes: list[int]) -> Any:
    """The largest magnitude; a constant for the gradient, since demodulation takes it back."""
    return tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(values), axis=axes, keepdims=True), 1e-12))


def _per_channel(numbers: Any, dtype: Any) -> Any:
    """(batch, channels) as (batch, 1, 1, channels)."""
    return tf.cast(numbers, dtype)[:, None, None, :]
