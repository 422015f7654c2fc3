"""A step that is run again in the sandbox comes to what it came to in the program, and changes nothing there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ganmedic
from ganmedic.record.record import Record

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

Way = Callable[[Callable[[Any], Any]], Callable[[Any], Any]]
WAYS: dict[str, Way] = {
    "eager": lambda step: step,
    "function": tf.function,
    "jit": lambda step: tf.function(step, jit_compile=True),
    "function in a function": lambda step: tf.function(tf.function(step)),
}


def record_of(examination: ganmedic.Examination) -> Record:
    assert examination.diagnosis().tool_errors == ()
    assert examination.diagnosis().unchecked == ()
    assert examination._session is not None
    return examination._session.record


@pytest.mark.parametrize("way", WAYS)
def test_values_and_gradients_are_those_of_the_program(way: str) -> None:
    weights = np.random.default_rng(1).normal(size=(5, 6)).astype("float32")
    x = np.random.default_rng(2).normal(size=(4, 5)).astype("float32")
    kernel = tf.Variable(weights)

    def step(data: Any) -> Any:
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(tf.squeeze(tf.expand_dims(data @ kernel, 0)))
            loss = tf.reduce_mean(tf.square(hidden)) + 3.0 * tf.reduce_mean(hidden)
        return tape.gradient(loss, [kernel])

    with ganmedic.watch() as examination:
        run = WAYS[way](step)
        for _ in range(3):
            run(tf.constant(x))
    record = record_of(examination)

    before = x @ weights
    hidden = np.maximum(before, 0)
    gradient = (2 * hidden + 3) / hidden.size
    (relu, *_) = [row for row in record.measures.values() if row.kind == "Relu"]
    assert relu.shape == (4, 6)
    assert relu.zeros == pytest.approx((hidden == 0).mean())
    assert relu.mean == pytest.approx(hidden.mean(), rel=1e-4)
    assert relu.gradient == pytest.approx(np.sqrt(np.mean(np.square(gradient))), rel=1e-4)
    fired = np.unpackbits(np.frombuffer(bytes.fromhex(relu.fired), np.uint8))[:6]
    assert list(fired) == list((hidden > 0).any(axis=0).astype(int))

    terms = [row for row in record.summands.values() if row.probe == relu.probe]
    assert [row.weight for row in terms] == [1.0, 3.0]
    assert terms[1].result == pytest.approx(hidden.mean(), rel=1e-4)
    of_mean = x.T @ ((before > 0) * 3 / hidden.size)
    assert terms[1].norms[0] == pytest.approx(np.linalg.norm(of_mean), rel=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_a_loss_is_asked_how_it_answers_to_a_score(way: str) -> None:
    kernel = tf.Variable(np.ones((3, 1), "float32"))

    def step(data: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(-(data @ kernel)))
        return tape.gradient(loss, [kernel])

    with ganmedic.watch() as examination:
        run = WAYS[way](step)
        for _ in range(3):
            run(tf.ones((4, 3)))
    (profile, *_) = record_of(examination).profiles.values()
    grid = np.array(profile.grid)
    np.testing.assert_allclose(profile.loss, np.logaddexp(0, -grid), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(profile.low, -1 / (1 + np.exp(grid)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(profile.low, profile.high)


def test_loops_branches_and_layers_with_a_state_are_run_again() -> None:
    normalise, drop = keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)
    dense = keras.layers.Dense(4)

    @tf.function
    def step(x: Any, flag: Any) -> Any:
        with tf.GradientTape() as tape:
            hidden = drop(normalise(dense(x), training=True), training=True)
            for _ in tf.range(2):
                hidden = tf.tanh(hidden)
            if flag:
                hidden = hidden * 2.0
            loss = tf.reduce_mean(tf.square(hidden))
        return loss, tape.gradient(loss, dense.trainable_variables)

    with ganmedic.watch() as examination:
        told = [float(step(tf.random.normal((6, 3)), tf.constant(True))[0]) for _ in range(3)]
    record = record_of(examination)
    last = max(record.probes.values(), key=lambda row: (row.step, row.id))
    assert last.losses[0] == pytest.approx(told[last.step], rel=1e-4)


def test_nothing_of_the_program_is_changed() -> None:
    def program() -> tuple[list[float], int, float, list[int], list[float]]:
        keras.utils.set_random_seed(7)
        counter, weight = tf.Variable(0), tf.Variable(2.0)
        draws = tf.random.Generator.from_seed(5)

        @tf.function
        def step() -> Any:
            counter.assign_add(1)
            with tf.GradientTape() as tape:
                loss = weight * draws.normal(()) + weight * tf.random.normal(())
            weight.assign_sub(0.1 * tape.gradient(loss, weight))
            return loss

        losses = [float(step()) for _ in range(5)]
        after = [float(tf.random.normal(())) for _ in range(3)]
        return losses, int(counter), float(weight), draws.state.numpy().tolist(), after

    plain = program()
    with ganmedic.watch(preset="full") as examination:
        watched = program()
    assert len(record_of(examination).probes) >= 2
    assert watched == plain
