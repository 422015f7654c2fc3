"""Two logical CPUs, so that a `MirroredStrategy` has two replicas; and the tests' own helpers can be imported."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def _split_cpu() -> None:
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    # Another conftest may have done it, or the devices may have started already.
    with contextlib.suppress(RuntimeError):
        if not tf.config.get_logical_device_configuration(cpu):
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


_split_cpu()


@pytest.fixture
def two_replicas():
    """A `MirroredStrategy` over two logical CPUs."""
    import tensorflow as tf

    devices = [device.name for device in tf.config.list_logical_devices("CPU")][:2]
    if len(devices) < 2:
        pytest.skip("TensorFlow started with one CPU device")
    # Collective reductions of one strategy after the other get in each other's way within a process.
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=tf.distribute.ReductionToOneDevice())
