"""The player that is ahead waits."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.correction import Correction


class UpdateSkipping(Correction):
    """Skips the discriminator's step while it judges too well, and the generator's while it judges too badly.

    The measure is the share of samples judged right, which means the same for every loss: `loss.accuracy`, against the loss's own
    boundary or, for Wasserstein and relativistic losses, against the mean score of the other kind. It is averaged over steps. No
    player waits for more than `patience` steps in a row, for scores of a discriminator that stands still do not change it.

    Args:
        low: accuracy below which the generator waits, 0 to `high`; 0.5 is guessing. 0 lets it never wait.
        high: accuracy above which the discriminator waits, to 1. 1 lets it never wait.
        decay: of the moving average of the accuracy, 0 to below 1.
        patience: how many steps in a row a player waits at most.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> from ganmedic.losses import Hinge
        >>> skipping = UpdateSkipping(high=0.9, decay=0.0)
        >>> [bool(go) for go in skipping(Hinge(), tf.constant([3.0, 2.0]), tf.constant([-3.0, -2.0]))]
        [False, True]
    """

    def __init__(self, low: float = 0.5, high: float = 0.95, decay: float = 0.9, patience: int = 20) -> None:
        super().__init__()
        name = "UpdateSkipping"
        self.high = checking.number(name, "high", high, above=0.0, high=1.0)
        self.low = checking.number(name, "low", low, low=0.0, below=self.high)
        self.decay = checking.number(name, "decay", decay, low=0.0, below=1.0)
        self.patience = checking.whole(name, "patience", patience)
        with tf.init_scope():
            # The averaged accuracy, how much of the average is filled, and since when each player waits.
            self._state = tf.Variable(
                tf.zeros([4], tf.float32), trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="update_skipping"
            )

    @property
    def accuracy(self) -> Any:
        """The averaged accuracy, float32 scalar; 0 before the first step."""
        state = self._state.read_value()
        return tf.math.divide_no_nan(state[0], state[1])

    def __call__(self, loss: Any, real_scores: Any, fake_scores: Any) -> tuple[Any, Any]:
        """Looks at the scores of one step.

        Args:
            loss: the adversarial loss.
            real_scores, fake_scores: raw scores of this step, (batch, ...).

        Returns:
            Whether the discriminator and whether the generator is to be updated, boolean scalars, for `ganmedic.update(..., when=)`.
        """
        seen = tf.cast(tf.stop_gradient(loss.accuracy(real_scores, fake_scores)), tf.float32)
        state = self._state.read_value()
        moved = self.decay * state[:2] + (1.0 - self.decay) * tf.stack([seen, tf.ones_like(seen)])
        moved = tf.where(tf.math.is_finite(seen), moved, state[:2])
        accuracy = tf.math.divide_no_nan(moved[0], moved[1])
        waits = tf.stack([accuracy > self.high, accuracy < self.low])
        waits = tf.logical_and(waits, state[2:] < float(self.patience))
        self._state.assign(tf.concat([moved, tf.where(waits, state[2:] + 1.0, 0.0)], axis=0))
        return tf.logical_not(waits[0]), tf.logical_not(waits[1])
