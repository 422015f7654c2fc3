"""Makes `table` importable for the tests beside it, and splits the CPU in two before TensorFlow starts."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parent))

with contextlib.suppress(RuntimeError):  # TensorFlow has started already, maybe with two.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )


@pytest.fixture
def strategy() -> tf.distribute.MirroredStrategy:
    """Two replicas on the halves of the CPU."""
    if len(tf.config.list_logical_devices("CPU")) < 2:
        pytest.skip("TensorFlow had started with one logical CPU before these tests were collected")
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture
def images() -> np.ndarray:
    """Eight images of 10x12 in colour, in [-1, 1]."""
    return np.random.default_rng(7).uniform(-1.0, 1.0, (8, 10, 12, 3)).astype(np.float32)
