"""How far D overfits, measured by the signs of its margins on real images, and the probability that follows it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import replicas


class OverfittingControl(tf.Module):  # type: ignore[misc]
    """Raises a probability while D is too sure of the real images, and lowers it while D is not.

    Every `interval` batches, with the mean over all that came since and over all replicas:
    r_t = E[sign(margin)]; p <- clip(p + sign(r_t - target) n / images, 0, maximum), n being the number of images that came.

    Args:
        target: r_t at which p stays, -1 to 1.
        interval: batches between two changes.
        images: number of real images in which p goes from 0 to 1.
        initial, maximum: probabilities, 0 to 1.
    """

    def __init__(self, *, target: float, interval: int, images: float, initial: float, maximum: float) -> None:
        super().__init__()
        self._target, self._interval, self._images, self._maximum = target, interval, images, maximum
        with tf.init_scope():
            self._probability = _state(initial, tf.float32, "augment_probability")
            self._overfitting = _state(0.0, tf.float32, "overfitting")
            self._batches = _state(0, tf.int64, "batches_since")
            self._tally = _state([0.0, 0.0, 0.0], tf.float32, "tally")

    @property
    def probability(self) -> Any:
        """p, float32 scalar, within its bounds even where something else has been assigned or restored."""
        return tf.clip_by_value(self._probability.read_value(), 0.0, self._maximum)

    @property
    def overfitting(self) -> Any:
        """The last r_t, float32 scalar; 0 before the first interval is over."""
        return self._overfitting.read_value()

    def update(self, margins: Any) -> None:
        """Counts the margins of one batch of real images, float (batch, ...); what is not finite has no sign and no say."""
        margins = tf.stop_gradient(margins)
        finite = tf.math.is_finite(margins)
        signs = tf.reduce_sum(tf.cast(tf.sign(tf.where(finite, margins, tf.zeros_like(margins))), tf.float32))
        heard = tf.reduce_sum(tf.cast(finite, tf.float32))
        batch = tf.cast(tf.shape(margins)[0], tf.float32)
        tally = self._tally.read_value() + replicas.total(tf.stack([signs, heard, batch]))
        passed = self._batches.read_value() + 1
        # Values are chosen, not branches: a replica may not enter a branch in which it would have to wait for the others.
        over = passed >= self._interval
        signs, heard, images = tf.unstack(tally)
        known = over & (heard > 0)
        measured = signs / tf.maximum(heard, 1.0)
        moved = self.probability + tf.sign(measured - self._target) * images / self._images
        self._overfitting.assign(tf.where(known, measured, self._overfitting.read_value()))
        self._probability.assign(tf.clip_by_value(tf.where(known, moved, self.probability), 0.0, self._maximum))
        self._batches.assign(tf.where(over, tf.zeros_like(passed), passed))
        self._tally.assign(tf.where(over, tf.zeros_like(tally), tally))


def _state(value: Any, dtype: Any, name: str) -> Any:
    return tf.Variable(tf.constant(value, dtype), trainable=False, aggregation=replicas.SAME_EVERYWHERE, name=name)
