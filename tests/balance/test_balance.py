"""What keeps the two players in balance."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from modes import assert_same_in_every_mode, retraces

from ganmedic import balance, losses

pytestmark = pytest.mark.tensorflow
RANDOM = np.random.default_rng(9)


@pytest.mark.parametrize("name", balance.names())
def test_config_round_trip(name: str) -> None:
    made = balance.get(name)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()


def test_turns() -> None:
    turns = balance.get("n_critic", 3, generator_steps=2)
    order = list(turns.round())
    assert order == ["discriminator"] * 3 + ["generator"] * 2
    assert [bool(turns.player(step)) for step in range(10)] == [name == "discriminator" for name in order] * 2
    assert [bool(turns.player(tf.constant(step))) for step in (2, 3)] == [True, False]


def test_two_time_scales_are_two_optimizers() -> None:
    one, two = balance.two_time_scales()
    assert one is not two
    assert (float(one.learning_rate), float(two.learning_rate)) == (pytest.approx(4e-4), pytest.approx(1e-4))
    assert (one.beta_1, one.beta_2) == (0.0, 0.9)
    with pytest.raises(ValueError, match="discriminator is 0; a number above 0"):
        balance.two_time_scales(0)


def test_the_player_ahead_waits_and_not_for_ever(tmp_path: Any) -> None:
    winning, losing = (tf.constant([[2.0], [3.0]]), tf.constant([[-2.0], [-3.0]]))
    skipping = balance.get("update_skipping", low=0.4, high=0.9, decay=0.0, patience=2)
    for name in ("hinge", "wasserstein", "relativistic"):
        skipping = balance.get("update_skipping", low=0.4, high=0.9, decay=0.0, patience=2)
        loss = losses.get(name)
        goes = [[bool(go) for go in skipping(loss, winning, losing)] for _ in range(3)]
        assert goes == [[False, True], [False, True], [True, True]]
        assert float(skipping.accuracy) == 1.0
        assert [bool(go) for go in skipping(loss, losing, winning)] == [True, False]
    path = tf.train.Checkpoint(skipping=skipping).save(str(tmp_path / "skipping"))
    again = balance.get("update_skipping", low=0.4, high=0.9, decay=0.0, patience=2)
    tf.train.Checkpoint(skipping=again).restore(path)
    assert float(again.accuracy) == 0.0 == float(skipping.accuracy)
    assert [bool(go) for go in again(losses.get("hinge"), losing, winning)] == [True, False]
    assert [bool(go) for go in again(losses.get("hinge"), losing, winning)] == [True, True]
    # Scores that are not finite do not enter the average.
    again(losses.get("hinge"), losing * np.nan, winning)
    assert float(again.accuracy) == 0.0


def test_instance_noise_is_on_both_and_fades() -> None:
    noise = balance.get("instance_noise", 0.5, steps=4, seed=0)
    zeros = tf.zeros([2000, 2])
    spreads = []
    for _ in range(6):
        real, fake = noise(zeros, zeros)
        again = noise(zeros, zeros, step=False)[0]
        spreads.append(float(tf.math.reduce_std(real)))
        assert float(tf.math.reduce_std(fake)) == pytest.approx(spreads[-1], rel=0.06, abs=1e-9)
        if spreads[-1]:
            assert not np.array_equal(real, fake)
            assert float(tf.math.reduce_std(again)) < spreads[-1]
    np.testing.assert_allclose(spreads, [0.5, 0.375, 0.25, 0.125, 0.0, 0.0], rtol=0.05, atol=1e-9)
    half = balance.get("instance_noise", 0.5, steps=4)(tf.cast(zeros, tf.float16), tf.cast(zeros, tf.float16))
    assert half[0].dtype == tf.float16


def test_top_k_takes_the_best() -> None:
    top_k = balance.get("top_k", decay=0.8, least=0.3)
    scores = tf.constant(RANDOM.normal(size=(10, 1)), tf.float32)
    counts = []
    for _ in range(8):
        weight = top_k(scores).numpy()
        counts.append(int(weight.sum()))
        assert scores.numpy()[weight == 1].min() >= scores.numpy()[weight == 0].max(initial=-np.inf)
        top_k.next_epoch()
    assert counts == [10, 8, 6, 5, 4, 3, 3, 3]
    assert top_k(tf.ones([4, 1])).numpy().sum() == 1.0
    assert_same_in_every_mode(lambda: lambda s: top_k(s), scores)
    assert retraces(top_k, scores) == 0


def test_packed_neighbours_share_a_sample() -> None:
    images = RANDOM.normal(size=(6, 4, 5, 2)).astype(np.float32)
    packed = balance.get("packing", 3)(images).numpy()
    assert packed.shape == (2, 4, 5, 6)
    for group in range(2):
        for member in range(3):
            np.testing.assert_array_equal(packed[group, ..., 2 * member : 2 * member + 2], images[3 * group + member])
    assert balance.get("packing", 3).input_shape((4, 5, 2)) == (4, 5, 6)
    with pytest.raises(ValueError, match="3 samples are packed together, and the batch has 4"):
        balance.get("packing", 3)(images[:4])


def reference_weights(a: np.ndarray, b: np.ndarray, called_real: float, called_fake: float) -> tuple[float, float]:
    """Algorithm 1 of Zadorozhnyy et al. 2021 in its normalised form."""
    inner, first, second, epsilon = float(a @ b), np.linalg.norm(a), np.linalg.norm(b), 0.05
    if called_real < called_fake - 0.05 or called_real < 0.5:
        return 1 / first + epsilon, (-inner / (second**2 * first) if inner <= 0 else 0.0) + epsilon
    if called_real > 0.75:
        return (-inner / (first**2 * second) if inner <= 0 else 0.0) + epsilon, 1 / second + epsilon
    return 1 / first + epsilon, 1 / second + epsilon


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("right", [0, 6, 10])
def test_adaptive_weights_help_the_half_that_is_behind(sign: float, right: int) -> None:
    a = RANDOM.normal(size=5)
    b = sign * a + 0.3 * RANDOM.normal(size=5)
    real = np.where(np.arange(10) < right, 1.0, -1.0)[:, None]
    fake = np.where(np.arange(10) < 4, 1.0, -1.0)[:, None]
    found = balance.get("adaptive_weights")(
        losses.get("hinge"),
        real,
        fake,
        [tf.constant(a[:3]), tf.constant(a[3:]), None],
        [tf.constant(b[:3]), tf.constant(b[3:]), None],
    )
    one, two = reference_weights(a, b, right / 10, 0.4)
    np.testing.assert_allclose(np.concatenate(found[:2]), one * a + two * b, rtol=1e-5)
    assert found[2] is None
    # What is left of the other half does not stand against the one that is helped.
    if sign < 0 and right != 6:
        helped = a if right == 0 else b
        assert np.concatenate(found[:2]) @ helped > 0
