"""Clipping entry by entry."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.clipping.clip import BoundedClip, Clipped, Ledger
from ganmedic.clipping.measured import Measured, norm_of_norms
from ganmedic.gradients import merged, squared_norm


class Value(BoundedClip):
    """Each entry into [-c, c]; the direction of the step changes. Rows of a sparse gradient that share an index are summed first.

    Args:
        bound: c, above 0.
        non_finite: `keep` or `zero`, see `Clip`.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> Value(1.0)([tf.constant([0.5, -4.0])], [tf.Variable([0.0, 0.0])])[0].numpy().tolist()
        [0.5, -1.0]
    """

    def _clipped(self, gradients: list[Any], measured: Measured, variables: list[Any], ledger: Ledger) -> Clipped:
        made = [self._one(gradient) for gradient in gradients]
        dtype = measured.norms.dtype
        after = tf.sqrt(tf.stack([tf.cast(squared_norm(each), dtype) for each in made]))
        after = tf.where(measured.finite, after, tf.zeros_like(after))
        left = tf.math.divide_no_nan(norm_of_norms(after), measured.global_norm)
        return Clipped(made, left, tf.reduce_any(after < measured.norms))

    def _one(self, gradient: Any) -> Any:
        if isinstance(gradient, tf.IndexedSlices):
            rows = merged(gradient)
            return tf.IndexedSlices(self._bounded(rows.values), rows.indices, rows.dense_shape)
        return self._bounded(gradient)

    def _bounded(self, values: Any) -> Any:
        # A bound that half precision rounds to zero is no bound.
        wide = tf.cast(values, tf.float32) if values.dtype in (tf.float16, tf.bfloat16) else values
        return tf.cast(tf.clip_by_value(wide, -self.bound, self.bound), values.dtype)
