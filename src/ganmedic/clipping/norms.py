"""Clipping by the norm of each gradient, or of all together."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.clipping.clip import BoundedClip, Clipped, Ledger
from ganmedic.clipping.measured import Measured, bounded, norm_of_norms
from ganmedic.gradients import scaled


class GlobalNorm(BoundedClip):
    """g · min(1, c / ‖all gradients together‖): the step keeps its direction.

    Args:
        bound: c, above 0.
        non_finite: `keep` or `zero`, see `Clip`.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> variables = [tf.Variable([0.0]), tf.Variable([0.0])]
        >>> [round(float(g[0]), 3) for g in GlobalNorm(1.0)([tf.constant([3.0]), tf.constant([4.0])], variables)]
        [0.6, 0.8]

    References:
        Pascanu, Mikolov, Bengio 2012, *On the difficulty of training Recurrent Neural Networks*, arXiv 1211.5063, algorithm 1.
    """

    def _clipped(self, gradients: list[Any], measured: Measured, variables: list[Any], ledger: Ledger) -> Clipped:
        factor = bounded(measured.global_norm, self.bound)
        return Clipped([scaled(gradient, factor) for gradient in gradients], factor, factor < 1.0)


class Norm(BoundedClip):
    """g · min(1, c / ‖g‖) for each gradient by itself; the direction of the whole step changes.

    Args:
        bound: c, above 0.
        non_finite: `keep` or `zero`, see `Clip`.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> variables = [tf.Variable([0.0]), tf.Variable([0.0])]
        >>> [round(float(g[0]), 3) for g in Norm(1.0)([tf.constant([0.5]), tf.constant([4.0])], variables)]
        [0.5, 1.0]
    """

    def _clipped(self, gradients: list[Any], measured: Measured, variables: list[Any], ledger: Ledger) -> Clipped:
        factors = bounded(measured.norms, self.bound)
        left = tf.math.divide_no_nan(norm_of_norms(measured.norms * factors), measured.global_norm)
        made = [scaled(gradient, factors[index]) for index, gradient in enumerate(gradients)]
        return Clipped(made, left, tf.reduce_any(factors < 1.0))
