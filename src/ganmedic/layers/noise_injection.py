"""Noise added inside of a generator: hair and pores come from it, and need not be drawn from the latent vector."""

from __future__ import annotations

import random
from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.layers._images import check_channels
from ganmedic.precision import wide_dtype
from ganmedic.randomness import normal

_OWNER = "NoiseInjection"
_INFERENCE = ("random", "fixed", "none")


@keras.saving.register_keras_serializable(package="ganmedic")
class NoiseInjection(keras.layers.Layer):  # type: ignore[misc]
    """Adds Gaussian noise of a learnt strength, one map a sample, the same for all channels.

        y = x + strength · n,    n ~ N(0, 1) of shape (batch, height, width, 1)

    The strength starts at 0, so a network with this layer starts as the network without it. How often noise was drawn is a
    weight of the layer and is saved with it: training goes on with the numbers it would have had. The same seed gives
    the same numbers in eager code, in a `tf.function` and under XLA on a CPU; the replicas of a `tf.distribute`
    strategy draw different ones. Layers with the same seed draw the same noise: give each its own, or none.

    Args:
        per_channel: whether each channel has a strength of its own, as in StyleGAN; StyleGAN2 has one for all.
        seed: whole number from 0 to 2³¹ - 1; None for one that Python's `random` draws (`keras.utils.set_random_seed` fixes it).
        inference: what a call without `training=True` adds: `random` noise as in training, a `fixed` map, the same for
            every sample and call, or `none`.
        **options: those of every Keras layer.

    Input and output: float tensor (batch, ..., channels).

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> layer = NoiseInjection(seed=1, inference="fixed")
        >>> layer.build((None, 2, 2, 3))
        >>> layer.strength.assign([0.0, 1.0, 2.0]).shape
        TensorShape([3])
        >>> first, second = layer(np.zeros((2, 2, 2, 3), "float32")).numpy()
        >>> bool((first == second).all()), bool((first[..., 2] == 2 * first[..., 1]).all()), float(first[0, 0, 0])
        (True, True, 0.0)

    References:
        Karras, Laine, Aila, *A Style-Based Generator Architecture for Generative Adversarial Networks*, 2019
        (arXiv:1812.04948), sections 2 and 3.2.
    """

    def __init__(
        self, *, per_channel: bool = True, seed: int | None = None, inference: str = "random", **options: Any
    ) -> None:
        super().__init__(**options)
        self.per_channel = checking.flag(_OWNER, "per_channel", per_channel)
        self.seed = None if seed is None else checking.whole(_OWNER, "seed", seed, low=0, high=2**31 - 1)
        self.inference = checking.choice(_OWNER, "inference", inference, _INFERENCE)
        self._first_seed = random.randrange(2**31) if self.seed is None else self.seed

    def build(self, input_shape: Any) -> None:
        """Makes the strength and the place in the stream of random numbers."""
        channels = check_channels(_OWNER, input_shape)
        self.strength = self.add_weight(
            name="strength", shape=(channels,) if self.per_channel else (), initializer="zeros"
        )
        # A weight, because a `.keras` file keeps neither a tf.Module nor a keras.random.SeedGenerator, and a checkpoint not the
        # latter.
        self.stream = self.add_weight(
            name="stream",
            shape=(2,),
            dtype="int64",
            initializer=lambda shape, dtype=None: tf.constant([self._first_seed, 1], dtype),
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Float tensor (batch, ..., channels) with noise added."""
        if not training and self.inference == "none":
            return inputs
        form = tf.concat([tf.shape(inputs)[:-1], [1]], 0)
        if training or self.inference == "random":
            seed = self._next_seed()
        else:
            # The draws count from 1: no training step shares this map.
            seed = tf.convert_to_tensor(self.stream.value) * tf.constant([1, 0], tf.int64)
            form = tf.concat([[1], form[1:]], 0)
        noise = normal(form, seed, wide_dtype(self.compute_dtype))
        return inputs + tf.convert_to_tensor(self.strength) * tf.cast(noise, inputs.dtype)

    def _next_seed(self) -> Any:
        seed = tf.identity(self.stream.value)
        self.stream.assign(seed + tf.constant([0, 1], tf.int64))
        return seed if replicas.count() == 1 else tf.random.experimental.stateless_fold_in(seed, replicas.index())

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {
            **super().get_config(),
            "per_channel": self.per_channel,
            "seed": self.seed,
            "inference": self.inference,
        }
