"""A convolution in groups that a CPU can differentiate, twice."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

_OWNER = "GroupedConv2D"
#: On a CPU neighbouring groups are put together until a convolution reads so many channels. Forward, backward and the backward
#: pass of a gradient penalty, two cores, batch 8, a 3x3 kernel with 16 channels a group (milliseconds at 64 pixels and 96
#: channels, 16 and 384, 4 and 384): one convolution a group 377, 90, 8; up to 32 channels 347, 82, 11; up to 64 309, 125, 15; the
#: whole as one block-diagonal kernel 509, 449, 58; patches and a batched product 1819, 277, 23. 32 needs half as many
#: operations as one a group, and half the time for tracing.
_CHANNELS_TOGETHER = 32


@keras.saving.register_keras_serializable(package="ganmedic")
class GroupedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """`keras.layers.Conv2D` with `groups`, fast and differentiable on a CPU.

    Group g of the filters reads group g of the channels only, which takes `groups` times fewer weights. TensorFlow has no
    gradient for that on a CPU; Keras compiles it with XLA instead, 40 to 100 times slower than this. Here the channels are
    split, a few groups together get one convolution with a block-diagonal kernel, and the results are joined: the same
    numbers. Where TensorFlow sees a GPU and nothing pins the layer to a CPU, it is one native grouped convolution.

    Args:
        as for `keras.layers.Conv2D`; `data_format` is `channels_last`.

    Input: float tensor (batch, height, width, channels). Output: (batch, height, width, filters).

    Raises:
        ValueError: `groups` does not divide the channels and the filters, or the data format is another.

    Example:
        >>> layer = GroupedConv2D(4, 1, groups=2, use_bias=False, kernel_initializer="ones")
        >>> layer(np.array([[[[1.0, 2.0, 3.0, 4.0]]]], "float32")).numpy().ravel().tolist()
        [3.0, 3.0, 7.0, 7.0]

    References:
        Xie, Girshick, Dollár, Tu, He, *Aggregated Residual Transformations for Deep Neural Networks*, 2017
        (arXiv:1611.05431), section 3.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.data_format != "channels_last":
            raise ValueError(
                f"{_OWNER}: data_format is {self.data_format!r}; 'channels_last' is expected. Permute the axes before the layer."
            )

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution without bias and activation; Keras calls it with the kernel in the type it computes in."""
        kernel = tf.convert_to_tensor(kernel)
        if self.groups == 1 or on_gpu():
            return self._convolved(inputs, kernel)
        together = _groups_together(self.groups, int(kernel.shape[2]))
        parts = self.groups // together
        pairs = zip(tf.split(inputs, parts, axis=-1), tf.split(kernel, parts, axis=-1), strict=True)
        outputs = [self._convolved(part, _block_diagonal(weights, together)) for part, weights in pairs]
        return outputs[0] if parts == 1 else tf.concat(outputs, axis=-1)

    def _convolved(self, inputs: Any, kernel: Any) -> Any:
        return tf.nn.conv2d(
            inputs, kernel, list(self.strides), self.padding.upper(), dilations=list(self.dilation_rate)
        )


def on_gpu() -> bool:
    """Whether an operation made here runs on a GPU: there is one, and no device scope names a CPU."""
    if not tf.config.list_logical_devices("GPU"):
        return False
    return "CPU" not in tf.zeros([]).device.upper()


def _groups_together(groups: int, channels: int) -> int:
    """The largest divisor of the number of groups that keeps a convolution within the channels it may read."""
    most = max(1, _CHANNELS_TOGETHER // channels)
    return max(divisor for divisor in range(1, min(groups, most) + 1) if groups % divisor == 0)


def _block_diagonal(kernel: Any, groups: int) -> Any:
    """(height, width, c, filters) of so many groups as (height, width, groups · c, filters), zero between groups."""
    if groups == 1:
        return kernel
    height, width, channels, filters = kernel.shape
    blocks = tf.reshape(kernel, [height, width, 1, channels, groups, filters // groups])
    mask = tf.reshape(tf.eye(groups, dtype=kernel.dtype), [1, 1, groups, 1, groups, 1])
    return tf.reshape(blocks * mask, [height, width, groups * channels, filters])
