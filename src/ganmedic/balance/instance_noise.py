"""Noise on what the discriminator sees, annealed away."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.correction import Correction
from ganmedic.precision import wide_dtype
from ganmedic.randomness import RandomStream
from ganmedic.scheduled import Scheduled


class InstanceNoise(Correction):
    """x + n, n ~ N(0, σ²), on real and generated samples alike; σ falls linearly to 0.

    Distributions that do not overlap come to overlap, so the discriminator cannot be perfect and the generator keeps a gradient. One
    call takes both batches, so that neither is forgotten:

        real, fake = noise(real, fake)

    It belongs to the steps of both players. Only `step=True` moves the schedule on: once a round.

    Args:
        spread: σ at the beginning, in the units of the samples, 0 or more; 0.1 for images on [-1, 1].
        steps: after so many calls with `step=True` σ is 0; 1 or more.
        seed: of the noise.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> noise = InstanceNoise(0.5, steps=2, seed=0)
        >>> [bool(tf.reduce_any(noise(tf.zeros([8, 2]), tf.zeros([8, 2]))[0] != 0)) for _ in range(3)]
        [True, True, False]

    References:
        Sønderby et al. 2016, *Amortised MAP Inference for Image Super-resolution*, arXiv 1610.04490, section 3.2.
        Arjovsky, Bottou 2017, *Towards Principled Methods for Training GANs*, arXiv 1701.04862, section 3.
    """

    def __init__(self, spread: float = 0.1, steps: int = 10_000, seed: int | None = None) -> None:
        super().__init__()
        self.spread = checking.number("InstanceNoise", "spread", spread, low=0.0)
        self.steps = checking.whole("InstanceNoise", "steps", steps)
        self.seed = seed
        self._random = RandomStream(seed)
        self._spread = Scheduled(keras.optimizers.schedules.PolynomialDecay(self.spread, self.steps, 0.0))

    def __call__(self, real: Any, fake: Any, *, step: bool = True) -> tuple[Any, Any]:
        """Both batches with noise.

        Args:
            real, fake: float tensors (batch, ...); real may be None in the generator's step.
            step: whether this call counts for the schedule; False for the second call of a round.

        Returns:
            Tensors of the same shapes and types.

        Raises:
            ValueError: a batch is no floating point tensor.
        """
        spread = self._spread.next() if step else self._spread.now()
        return None if real is None else self._noisy("real", real, spread), self._noisy("fake", fake, spread)

    def _noisy(self, name: str, samples: Any, spread: Any) -> Any:
        samples = tf.convert_to_tensor(samples)
        if not samples.dtype.is_floating:
            raise ValueError(
                f"InstanceNoise: {name} is {samples.dtype.name}; floating point samples are expected, as they reach the "
                "discriminator. Normalise and cast them first."
            )
        wide = wide_dtype(samples.dtype)
        noise = self._random.normal(tf.shape(samples), wide) * tf.cast(spread, wide)
        return tf.cast(tf.cast(samples, wide) + noise, samples.dtype)
