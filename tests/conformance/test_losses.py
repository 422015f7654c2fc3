"""Every loss by the same measure."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from modes import assert_same_in_every_mode, numeric_error, retraces

import devices
from ganmedic import losses

pytestmark = pytest.mark.tensorflow
RANDOM = np.random.default_rng(0)
REAL, FAKE = RANDOM.normal(1.0, 2.0, (6, 1)), RANDOM.normal(-1.0, 2.0, (6, 1))
OPTIONS = {
    "minimax": {"label_smoothing": 0.1},
    "non_saturating": {"label_smoothing": 0.25},
    "least_squares": {"fake_target": -1.0, "real_target": 1.0, "generator_target": 0.0},
}
every_loss = pytest.mark.parametrize("name", losses.names())


def both(loss: losses.AdversarialLoss, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Both players' losses and the gradients of each by both batches."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        of_discriminator, of_generator = loss.discriminator(real, fake), loss.generator(real, fake)
    gradients = [
        tape.gradient(each, [real, fake], unconnected_gradients="zero") for each in (of_discriminator, of_generator)
    ]
    return (of_discriminator, of_generator, *gradients[0], *gradients[1])


@every_loss
def test_config_round_trip(name: str) -> None:
    loss = losses.get(name, **OPTIONS.get(name, {}))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config() == {**losses.get(name).get_config(), **OPTIONS.get(name, {})}
    real, fake = tf.constant(REAL), tf.constant(FAKE)
    assert float(again.discriminator(real, fake)) == float(loss.discriminator(real, fake))
    assert losses.get(keras.saving.serialize_keras_object(loss)).get_config() == loss.get_config()
    assert losses.get(loss) is loss


@every_loss
def test_same_in_every_mode(name: str) -> None:
    loss = losses.get(name)
    assert_same_in_every_mode(
        lambda: lambda r, f: both(loss, r, f), tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    )


@every_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(name: str, dtype: str) -> None:
    loss = losses.get(name)
    # 300 squared is beyond float16.
    real, fake = tf.cast(100.0 * REAL, dtype), tf.cast(100.0 * FAKE, dtype)
    half = both(loss, real, fake)
    full = both(loss, tf.cast(real, tf.float32), tf.cast(fake, tf.float32))
    assert half[0].dtype == half[1].dtype == tf.float32
    np.testing.assert_allclose([float(v) for v in half[:2]], [float(v) for v in full[:2]], rtol=1e-6)
    for one, two in zip(half[2:], full[2:], strict=True):
        assert one.dtype.name == dtype
        np.testing.assert_allclose(tf.cast(one, tf.float32), two, rtol=1e-2, atol=1e-4)


@every_loss
@pytest.mark.parametrize(("real", "fake"), [(1e4, -1e4), (-1e4, 1e4), (0.0, 0.0), (1e4, 1e4)])
def test_extreme_scores_are_finite(name: str, real: float, fake: float) -> None:
    results = both(losses.get(name), tf.fill([4, 1], real), tf.fill([4, 1], fake))
    assert all(np.isfinite(result).all() for result in results)


@every_loss
def test_is_traced_once(name: str) -> None:
    loss = losses.get(name)
    assert retraces(lambda r, f: both(loss, r, f), tf.constant(REAL), tf.constant(FAKE)) == 0


@every_loss
def test_gradients_against_finite_differences(name: str) -> None:
    loss = losses.get(name)
    assert numeric_error(loss.discriminator, REAL, FAKE) < 1e-8
    assert numeric_error(loss.generator, REAL, FAKE) < 1e-8
    # The gradient a penalty or a consensus differentiates once more.
    for player in (loss.discriminator, loss.generator):

        def slope(real: tf.Tensor, fake: tf.Tensor, player=player) -> tf.Tensor:
            with tf.GradientTape() as tape:
                tape.watch([real, fake])
                value = player(real, fake)
            gradients = tape.gradient(value, [real, fake], unconnected_gradients="zero")
            return tf.reduce_sum([tf.reduce_sum(tf.square(g)) for g in gradients])

        assert numeric_error(slope, REAL, FAKE) < 1e-7


@every_loss
def test_players_pull_the_scores_to_their_side(name: str) -> None:
    # Undecided scores: within the targets of every loss, and alike for both kinds.
    _, _, d_real, d_fake, _, g_fake = both(losses.get(name), tf.fill([4, 1], 0.5), tf.fill([4, 1], 0.5))
    assert (d_real.numpy() < 0).all()
    assert (d_fake.numpy() > 0).all()
    assert (g_fake.numpy() < 0).all()


@every_loss
def test_replicas_train_as_one(name: str) -> None:
    loss, strategy = losses.get(name), devices.mirrored()
    real, fake = REAL.astype(np.float32), FAKE.astype(np.float32)
    alone = both(loss, tf.constant(real), tf.constant(fake))

    @tf.function
    def step(r: tf.Tensor, f: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return strategy.run(lambda a, b: both(loss, a, b), args=(r, f))

    together = step(devices.split(strategy, real), devices.split(strategy, fake))
    for index in (0, 1):
        value = strategy.reduce("MEAN", together[index], axis=None)
        assert float(value) == pytest.approx(float(alone[index]), rel=1e-5)
    for index in range(2, 6):
        parts = [part.numpy() for part in strategy.experimental_local_results(together[index])]
        joined = np.stack(parts, axis=1).reshape(real.shape)
        # Each replica's mean is over half the batch.
        np.testing.assert_allclose(joined / 2, alone[index], rtol=1e-5, atol=1e-7)
    accuracy = strategy.run(
        lambda a, b: loss.accuracy(a, b), args=(devices.split(strategy, real), devices.split(strategy, fake))
    )
    for part in strategy.experimental_local_results(accuracy):
        assert float(part) == pytest.approx(float(loss.accuracy(real, fake)), rel=1e-6)
