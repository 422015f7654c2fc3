"""The colour part of the adaptive pipeline: brightness, contrast, luma flip, hue and saturation, in one matrix a sample."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from ganmedic.augmentation import matrices
from ganmedic.augmentation.augmentation import Drawn
from ganmedic.augmentation.draws import Draws

_BRIGHTNESS_DEVIATION = 0.2  # of images in [-1, 1]; the paper's appendix B, as all numbers of this file
_CONTRAST_DEVIATION = 0.5  # log2
_SATURATION_DEVIATION = 1.0  # log2


def draw(draws: Draws, probability: Any) -> Drawn:
    """Group `c`, each with `probability`."""
    flip, hue, brightness_gate, contrast_gate, flip_gate, hue_gate, saturation_gate = draws.uniform(7)
    brightness, contrast, saturation = draws.normal(3)
    return {
        "brightness": tf.where(brightness_gate < probability, _BRIGHTNESS_DEVIATION * brightness, 0.0),
        "contrast": tf.where(contrast_gate < probability, tf.pow(2.0, _CONTRAST_DEVIATION * contrast), 1.0),
        "luma_flip": tf.where(flip_gate < probability, tf.floor(2.0 * flip), 0.0),
        "hue": tf.where(hue_gate < probability, (2.0 * hue - 1.0) * math.pi, 0.0),
        "saturation": tf.where(saturation_gate < probability, tf.pow(2.0, _SATURATION_DEVIATION * saturation), 1.0),
    }


def compose(drawn: Drawn, channels: int, dtype: Any) -> tuple[Any, Any]:
    """What `draw` gave as a matrix (batch, channels, channels) and what is added, (batch, channels); float32 or float64.

    One channel is taken as grey, which has neither hue nor saturation.
    """
    if channels == 1:
        brightness, contrast, flip = (
            tf.cast(drawn[name], dtype)[:, tf.newaxis] for name in ("brightness", "contrast", "luma_flip")
        )
        factor = contrast * (1 - 2 * flip)
        return factor[..., tf.newaxis], factor * brightness
    matrix = colour_matrix(drawn, dtype)
    return matrix[:, :3, :3], matrix[:, :3, 3]


def apply(images: Any, matrix: Any, added: Any) -> Any:
    """Every pixel of a sample by the sample's matrix."""
    # A sum of three products, not a matrix product: TensorFloat-32 would round samples that nothing is done to.
    result = added[:, tf.newaxis, tf.newaxis, :]
    for channel in range(images.shape[-1]):
        result += matrix[:, tf.newaxis, tf.newaxis, :, channel] * images[..., channel : channel + 1]
    return result


def colour_matrix(drawn: Drawn, dtype: Any) -> Any:
    """The matrix (batch, 4, 4) from (red, green, blue, 1) of the image to that of the result; float32 or float64."""
    drawn = {name: tf.cast(values, dtype) for name, values in drawn.items()}
    return matrices.product(
        matrices.saturating(drawn["saturation"]),
        matrices.hue_rotation(drawn["hue"]),
        matrices.luma_flip(drawn["luma_flip"]),
        matrices.contrasting(drawn["contrast"]),
        matrices.brightening(drawn["brightness"]),
    )


def refuse_channels(owner: str, channels: int) -> None:
    """Refuses images that are neither grey nor red, green and blue.

    Raises:
        ValueError: they have another number of channels than 1 or 3.
    """
    if channels not in (1, 3):
        raise ValueError(
            f"{owner}: images of {channels} channels came; the colour group 'c' of the pipeline is made for 1 or 3. "
            "Leave the letter out: pipeline='bg'."
        )
