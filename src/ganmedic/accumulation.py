"""Gradients of several small batches, applied as that of one large one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.correction import Correction
from ganmedic.gradients import matched
from ganmedic.precision import widened
from ganmedic.variable_lists import ForVariables, state_of


class GradientAccumulation(Correction):
    """The mean gradient of every k batches; what is clipped, guarded and applied is that mean.

    It equals the gradient of a batch k times as large where the loss is a mean over samples that do not influence each
    other: not with batch normalisation, minibatch statistics or a relativistic average. An optimizer's own
    `gradient_accumulation_steps` does the same behind its clipping, where each small batch is clipped by itself.

    Sparse gradients become dense. Handed to `ganmedic.update`, which brings the gradients of all replicas together first; who
    calls `add` under `strategy.run` does that himself.

    Args:
        steps: k, 1 or more.

    Raises:
        ValueError, TypeError: `steps` is no such number.

    Example:
        >>> accumulation, variable = GradientAccumulation(2), tf.Variable([0.0])
        >>> for gradient in (1.0, 3.0):
        ...     due, mean = accumulation.add([tf.constant([gradient])], [variable])
        >>> bool(due), mean[0].numpy().tolist()
        (True, [2.0])
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = checking.whole("GradientAccumulation", "steps", steps)
        self._buffers: list[Buffers] = []

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def add(self, gradients: Sequence[Any], variables: Sequence[Any], *, when: Any = True) -> tuple[Any, list[Any]]:
        """Adds the gradients of one batch.

        Args:
            gradients: as `tape.gradient` gives them; a gradient is None in every call or in none.
            variables: one for each.
            when: boolean scalar; where it is False a complete mean is kept, and goes on with the next batch.

        Returns:
            Whether the mean is complete, boolean scalar, and the mean so far; None where there is no gradient.

        Raises:
            ValueError: numbers or shapes differ, or a gradient is None that was none before, or the other way round.
        """
        pairs = matched("GradientAccumulation", gradients, variables)
        present = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
        state = state_of(self._buffers, [variable for _, variable in pairs], lambda each: Buffers(each, pairs))
        if state.present != [gradient is not None for gradient, _ in pairs]:
            raise ValueError(
                "GradientAccumulation: other gradients are None than in the batches before. Make one accumulation for each loss, "
                "or compute all gradients in every batch."
            )
        count = state.count.read_value() + 1
        due = tf.logical_and(count >= self.steps, when)
        sums = []
        for buffer, (gradient, _) in zip(state.sums, present, strict=True):
            total = buffer.read_value() + tf.cast(widened(tf.convert_to_tensor(gradient)), buffer.dtype)
            buffer.assign(tf.where(due, tf.zeros_like(total), total))
            sums.append(total / tf.cast(count, total.dtype))
        state.count.assign(tf.where(due, 0, count))
        means = iter(sums)
        return due, [None if gradient is None else next(means) for gradient, _ in pairs]


class Buffers(ForVariables):
    """Sums of the gradients of one list of variables."""

    def __init__(self, variables: Sequence[Any], pairs: Sequence[tuple[Any, Any]]) -> None:
        super().__init__(variables)
        self.present = [gradient is not None for gradient, _ in pairs]
        with tf.init_scope():
            self.count = _variable(0, tf.int32)
            self.sums = [
                _variable(tf.zeros(tuple(variable.shape)), tf.float64 if gradient.dtype == tf.float64 else tf.float32)
                for gradient, variable in pairs
                if gradient is not None
            ]


def _variable(value: Any, dtype: Any) -> tf.Variable:
    return tf.Variable(tf.cast(value, dtype), trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="accumulated")
