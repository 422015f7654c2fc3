"""Batches of images: what an augmentation takes, and the type in which it computes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def accepted(owner: str, name: str, images: Any) -> Any:
    """The images as a tensor, once they are known to be float (batch, height, width, channels).

    Args:
        owner: who takes them, such as `DiffAugment`.
        name: the argument.
        images: what came; batch, height and width may be unknown when a function is traced.

    Raises:
        TypeError: they are of another type than a floating one.
        ValueError: they are not of rank 4, or the number of channels is unknown.
    """
    images = tf.convert_to_tensor(images)
    if not images.dtype.is_floating:
        raise TypeError(
            f"{owner}: {name} is {images.dtype.name}; a floating type is expected. Bring data to the range of the "
            "generator's output first: tf.cast(images, tf.float32) / 127.5 - 1.0 takes bytes to [-1, 1]."
        )
    rank = images.shape.rank
    if rank != 4:
        hint = {
            None: "Give the shape before: tf.ensure_shape(images, (None, height, width, channels)).",
            2: "Vectors and tables cannot be shifted or cut out; leave the augmentation out for them.",
            3: "Add the axis of the channels, images[..., tf.newaxis], or that of the batch, images[tf.newaxis].",
        }.get(rank, "Leave the augmentation out, or give it one image a sample.")
        raise ValueError(
            f"{owner}: {name} is {_form(images)}; images (batch, height, width, channels) are expected. {hint}"
        )
    if images.shape[-1] is None:
        raise ValueError(
            f"{owner}: {name} is {_form(images)}; a known number of channels is expected. "
            "Give the shape before: tf.ensure_shape(images, (None, height, width, channels))."
        )
    return images


def refuse_unequal(owner: str, real: Any, fake: Any) -> None:
    """Refuses a pair of which the two do not have the same shape.

    Raises:
        ValueError: they are known to differ.
        tf.errors.InvalidArgumentError: they turn out to differ when the function runs; XLA leaves this check out.
    """
    if not real.shape.is_compatible_with(fake.shape):
        raise ValueError(
            f"{owner}: real is {_form(real)} and fake is {_form(fake)}; a pair of the same shape is expected. "
            "Make as many fakes as there are real images, or augment the two one by one."
        )
    if not (real.shape.is_fully_defined() and fake.shape.is_fully_defined()):
        tf.debugging.assert_equal(
            tf.shape(real), tf.shape(fake), f"{owner}: real and fake differ in shape; make as many fakes as real images"
        )


def widened_type(images: Any) -> Any:
    """The type of the computation: float64 for float64, float32 for everything else."""
    return tf.float64 if images.dtype == tf.float64 else tf.float32


def per_sample(values: Any, images: Any) -> Any:
    """Values (batch,) in the type of the images, shaped (batch, 1, 1, 1)."""
    return tf.cast(values, images.dtype)[:, tf.newaxis, tf.newaxis, tf.newaxis]


def _form(images: Any) -> str:
    shape = "of unknown rank" if images.shape.rank is None else str(tuple(images.shape))
    return f"{images.dtype.name} {shape}"
