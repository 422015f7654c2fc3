"""Gradients as a tape gives them: None, dense or sparse, in any precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ganmedic.precision import widened


def values_of(gradient: Any) -> Any:
    """The tensor of a dense gradient; of a sparse one (`tf.IndexedSlices`) the rows, each index once.

    Rows of one index are summed: a row that a batch looks up twice has both gradients, and its norm is that of their sum.
    As many rows come back as there were, the spare ones zero, so the shape is static and XLA can compile it.
    """
    return merged(gradient).values if isinstance(gradient, tf.IndexedSlices) else gradient


def merged(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """The sparse gradient with each index in one row; spare rows are zero and repeat an index."""
    order = tf.argsort(gradient.indices, stable=True)
    indices = tf.gather(gradient.indices, order)
    starts = tf.concat([tf.zeros([1], tf.int32), tf.cast(indices[1:] != indices[:-1], tf.int32)], axis=0)
    segment = tf.cumsum(starts)[: tf.shape(indices)[0]]
    rows = tf.shape(indices)[0]
    values = tf.math.unsorted_segment_sum(tf.gather(gradient.values, order), segment, rows)
    # Of a spare segment no index is known; the smallest index of all stands for it, with a row of zeros.
    named = tf.math.unsorted_segment_max(indices, segment, rows)
    return tf.IndexedSlices(values, tf.maximum(named, tf.reduce_min(indices)), gradient.dense_shape)


def with_values(gradient: Any, values: Any) -> Any:
    """The same gradient with other values, in its own type; a sparse one keeps its indices."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(tf.cast(values, gradient.values.dtype), gradient.indices, gradient.dense_shape)
    return tf.cast(values, gradient.dtype)


def scaled(gradient: Any, factor: Any) -> Any:
    """The gradient times a scalar, in its own type; a sparse one keeps its rows, for scaling needs no merging."""
    values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    # The factor may be below what half precision holds.
    wide = widened(values)
    return with_values(gradient, wide * tf.cast(factor, wide.dtype))


def squared_norm(gradient: Any) -> Any:
    """Σ g² in float32 or float64, scalar."""
    # One operation where squaring and summing are two.
    return 2.0 * tf.nn.l2_loss(widened(values_of(gradient)))


def matched(owner: str, gradients: Sequence[Any], variables: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Gradients beside their variables.

    Args:
        owner: who asks, for the message.
        gradients: a gradient or None for each variable.
        variables: the variables, of TensorFlow or Keras.

    Raises:
        ValueError: their numbers differ, or a gradient is of another shape than its variable.
    """
    gradients, variables = list(gradients), list(variables)
    if len(gradients) != len(variables):
        raise ValueError(
            f"{owner}: {len(gradients)} gradients came for {len(variables)} variables; one for each is expected, None where "
            "there is none. Hand over the same list of variables that the tape was given."
        )
    for gradient, variable in zip(gradients, variables, strict=True):
        if gradient is not None and not gradient.dtype.is_floating:
            raise ValueError(
                f"{owner}: the gradient for {name_of(variable)} is {gradient.dtype.name}; real floating point numbers are expected."
            )
        shape = None if gradient is None else tf.TensorShape(gradient.shape)
        if shape is not None and not shape.is_compatible_with(tuple(variable.shape)):
            raise ValueError(
                f"{owner}: the gradient for {name_of(variable)} is of shape {shape}, the variable of {tuple(variable.shape)}. "
                "Gradients and variables are to be in the same order."
            )
    return list(zip(gradients, variables, strict=True))


def name_of(variable: Any) -> str:
    """The name a user knows it by: Keras' path, else TensorFlow's name."""
    return str(getattr(variable, "path", None) or variable.name)
