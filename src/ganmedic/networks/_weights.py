"""Where weights start: a seed of its own for every kernel, and the spread that keeps a signal's size."""

from __future__ import annotations

import math

import keras
import numpy as np

#: Slope of the LeakyReLU for negative numbers, in every network of this package.
SLOPE = 0.2
#: The spread a linear layer needs before a LeakyReLU to keep the mean square of its input, over √fan_in (He et al. 2015).
LEAKY_GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))


class Seeds:
    """A seed for each kernel, one after the other; the same for the same seed and network.

    Args:
        seed: of both networks; None for kernels that Keras draws a seed for.
        network: 0 for the generator, 1 for the discriminator.
    """

    def __init__(self, seed: int | None, network: int) -> None:
        self._random = None if seed is None else np.random.default_rng([seed, network])

    def next(self) -> int | None:
        """The next one."""
        return None if self._random is None else int(self._random.integers(2**31))

    def normal(self, spread: float) -> keras.initializers.Initializer:
        """N(0, spread²), for one kernel; zeros where the spread is 0."""
        if spread == 0.0:
            return keras.initializers.Zeros()
        return keras.initializers.RandomNormal(0.0, spread, seed=self.next())

    def scaled(self, fan_in: int, gain: float = 1.0) -> keras.initializers.Initializer:
        """N(0, gain²/fan_in), for one kernel with so many inputs to a unit."""
        return self.normal(gain / math.sqrt(fan_in))
