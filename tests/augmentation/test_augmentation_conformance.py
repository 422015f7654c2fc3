"""What holds for every augmentation and every pipeline: reproducible, the same in all modes, saved and restored."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import keras
import numpy as np
import pytest
import table
import tensorflow as tf

import ganmedic.augmentation
from ganmedic import augmentation
from ganmedic.augmentation import AdaptiveAugmentation, DiffAugment

pytestmark = pytest.mark.tensorflow

SEED = (5, 6)


@table.every
def test_something_happens_and_shape_and_type_stay(make, images):
    augmented = make()(images)
    assert augmented.shape == images.shape
    assert augmented.dtype == tf.float32
    assert np.abs(augmented - images).max() > 0.01


@table.every
def test_each_sample_has_a_draw_of_its_own(make, images):
    augmented = make()(np.repeat(images[:1], 16, axis=0)).numpy()
    assert len(np.unique(augmented.reshape(16, -1), axis=0)) > 1


@table.every
def test_the_stream_goes_on_and_starts_anew_with_its_seed(make, images):
    first, again = make(), make()
    one, two = first(images), first(images)
    assert np.abs(one - two).max() > 0.01
    np.testing.assert_array_equal(again(images), one)


@table.every
def test_an_explicit_seed_gives_the_same_draw_again(make, images):
    augment = make()
    one, _, two = augment(images, seed=SEED), augment(images), augment(images, seed=tf.constant(SEED, tf.int64))
    np.testing.assert_array_equal(one, two)
    assert np.abs(augment(images, seed=(5, 7)) - one).max() > 0.01


@table.every
def test_a_pair_is_transformed_alike_and_two_calls_are_not(make, images):
    augment = make()
    real, fake = augment.pair(images, images)
    np.testing.assert_array_equal(real, fake)
    assert np.abs(augment(images) - augment(images)).max() > 0.01
    # Another partner changes nothing of the draw.
    np.testing.assert_array_equal(*(augment.pair(images, other, seed=SEED)[0] for other in (images, 0 * images)))


@table.every
def test_a_call_is_the_draw_and_its_application(make, images):
    augment = make()
    np.testing.assert_array_equal(augment.apply(images, augment.draw(images, SEED)), augment(images, SEED))


@table.every
def test_configuration_round_trip(make, images):
    augment = make()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(augment))
    assert type(again) is type(augment)
    assert again.get_config() == augment.get_config()
    np.testing.assert_array_equal(again(images), augment(images))


@table.every
def test_eager_and_function_agree(make, images):
    augment = make()
    compiled = tf.function(lambda batch: augment(batch, seed=SEED))
    np.testing.assert_allclose(compiled(images), augment(images, seed=SEED), rtol=0, atol=2e-5)


@table.every
def test_xla_applies_the_same_draw_alike(make, images):
    augment = make()
    drawn = augment.draw(images, SEED)
    compiled = tf.function(augment.apply, jit_compile=True)
    np.testing.assert_allclose(compiled(images, drawn), augment.apply(images, drawn), rtol=0, atol=2e-5)


def test_xla_draws_from_the_same_distribution():
    augment = table.TABLE["bgcno"]()
    many = tf.zeros((4000, 2, 2, 3))
    drawn, compiled = augment.draw(many), tf.function(augment.draw, jit_compile=True)(many)
    assert drawn.keys() == compiled.keys()
    for name in drawn:
        one, other = np.float64(drawn[name]), np.float64(compiled[name])
        error = one.std() * np.sqrt(2 / 4000)
        assert abs(one.mean() - other.mean()) < 5 * error, name
        assert abs(one.std() - other.std()) < 0.2 * one.std(), name


@table.whole
def test_one_trace_serves_every_call_and_size(make, images):
    """Under XLA, too: `test_skipping_does_not_touch_the_gradient` counts there."""
    augment, traces = make(), []

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))])
    def run(batch):
        traces.append(1)
        return augment(batch)

    one, two = run(images), run(images)
    assert run(images[:3, :8]).shape == (3, 8, 12, 3)
    assert len(traces) == 1
    assert np.abs(one - two).max() > 0.01


@table.every
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_float_types(make, dtype, images):
    augment, batch = make(), tf.cast(images, dtype)
    augmented = augment(batch, seed=SEED)
    assert augmented.dtype == dtype
    reference = augment(tf.cast(batch, tf.float32), seed=SEED)
    tolerance = {"float16": 5e-3, "bfloat16": 4e-2, "float64": 1e-4}[dtype]
    np.testing.assert_allclose(tf.cast(augmented, tf.float32), reference, rtol=tolerance, atol=tolerance)


@table.whole
def test_float16_is_computed_in_float32(make):
    # A sum of 100 x 100 x 30 exceeds the range of float16.
    assert np.isfinite(make()(tf.fill((2, 100, 100, 3), tf.constant(30, tf.float16)))).all()


@table.every
def test_grey_images(make, images):
    augmented = make()(images[..., :1])
    assert augmented.shape == (8, 10, 12, 1)
    assert np.isfinite(augmented).all()


@table.whole
def test_a_checkpoint_lets_the_draws_go_on(make, images, tmp_path):
    augment = make()
    augment(images)
    path = tf.train.Checkpoint(augment=augment).save(str(tmp_path / "state"))
    expected = [augment(images) for _ in range(2)]
    again = make()
    tf.train.Checkpoint(augment=again).restore(path).assert_consumed()
    for one in expected:
        np.testing.assert_array_equal(again(images), one)


@table.whole
def test_replicas_draw_for_themselves(make, images, strategy):
    with strategy.scope():
        augment = make()
    run = tf.function(lambda: strategy.run(lambda: augment(images)))
    one, other = strategy.experimental_local_results(run())
    assert np.abs(one - other).max() > 0.01
    for variable in augment.variables:
        first, second = strategy.experimental_local_results(variable)
        np.testing.assert_array_equal(first, second)


@table.whole
def test_refusals_say_what_came_and_what_to_do(make, images):
    augment = make()
    owner = type(augment).__name__
    with pytest.raises(TypeError, match=rf"{owner}: images is uint8; a floating type is expected.* / 127.5 - 1.0"):
        augment(images.astype(np.uint8))
    with pytest.raises(ValueError, match=r"images is float32 \(8, 12\); images \(batch, .* leave the augmentation out"):
        augment(images[:, 0, :, 0])
    with pytest.raises(ValueError, match=r"\(8, 10, 12\); .* images\[\.\.\., tf.newaxis\]"):
        augment(images[..., 0])
    with pytest.raises(ValueError, match=r"real is float32 \(8, .* fake is float32 \(7, .* as many fakes"):
        augment.pair(images, images[:7])
    with pytest.raises(ValueError, match=r"was drawn for 8 samples, and 1 came"):
        augment.apply(images[:1], augment.draw(images))
    with pytest.raises(ValueError, match=r"seed is of shape \(\); two whole numbers"):
        augment(images, seed=1)
    with pytest.raises(TypeError, match=r"seed is of type float64; two whole numbers"):
        augment(images, seed=(0.5, 1.0))


@pytest.mark.parametrize("shape", [None, (None, 8, 8, None)])
def test_unknown_forms_are_refused_when_traced(shape):
    run = tf.function(DiffAugment(seed=1), input_signature=[tf.TensorSpec(shape)])
    with pytest.raises(ValueError, match=r"expected\. Give the shape before: tf.ensure_shape"):
        run(tf.zeros((2, 8, 8, 3)))


def test_a_pair_of_unknown_batch_sizes_is_checked_when_it_runs(images):
    augment = DiffAugment(seed=1)
    run = tf.function(augment.pair, input_signature=[tf.TensorSpec((None, 10, 12, 3))] * 2)
    run(images, images)
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many fakes"):
        run(images, images[:7])


def test_the_catalogue():
    assert augmentation.names() == ("diff_augment", "adaptive")
    assert isinstance(augmentation.get("adaptive", pipeline="bg"), AdaptiveAugmentation)
    with pytest.raises(ValueError, match="Did you mean 'diff_augment'"):
        augmentation.get("diffaugment")


def test_the_examples_run():
    for module in pkgutil.iter_modules(ganmedic.augmentation.__path__, "ganmedic.augmentation."):
        assert doctest.testmod(importlib.import_module(module.name)).failed == 0
    assert doctest.testmod(ganmedic.augmentation).failed == 0
