"""The geometric part of the adaptive pipeline: pixel blitting and general transformations, in one resampling.

Everything is composed into one matrix that leads from a pixel of the result to its place in the image, so that the image is
interpolated once. Places are counted from the middle of the image, in pixels.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from ganmedic.augmentation import matrices
from ganmedic.augmentation.augmentation import Drawn
from ganmedic.augmentation.draws import Draws
from ganmedic.augmentation.resampling import bilinear

_SHIFT = 0.125  # of the side; the paper's appendix B, as all numbers of this file
_SCALE_DEVIATION = 0.2  # log2
_FRACTION_DEVIATION = 0.125  # of the side


def draw_blits(draws: Draws, probability: Any) -> Drawn:
    """Group `b`, each with `probability`: mirroring (or not), 0 to 3 quarter turns, a shift by whole pixels."""
    flip, turns, down, along, flip_gate, turn_gate, shift_gate = draws.uniform(7)
    shift = (2.0 * tf.stack([down, along], axis=1) - 1.0) * _SHIFT
    return {
        "flip": tf.where(flip_gate < probability, tf.floor(2.0 * flip), 0.0),
        "quarter_turns": tf.where(turn_gate < probability, tf.floor(4.0 * turns), 0.0),
        "shift": tf.where((shift_gate < probability)[:, tf.newaxis], shift, 0.0),
    }


def draw_general(draws: Draws, probability: Any) -> Drawn:
    """Group `g`: zoom, rotation before and after a stretch, a shift by fractions; a rotation on either side with `probability`."""
    first, second, zoom_gate, first_gate, stretch_gate, second_gate, shift_gate = draws.uniform(7)
    zoom, stretch, down, along = draws.normal(4)
    one_rotation = 1.0 - tf.sqrt(1.0 - probability)
    shift = _FRACTION_DEVIATION * tf.stack([down, along], axis=1)
    return {
        "zoom": tf.where(zoom_gate < probability, tf.pow(2.0, _SCALE_DEVIATION * zoom), 1.0),
        "first_rotation": tf.where(first_gate < one_rotation, (2.0 * first - 1.0) * math.pi, 0.0),
        "stretch": tf.where(stretch_gate < probability, tf.pow(2.0, _SCALE_DEVIATION * stretch), 1.0),
        "second_rotation": tf.where(second_gate < one_rotation, (2.0 * second - 1.0) * math.pi, 0.0),
        "fractional_shift": tf.where((shift_gate < probability)[:, tf.newaxis], shift, 0.0),
    }


def apply(images: Any, inverse: Any) -> Any:
    """Images read where the matrix that `compose` gave leads, mirrored at the border."""
    height, width = tf.unstack(tf.shape(images)[1:3])
    middle_row, middle_column = (tf.cast(size - 1, images.dtype) / 2 for size in (height, width))
    down = (tf.cast(tf.range(height), images.dtype) - middle_row)[tf.newaxis, :, tf.newaxis]
    along = (tf.cast(tf.range(width), images.dtype) - middle_column)[tf.newaxis, tf.newaxis, :]
    rows, columns = (
        inverse[:, axis, 0, tf.newaxis, tf.newaxis] * down
        + inverse[:, axis, 1, tf.newaxis, tf.newaxis] * along
        + inverse[:, axis, 2, tf.newaxis, tf.newaxis]
        for axis in (0, 1)
    )
    return bilinear(images, rows + middle_row, columns + middle_column)


def compose(drawn: Drawn, height: Any, width: Any, dtype: Any) -> Any:
    """The matrix (batch, 3, 3) from (row, column, 1) of the result to that of the image, counted from the middle.

    Args:
        drawn: what `draw_blits`, `draw_general` or both gave.
        height, width: pixels, int32 scalars.
        dtype: float32 or float64.
    """
    drawn = {name: tf.cast(values, dtype) for name, values in drawn.items()}
    sides = tf.cast(tf.stack([height, width]), dtype)
    steps = []
    if "flip" in drawn:
        # Quarter turns from a table: the cosine of pi / 2 is not zero in floating point.
        turns = tf.cast(drawn["quarter_turns"], tf.int32)
        cosine, sine = (tf.gather(tf.constant(values, dtype), turns) for values in ([1, 0, -1, 0], [0, 1, 0, -1]))
        shift = -tf.round(drawn["shift"] * sides)
        steps += [
            matrices.scaling(tf.ones_like(drawn["flip"]), 1 - 2 * drawn["flip"]),
            matrices.rotation(cosine, sine),
            matrices.translation(shift[:, 0], shift[:, 1]),
        ]
    if "zoom" in drawn:
        shift = -drawn["fractional_shift"] * sides
        steps += [
            matrices.scaling(1 / drawn["zoom"], 1 / drawn["zoom"]),
            _turned(drawn["first_rotation"]),
            matrices.scaling(drawn["stretch"], 1 / drawn["stretch"]),
            _turned(drawn["second_rotation"]),
            matrices.translation(shift[:, 0], shift[:, 1]),
        ]
    return matrices.product(*steps)


def _turned(angle: Any) -> Any:
    return matrices.rotation(tf.cos(angle), tf.sin(angle))
