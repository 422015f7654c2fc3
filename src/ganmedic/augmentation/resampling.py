"""Images read at other places, between pixels too, by operations whose gradient is exact.

`tf.raw_ops.ImageProjectiveTransformV3`, on which `keras.ops.image.affine_transform` stands, is no way to do this: its registered
gradient reads the incoming gradient through the inverse transformation, which is not the adjoint. Under a scaling by 1.5 it
is off by 0.74 where the largest gradient is 0.98 (`test_resampling.py`), and XLA does not compile it. A gather is
adjoint to the sum over segments that TensorFlow registers as its gradient, to any order.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def bilinear(images: Any, rows: Any, columns: Any, *, border: str = "reflect") -> Any:
    """The images at any places: each value is the mean of the four pixels around, weighted by nearness.

    Args:
        images: floating (batch, height, width, channels).
        rows, columns: same type, (batch, m, n): places in pixels; the centre of the first pixel is 0.
        border: what lies outside; `reflect` mirrors at the centres of the outer pixels, again and again, `zero` is zero.

    Returns:
        Tensor (batch, m, n, channels); places on a whole pixel give that pixel to the last bit.
    """
    above, before = tf.floor(rows), tf.floor(columns)
    down, along = (rows - above), (columns - before)
    top, left = tf.cast(above, tf.int32), tf.cast(before, tf.int32)
    corners_down = tf.stack([top, top, top + 1, top + 1], axis=-1)
    corners_along = tf.stack([left, left + 1, left, left + 1], axis=-1)
    weights = tf.stack([(1 - down) * (1 - along), (1 - down) * along, down * (1 - along), down * along], axis=-1)
    return tf.reduce_sum(pixels(images, corners_down, corners_along, border=border) * weights[..., tf.newaxis], axis=-2)


def pixels(images: Any, rows: Any, columns: Any, *, border: str = "reflect") -> Any:
    """The pixels of whole places.

    Args:
        images: floating (batch, height, width, channels).
        rows, columns: int32 (batch, ...), or what is broadcast to one shape.
        border: as for `bilinear`.

    Returns:
        Tensor (batch, ..., channels).
    """
    batch, height, width, channels = tf.unstack(tf.shape(images))
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    # Both kinds of border fold the place into the image: a gather outside of it is an error on CPU and zero elsewhere.
    places = _folded(rows, height) * width + _folded(columns, width)
    flat = tf.reshape(images, [batch, height * width, images.shape[-1]])
    taken = tf.gather(flat, tf.reshape(places, [batch, -1]), batch_dims=1)
    taken = tf.reshape(taken, tf.concat([tf.shape(places), [channels]], axis=0))
    taken.set_shape([*places.shape, images.shape[-1]])
    return taken if border == "reflect" else tf.where(inside[..., tf.newaxis], taken, tf.zeros([], images.dtype))


def _folded(places: Any, size: Any) -> Any:
    """Places on a line of `size` pixels between two mirrors."""
    period = tf.maximum(2 * (size - 1), 1)
    places = tf.math.floormod(places, period)
    return tf.minimum(places, period - places)
