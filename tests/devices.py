"""Two logical CPUs, so that strategies with replicas can be tested; to be imported before TensorFlow computes anything."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_CPU = tf.config.list_physical_devices("CPU")[0]
if len(tf.config.get_logical_device_configuration(_CPU) or []) < 2:
    tf.config.set_logical_device_configuration(_CPU, [tf.config.LogicalDeviceConfiguration()] * 2)


def mirrored() -> tf.distribute.MirroredStrategy:
    """A strategy with a replica on each."""
    # Collective reductions of one strategy after the other get in each other's way within a process.
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice())


def split(strategy: tf.distribute.Strategy, batch: Any) -> Any:
    """Every second sample to the first replica, the others to the second."""
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(batch[context.replica_id_in_sync_group :: 2])
    )
