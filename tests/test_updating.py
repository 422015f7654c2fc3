"""One step of one player: the order of what is done to its gradients."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import devices
import ganmedic
from ganmedic import clipping, precision

pytestmark = pytest.mark.tensorflow


def variable(value: float = 1.0) -> tf.Variable:
    return tf.Variable([value], name="kernel")


def test_a_plain_step_is_the_optimizers() -> None:
    held = variable()
    assert bool(ganmedic.update(keras.optimizers.SGD(0.5), [tf.constant([2.0])], [held]))
    assert held.numpy() == [0.0]


def test_a_clip_sees_unscaled_gradients() -> None:
    held, optimizer = variable(), keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), initial_scale=1024.0)
    optimizer.build([held])
    with tf.GradientTape() as tape:
        loss = precision.scaled(optimizer, 0.5 * tf.reduce_sum(held))
    ganmedic.update(optimizer, tape.gradient(loss, [held]), [held], clip=clipping.get("global_norm", 1.0))
    # A clip of the scaled gradient, 512, would have left a step of 1/1024.
    assert held.numpy() == [0.5]


def test_an_infinite_scaled_gradient_lowers_the_scale_and_is_named() -> None:
    held, optimizer = variable(), keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), initial_scale=1024.0)
    optimizer.build([held])
    guard = ganmedic.GradientGuard()
    applied = ganmedic.update(
        optimizer, [tf.constant([np.inf])], [held], clip=clipping.get("global_norm", 1.0), guard=guard
    )
    assert not bool(applied)
    assert held.numpy() == [1.0]
    assert float(optimizer.dynamic_scale) == 512.0
    assert dict(guard.report().non_finite) == {"kernel:0": 1}


@pytest.mark.parametrize("compiled", [False, True])
def test_a_guard_keeps_weights_and_optimizer_from_a_step_that_is_not_finite(compiled: bool) -> None:
    held, optimizer, guard = variable(), keras.optimizers.Adam(0.1), ganmedic.GradientGuard()
    optimizer.build([held])

    @tf.function(jit_compile=compiled)
    def step(gradient: Any) -> Any:
        return ganmedic.update(optimizer, [gradient], [held], guard=guard)

    assert bool(step(tf.constant([1.0])))
    before = [value.numpy() for value in (held, *optimizer.variables)]
    assert not bool(step(tf.constant([np.nan])))
    for value, old in zip((held, *optimizer.variables), before, strict=True):
        assert np.array_equal(value.numpy(), old)
    report = guard.report()
    assert (report.steps, report.skipped, report.in_a_row) == (2, 1, 1)
    assert "kernel:0 (1)" in str(report)


def test_gradients_that_are_none_are_named() -> None:
    held = [variable(), tf.Variable(0.0, name="lost")]
    guard = ganmedic.GradientGuard()
    with pytest.warns(UserWarning, match=r"1 of 2 variables have no gradient .* lost:0"):
        ganmedic.update(keras.optimizers.SGD(1.0), [tf.constant([1.0]), None], held, guard=guard)
    with pytest.raises(ValueError, match=r"None of the 2 variables has a gradient: kernel:0, lost:0"):
        ganmedic.update(keras.optimizers.SGD(1.0), [None, None], held)


def test_accumulation_is_the_step_of_one_large_batch() -> None:
    held, optimizer = variable(), keras.optimizers.SGD(1.0)
    accumulation = ganmedic.GradientAccumulation(2)
    clip = clipping.get("global_norm", 1.0)
    for gradient, moved in ((4.0, False), (-3.0, True), (8.0, False), (0.0, True)):
        done = ganmedic.update(optimizer, [tf.constant([gradient])], [held], clip=clip, accumulation=accumulation)
        assert bool(done) == moved
    # Means 0.5 and 4, of which the second is clipped to 1.
    assert held.numpy() == [pytest.approx(-0.5)]


def test_a_player_that_waits_does_not_move() -> None:
    held, optimizer = variable(), keras.optimizers.SGD(1.0)
    assert not bool(ganmedic.update(optimizer, [tf.constant([1.0])], [held], when=tf.constant(False)))
    assert held.numpy() == [1.0]
    assert int(optimizer.iterations) == 0


def test_weights_are_clipped_behind_the_step() -> None:
    held = variable(0.05)
    ganmedic.update(keras.optimizers.SGD(1.0), [tf.constant([3.0])], [held], clip=clipping.get("weights", 0.1))
    assert held.numpy() == [pytest.approx(-0.1)]


def test_one_step_of_all_replicas_is_that_of_the_whole_batch() -> None:
    batch = np.arange(8, dtype=np.float32)

    def built() -> tuple[Any, ...]:
        held, optimizer = variable(0.5), keras.optimizers.Adam(0.1)
        optimizer.build([held])
        clip, guard = clipping.get("global_norm", 2.0), ganmedic.GradientGuard()
        clip.build([held])
        return held, optimizer, clip, guard, ganmedic.GradientAccumulation(2)

    def step(samples: Any, held: Any, optimizer: Any, clip: Any, guard: Any, accumulation: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(held - samples))
        gradients = tape.gradient(loss, [held])
        return ganmedic.update(optimizer, gradients, [held], clip=clip, guard=guard, accumulation=accumulation)

    alone = built()
    for _ in range(4):
        step(tf.constant(batch), *alone)
    strategy = devices.mirrored()
    with strategy.scope():
        together = built()

    @tf.function
    def distributed(samples: Any) -> Any:
        return strategy.run(lambda part: step(part, *together), args=(samples,))

    for _ in range(4):
        distributed(devices.split(strategy, batch))
    assert together[0].numpy() == pytest.approx(alone[0].numpy(), rel=1e-5)
    assert together[2].report() == alone[2].report()


def test_misuse_is_told() -> None:
    held = variable()
    with pytest.raises(TypeError, match=r"'adam' came; a Keras optimizer is expected"):
        ganmedic.update("adam", [tf.constant([1.0])], [held])
    with pytest.raises(ValueError, match=r"2 gradients came for 1 variables"):
        ganmedic.update(keras.optimizers.SGD(1.0), [None, None], [held])
    with pytest.raises(ValueError, match=r"the gradient for kernel:0 is of shape \(2,\)"):
        ganmedic.update(keras.optimizers.SGD(1.0), [tf.constant([1.0, 2.0])], [held])


def test_both_optimizers_of_a_gan_can_be_given_loss_scaling() -> None:
    plain = keras.optimizers.Adam()
    assert precision.loss_scaling(plain) is plain
    wrapped = precision.loss_scaling(plain, always=True)
    assert isinstance(wrapped, keras.optimizers.LossScaleOptimizer)
    assert precision.loss_scaling(wrapped) is wrapped
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        assert isinstance(precision.loss_scaling(keras.optimizers.Adam()), keras.optimizers.LossScaleOptimizer)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    with pytest.raises(TypeError, match="a Keras optimizer is expected"):
        precision.loss_scaling("adam")


@pytest.mark.parametrize("graph", [False, True])
def test_an_optimizer_that_scales_need_not_be_built_before(graph: bool) -> None:
    held = variable()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), initial_scale=64.0)

    def step() -> None:
        with tf.GradientTape() as tape:
            loss = precision.scaled(optimizer, 0.25 * tf.reduce_sum(held))
        ganmedic.update(optimizer, tape.gradient(loss, [held]), [held])

    run = tf.function(step) if graph else step
    for _ in range(2):
        run()
    assert held.numpy() == [0.5]


def test_a_loss_that_was_not_scaled_is_warned_of_once() -> None:
    held, optimizer = variable(), keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    with pytest.warns(UserWarning, match=r"no loss was scaled for it.*precision\.scaled"):
        ganmedic.update(optimizer, [tf.constant([1.0])], [held])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ganmedic.update(optimizer, [tf.constant([1.0])], [held])


def test_clip_and_guard_count_steps_and_not_the_batches_they_are_made_of() -> None:
    held, optimizer = variable(), keras.optimizers.SGD(1.0)
    accumulation, clip, guard = ganmedic.GradientAccumulation(4), clipping.get("auto", 50.0), ganmedic.GradientGuard()
    for gradient in (1.0, 3.0, 5.0, np.nan, 1.0, 3.0, 5.0, 7.0):
        ganmedic.update(optimizer, [tf.constant([gradient])], [held], clip=clip, guard=guard, accumulation=accumulation)
    assert (clip.report().steps, clip.report().non_finite_steps, guard.report().skipped) == (2, 1, 1)
    assert clip.report().threshold == 4.0
    assert held.numpy() == [-3.0]


def test_what_was_accumulated_waits_for_its_player() -> None:
    held, optimizer, accumulation = variable(), keras.optimizers.SGD(1.0), ganmedic.GradientAccumulation(2)
    moves = [
        bool(ganmedic.update(optimizer, [tf.constant([g])], [held], accumulation=accumulation, when=tf.constant(go)))
        for g, go in ((1.0, True), (2.0, False), (6.0, True))
    ]
    assert moves == [False, False, True]
    assert held.numpy() == [pytest.approx(1.0 - 3.0)]


def test_no_variables_is_told() -> None:
    with pytest.raises(ValueError, match=r"no variables came\. The network is not built yet"):
        ganmedic.update(keras.optimizers.SGD(1.0), [], [])
