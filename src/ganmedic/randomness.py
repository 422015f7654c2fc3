"""Random numbers that go on where a checkpoint left off, and differ from replica to replica."""

from __future__ import annotations

import math
import random
from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.precision import wide_dtype


class RandomStream(tf.Module):  # type: ignore[misc]
    """A stream of seeds for TensorFlow's stateless generators (counter-based, Salmon et al. 2011).

    One variable counts the draws, so a checkpoint keeps its place. The same seed gives the same numbers in eager code, in a
    `tf.function` and under XLA (`jit_compile=True`) on a CPU.

    Args:
        seed: whole number from 0 to 2³¹ - 1; None for one that Python's `random` draws (`keras.utils.set_random_seed` fixes it).

    Raises:
        TypeError, ValueError: `seed` is no such number.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        chosen = random.randrange(2**31) if seed is None else seed
        self.seed = checking.whole("RandomStream", "seed", chosen, low=0, high=2**31 - 1)
        with tf.init_scope():
            self._drawn = tf.Variable(
                tf.constant([self.seed, 0], tf.int64),
                trainable=False,
                aggregation=replicas.SAME_EVERYWHERE,
                name="random_stream",
            )

    def next_seed(self) -> Any:
        """The next seed, int64 (2,), for any `tf.random.stateless_*`; another on every replica."""
        seed = self._advanced()
        return seed if replicas.count() == 1 else tf.random.experimental.stateless_fold_in(seed, replicas.index())

    def _advanced(self) -> Any:
        seed = self._drawn.read_value()
        self._drawn.assign(seed + tf.constant([0, 1], tf.int64))
        return seed

    def batch(self, size: Any, shape: Any, dtype: Any = tf.float32) -> Any:
        """Standard normal numbers for `size` samples, (size, *shape).

        Every replica takes its part of what one alone would draw for the whole batch, so that several replicas train as one does.

        Args:
            size: samples on this replica, the same on each; whole number or integer scalar.
            shape: of one sample.
            dtype: floating point type.
        """
        seed = self._advanced()
        replicas_at_work = replicas.count()
        everything = normal(tf.concat([[size * replicas_at_work], shape], 0), seed, dtype)
        if replicas_at_work == 1:
            return everything
        begin = replicas.index() * size
        return everything[begin : begin + size]

    def uniform(self, shape: Any, dtype: Any = tf.float32) -> Any:
        """Tensor of `shape`, uniform on [0, 1)."""
        return uniform(shape, self.next_seed(), dtype)

    def normal(self, shape: Any, dtype: Any = tf.float32) -> Any:
        """Tensor of `shape`, standard normal."""
        return normal(shape, self.next_seed(), dtype)


def uniform(shape: Any, seed: Any, dtype: Any = tf.float32) -> Any:
    """Uniform on [0, 1): 24 random bits a number, 32 for float64.

    TensorFlow's own floating point generators give other numbers under XLA than without; the bits of Philox are the same.

    Args:
        shape: of the result.
        seed: integers (2,).
        dtype: floating point type; half precision is drawn in float32 and rounded.
    """
    wide = wide_dtype(dtype)
    bits = _bits(shape, seed)
    if wide == tf.float64:
        return tf.cast(bits, wide) / 2.0**32
    drawn = tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), wide) / 2.0**24
    return tf.cast(drawn, dtype)


def normal(shape: Any, seed: Any, dtype: Any = tf.float32) -> Any:
    """Standard normal (Box, Muller 1958), from the same bits in eager code, in a graph and under XLA; arguments as for `uniform`."""
    wide = wide_dtype(dtype)
    first, second = tf.unstack((tf.cast(_bits(tf.concat([[2], shape], 0), seed), wide) + 0.5) / 2.0**32)
    return tf.cast(tf.sqrt(-2.0 * tf.math.log(first)) * tf.cos(2.0 * math.pi * second), dtype)


def _bits(shape: Any, seed: Any) -> Any:
    return tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox")
