"""The norms of a step's gradients, and which of them are finite, in one pass over each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ganmedic.gradients import values_of
from ganmedic.precision import widened


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        norms: L2 norm of each gradient, float32 or float64 (gradients,); 0 where it is not finite.
        finite: whether all of a gradient is finite, boolean (gradients,).
        plainly: all are, and small enough that this was seen at once, boolean scalar; else `finite` tells.
    """

    norms: Any
    finite: Any
    plainly: Any

    @property
    def global_norm(self) -> Any:
        """Norm of all finite gradients together, scalar."""
        return norm_of_norms(self.norms)


def measure(gradients: list[Any]) -> Measured:
    """Measures gradients; None is not among them.

    A square overflows float32 from 1.8e19 on, long before the gradient does. Where a sum of squares is not finite, and only
    there, a second pass tells which of the two it is.
    """
    # An IndexedSlices is measured with each index once, so that a row looked up twice counts as its sum.
    wide = [widened(values_of(gradient)) for gradient in gradients]
    dtype = tf.float64 if any(values.dtype == tf.float64 for values in wide) else tf.float32
    squares = 2.0 * tf.stack([tf.cast(tf.nn.l2_loss(values), dtype) for values in wide])

    def usual() -> tuple[Any, Any]:
        return tf.sqrt(squares), tf.ones_like(squares, tf.bool)

    def careful() -> tuple[Any, Any]:
        finite = tf.stack([tf.reduce_all(tf.math.is_finite(values)) for values in wide])
        norms = tf.stack([tf.cast(_scaled_norm(values), dtype) for values in wide])
        return tf.where(finite, norms, tf.zeros_like(norms)), finite

    usually = tf.reduce_all(tf.math.is_finite(squares))
    norms, finite = tf.cond(usually, usual, careful)
    return Measured(norms, finite, usually)


def norm_of_norms(norms: Any) -> Any:
    """√Σ n², without overflow on the way."""
    largest = tf.reduce_max(norms)
    return largest * tf.sqrt(tf.reduce_sum(tf.square(tf.math.divide_no_nan(norms, largest))))


def bounded(norm: Any, bound: Any) -> Any:
    """min(1, bound / norm), and exactly 1 where the norm is within the bound."""
    bound = tf.cast(bound, norm.dtype)
    return tf.where(norm > bound, tf.math.divide_no_nan(bound, norm), tf.ones_like(norm))


def _scaled_norm(values: Any) -> Any:
    sound = tf.where(tf.math.is_finite(values), values, tf.zeros_like(values))
    largest = tf.reduce_max(tf.abs(sound))
    return largest * tf.sqrt(tf.reduce_sum(tf.square(tf.math.divide_no_nan(sound, largest))))
