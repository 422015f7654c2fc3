"""``ganmedic.watch()`` and ``ganmedic.Monitor`` inside a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import ganmedic
from ganmedic.finding import Finding

pytestmark = pytest.mark.tensorflow
keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")


@pytest.fixture
def networks() -> Iterator[tuple[Any, Any]]:
    keras.utils.set_random_seed(3)
    layers = keras.layers
    generator = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(2)], name="maker")
    judge = keras.Sequential([keras.Input((2,)), layers.Dense(8, activation="relu"), layers.Dense(1)], name="judge")
    yield generator, judge
    keras.backend.clear_session()


def train(generator: Any, judge: Any, steps: int, between: Callable[[Any], Any]) -> None:
    g_opt, d_opt = keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2)
    for _ in range(steps):
        real = tf.random.normal((16, 2)) + 2.0
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = judge(between(generator(tf.random.normal((16, 4)))))
            true = judge(real)
            g_loss = tf.reduce_mean(tf.nn.softplus(-fake))
            d_loss = tf.reduce_mean(tf.nn.softplus(-true)) + tf.reduce_mean(tf.nn.softplus(fake))
        d_opt.apply(d_tape.gradient(d_loss, judge.trainable_variables), judge.trainable_variables)
        g_opt.apply(
            g_tape.gradient(g_loss, generator.trainable_variables, unconnected_gradients="none"),
            generator.trainable_variables,
        )


def test_watch_names_a_fault_with_the_line_and_shows_itself_in_a_notebook(networks: tuple[Any, Any]) -> None:
    told: list[Finding] = []

    with (
        pytest.raises(ValueError, match="No gradients provided"),
        ganmedic.watch(on_finding=told.append) as examination,
    ):
        train(*networks, steps=5, between=lambda drawn: tf.floor(drawn * 4.0) / 4.0)

    diagnosis = examination.diagnosis()
    finding = diagnosis.findings[0]
    assert (finding.cause, finding.network, finding.network_name) == ("non-differentiable-op", "generator", "maker")
    assert "tf.floor" in finding.locations[0].text
    assert diagnosis.ended == "failed"
    assert diagnosis.error is not None
    assert diagnosis.error.explained_by == "non-differentiable-op"
    assert diagnosis.tool_errors == ()
    assert "non-differentiable-op" in diagnosis._repr_html_()


def test_watch_calls_a_sound_training_healthy(networks: tuple[Any, Any]) -> None:
    with ganmedic.watch() as examination:
        train(*networks, steps=6, between=lambda drawn: drawn)

    diagnosis = examination.diagnosis()
    assert diagnosis.findings == ()
    assert diagnosis.healthy
    assert diagnosis.steps == 6
    assert {(net.role, net.variables, net.moved) for net in diagnosis.networks} == {
        ("generator", 4, 4),
        ("discriminator", 4, 4),
    }


def test_steps_end_the_block_early(networks: tuple[Any, Any]) -> None:
    with ganmedic.watch(steps=3) as examination:
        train(*networks, steps=1000, between=lambda drawn: drawn)

    assert examination.diagnosis().ended == "steps"
    assert examination.diagnosis().steps == 3


@pytest.mark.parametrize("limits", [{"steps": 0}, {"seconds": 0.0}, {"seconds": -1.0}])
def test_a_limit_that_is_none_is_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        ganmedic.watch(**limits)


class Gan(keras.Model):
    def __init__(self, generator: Any, judge: Any, between: Callable[[Any], Any]) -> None:
        super().__init__()
        self.generator, self.judge, self.between = generator, judge, between

    def compile(self) -> None:
        super().compile()
        self.g_opt, self.d_opt = keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2)

    def train_step(self, real: Any) -> dict[str, Any]:
        with tf.GradientTape(persistent=True) as tape:
            fake = self.judge(self.between(self.generator(tf.random.normal((16, 4)))))
            true = self.judge(real)
            g_loss = tf.reduce_mean(tf.nn.softplus(-fake))
            d_loss = tf.reduce_mean(tf.nn.softplus(-true)) + tf.reduce_mean(tf.nn.softplus(fake))
        d_weights, g_weights = self.judge.trainable_variables, self.generator.trainable_variables
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, d_weights), d_weights, strict=True))
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, g_weights), g_weights, strict=True))
        return {"g": g_loss}


def test_monitor_watches_fit(networks: tuple[Any, Any]) -> None:
    gan = Gan(*networks, between=lambda drawn: drawn)
    gan.compile()
    monitor = ganmedic.Monitor()

    gan.fit(tf.random.normal((64, 2)), batch_size=16, epochs=2, verbose=0, callbacks=[monitor])

    diagnosis = monitor.diagnosis()
    assert diagnosis.findings == ()
    assert sum(net.moved or 0 for net in diagnosis.networks) == 8


def test_monitor_tells_the_fault_when_fit_fails_and_takes_itself_off(networks: tuple[Any, Any]) -> None:
    gan = Gan(*networks, between=tf.stop_gradient)
    gan.compile()
    monitor = ganmedic.Monitor(on_finding=None)
    before = tf.GradientTape.__dict__["gradient"]

    with pytest.raises(ValueError, match="No gradients provided"):
        gan.fit(tf.random.normal((64, 2)), batch_size=16, verbose=0, callbacks=[monitor])

    assert tf.GradientTape.__dict__["gradient"] is before
    assert [finding.cause for finding in monitor.diagnosis().findings] == ["stop-gradient"]


def test_monitor_without_training_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="Hand it to fit"):
        ganmedic.Monitor().diagnosis()
