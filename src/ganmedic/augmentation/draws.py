"""The random numbers of one call: every sample has a row of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ganmedic import randomness


class Draws:
    """Independent numbers for the samples of a batch, all from one seed.

    Several numbers a sample are drawn by one operation: two dozen single draws would cost more than the transformation.

    Args:
        seed: int64 (2,).
        batch: number of samples, int32 scalar.
    """

    def __init__(self, seed: Any, batch: Any) -> None:
        self._seed = seed
        self._batch = batch
        self._blocks = 0

    def uniform(self, count: int) -> list[Any]:
        """`count` tensors (batch,), float32, uniform on [0, 1)."""
        return list(tf.unstack(randomness.uniform([self._batch, count], self._next()), axis=1))

    def normal(self, count: int) -> list[Any]:
        """`count` tensors (batch,), float32, standard normal."""
        return list(tf.unstack(randomness.normal([self._batch, count], self._next()), axis=1))

    def field(self, shape: Any) -> Any:
        """A tensor of `shape`, float32, standard normal."""
        return randomness.normal(shape, self._next())

    def _next(self) -> Any:
        # The same seed for a uniform and a normal block would make both out of the same bits.
        self._blocks += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._blocks)


def checked_seed(owner: str, seed: Any) -> Any:
    """A seed that was given by hand, int64 (2,).

    Raises:
        TypeError, ValueError: it is no pair of whole numbers.
    """
    values = seed if tf.is_tensor(seed) else np.asarray(seed)
    dtype = tf.as_dtype(values.dtype)
    message = "two whole numbers are expected, such as seed=(1, 2) or the int64 (2,) of tf.random.Generator.make_seeds()[:, 0]."
    if not dtype.is_integer:
        raise TypeError(f"{owner}: seed is of type {dtype.name}; {message}")
    if tuple(values.shape) != (2,):
        raise ValueError(f"{owner}: seed is of shape {tuple(values.shape)}; {message}")
    return tf.cast(values, tf.int64)
