"""Gradients of several small batches, applied as that of one large one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.correction import Correction
from ganmedic.gradients import matched
from ganmedic.precision import wide_dtype, widened
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
        state = state_of(self._buffers, [variable for _, variable in pairs], Buffers)
        if not state.accepts([gradient is not None for gradient, _ in pairs]):
            raise ValueError(
                "GradientAccumulation: other gradients are None than in the batches before. Make one accumulation for each loss, "
                "or compute all gradients in every batch."
            )
        count = state.count.read_value() + 1
        due = tf.logical_and(count >= self.steps, when)
        means: list[Any] = []
        for buffer, (gradient, _) in zip(state.sums, pairs, strict=True):
            if gradient is None:
                means.append(None)
                continue
            total = buffer.read_value() + tf.cast(widened(tf.convert_to_tensor(gradient)), buffer.dtype)
            buffer.assign(tf.where(due, tf.zeros_like(total), total))
            means.append(total / tf.cast(count, total.dtype))
        state.count.assign(tf.where(due, 0, count))
        return due, means

    def build(self, variables: Sequence[Any]) -> None:
        """Makes room for the sums; needed only under a strategy, inside its scope, or to load what was saved, before the first batch."""
        state_of(self._buffers, list(variables), Buffers)


class Buffers(ForVariables):
    """Sums of the gradients of one list of variables."""

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__(variables)
        self._present: tuple[bool, ...] | None = None
        with tf.init_scope():
            self.count = _variable(0, tf.int32)
            self.sums = [
                _variable(tf.zeros(tuple(variable.shape)), wide_dtype(variable.dtype)) for variable in variables
            ]

    def accepts(self, present: Sequence[bool]) -> bool:
        """Whether the gradients that are there are those of the batches before."""
        if self._present is None:
            self._present = tuple(present)
        return self._present == tuple(present)


def _variable(value: Any, dtype: Any) -> tf.Variable:
    return tf.Variable(tf.cast(value, dtype), trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="accumulated")
