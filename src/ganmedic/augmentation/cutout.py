"""A rectangle of each image set to zero, which is grey where images lie in [-1, 1]."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def cut(images: Any, top: Any, bottom: Any, left: Any, right: Any) -> Any:
    """Sets the pixels whose centre lies within the rectangle to zero.

    Args:
        images: floating (batch, height, width, channels).
        top, bottom, left, right: floating (batch,), the sides in pixels; the first pixel reaches from 0 to 1. The rectangle
            may reach beyond the image.
    """
    height, width = tf.unstack(tf.shape(images)[1:3])
    down, along = _within(height, top, bottom), _within(width, left, right)
    hidden = down[:, :, tf.newaxis] & along[:, tf.newaxis, :]
    return tf.where(hidden[..., tf.newaxis], tf.zeros([], images.dtype), images)


def _within(size: Any, low: Any, high: Any) -> Any:
    centres = tf.cast(tf.range(size), low.dtype)[tf.newaxis] + 0.5
    return (centres > low[:, tf.newaxis]) & (centres < high[:, tf.newaxis])
