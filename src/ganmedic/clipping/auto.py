"""AutoClip: the bound is a percentile of the norms that were seen."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.clipping.clip import Clip, Clipped, Ledger
from ganmedic.clipping.measured import Measured, bounded
from ganmedic.gradients import scaled


class Auto(Clip):
    """Global-norm clipping at the p-th percentile of the global norms of the steps so far, this one included.

    Each network has a history of its own. A step with a gradient that is not finite does not enter it. The percentile is
    interpolated as by `np.percentile`. With p = 10 nine steps of ten are clipped, and all steps are about as long: it
    normalises more than it clips. With p = 90 it cuts what stands out.

    Args:
        percentile: p, above 0 to 100.
        history: how many of the last steps are remembered, 2 or more.
        non_finite: `keep` or `zero`, see `Clip`.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> clip, variables = Auto(50.0), [tf.Variable([0.0])]
        >>> [float(clip([tf.constant([g])], variables)[0][0]) for g in (1.0, 3.0, 100.0)]
        [1.0, 2.0, 3.0]

    References:
        Seetharaman et al. 2020, *AutoClip: Adaptive Gradient Clipping for Source Separation Networks*, arXiv 2007.14469,
        section 2.
    """

    def __init__(self, percentile: float = 10.0, history: int = 1000, non_finite: str = "keep") -> None:
        super().__init__(non_finite)
        self.percentile = checking.number("Auto", "percentile", percentile, above=0.0, high=100.0)
        self.history = checking.whole("Auto", "history", history, low=2)

    def _history(self) -> int:
        return self.history

    def _clipped(self, gradients: list[Any], measured: Measured, variables: list[Any], ledger: Ledger) -> Clipped:
        norm = measured.global_norm
        self._remember(ledger, tf.cast(norm, tf.float32), tf.reduce_all(measured.finite))
        bound = self._bound(ledger)
        factor = bounded(norm, tf.where(tf.math.is_finite(bound), bound, tf.float32.max))
        return Clipped([scaled(gradient, factor) for gradient in gradients], factor, factor < 1.0, bound)

    def _remember(self, ledger: Ledger, norm: Any, sound: Any) -> None:
        history, written = ledger.history.read_value(), ledger.written.read_value()
        here = tf.equal(tf.range(self.history), written % self.history)
        sound = tf.reduce_all([sound, tf.math.is_finite(norm), tf.convert_to_tensor(ledger.counts)])
        ledger.history.assign(tf.where(tf.logical_and(here, sound), norm, history))
        # Kept between one and two lengths once it is full, so that it never overflows.
        count = written + tf.cast(sound, tf.int32)
        ledger.written.assign(tf.where(count >= 2 * self.history, count - self.history, count))

    def _bound(self, ledger: Ledger) -> Any:
        norms = tf.sort(ledger.history.read_value())
        count = tf.minimum(ledger.written.read_value(), self.history)
        position = self.percentile / 100.0 * tf.cast(tf.maximum(count - 1, 0), tf.float32)
        below = tf.floor(position)
        first = tf.gather(norms, tf.cast(below, tf.int32))
        second = tf.gather(norms, tf.minimum(tf.cast(below, tf.int32) + 1, tf.maximum(count - 1, 0)))
        return first + tf.where(position > below, (position - below) * (second - first), 0.0)
