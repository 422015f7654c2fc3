"""Where a value that is not finite was born: the operation and its line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ganmedic
from ganmedic.analysis.births import Birth, births
from ganmedic.analysis.run import Run
from ganmedic.causes.building import operation_place

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

MODES = ("eager", "function", "jit")
STEPS = 7


class Nets:
    """A critic without biases, so that a sample of zeros has a score of zero."""

    def __init__(self) -> None:
        self.body = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, "leaky_relu", use_bias=False)])
        self.head = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, use_bias=False)])
        self.weights = [*self.body.trainable_variables, *self.head.trainable_variables]

    def score(self, samples: Any) -> Any:
        return self.head(self.body(samples))

    def slopes(self, samples: Any, bend: Callable[[Any], Any]) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(samples)
            score = tf.reduce_sum(bend(self.body(samples)))
        return tape.gradient(score, samples)


def log(nets: Nets, real: Any) -> Any:
    return tf.reduce_mean(tf.math.log(real))  # here


def division(nets: Nets, real: Any) -> Any:
    unit = real / tf.norm(real, axis=-1, keepdims=True)  # here
    return tf.reduce_mean(nets.score(unit))


def norm(nets: Nets, real: Any) -> Any:
    size = tf.norm(nets.body(real), axis=-1)  # here
    return tf.reduce_mean(size)


def log_behind_where(nets: Nets, real: Any) -> Any:
    size = tf.reduce_sum(tf.abs(nets.body(real)), axis=-1)
    return tf.reduce_mean(tf.where(size > 0.0, tf.math.log(size), 0.0))  # here


def infinite_mask(nets: Nets, real: Any) -> Any:
    scores = tf.where(real > 0.0, real, -np.inf)
    attention = tf.nn.softmax(scores)  # here
    return tf.reduce_mean(nets.score(attention))


def norm_in_a_function(nets: Nets, real: Any) -> Any:
    @tf.function
    def size(features: Any) -> Any:
        return tf.norm(features, axis=-1)  # here

    return tf.reduce_mean(size(nets.body(real)))


def penalty(nets: Nets, real: Any) -> Any:
    slopes = nets.slopes(real, lambda features: tf.square(features))
    size = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=-1))  # here
    return tf.reduce_mean(tf.square(size - 1.0))


def power_in_the_critic(nets: Nets, real: Any) -> Any:
    def bend(features: Any) -> Any:
        return tf.pow(tf.abs(features), 1.5)  # here

    return tf.reduce_mean(tf.square(nets.slopes(real, bend)))


def root_in_a_branch(nets: Nets, real: Any) -> Any:
    features = nets.body(real)

    def size() -> Any:
        return tf.reduce_mean(tf.sqrt(tf.reduce_sum(tf.square(features), axis=-1)))  # here

    return tf.cond(tf.reduce_min(real) < 0.1, size, lambda: tf.reduce_mean(features))


def root_in_a_loop(nets: Nets, real: Any) -> Any:
    def body(index: Any, total: Any) -> Any:
        size = tf.sqrt(tf.reduce_sum(tf.square(nets.body(real)), axis=-1))  # here
        return index + 1, total + tf.reduce_mean(size)

    start = (tf.constant(0), tf.constant(0.0))
    return tf.while_loop(lambda index, total: index < 2, body, start, maximum_iterations=2)[1]


def log_in_map_fn(nets: Nets, real: Any) -> Any:
    return tf.reduce_mean(tf.map_fn(lambda row: tf.math.log(row), real))  # here


#: Loss, type of the operation at fault, how many gradients deep, ways to run it.
PLANTED: list[tuple[Callable[[Nets, Any], Any], str, int, tuple[str, ...]]] = [
    (log, "Log", 0, MODES),
    (division, "RealDiv", 0, MODES),
    (infinite_mask, "Softmax", 0, MODES),
    (log_in_map_fn, "Log", 0, ("function",)),
    (norm, "Sqrt", 1, MODES),
    (log_behind_where, "Log", 1, MODES),
    (norm_in_a_function, "Sqrt", 1, ("eager", "function")),
    (root_in_a_branch, "Sqrt", 1, ("function", "jit")),
    (root_in_a_loop, "Sqrt", 1, ("function", "jit")),
    (penalty, "Sqrt", 1, MODES),
    (power_in_the_critic, "Pow", 2, MODES),
]


def train(loss: Callable[[Nets, Any], Any], mode: str, bad_step: int) -> Any:
    """Trains a critic; the batch of one step has a row of zeros."""
    keras.utils.set_random_seed(3)
    batches = np.random.default_rng(5).uniform(0.5, 1.5, (STEPS, 8, 4)).astype(np.float32)
    if bad_step >= 0:
        batches[bad_step, 0] = 0.0
    with ganmedic.watch() as examination:
        nets = Nets()
        optimizer = keras.optimizers.Adam(1e-4)
        optimizer.build(nets.weights)

        def step(real: Any) -> None:
            with tf.GradientTape() as tape:
                value = tf.reduce_mean(tf.nn.softplus(nets.score(real))) + 0.1 * loss(nets, real)
            optimizer.apply_gradients(zip(tape.gradient(value, nets.weights), nets.weights, strict=True))

        run = step if mode == "eager" else tf.function(step, jit_compile=mode == "jit")
        for batch in batches:
            run(tf.constant(batch))
    assert examination.diagnosis().tool_errors == ()
    return examination


def first_birth(examination: Any) -> tuple[Birth, int]:
    record = examination._session.record.view()
    first = births(record)[0]
    place = operation_place(Run(record), first.root)
    assert place is not None
    assert place.file == __file__
    return first, place.line


def marked_line(function: Any) -> int:
    lines, first = inspect.getsourcelines(function)
    return next(first + number for number, line in enumerate(lines) if line.endswith("# here\n"))


@pytest.mark.parametrize(
    ("loss", "kind", "order", "mode"),
    [
        pytest.param(loss, kind, order, mode, id=f"{loss.__name__}-{mode}")
        for loss, kind, order, modes in PLANTED
        for mode in modes
    ],
)
def test_operation_and_line_are_found(loss: Callable[[Nets, Any], Any], kind: str, order: int, mode: str) -> None:
    birth, line = first_birth(train(loss, mode, bad_step=1))

    assert (birth.root.kind, line) == (kind, marked_line(loss))
    assert birth.origin.order == order
    assert birth.origin.step == 1


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_a_batch_that_comes_late(mode: str) -> None:
    birth, line = first_birth(train(norm, mode, bad_step=5))

    assert (birth.root.kind, line) == ("Sqrt", marked_line(norm))
    assert birth.origin.step == 5


def masked(nets: Nets, real: Any) -> Any:
    scores = tf.where(real > 0.8, real, -np.inf)
    attention = tf.nn.softmax(tf.concat([scores, tf.zeros_like(scores[:, :1])], 1))[:, :4]
    logs = tf.math.log(real - 1.0)
    return tf.reduce_mean(nets.score(attention)) + tf.reduce_mean(tf.where(tf.math.is_finite(logs), logs, 0.0))


@pytest.mark.parametrize("mode", MODES)
def test_what_is_masked_is_no_birth(mode: str) -> None:
    examination = train(masked, mode, bad_step=-1)

    assert not examination._session.record.origins
