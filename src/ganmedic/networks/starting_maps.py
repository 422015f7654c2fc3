"""What a generator's first feature maps are made of: learned maps, given as they are or scaled by the latents."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.layers._images import check_channels


class _Maps(keras.layers.Layer):  # type: ignore[misc]
    """The arguments and the weight that both kinds have in common."""

    def __init__(self, size: int, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        owner = type(self).__name__
        self.size = checking.whole(owner, "size", size)
        self.seed = None if seed is None else checking.whole(owner, "seed", seed, low=0)

    def _add_maps(self, channels: int) -> None:
        self.maps = self.add_weight(
            name="maps",
            shape=(self.size, self.size, channels),
            initializer=keras.initializers.RandomNormal(0.0, 1.0, seed=self.seed),
        )

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {**super().get_config(), "size": self.size, "seed": self.seed}


@keras.saving.register_keras_serializable(package="ganmedic")
class ScaledMaps(_Maps):
    """One learned map a channel, scaled by one number a sample and channel: R3GAN's generative basis.

    y[b, i, j, c] = x[b, c] · m[i, j, c], m ~ N(0, 1) at the start.

    Args:
        size: whole number from 1; height and width of the maps.
        seed: whole number from 0, or None; of the maps at the start.
        **options: those of every Keras layer.

    Input: float tensor (batch, channels). Output: (batch, size, size, channels).

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> ScaledMaps(4)(np.ones((2, 8), "float32")).shape
        TensorShape([2, 4, 4, 8])

    References:
        Huang, Gokaslan, Kuleshov, Tompkin, *The GAN is dead; long live the GAN! A Modern GAN Baseline*, 2024
        (arXiv:2501.05441), and its code (`GenerativeBasis`).
    """

    def build(self, input_shape: Any) -> None:
        """Makes the maps."""
        self._add_maps(check_channels("ScaledMaps", input_shape))

    def call(self, inputs: Any) -> Any:
        """Float tensor (batch, channels)."""
        return inputs[:, None, None, :] * tf.convert_to_tensor(self.maps)[None]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, size, size, channels)."""
        return (input_shape[0], self.size, self.size, input_shape[-1])


@keras.saving.register_keras_serializable(package="ganmedic")
class LearnedMaps(_Maps):
    """The same learned maps for every sample: StyleGAN's constant input.

    Args:
        channels: whole number from 1.
        size: whole number from 1; height and width of the maps.
        seed: whole number from 0, or None; of the maps at the start, N(0, 1).
        **options: those of every Keras layer.

    Input: any tensor (batch, ...); only the size of its batch is used. Output: (batch, size, size, channels).

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> first, second = LearnedMaps(8, 4)(np.zeros((2, 3), "float32"))
        >>> first.shape, bool(np.all(first == second))
        (TensorShape([4, 4, 8]), True)

    References:
        Karras, Laine, Aila, *A Style-Based Generator Architecture for Generative Adversarial Networks*, 2019
        (arXiv:1812.04948), section 2.
    """

    def __init__(self, channels: int, size: int, seed: int | None = None, **options: Any) -> None:
        super().__init__(size, seed, **options)
        self.channels = checking.whole("LearnedMaps", "channels", channels)

    def build(self, input_shape: Any) -> None:
        """Makes the maps."""
        self._add_maps(self.channels)

    def call(self, inputs: Any) -> Any:
        """Any tensor (batch, ...)."""
        return tf.tile(tf.convert_to_tensor(self.maps)[None], [tf.shape(inputs)[0], 1, 1, 1])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, size, size, channels)."""
        return (input_shape[0], self.size, self.size, self.channels)

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {**super().get_config(), "channels": self.channels}
