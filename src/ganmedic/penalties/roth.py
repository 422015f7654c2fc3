"""The regulariser of Roth et al.: what noise on the samples comes to, worked out instead of drawn."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.penalties.evaluation import (
    FAKE_GRADIENT,
    FAKE_SCORES,
    REAL_GRADIENT,
    REAL_SCORES,
    Evaluation,
    squared_norms,
)
from ganmedic.penalties.penalty import Penalty
from ganmedic.precision import widened
from ganmedic.scheduled import Schedule


class Roth(Penalty):
    """γ/2 · { E (1 - σ(r))² ‖∇ D(x)‖² + E σ(f)² ‖∇ D(G(z))‖² }, with raw scores r and f.

    It is derived for the Jensen-Shannon game, so it belongs to the cross-entropy losses. The scores of a patch discriminator
    are averaged a sample before σ.

    Args:
        weight: γ, or a schedule that lets it fall.

    Example:
        >>> x = tf.zeros([2, 3])
        >>> float(Roth(weight=2.0)(lambda x: 2.0 * x[:, :1], x, x))  # ¼ · 4 + ¼ · 4
        2.0

    References:
        Roth et al. 2017, *Stabilizing Training of Generative Adversarial Networks through Regularization*, arXiv 1705.09367,
        equation 27 and algorithm 1.
    """

    needs = frozenset({REAL_SCORES, FAKE_SCORES, REAL_GRADIENT, FAKE_GRADIENT})
    per_sample = True

    def __init__(self, weight: Schedule = 0.1) -> None:
        super().__init__(weight)

    def unweighted(self, evaluation: Evaluation, **extras: Any) -> Any:
        """Both expectations and the ½."""
        real = tf.square(tf.sigmoid(-_one_a_sample(evaluation.real_scores))) * squared_norms(evaluation.real_gradient)
        fake = tf.square(tf.sigmoid(_one_a_sample(evaluation.fake_scores))) * squared_norms(evaluation.fake_gradient)
        return 0.5 * (tf.reduce_mean(real) + tf.reduce_mean(fake))


def _one_a_sample(scores: Any) -> Any:
    scores = widened(scores)
    return tf.reduce_mean(scores, axis=list(range(1, scores.shape.rank)))
