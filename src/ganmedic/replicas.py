"""Sums and means over the replicas of a `tf.distribute` strategy; without one they are what they are given.

Inside `strategy.run` each replica sees a part of the batch. What has to hold for the whole batch, a moving average of scores or
the norm of a gradient, is worked out over all of them, so that several replicas train as one would on the global batch.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

#: For variables that every replica computes alike.
SAME_EVERYWHERE = tf.VariableAggregation.ONLY_FIRST_REPLICA


def count() -> int:
    """How many replicas run this step; 1 outside of `strategy.run`."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else int(context.num_replicas_in_sync)


def index() -> Any:
    """Which of them this is, int32 scalar, 0-based."""
    context = tf.distribute.get_replica_context()
    return tf.zeros([], tf.int32) if context is None else tf.cast(context.replica_id_in_sync_group, tf.int32)


def mean(values: Any) -> Any:
    """Tensor, or list of tensors: their mean over the replicas. The gradient passes."""
    return _reduced(tf.distribute.ReduceOp.MEAN, values)


def total(values: Any) -> Any:
    """Tensor, or list of tensors: their sum over the replicas. The gradient passes."""
    return _reduced(tf.distribute.ReduceOp.SUM, values)


def _reduced(operation: Any, values: Any) -> Any:
    return values if count() == 1 else tf.distribute.get_replica_context().all_reduce(operation, values)
