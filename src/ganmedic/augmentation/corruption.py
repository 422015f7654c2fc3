"""The corruptions of the adaptive pipeline: additive noise, and a rectangle cut out."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.augmentation import batches
from ganmedic.augmentation.augmentation import Drawn
from ganmedic.augmentation.cutout import cut
from ganmedic.augmentation.draws import Draws

_NOISE_DEVIATION = 0.1  # of images in [-1, 1]; the paper's appendix B, as all numbers of this file
_CUTOUT_SIDE = 0.5  # of the side


def draw_noise(draws: Draws, probability: Any, shape: Any) -> Drawn:
    """Group `n`, with `probability`: normal noise for images of `shape`, and a strength a sample, half-normal."""
    (gate,) = draws.uniform(1)
    (strength,) = draws.normal(1)
    return {
        "noise_strength": tf.where(gate < probability, _NOISE_DEVIATION * tf.abs(strength), 0.0),
        "noise": draws.field(shape),
    }


def draw_cutout(draws: Draws, probability: Any) -> Drawn:
    """Group `o`, with `probability`: the middle of the rectangle, and its side relative to the image's."""
    down, along, gate = draws.uniform(3)
    return {
        "cutout_middle": tf.stack([down, along], axis=1),
        "cutout_side": tf.where(gate < probability, _CUTOUT_SIDE, 0.0),
    }


def apply_noise(images: Any, drawn: Drawn) -> Any:
    """Adds the noise."""
    return images + batches.per_sample(drawn["noise_strength"], images) * tf.cast(drawn["noise"], images.dtype)


def apply_cutout(images: Any, drawn: Drawn) -> Any:
    """Sets the rectangle to zero."""
    sides = tf.cast(tf.shape(images)[1:3], tf.float32)
    half = 0.5 * drawn["cutout_side"][:, tf.newaxis] * sides
    middle = drawn["cutout_middle"] * sides
    low, high = middle - half, middle + half
    return cut(images, low[:, 0], high[:, 0], low[:, 1], high[:, 1])
