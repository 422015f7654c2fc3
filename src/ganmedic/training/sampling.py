"""Latents, labels and samples of a generator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ganmedic import checking, randomness

#: Keeps the numbers of what is shown apart from those of training, whatever the seed.
_SHOWN = 0x67616E
_BLOCK = 64


def latents_for(count: int, shape: tuple[int, ...], seed: int) -> Any:
    """Standard normal latents, float32 (count, *shape): the first n of a seed are the same for every count."""
    blocks = [randomness.normal([_BLOCK, *shape], [seed, _SHOWN + number]) for number in range(-(-count // _BLOCK))]
    return tf.concat(blocks, 0)[:count]


def labels_for(count: int, classes: int, labels: Any) -> NDArray[np.int32]:
    """Labels of so many samples: those that are given, or each class in turn.

    Raises:
        ValueError: there are not as many, or one is no class.
    """
    if labels is None:
        return (np.arange(count) % classes).astype(np.int32)
    given = np.asarray(labels)
    given = np.full([count], given) if given.ndim == 0 else given
    if given.shape != (count,) or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            f"labels are {given.dtype} of shape {given.shape}; whole numbers of shape ({count},), or one for all, are expected."
        )
    if given.size and (given.min() < 0 or given.max() >= classes):
        raise ValueError(
            f"labels reach from {given.min()} to {given.max()}; 0 to {classes - 1} are expected, for there are {classes} classes."
        )
    return given.astype(np.int32)


def raw(gan: Any, count: int, seed: int, labels: Any = None, *, averaged: bool = True, batch_size: int = 64) -> Any:
    """Samples as the networks see them, float32 (count, ...); arguments as for `GAN.generate`."""
    latents = latents_for(count, gan.latent_shape, seed)
    chosen = None if gan.classes is None else labels_for(count, gan.classes, labels)
    average = gan.ema if averaged else None
    made = []
    with fixed_noise(gan.generator, seed), average.applied(gan.generator) if average else contextlib.nullcontext():
        for begin in range(0, count, batch_size):
            part = latents[begin : begin + batch_size]
            inputs = part if chosen is None else [part, tf.constant(chosen[begin : begin + batch_size])]
            made.append(np.asarray(gan.generator(inputs, training=False), np.float32))
    return np.concatenate(made)


def generated(gan: Any, count: int, seed: int, labels: Any, *, averaged: bool, batch_size: int) -> NDArray[Any]:
    """What `GAN.generate` does."""
    count = checking.whole("GAN.generate", "count", count)
    seed = checking.whole("GAN.generate", "seed", seed, low=0, high=2**31 - 1)
    batch_size = checking.whole("GAN.generate", "batch_size", batch_size)
    if gan.classes is None and labels is not None:
        raise ValueError("GAN.generate: labels came, and this GAN has no classes. Leave them out.")
    samples: NDArray[Any] = raw(gan, count, seed, labels, averaged=averaged, batch_size=batch_size)
    known = gan.normalisation
    if known is None:
        return samples
    if known.dtype is None or np.dtype(known.dtype).kind not in "iu":
        return np.asarray(known.invert(samples, dtype=np.float32))
    # An integer cannot say NaN.
    return np.asarray(known.invert(np.nan_to_num(samples, nan=0.0), dtype="source"))


@contextlib.contextmanager
def fixed_noise(network: Any, seed: int) -> Iterator[None]:
    """Inside the block, what the network's own layers draw follows from the seed; its streams are as they were behind it."""
    streams = [variable for variable in network.variables if not tf.as_dtype(variable.dtype).is_floating]
    before = [np.array(tf.convert_to_tensor(variable)) for variable in streams]
    try:
        for place, (variable, value) in enumerate(zip(streams, before, strict=True)):
            variable.assign(np.resize(np.array([seed, _SHOWN + place]), value.shape).astype(value.dtype))
        yield
    finally:
        for variable, value in zip(streams, before, strict=True):
            variable.assign(value)
