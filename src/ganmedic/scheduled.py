"""A number that may change from step to step: a weight that decays, noise that is annealed away."""

from __future__ import annotations

from typing import Any, TypeAlias

import keras
import tensorflow as tf

from ganmedic import checking, replicas

#: A number, or how it follows the step.
Schedule: TypeAlias = Any  # float | keras.optimizers.schedules.LearningRateSchedule, which has no types


class Scheduled(tf.Module):  # type: ignore[misc]
    """A number or a Keras schedule with its own step counter, which a checkpoint keeps.

    Args:
        schedule: a number, or any `keras.optimizers.schedules.LearningRateSchedule`; its step is the number of calls of `next`.

    Example:
        >>> weight = Scheduled(keras.optimizers.schedules.PolynomialDecay(0.1, decay_steps=2, end_learning_rate=0.0))
        >>> [round(float(weight.next()), 3) for _ in range(4)]
        [0.1, 0.05, 0.0, 0.0]
    """

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule
        self._step = None
        if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            with tf.init_scope():
                self._step = tf.Variable(
                    0, dtype=tf.int64, trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="schedule_step"
                )

    def now(self) -> Any:
        """The value of this step, scalar, float64 for a number and float32 for a schedule; the step stays."""
        if self._step is None:
            return tf.constant(self._schedule, tf.float64)
        return tf.cast(self._schedule(self._step.read_value()), tf.float32)

    def next(self) -> Any:
        """The value of this step as `now` gives it; the next call is the next step."""
        value = self.now()
        if self._step is not None:
            self._step.assign_add(1)
        return value


def schedule(owner: str, name: str, value: Any, *, low: float = 0.0) -> Schedule:
    """Checks an argument that may be a number of at least `low` or a Keras schedule.

    Raises:
        TypeError, ValueError: it is neither.
    """
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return value
    return checking.number(owner, name, value, low=low, hint="A schedule of keras.optimizers.schedules is taken, too.")
