"""Gradients through the augmentations against finite differences, first and second order, in every mode."""

from __future__ import annotations

import numpy as np
import pytest
import table
import tensorflow as tf

from ganmedic.augmentation import AdaptiveAugmentation

pytestmark = pytest.mark.tensorflow

SEED = (5, 6)
MODES = {"eager": None, "function": False, "xla": True}


def in_mode(function, mode):
    return function if MODES[mode] is None else tf.function(function, jit_compile=MODES[mode])


def first_order(transform):
    """A score that is not linear in the images, and its gradient."""

    def run(batch):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            score = tf.reduce_sum(tf.sin(3.0 * transform(batch)))
        return score, tape.gradient(score, batch)

    return run


def second_order(transform):
    """R1 of that score, and the gradient of it with respect to the images."""
    gradient_of = first_order(transform)

    def run(batch):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            penalty = tf.reduce_sum(tf.square(gradient_of(batch)[1]))
        return penalty, tape.gradient(penalty, batch)

    return run


def difference(function, batch, direction, step=1e-6):
    """The slope of a function along a direction, by central differences."""
    return float(function(batch + step * direction)[0] - function(batch - step * direction)[0]) / (2 * step)


@table.every
@pytest.mark.parametrize("order", [first_order, second_order])
def test_against_central_differences(make, order):
    generator = np.random.default_rng(1)
    batch = tf.constant(generator.uniform(-1, 1, (4, 6, 7, 3)))
    augment = make()
    function = order(lambda values: augment(values, seed=SEED))
    gradient = function(batch)[1]
    for _ in range(2):
        direction = generator.normal(size=batch.shape)
        expected = difference(function, batch, direction)
        np.testing.assert_allclose(tf.reduce_sum(gradient * direction), expected, rtol=2e-6, atol=1e-6)


@table.whole
@pytest.mark.parametrize("mode", ["function", "xla"])
def test_every_mode_has_the_gradient_of_eager_code(make, mode):
    batch = tf.constant(np.random.default_rng(1).uniform(-1, 1, (4, 6, 7, 3)))
    augment = make()
    drawn = augment.draw(batch, SEED)
    run = second_order(lambda values: augment.apply(values, drawn))
    for one, other in zip(in_mode(run, mode)(batch), run(batch), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_skipping_does_not_touch_the_gradient(mode):
    """p = 0 and p = 1 in one compiled function, batch size unknown: where the gradient of tf.cond fails under XLA."""
    augment = AdaptiveAugmentation(pipeline="bgcno", seed=1)
    probability = augment._control._probability
    batch = tf.constant(np.random.default_rng(1).uniform(-1, 1, (4, 6, 7, 3)))
    kernel = tf.Variable(tf.random.stateless_normal((3, 3, 3, 2), SEED, dtype=tf.float64))

    def step(values):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(values)
                augmented = augment(values, seed=SEED)
                score = tf.reduce_sum(tf.square(tf.nn.conv2d(augmented, kernel, 1, "SAME")))
            penalty = tf.reduce_sum(tf.square(inner.gradient(score, values)))
        return augmented, penalty, outer.gradient(penalty, kernel)

    run = step
    if mode != "eager":
        signature = [tf.TensorSpec((None, 6, 7, 3), tf.float64)]
        run = tf.function(step, input_signature=signature, jit_compile=mode == "xla")
    augmented, _, gradient = run(batch)
    np.testing.assert_array_equal(augmented, batch)
    assert np.abs(gradient).max() > 0
    probability.assign(1.0)
    _, penalty, gradient = run(batch)
    direction = tf.random.stateless_normal(kernel.shape, (8, 9), dtype=tf.float64)
    kernel.assign_add(1e-6 * direction)
    above = run(batch)[1]
    kernel.assign_sub(2e-6 * direction)
    expected = float(above - run(batch)[1]) / 2e-6
    np.testing.assert_allclose(tf.reduce_sum(gradient * direction), expected, rtol=1e-6)
    assert penalty > 0
    assert mode == "eager" or run.experimental_get_tracing_count() == 1


def test_tiny_gradients_keep_their_digits():
    """Brightness of 0.2 must not be added to a gradient of 1e-9 and taken off again."""
    augment = AdaptiveAugmentation(initial_probability=1.0, pipeline="c", seed=1)
    batch = tf.random.stateless_uniform((4, 6, 6, 3), SEED)

    def hessian_product(scale):
        with tf.GradientTape() as outer:
            outer.watch(batch)
            with tf.GradientTape() as inner:
                inner.watch(batch)
                score = tf.reduce_sum(tf.square(augment(batch, seed=SEED)))
            gradient = inner.gradient(score, batch)
        return outer.gradient(gradient, batch, output_gradients=scale * batch)

    tiny = tf.function(hessian_product)(tf.constant(1e-9)) * 1e9
    np.testing.assert_allclose(tiny, hessian_product(tf.constant(1.0)), rtol=1e-4, atol=1e-5)
