"""PacGAN: the discriminator sees several samples at once."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.correction import Correction


class Packing(Correction):
    """m samples of one kind side by side on the channel axis, for the discriminator to judge together.

    A generator that gives the same sample again and again shows itself at once. Real and generated samples are packed alike, in both
    players' steps; nothing else changes but the discriminator's input and a batch that is m times smaller.

    Args:
        samples: m, 1 or more; 2 to 4 in the paper.

    Raises:
        ValueError, TypeError: `samples` is no such number.

    Example:
        >>> packing = Packing(2)
        >>> packing(tf.constant([[1.0], [2.0], [3.0], [4.0]])).numpy().tolist()
        [[1.0, 2.0], [3.0, 4.0]]
        >>> packing.input_shape((28, 28, 1))
        (28, 28, 2)

    References:
        Lin et al. 2017, *PacGAN: The power of two samples in generative adversarial networks*, arXiv 1712.04086, section 2.
    """

    def __init__(self, samples: int = 2) -> None:
        super().__init__()
        self.samples = checking.whole("Packing", "samples", samples)

    def input_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of one packed sample, without the batch, from that of one sample."""
        if not shape or shape[-1] is None:
            raise ValueError(f"Packing: a sample's shape is {shape}; (..., channels) with known channels is expected.")
        return (*shape[:-1], shape[-1] * self.samples)

    def __call__(self, samples: Any) -> Any:
        """Packs a batch.

        Args:
            samples: tensor (batch, ..., channels); m divides the batch.

        Returns:
            Tensor (batch / m, ..., m · channels); neighbours in the batch are packed together.

        Raises:
            ValueError: m does not divide the batch, or there is no channel axis.
        """
        samples = tf.convert_to_tensor(samples)
        if samples.shape.rank is None or samples.shape.rank < 2:
            raise ValueError(f"Packing: samples are of shape {samples.shape}; (batch, ..., channels) is expected.")
        size = samples.shape[0]
        if size is not None and size % self.samples:
            raise ValueError(
                f"Packing: {self.samples} samples are packed together, and the batch has {size}. Take a batch size that it "
                "divides, and drop_remainder=True."
            )
        inner = samples.shape[1:-1]
        channels = samples.shape[-1]
        groups = tf.reshape(samples, [-1, self.samples, *inner, channels])
        order = [0, *range(2, groups.shape.rank - 1), 1, groups.shape.rank - 1]
        return tf.reshape(tf.transpose(groups, order), [-1, *inner, self.samples * channels])
