"""The meters measure what NumPy measures of the same gradients, in every way of running a step."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ganmedic
from ganmedic.record.record import Record
from ganmedic.record.series import Series

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

ROUNDS = 5


def record_of(examination: ganmedic.Examination) -> Record:
    """The record behind an examination."""
    assert examination.diagnosis().tool_errors == ()
    assert examination._session is not None
    return examination._session.record


class Net:
    """Two weights, one large and one small, moved by hand."""

    def __init__(self) -> None:
        generator = np.random.default_rng(3)
        self.large = tf.Variable(generator.normal(size=(80, 70)).astype("float32"))
        self.small = tf.Variable(generator.normal(size=(70,)).astype("float32"))
        self.log: list[dict[str, Any]] = []

    def step(self, x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.relu(x @ self.large + self.small))
        gradients = tape.gradient(loss, [self.large, self.small])
        self.large.assign_sub(0.1 * gradients[0])
        self.small.assign_sub(0.1 * gradients[1])
        return loss, gradients

    def __call__(self, step: Callable[[Any], Any], rounds: int = ROUNDS) -> None:
        for number in range(rounds):
            x = tf.constant(np.random.default_rng(number).normal(size=(6, 80)).astype("float32"))
            before = [self.large.numpy(), self.small.numpy()]
            loss, gradients = step(x)
            self.log.append({"loss": loss.numpy(), "gradients": [g.numpy() for g in gradients], "before": before})


@pytest.fixture(
    params=["eager", "function", "jit", "called from a function", "loop in a function", "a concrete function under jit"]
)
def watched(request: pytest.FixtureRequest) -> tuple[Net, Series]:
    net = Net()
    ways: dict[str, Callable[[Any], Any]] = {
        "eager": net.step,
        "function": tf.function(net.step),
        "jit": tf.function(net.step, jit_compile=True),
    }
    compiled = tf.function(net.step, jit_compile=True)
    ways["a concrete function under jit"] = lambda x: compiled.get_concrete_function(x)(x)
    inner = tf.function(net.step)
    ways["called from a function"] = tf.function(lambda x: inner(x))

    def once(x: Any) -> Any:
        loss, gradients = tf.constant(0.0), [tf.zeros_like(net.large), tf.zeros_like(net.small)]
        for _ in tf.range(1):
            loss, gradients = net.step(x)
        return loss, gradients

    ways["loop in a function"] = tf.function(once)
    with ganmedic.watch() as examination:
        net(ways[request.param])
    found = [one for one in record_of(examination).series.values() if not one.applied]
    assert len(found) == 1
    return net, found[0]


def test_figures_are_those_of_numpy(watched: tuple[Net, Series]) -> None:
    net, series = watched
    assert series.seen == ROUNDS
    assert series.steps == list(range(ROUNDS))
    gradients = [row["gradients"] for row in net.log]
    np.testing.assert_allclose(series.loss()[:, 0], [row["loss"] for row in net.log], rtol=1e-5)
    np.testing.assert_allclose(series.of("norm"), [[np.linalg.norm(g) for g in row] for row in gradients], rtol=1e-4)
    np.testing.assert_allclose(series.of("largest"), [[np.abs(g).max() for g in row] for row in gradients], rtol=1e-4)
    np.testing.assert_allclose(series.of("zeros"), [[(g == 0).mean() for g in row] for row in gradients], atol=1e-6)
    np.testing.assert_array_equal(series.of("nonfinite"), np.zeros((ROUNDS, 2)))


def test_movement_is_that_of_the_weights(watched: tuple[Net, Series]) -> None:
    net, series = watched
    small = [row["before"][1] for row in net.log]
    moved = [np.sqrt(np.mean(np.square(after - before))) for before, after in itertools.pairwise(small)]
    assert np.isnan(series.of("update")[0]).all()
    np.testing.assert_allclose(series.of("update")[1:, 1], moved, rtol=1e-3)
    np.testing.assert_allclose(series.of("weight")[:, 1], [np.sqrt(np.mean(np.square(w))) for w in small], rtol=1e-4)
    # Of the large one a sample is looked at: near the figure of the whole, and zero only if that is.
    whole = [np.sqrt(np.mean(np.square(row["before"][0]))) for row in net.log]
    np.testing.assert_allclose(series.of("weight")[:, 0], whole, rtol=0.2)


def test_shares_of_what_is_not_finite() -> None:
    weight = tf.Variable([1.0, 0.0, 4.0, 0.0])
    with ganmedic.watch() as examination:
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.sqrt(weight))
            tape.gradient(loss, [weight])
    (series,) = record_of(examination).series.values()
    np.testing.assert_allclose(series.of("nonfinite"), [[0.5], [0.5]])
    assert series.events == {0, 1}


@pytest.mark.parametrize("way", ["fit", "fit eagerly", "train_on_batch"])
def test_compiled_models_are_measured(way: str) -> None:
    with ganmedic.watch() as examination:
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", run_eagerly=way == "fit eagerly")
        x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
        if way == "train_on_batch":
            told = [float(model.train_on_batch(x, y)) for _ in range(3)]
        else:
            told = model.fit(x, y, epochs=3, batch_size=8, verbose=0).history["loss"]
    (series,) = [one for one in record_of(examination).series.values() if not one.applied]
    assert series.seen == 3
    assert len(series.variables) == 4
    if way != "train_on_batch":  # which tells the mean over the steps so far
        np.testing.assert_allclose(series.loss()[:, 0], told, rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_measured_in_float32(policy: str) -> None:
    with ganmedic.watch() as examination:
        layer = keras.layers.Dense(3, dtype=policy)
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0)

        @tf.function
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.cast(layer(x), tf.float32))
                scaled = optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, layer.trainable_variables)
            optimizer.apply_gradients(zip(gradients, layer.trainable_variables, strict=True))
            return gradients

        told = [step(tf.ones((4, 5))) for _ in range(3)]
    record = record_of(examination)
    series = next(one for one in record.series.values() if not one.applied and one.seen)
    expected = [[np.linalg.norm(np.asarray(one, np.float64)) for one in gradients] for gradients in told]
    np.testing.assert_allclose(series.of("norm"), expected, rtol=1e-2)
    (scaling,) = [row for row in record.optimizers.values() if row.loss_scale]
    assert scaling.scales > 0
    assert record.optimizers[scaling.inner].kind == "SGD"


def test_a_replica_of_a_strategy_is_measured() -> None:
    with ganmedic.watch() as examination:
        strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
        with strategy.scope():
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
            optimizer = keras.optimizers.SGD(0.01)
            optimizer.build(model.trainable_variables)

        def replica(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(model(x, training=True) ** 2)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        @tf.function
        def step(x: Any) -> Any:
            return strategy.reduce("SUM", strategy.run(replica, (x,)), axis=None)

        told = [float(step(tf.ones((2, 4)))) for _ in range(3)]
    series = [one for one in record_of(examination).series.values() if not one.applied and one.seen]
    assert [one.seen for one in series] == [3]
    np.testing.assert_allclose(series[0].loss()[:, 0], told, rtol=1e-5)


def test_what_an_optimizer_is_given_is_measured_where_it_is_something_else() -> None:
    with ganmedic.watch() as examination:
        weight = tf.Variable([[3.0, 4.0]])
        optimizer = keras.optimizers.SGD(0.0)
        for clip in (False, True):
            for _ in range(2):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum(tf.square(weight))
                gradients = tape.gradient(loss, [weight])
                if clip:
                    gradients, _ = tf.clip_by_global_norm(gradients, 0.5)
                optimizer.apply_gradients(zip(gradients, [weight], strict=True))
    series = record_of(examination).series.values()
    (applied,) = [one for one in series if one.applied]
    np.testing.assert_allclose(applied.of("norm"), [[0.5], [0.5]], rtol=1e-5)
    assert [one.seen for one in series if not one.applied] == [4] or sum(one.seen for one in series) == 6


def test_sparse_and_narrow_gradients_are_measured() -> None:
    with ganmedic.watch() as examination:
        table = tf.Variable(tf.ones((50, 4)))
        half = tf.Variable(tf.ones((4,), tf.float16))
        for _ in range(2):
            with tf.GradientTape() as tape:
                rows = tf.gather(table, [1, 2])
                loss = tf.reduce_sum(rows * tf.cast(half, tf.float32)) * 300.0
            tape.gradient(loss, [table, half])
    (series,) = record_of(examination).series.values()
    # Two rows of four times 300; and eight times 300 a unit, whose square float16 could not hold.
    np.testing.assert_allclose(series.of("norm")[0], [300 * np.sqrt(8), 600 * 2], rtol=1e-3)
    assert np.isfinite(series.table()[1:]).all()


def test_a_ring_that_runs_over_says_how_much_was_seen() -> None:
    weight = tf.Variable(1.0)

    @tf.function
    def many() -> None:
        for _ in tf.range(300):
            with tf.GradientTape() as tape:
                loss = weight * weight
            weight.assign_sub(0.001 * tape.gradient(loss, weight))

    with ganmedic.watch() as examination:
        many()
    (series,) = record_of(examination).series.values()
    assert series.seen == 300
    assert series.steps == list(range(300 - 64, 300))
