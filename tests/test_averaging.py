"""The averaged generator."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import devices
import ganmedic

pytestmark = pytest.mark.tensorflow
Average = ganmedic.ExponentialMovingAverage


def network(*layers: Any) -> keras.Model:
    return keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(3)])


def moved(model: keras.Model, step: int) -> np.ndarray:
    """Sets all weights to a number and returns the kernel."""
    model.set_weights([np.full_like(w, float(step)) for w in model.get_weights()])
    return model.get_weights()[0]


def averaged(average: Any, model: keras.Model) -> float:
    """The averaged kernel's entries, which are all alike."""
    with average.applied(model):
        values = model.get_weights()[0]
    assert (values == values.flat[0]).all()
    return float(values.flat[0])


def test_by_steps_with_and_without_warm_up() -> None:
    for warm_up in (False, True):
        model = network()
        moved(model, 0)
        average = Average(decay=0.9, warm_up=warm_up)
        average.build(model)
        expected = 0.0
        for step in range(1, 30):
            moved(model, step)
            average.update(model)
            beta = min(0.9, step / (9 + step)) if warm_up else 0.9
            expected = beta * expected + (1 - beta) * step
        assert averaged(average, model) == pytest.approx(expected, rel=1e-5)
        assert model.get_weights()[0][0, 0] == 29.0


def test_by_images_two_half_batches_are_one_batch() -> None:
    results = []
    for batches in ([64] * 8, [32] * 16):
        model = network()
        moved(model, 0)
        average = Average(half_life=256.0, ramp=None)
        average.build(model)
        moved(model, 1)
        for size in batches:
            average.update(model, batch_size=size)
        results.append(averaged(average, model))
    assert results[0] == pytest.approx(1 - 0.5 ** (512 / 256), rel=1e-6)
    assert results[0] == pytest.approx(results[1], rel=1e-6)


def test_the_ramp_limits_the_half_life_to_a_share_of_the_images_seen() -> None:
    model = network()
    moved(model, 0)
    average = Average(half_life=1e6, ramp=0.5)
    average.build(model)
    moved(model, 1)
    average.update(model, batch_size=10)
    assert averaged(average, model) == pytest.approx(1 - 0.5 ** (10 / 5), rel=1e-6)


def test_statistics_of_batch_normalisation_are_copied_and_can_be_measured_anew() -> None:
    keras.utils.set_random_seed(0)
    model = network(keras.layers.Dense(4), keras.layers.BatchNormalization())
    norm = model.layers[1]
    average = Average(decay=0.5, warm_up=False)
    average.build(model)
    latents = tf.random.normal([256, 2])
    for _ in range(5):
        for variable in model.trainable_variables:
            variable.assign_add(tf.random.normal(variable.shape))
        model(latents, training=True)
        average.update(model)
    before = [w.copy() for w in model.get_weights()]
    with average.applied(model):
        np.testing.assert_array_equal(norm.moving_mean.numpy(), before[4])
        kernel, bias = model.layers[0].get_weights()
    assert average.recalibrate(model, [latents[:128], latents[128:]]) == 2
    hidden = latents.numpy() @ kernel + bias
    with average.applied(model):
        np.testing.assert_allclose(norm.moving_mean.numpy(), hidden.mean(axis=0), rtol=1e-4, atol=1e-5)
        parts = np.mean([hidden[:128].var(axis=0), hidden[128:].var(axis=0)], axis=0)
        np.testing.assert_allclose(norm.moving_variance.numpy(), parts, rtol=1e-3)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    assert norm.momentum == 0.99
    with pytest.raises(ValueError, match="no batch of inputs came"):
        average.recalibrate(model, [])
    assert Average(decay=0.5).recalibrate(network(), [latents]) == 0


def test_calling_it_is_the_averaged_network_without_touching_it() -> None:
    keras.utils.set_random_seed(0)
    model = network(keras.layers.BatchNormalization(), keras.layers.Dropout(0.5))
    average = Average(decay=0.5, warm_up=False)
    average.build(model)
    latents = tf.random.normal([4, 2])
    for variable in model.trainable_variables:
        variable.assign_add(tf.random.normal(variable.shape))
    average.update(model)
    before = [w.copy() for w in model.get_weights()]
    with average.applied(model):
        expected = model(latents, training=False)
    np.testing.assert_allclose(average(model, latents), expected, rtol=1e-6)
    np.testing.assert_allclose(tf.function(lambda z: average(model, z))(latents), expected, rtol=1e-5)
    clone = keras.models.clone_model(model)
    average.copy_to(clone)
    np.testing.assert_allclose(clone(latents, training=False), expected, rtol=1e-6)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    with pytest.raises(RuntimeError), average.applied(model):
        raise RuntimeError("in the middle")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_it_goes_on_from_a_checkpoint(tmp_path: Any) -> None:
    model = network()
    average = Average(half_life=100.0)
    for step in range(3):
        moved(model, step)
        average.update(model, batch_size=10)
    path = tf.train.Checkpoint(average=average).save(str(tmp_path / "average"))
    again = Average(half_life=100.0)
    tf.train.Checkpoint(average=again).restore(path)
    moved(model, 7)
    for each in (average, again):
        each.update(model, batch_size=10)
    assert averaged(average, model) == averaged(again, model)


def test_replicas_average_as_one() -> None:
    strategy = devices.mirrored()
    with strategy.scope():
        model = network()
        average = Average(decay=0.5, warm_up=False)
        average.build(model)
    moved(model, 0)
    average.copy_from(model)
    moved(model, 4)
    tf.function(lambda: strategy.run(lambda: average.update(model)))()
    assert averaged(average, model) == pytest.approx(2.0)


def test_misuse_is_told() -> None:
    model = network()
    average = Average(decay=0.9)
    with pytest.raises(ValueError, match="nothing is averaged yet"):
        average(model, tf.zeros([1, 2]))
    average.update(model)
    with pytest.raises(ValueError, match="another network came"):
        average.update(network())
    with pytest.raises(ValueError, match="other shapes than the averaged one"):
        average.copy_to(network(keras.layers.Dense(3)))
    with pytest.raises(ValueError, match="no batch_size came"):
        Average(half_life=10.0).update(model)
    with pytest.raises(ValueError, match=r"decay is 0\.9 and half_life 10\.0; one of them is expected"):
        Average(decay=0.9, half_life=10.0)
    with pytest.raises(ValueError, match=r"has no variables\. Build the network first"):
        Average(decay=0.9).build(keras.Sequential([keras.layers.ReLU()]))
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(Average(half_life=10.0, ramp=None))
    )
    assert again.get_config() == Average(half_life=10.0, ramp=None).get_config()
