"""The figures of one step, and their means over an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ganmedic import replicas
from ganmedic.training.parts import Parts, name_of_penalty

FIGURES = ("d_loss", "g_loss", "real_score", "fake_score", "d_accuracy", "d_gradient_norm", "g_gradient_norm")


class Row(tf.Module):  # type: ignore[misc]
    """Keeps the last figures and sums them up, without a value leaving the device.

    Args:
        names: of the figures.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        with tf.init_scope():
            self.last = _variable(np.full([len(names)], np.nan, np.float32), "last_row")
            # How often each figure was there, and its sum.
            self.sums = _variable(np.zeros([2, len(names)], np.float64), "row_sums")

    def add(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """Takes up a step; figures that it has not stay as they were. Returns the means so far, float32 scalars by name."""
        there = np.array([name in figures for name in self.names])
        values = [tf.cast(figures.get(name, 0.0), tf.float32) for name in self.names]
        row = replicas.mean(tf.stack([tf.reshape(value, []) for value in values]))
        self.last.assign(tf.where(there, row, self.last.read_value()))
        counted = tf.stack([tf.cast(there, tf.float64), tf.cast(tf.where(there, row, 0.0), tf.float64)])
        sums = self.sums.read_value() + counted
        self.sums.assign(sums)
        means = tf.cast(tf.math.divide_no_nan(sums[1], sums[0]), tf.float32)
        return for_keras(dict(zip(self.names, tf.unstack(means), strict=True)))

    def reset(self) -> None:
        """Begins the means anew."""
        self.sums.assign(tf.zeros_like(self.sums))


def for_keras(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Scalars as Keras takes them from a step: with several workers it means over a first axis, which a scalar does not have."""
    strategy = tf.distribute.get_strategy()
    resolver = strategy.cluster_resolver
    several = (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and resolver is not None
        and len(resolver.cluster_spec().as_dict().get("worker", ())) > 1
    )
    return {name: tf.reshape(value, [1]) if several else value for name, value in figures.items()}


def names_for(parts: Parts) -> tuple[str, ...]:
    """The figures of a step with these parts."""
    names = [*FIGURES]
    for letter, penalties in (("d", parts.discriminator_penalties), ("g", parts.generator_penalties)):
        kinds = [name_of_penalty(each) for each in penalties]
        names += [
            f"{letter}_{kind}" if kinds[:place].count(kind) == 0 else f"{letter}_{kind} {kinds[:place].count(kind) + 1}"
            for place, kind in enumerate(kinds)
        ]
    if hasattr(parts.augmentation, "probability"):
        names.append("augmentation_probability")
    return tuple(names)


def _variable(value: Any, name: str) -> tf.Variable:
    return tf.Variable(value, trainable=False, aggregation=replicas.SAME_EVERYWHERE, name=name)
