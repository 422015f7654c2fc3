"""Minibatch standard deviation: shows the discriminator how much the samples of a batch differ."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.layers._images import check_channels
from ganmedic.precision import widened

_OWNER = "MinibatchStandardDeviation"
#: Inside of the root, where it keeps the gradient of identical samples finite; ProGAN's own code has 1e-8 too.
_EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="ganmedic")
class MinibatchStandardDeviation(keras.layers.Layer):  # type: ignore[misc]
    """Appends channels that hold the standard deviation over a group of samples.

    A discriminator that sees samples one by one cannot punish a generator that always gives the same one. With this layer
    near its end it can: fake batches of little variety have a smaller number in the new channel than real ones.

    The batch of size B is cut into M = B/G groups; sample i belongs to group i mod M, as in StyleGAN2. For each group m and
    block f of channels:

        s(m, f) = mean over positions and channels of √( mean over the group of (x - group mean)² + 1e-8 )

    It has no weights and is the same in training and inference; the output for a sample depends on its batch. Under a
    `tf.distribute` strategy the groups are those of each replica's own batch.

    Args:
        group_size: whole number from 1, or None for the whole batch. Where it does not divide the batch, the largest number
            below it that does is taken: 3 for a batch of 6 and a group size of 4. A batch of 5 leaves groups of
            1, of which the layer sees no variety.
        num_channels: whole number from 1 that divides the input's channels; how many channels are appended.
        **options: those of every Keras layer.

    Input: float tensor (batch, ..., channels). Output: (batch, ..., channels + num_channels).

    Raises:
        TypeError, ValueError: an argument is out of its range, or `num_channels` does not divide the channels.

    Example:
        >>> layer = MinibatchStandardDeviation(group_size=2)
        >>> layer(np.array([[1.0], [5.0], [3.0], [5.0]], "float32")).numpy().round(3).tolist()
        [[1.0, 1.0], [5.0, 0.0], [3.0, 1.0], [5.0, 0.0]]

    References:
        Karras, Aila, Laine, Lehtinen, *Progressive Growing of GANs for Improved Quality, Stability, and Variation*, 2018
        (arXiv:1710.10196), section 3. Grouping as in the code of Karras et al., *Analyzing and Improving the Image Quality of
        StyleGAN*, 2020 (arXiv:1912.04958).
    """

    #: Samples of a batch influence each other: they are not to be joined with others in one pass.
    couples_samples = True

    def __init__(self, group_size: int | None = 4, num_channels: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.group_size = None if group_size is None else checking.whole(_OWNER, "group_size", group_size)
        self.num_channels = checking.whole(_OWNER, "num_channels", num_channels)

    def build(self, input_shape: Any) -> None:
        """Checks the channels; there are no weights."""
        self._check(input_shape)

    def _check(self, shape: Any) -> int:
        channels = check_channels(_OWNER, shape)
        if channels % self.num_channels:
            raise ValueError(
                f"{_OWNER}: num_channels is {self.num_channels} and {channels} channels came; a divisor of the number of "
                "channels is expected. Take num_channels=1."
            )
        return channels

    def call(self, inputs: Any) -> Any:
        """Float tensor (batch, ..., channels) with the new channels behind."""
        values = widened(inputs)
        channels, form = int(values.shape[-1]), tf.shape(values)
        positions = form[1:-1]
        group = self._group(values.shape[0], form[0])
        blocks = [self.num_channels, channels // self.num_channels]
        # (G, M, positions, blocks, channels of a block)
        grouped = tf.reshape(values, [group, -1, tf.reduce_prod(positions), *blocks])
        centred = grouped - tf.reduce_mean(grouped, axis=0)
        deviation = tf.sqrt(tf.reduce_mean(tf.square(centred), axis=0) + _EPSILON)
        per_group = tf.tile(tf.reduce_mean(deviation, axis=[1, 3]), [group, 1])
        flat = tf.reshape(per_group, tf.concat([form[:1], tf.ones_like(positions), [self.num_channels]], 0))
        statistic = tf.broadcast_to(flat, tf.concat([form[:-1], [self.num_channels]], 0))
        return tf.concat([inputs, tf.cast(statistic, inputs.dtype)], axis=-1)

    def _group(self, batch: int | None, dynamic_batch: Any) -> Any:
        """The largest divisor of the batch that is at most the group size."""
        if self.group_size is None:
            return dynamic_batch if batch is None else batch
        if batch is not None:
            return max(size for size in range(1, self.group_size + 1) if batch % size == 0)
        sizes = tf.range(1, self.group_size + 1)
        return tf.reduce_max(tf.where(dynamic_batch % sizes == 0, sizes, 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, ..., channels + num_channels)."""
        return (*input_shape[:-1], self._check(input_shape) + self.num_channels)

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {**super().get_config(), "group_size": self.group_size, "num_channels": self.num_channels}
