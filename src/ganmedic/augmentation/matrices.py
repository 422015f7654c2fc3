"""Small matrices, one a sample: homogeneous transformations of the plane (3x3) and of colours (4x4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

#: The direction of grey among the colours, of length 1, as a homogeneous vector.
LUMA = np.array([1.0, 1.0, 1.0, 0.0]) / np.sqrt(3.0)


def matrix(*rows: Sequence[Any]) -> Any:
    """Rows of tensors (batch,), zeros and ones, as a tensor (batch, rows, columns)."""
    entries = [entry for row in rows for entry in row]
    model = next(entry for entry in entries if tf.is_tensor(entry))
    filled = {number: tf.fill(tf.shape(model), tf.cast(number, model.dtype)) for number in (0, 1)}
    stacked = tf.stack([entry if tf.is_tensor(entry) else filled[entry] for entry in entries], axis=-1)
    return tf.reshape(stacked, [-1, len(rows), len(rows[0])])


def product(first: Any, *others: Any) -> Any:
    """The matrix product from left to right.

    It is spelled out: a float32 `tf.matmul` may run with the 10 bits of TensorFloat-32 on a GPU, and a place of 200.3 pixels
    would be off by a tenth.
    """
    for other in others:
        first = tf.reduce_sum(first[..., :, :, tf.newaxis] * other[..., tf.newaxis, :, :], axis=-2)
    return first


def translation(down: Any, along: Any) -> Any:
    """(row, column, 1) moved by `down` and `along`, each (batch,)."""
    return matrix([1, 0, down], [0, 1, along], [0, 0, 1])


def scaling(down: Any, along: Any) -> Any:
    """(row, column, 1) stretched by `down` and `along`, each (batch,)."""
    return matrix([down, 0, 0], [0, along, 0], [0, 0, 1])


def rotation(cosine: Any, sine: Any) -> Any:
    """(row, column, 1) turned from the columns towards the rows, which is clockwise on the screen; each (batch,)."""
    return matrix([cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1])


def brightening(amount: Any) -> Any:
    """(red, green, blue, 1) with `amount` (batch,) added to each."""
    return matrix([1, 0, 0, amount], [0, 1, 0, amount], [0, 0, 1, amount], [0, 0, 0, 1])


def contrasting(factor: Any) -> Any:
    """(red, green, blue, 1) stretched by `factor` (batch,) away from zero."""
    return matrix([factor, 0, 0, 0], [0, factor, 0, 0], [0, 0, factor, 0], [0, 0, 0, 1])


def luma_flip(flipped: Any) -> Any:
    """Light made dark and colours kept, where `flipped` (batch,) is 1: the Householder reflection along grey."""
    return _identity(flipped) - 2 * _wide(flipped) * _along_luma(flipped)


def hue_rotation(angle: Any) -> Any:
    """Colours turned around grey by `angle` (batch,), radians: Rodrigues' formula."""
    cosine, sine = _wide(tf.cos(angle)), _wide(tf.sin(angle))
    x, y, z, _ = LUMA
    cross = np.array([[0, -z, y, 0], [z, 0, -x, 0], [-y, x, 0, 0], [0, 0, 0, 0]])
    last = np.diag([0.0, 0.0, 0.0, 1.0])
    colours = _identity(angle) - tf.constant(last, angle.dtype)
    turned = cosine * colours + (1 - cosine) * _along_luma(angle) + sine * tf.constant(cross, angle.dtype)
    return turned + tf.constant(last, angle.dtype)


def saturating(factor: Any) -> Any:
    """Colours stretched by `factor` (batch,) away from grey."""
    factor = _wide(factor)
    last = tf.constant(np.diag([0.0, 0.0, 0.0, 1.0]), factor.dtype)
    # Not luma + factor (1 - luma): a factor of 1 has to give the identity to the last bit.
    return factor * (_identity(factor) - last) + (1 - factor) * _along_luma(factor) + last


def _wide(values: Any) -> Any:
    return values[:, tf.newaxis, tf.newaxis]


def _identity(like: Any) -> Any:
    return tf.eye(4, dtype=like.dtype)


def _along_luma(like: Any) -> Any:
    return tf.constant(np.outer(LUMA, LUMA), like.dtype)
