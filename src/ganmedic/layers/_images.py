"""The form of what comes in, checked when a layer is built and when shapes are worked out."""

from __future__ import annotations

from collections.abc import Sequence


def check_images(owner: str, shape: Sequence[int | None]) -> int:
    """The number of channels of a batch of images (batch, height, width, channels).

    Raises:
        ValueError: the shape is not of rank 4, or the number of channels is unknown.
    """
    if len(shape) != 4:
        raise ValueError(
            f"{owner}: an input of shape {tuple(shape)} came; images (batch, height, width, channels) are expected. "
            "Reshape the input, with the channels on the last axis."
        )
    return check_channels(owner, shape)


def check_channels(owner: str, shape: Sequence[int | None]) -> int:
    """The length of the last axis of a batch (batch, ..., channels).

    Raises:
        ValueError: there is no such axis, or its length is unknown.
    """
    if len(shape) < 2 or shape[-1] is None:
        raise ValueError(
            f"{owner}: an input of shape {tuple(shape)} came; (batch, ..., channels) with a known number of channels "
            "is expected. Set the shape: tf.ensure_shape(x, ...), or keras.Input(shape)."
        )
    return int(shape[-1])
