"""Random numbers that are the same wherever they are drawn, and go on where they were."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import devices
from ganmedic.randomness import RandomStream

sys.path.insert(0, str(Path(__file__).parent / "conformance"))
from modes import assert_same_in_every_mode

pytestmark = pytest.mark.tensorflow


def test_the_same_in_every_mode() -> None:
    def make() -> Any:
        stream = RandomStream(3)
        return lambda: (stream.uniform([50]), stream.normal([50]), stream.uniform([5], tf.float64))

    assert_same_in_every_mode(make, calls=2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_distributions(dtype: str) -> None:
    stream = RandomStream(0)
    uniform = tf.cast(stream.uniform([20000], tf.as_dtype(dtype)), tf.float64).numpy()
    normal = tf.cast(stream.normal([20000], tf.as_dtype(dtype)), tf.float64).numpy()
    assert uniform.min() >= 0.0
    assert uniform.max() <= 1.0
    assert (uniform.mean(), uniform.std()) == (pytest.approx(0.5, abs=0.01), pytest.approx(12**-0.5, abs=0.01))
    assert (normal.mean(), normal.std()) == (pytest.approx(0.0, abs=0.03), pytest.approx(1.0, abs=0.03))
    assert (normal**4).mean() == pytest.approx(3.0, abs=0.3)
    # The two draws have nothing to do with each other.
    assert abs(np.corrcoef(uniform, normal)[0, 1]) < 0.03


def test_it_goes_on_from_a_checkpoint(tmp_path: Any) -> None:
    stream = RandomStream(5)
    stream.normal([3])
    path = tf.train.Checkpoint(stream=stream).save(str(tmp_path / "stream"))
    again = RandomStream(6)
    tf.train.Checkpoint(stream=again).restore(path)
    np.testing.assert_array_equal(stream.normal([4]), again.normal([4]))


def test_replicas_draw_differently_and_count_together() -> None:
    strategy = devices.mirrored()
    with strategy.scope():
        stream = RandomStream(1)
    drawn = tf.function(lambda: strategy.run(lambda: stream.normal([4])))
    first, second = strategy.experimental_local_results(drawn())
    assert not np.array_equal(first, second)
    assert stream._drawn.numpy().tolist() == [1, 1]
    assert not np.array_equal(first, strategy.experimental_local_results(drawn())[0])


def test_a_seed_is_a_whole_number() -> None:
    with pytest.raises(TypeError, match=r"seed is 0\.5; a whole number from 0 to"):
        RandomStream(0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="seed is -1"):
        RandomStream(-1)
