"""LeCam regularisation: scores are held to where the other kind's scores have been."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.penalties.evaluation import FAKE_SCORES, REAL_SCORES, Evaluation
from ganmedic.penalties.penalty import Penalty
from ganmedic.precision import widened
from ganmedic.scheduled import Schedule


class LeCam(Penalty):
    """λ · { E relu(r - α_F)² + E relu(α_R - f)² } with moving averages α_R, α_F of the mean scores, for small data sets.

    This is the form of the authors' code; the averages move with every loss here (theirs: with the hinge loss only), and over
    the batches of all replicas. They take up the scores of this step before the penalty uses them. Up to the step `start`
    they only follow the last scores and nothing is penalised. A score that is not finite does not enter them. Make one for each discriminator.

    Args:
        weight: λ, or a schedule; 0.3 (StudioGAN).
        decay: of the moving averages, 0 to below 1.
        start: first step in which it is applied, counted in calls with `training=True`.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> penalty = LeCam(weight=1.0, decay=0.0, start=0)
        >>> float(penalty(lambda x: x, tf.constant([[2.0]]), tf.constant([[-1.0]])))  # (2 + 1)² + (2 + 1)²
        18.0

    References:
        Tseng et al. 2021, *Regularizing Generative Adversarial Networks under Limited Data*, arXiv 2104.03310, equation 4.
    """

    needs = frozenset({REAL_SCORES, FAKE_SCORES})
    remembers_scores = True

    def __init__(self, weight: Schedule = 0.3, decay: float = 0.99, start: int = 1000) -> None:
        super().__init__(weight)
        self.decay = checking.number("LeCam", "decay", decay, low=0.0, below=1.0)
        self.start = checking.whole("LeCam", "start", start, low=0)
        with tf.init_scope():
            # α_R, α_F and how many steps they have seen.
            self._state = tf.Variable(
                tf.zeros([3], tf.float32), trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="lecam"
            )

    @property
    def averages(self) -> tuple[Any, Any]:
        """α_R and α_F, float32 scalars."""
        state = self._state.read_value()
        return state[0], state[1]

    def unweighted(self, evaluation: Evaluation, **extras: Any) -> Any:
        """Both expectations, or 0 before `start`."""
        real, fake = widened(evaluation.real_scores), widened(evaluation.fake_scores)
        if evaluation.training:
            self._observe(real, fake)
        state = tf.cast(self._state.read_value(), real.dtype)
        above = tf.reduce_mean(tf.square(tf.nn.relu(real - state[1])))
        below = tf.reduce_mean(tf.square(tf.nn.relu(state[0] - fake)))
        return tf.where(state[2] > self.start, above + below, tf.zeros([], real.dtype))

    def _observe(self, real: Any, fake: Any) -> None:
        seen = tf.stack([tf.reduce_mean(real), tf.reduce_mean(fake)])
        seen = replicas.mean(tf.cast(tf.stop_gradient(seen), tf.float32))
        state = self._state.read_value()
        decay = tf.where(state[2] < max(self.start, 1), 0.0, self.decay)
        moved = tf.concat([decay * state[:2] + (1.0 - decay) * seen, state[2:] + 1.0], axis=0)
        self._state.assign(tf.where(tf.reduce_all(tf.math.is_finite(seen)), moved, state))
