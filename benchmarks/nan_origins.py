#!/usr/bin/env python3
"""Planted NaN and infinities: is the operation at which they were born found, and its line?

    python benchmarks/nan_origins.py
    python benchmarks/nan_origins.py --only log norm_at_zero --modes eager jit

A row is a loss with one fault, which a batch sets off: at step 0, or only at step 7. A small GAN is trained with it, in an
eager loop, in a tf.function, under XLA, or by ``fit``, in one process and each under ``ganmedic.watch()``. Right is a row where
the forward operation at fault and its line, marked "here" in this file, were found. Of the sound rows at the end none may
lead to a finding. Prints a table and totals; the exit status is 0.
"""

from __future__ import annotations

import argparse
import collections
import inspect
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import ganmedic
from ganmedic.analysis.births import births
from ganmedic.analysis.run import Run
from ganmedic.causes.building import operation_place

FORWARD, BACKWARD, SECOND = "forward", "backward", "second backward"
MODES = ("eager", "function", "jit", "fit")
LATE = 7
CAUSES = ("log-of-zero", "norm-at-zero", "fp16-overflow", "learning-rate-too-high", "exploding-gradients")


# --- the GAN ----------------------------------------------------------------------------------------------------------


class Nets:
    """A small GAN without biases: what is zero stays zero on its way to the score."""

    def __init__(self, activation: str | None = "leaky_relu") -> None:
        self.generator = keras.Sequential([keras.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(4)])
        self.body = keras.Sequential([keras.Input((4,)), layers.Dense(6, activation=activation, use_bias=False)])
        self.head = keras.Sequential([keras.Input((6,)), layers.Dense(1, use_bias=False)])
        self.scale: Callable[[Any], Any] = lambda loss: loss

    def score(self, samples: Any) -> Any:
        return self.head(self.body(samples))

    def wasserstein(self, real: Any, fake: Any) -> Any:
        return tf.reduce_mean(self.score(fake)) - tf.reduce_mean(self.score(real))

    @property
    def weights(self) -> list[Any]:
        found = []
        for part in vars(self).values():
            found += list(getattr(part, "trainable_variables", ()))
        mine = {id(variable) for variable in self.generator.trainable_variables}
        return [variable for variable in found if id(variable) not in mine]


Loss = Callable[[Nets, Any, Any], Any]


class Gan(keras.Model):
    """The GAN and its training step."""

    def __init__(self, nets: Nets, loss: Loss, optimizer: Callable[[], Any]) -> None:
        super().__init__()
        self.nets, self.of_critic = nets, loss
        self.parts = [part for part in vars(nets).values() if isinstance(part, keras.layers.Layer)]
        self.g_optimizer, self.d_optimizer = optimizer(), optimizer()

    def train_step(self, real: Any) -> dict[str, Any]:
        nets, weights = self.nets, self.nets.weights
        noise = tf.random.normal((8, 3))
        with tf.GradientTape() as tape:
            d_loss = self.of_critic(nets, real, nets.generator(noise, training=True))
            d_scaled = _scaled(self.d_optimizer, d_loss)
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_scaled, weights), weights, strict=True))
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(nets.score(nets.generator(noise, training=True)))
            g_scaled = _scaled(self.g_optimizer, g_loss)
        weights = nets.generator.trainable_variables
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_scaled, weights), weights, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}


def _scaled(optimizer: Any, loss: Any) -> Any:
    return optimizer.scale_loss(loss) if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) else loss


def train(gan: Gan, batches: np.ndarray, mode: str) -> None:
    """Trains one step a batch."""
    gan.d_optimizer.build(gan.nets.weights)
    gan.g_optimizer.build(gan.nets.generator.trainable_variables)
    if mode == "fit":
        gan.compile(jit_compile=False)
        data = tf.data.Dataset.from_tensor_slices(batches)
        gan.fit(data, verbose=0)
        return
    step = gan.train_step
    if mode != "eager":
        step = tf.function(gan.train_step, jit_compile=mode == "jit")
    for batch in batches:
        step(tf.constant(batch))


# --- rows -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A fault that was planted, or a sound program where ``operations`` is empty.

    Attributes:
        operations: types of the forward operation at fault; more than one only where TensorFlow may choose.
        where: what holds the marked line.
        bad: puts into a batch of 8 x 4 what sets the fault off.
        step: the step of that batch.
    """

    name: str
    loss: Loss
    operations: tuple[str, ...]
    order: str
    where: Any
    bad: Callable[[np.ndarray], None]
    step: int
    modes: tuple[str, ...]
    nets: Callable[[], Nets]
    optimizer: Callable[[], Any]
    steps: int

    @property
    def line(self) -> int:
        """The number of the marked line."""
        text, first = inspect.getsourcelines(self.where)
        return next(first + index for index, line in enumerate(text) if re.search(r"# here$", line))


ROWS: list[Row] = []


def zero_row(batch: np.ndarray) -> None:
    batch[0] = 0.0


def large_row(batch: np.ndarray) -> None:
    batch[0] = 1e4


def adam() -> Any:
    return keras.optimizers.Adam(1e-4, beta_1=0.5)


def planted(
    *operations: str,
    order: str = FORWARD,
    where: Any = None,
    bad: Callable[[np.ndarray], None] = zero_row,
    step: int = 0,
    modes: Sequence[str] = ("eager", "function", "jit"),
    nets: Callable[[], Nets] = Nets,
    optimizer: Callable[[], Any] = adam,
    steps: int | None = None,
) -> Callable[[Loss], Loss]:
    """A row; the name is that of the function."""

    def keep(loss: Loss) -> Loss:
        row = Row(
            loss.__name__,
            loss,
            operations,
            order,
            where or loss,
            bad,
            step,
            tuple(modes),
            nets,
            optimizer,
            step + 3 if steps is None else steps,
        )
        ROWS.append(row)
        return loss

    return keep


# --- forward ----------------------------------------------------------------------------------------------------------


@planted("Log")
def log(nets, real, fake):
    return nets.wasserstein(real, fake) + tf.reduce_mean(
        tf.math.log(real)  # here
    )


@planted("Log", bad=large_row, step=LATE, modes=("eager", "function", "jit", "fit"))
def log_of_one_minus_sigmoid(nets, real, fake):
    sure = tf.sigmoid(tf.abs(nets.score(real)))
    missed = tf.math.log(1.0 - sure)  # here
    return -tf.reduce_mean(missed) - tf.reduce_mean(tf.math.log_sigmoid(nets.score(fake)))


def standardised(values):
    mean = tf.reduce_mean(values, axis=-1, keepdims=True)
    spread = tf.math.reduce_std(values, axis=-1, keepdims=True)
    return (values - mean) / spread  # here


@planted("RealDiv", where=standardised, step=LATE, modes=("eager", "function", "jit", "fit"))
def division_by_deviation(nets, real, fake):
    return nets.wasserstein(standardised(real), fake)


def mean_of(values, mask):
    total = tf.reduce_sum(values * mask)
    count = tf.reduce_sum(mask)
    return total / count  # here


def mean_where_positive(values):
    return mean_of(values, tf.cast(values > 0.0, tf.float32))


def first_row_of(values):
    return mean_where_positive(values[:1])


@planted("RealDiv", where=mean_of, modes=("function", "jit", "fit"))
def division_by_empty_mask_three_helpers_down(nets, real, fake):
    return nets.wasserstein(real, fake) + first_row_of(real) * tf.reduce_mean(nets.score(real))


@planted("Sqrt", modes=("eager", "fit"))
def root_of_negative_variance(nets, real, fake):
    variance = tf.reduce_mean(real**2, axis=-1) - tf.reduce_mean(real, axis=-1) ** 2 - 1e-3
    deviation = tf.sqrt(variance)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(deviation)


@planted("Exp", bad=large_row, step=LATE)
def exp_overflow(nets, real, fake):
    spread = tf.exp(tf.abs(nets.score(real)))  # here
    return nets.wasserstein(real, fake) + 1e-3 * tf.reduce_mean(spread)


@planted("Acos", bad=large_row, modes=("eager", "jit"))
def acos_out_of_range(nets, real, fake):
    angle = tf.acos(real / 2.0)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(angle)


@planted("Pow", modes=("eager", "function"))
def pow_of_negative(nets, real, fake):
    bent = tf.pow(real - 0.4, 0.3)  # here
    return nets.wasserstein(bent, fake)


# XLA takes a mask for a choice: no NaN comes of it there.
@planted("Log", modes=("eager", "function", "fit"))
def mask_times_log(nets, real, fake):
    mask = tf.cast(real > 0.0, tf.float32)
    logs = mask * tf.math.log(real)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(logs)


@planted("Mul", modes=("eager", "function"))
def zero_times_infinite_constant(nets, real, fake):
    far = tf.where(real > 0.0, real, np.inf)
    mask = tf.cast(real > 0.0, tf.float32)
    near = far * mask  # here
    return nets.wasserstein(near, fake)


@planted("Softmax", modes=("eager", "function", "jit"))
def softmax_of_row_all_masked(nets, real, fake):
    scores = tf.where(real > 0.0, real, -np.inf)
    attention = tf.nn.softmax(scores)  # here
    return nets.wasserstein(attention * real, fake)


@planted("Log1p", modes=("eager", "function"))
def log1p(nets, real, fake):
    value = tf.math.log1p(nets.score(real) * 0.0 + real - 1.0)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(value)


@planted("Xlogy", modes=("function", "jit"))
def xlogy(nets, real, fake):
    value = tf.math.xlogy(tf.ones_like(real), real)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(value)


@planted("Log", bad=large_row, modes=("function", "fit"), step=LATE)
def entropy(nets, real, fake):
    shares = tf.nn.softmax(nets.body(real) * 10.0)
    spread = shares * tf.math.log(shares)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(spread)


@planted("Reciprocal", modes=("eager", "function"), step=LATE)
def reciprocal(nets, real, fake):
    size = tf.reduce_sum(tf.abs(nets.body(real)), axis=-1)
    weight = tf.math.reciprocal(size)  # here
    return nets.wasserstein(real, fake) + 1e-3 * tf.reduce_mean(weight)


@planted("Atanh", bad=large_row, modes=("eager", "function"))
def atanh(nets, real, fake):
    squashed = tf.tanh(nets.body(real))
    back = tf.atanh(squashed)  # here
    return nets.wasserstein(real, fake) + 1e-3 * tf.reduce_mean(back)


@planted("Lgamma", modes=("eager", "fit"))
def lgamma(nets, real, fake):
    prior = tf.math.lgamma(real)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(prior)


@planted("RealDiv")
def divided_by_norm(nets, real, fake):
    unit = real / tf.norm(real, axis=-1, keepdims=True)  # here
    return nets.wasserstein(unit, fake)


@planted("Rsqrt", step=LATE, modes=("eager", "function", "fit"))
def l2_normalize_without_epsilon(nets, real, fake):
    unit = tf.math.l2_normalize(nets.body(real), axis=-1, epsilon=0.0)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(unit)


class PixelNorm(layers.Layer):
    def call(self, inputs):
        power = tf.reduce_mean(tf.square(inputs), axis=-1, keepdims=True)
        return inputs * tf.math.rsqrt(power)  # here


class WithPixelNorm(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.body = keras.Sequential([keras.Input((4,)), layers.Dense(6, use_bias=False), PixelNorm()])


@planted("Rsqrt", where=PixelNorm, nets=WithPixelNorm, step=LATE, modes=MODES)
def rsqrt_in_a_keras_layer(nets, real, fake):
    return nets.wasserstein(real, fake)


class Whiten(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = tf.Variable(tf.ones((4,)), name="gain")

    def __call__(self, values):
        size = tf.reduce_max(tf.abs(values), axis=-1, keepdims=True)
        return self.gain * (values / size)  # here


class WithModule(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.whiten = Whiten()

    def score(self, samples: Any) -> Any:
        return self.head(self.body(self.whiten(samples)))


@planted("RealDiv", where=Whiten, nets=WithModule, modes=("eager", "function", "jit"))
def division_in_a_module(nets, real, fake):
    return nets.wasserstein(real, fake)


@planted("RealDiv", where=Whiten, nets=WithModule, modes=("eager", "function"), step=LATE)
def division_in_a_module_late(nets, real, fake):
    return nets.wasserstein(real, fake)


@planted("Square", bad=large_row)
def half_square(nets, real, fake):
    half = tf.cast(real, tf.float16)
    energy = tf.square(half)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(tf.cast(energy, tf.float32))


def far_row(batch: np.ndarray) -> None:
    batch[0] = 60000.0


@planted("Sum", bad=far_row, step=LATE, modes=("eager", "function", "jit"))
def half_sum(nets, real, fake):
    half = tf.cast(real, tf.float16)
    total = tf.reduce_sum(half, axis=-1)  # here
    return nets.wasserstein(real, fake) + 1e-6 * tf.reduce_mean(tf.cast(total, tf.float32))


class InHalf(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.body = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(6, use_bias=False, kernel_initializer="ones", dtype="mixed_float16"),  # here
            ]
        )


@planted("MatMul", where=InHalf, nets=InHalf, bad=far_row, modes=("eager", "function", "fit"))
def half_dense(nets, real, fake):
    return nets.wasserstein(real, fake)


def cast_row(batch: np.ndarray) -> None:
    batch[0] = 1e6


@planted("Cast", bad=cast_row, modes=("eager", "function"))
def cast_to_half(nets, real, fake):
    half = tf.cast(real, tf.float16)  # here
    return nets.wasserstein(tf.cast(half, tf.float32), fake)


@planted("Log", modes=("eager", "function", "jit"))
def log_in_a_branch(nets, real, fake):
    def small():
        return tf.reduce_mean(tf.math.log(real))  # here

    def usual():
        return tf.reduce_mean(real)

    return nets.wasserstein(real, fake) + tf.cond(tf.reduce_min(real) < 0.1, small, usual)


@planted("RealDiv", modes=("eager", "function", "jit"), step=LATE)
def division_in_a_loop(nets, real, fake):
    def go_on(index, value):
        return index < 3

    def body(index, value):
        return index + 1, value / tf.reduce_max(tf.abs(value), axis=-1, keepdims=True)  # here

    _, unit = tf.while_loop(go_on, body, (tf.constant(0), nets.body(real)), maximum_iterations=3)
    return nets.wasserstein(real, fake) + tf.reduce_mean(unit)


@planted("Log", modes=("function", "jit"))
def log_in_autograph(nets, real, fake):
    total = tf.constant(0.0)
    for index in tf.range(2):
        if tf.reduce_min(real) < 0.1:
            total += tf.reduce_mean(tf.math.log(real[index]))  # here
        else:
            total += 0.1
    return nets.wasserstein(real, fake) + total


@tf.function
def inner_logs(values):
    return tf.math.log(values)  # here


@tf.function
def outer_logs(values):
    return tf.reduce_mean(inner_logs(values))


@planted("Log", where=inner_logs.python_function, modes=("eager", "function", "jit"))
def log_in_a_function_in_a_function(nets, real, fake):
    return nets.wasserstein(real, fake) + outer_logs(real)


@planted("Log", where=inner_logs.python_function, modes=("eager", "function"), step=LATE)
def log_in_a_function_in_a_function_late(nets, real, fake):
    return nets.wasserstein(real, fake) + outer_logs(tf.abs(nets.body(real)))


@planted("Log", modes=("function", "fit"))
def log_in_map_fn(nets, real, fake):
    logs = tf.map_fn(lambda row: tf.math.log(row), real)  # here
    return nets.wasserstein(real, fake) + tf.reduce_mean(logs)


@planted("Log", modes=("eager",), step=LATE)
def log_of_what_no_network_is_given(nets, real, fake):
    weights = tf.reduce_sum(real, axis=-1)
    logs = tf.math.log(weights)  # here
    return nets.wasserstein(real + 0.0, fake) + tf.reduce_mean(logs)


# --- backward ---------------------------------------------------------------------------------------------------------


@planted("Sqrt", order=BACKWARD, step=LATE, modes=MODES)
def root_at_zero(nets, real, fake):
    size = tf.sqrt(tf.reduce_sum(tf.square(nets.body(real)), axis=-1))  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(size)


@planted("Sqrt", order=BACKWARD, step=LATE, modes=MODES)
def norm_at_zero(nets, real, fake):
    size = tf.norm(nets.body(real), axis=-1)  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(size)


@planted("Sqrt", order=BACKWARD, modes=("eager", "function"))
def keras_norm_at_zero(nets, real, fake):
    size = keras.ops.norm(nets.body(real), axis=-1)  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(size)


@planted("EuclideanNorm", order=BACKWARD, modes=("eager", "function", "fit"))
def euclidean_norm_at_zero(nets, real, fake):
    size = tf.math.reduce_euclidean_norm(nets.body(real), axis=-1)  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(size)


class MinibatchDeviation(layers.Layer):
    def call(self, inputs):
        spread = tf.math.reduce_std(inputs, axis=-1, keepdims=True)  # here
        return inputs + spread


class WithDeviation(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.body = keras.Sequential([keras.Input((4,)), layers.Dense(6, use_bias=False), MinibatchDeviation()])


@planted("Sqrt", order=BACKWARD, where=MinibatchDeviation, nets=WithDeviation, modes=MODES, step=LATE)
def reduce_std_in_a_keras_layer(nets, real, fake):
    return nets.wasserstein(real, fake)


@planted("Pow", order=BACKWARD, modes=("eager", "function", "jit"))
def pow_half_at_zero(nets, real, fake):
    size = tf.pow(tf.reduce_sum(nets.body(real) ** 2, axis=-1), 0.5)  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(size)


@planted("Log", order=BACKWARD, step=LATE, modes=MODES)
def log_behind_where(nets, real, fake):
    size = tf.reduce_sum(tf.abs(nets.body(real)), axis=-1)
    safe = tf.where(size > 0.0, tf.math.log(size), 0.0)  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(safe)


@planted("RealDiv", order=BACKWARD, modes=("eager", "function", "jit"))
def division_behind_where(nets, real, fake):
    size = tf.reduce_sum(tf.abs(nets.body(real)), axis=-1)
    share = 1.0 / size  # here
    return nets.wasserstein(real, fake) + 1e-3 * tf.reduce_mean(tf.where(size > 0.0, share, 0.0))


@planted("Exp", order=BACKWARD, bad=large_row, modes=("eager", "function"))
def exp_behind_where(nets, real, fake):
    size = tf.reduce_sum(tf.abs(nets.body(real)), axis=-1)
    grown = tf.exp(size)  # here
    return nets.wasserstein(real, fake) + 1e-3 * tf.reduce_mean(tf.where(size < 50.0, grown, 0.0))


@planted("Atan2", order=BACKWARD, modes=("eager", "function", "jit"))
def atan2_at_zero(nets, real, fake):
    features = nets.body(real)
    angle = tf.atan2(features[:, 0], features[:, 1])  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(angle)


@planted("Acos", order=BACKWARD, bad=large_row, modes=("eager", "function", "jit"))
def acos_at_one(nets, real, fake):
    cosine = tf.tanh(nets.score(real))
    angle = tf.acos(cosine)  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(angle)


@planted("Sqrt", order=BACKWARD, modes=("eager", "function", "fit"), step=LATE)
def norm_of_difference(nets, real, fake):
    change = nets.body(real) - nets.body(tf.reverse(real, [1]))
    size = tf.norm(change, axis=-1)  # here
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(size)


def no_change(batch: np.ndarray) -> None:
    """Nothing needs to be set off."""


def distances(features):
    difference = features[:, None] - features[None]
    return tf.sqrt(tf.reduce_sum(tf.square(difference), axis=-1))  # here


def repulsion(features):
    return tf.reduce_mean(tf.exp(-distances(features)))


@planted("Sqrt", order=BACKWARD, where=distances, bad=no_change, modes=("eager", "function", "jit", "fit"))
def pairwise_distances(nets, real, fake):
    return nets.wasserstein(real, fake) + repulsion(nets.body(real))


@planted("Sqrt", order=BACKWARD, modes=("function", "jit"))
def root_in_a_branch(nets, real, fake):
    features = nets.body(real)

    def length():
        return tf.sqrt(tf.reduce_sum(tf.square(features), axis=-1))  # here

    def total():
        return tf.reduce_sum(features, axis=-1)

    size = tf.cond(tf.reduce_min(real) < 0.1, length, total)
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(size)


@planted("Sqrt", order=BACKWARD, modes=("function", "jit"))
def root_in_a_loop(nets, real, fake):
    def body(index, total):
        size = tf.sqrt(tf.reduce_sum(tf.square(nets.body(real)), axis=-1))  # here
        return index + 1, total + tf.reduce_mean(size)

    _, total = tf.while_loop(
        lambda index, total: index < 2, body, (tf.constant(0), tf.constant(0.0)), maximum_iterations=2
    )
    return nets.wasserstein(real, fake) + 0.1 * total


@tf.function
def inner_norm(values):
    return tf.norm(values, axis=-1)  # here


@planted("Sqrt", order=BACKWARD, where=inner_norm.python_function, modes=("eager", "function", "jit"))
def norm_in_a_function(nets, real, fake):
    return nets.wasserstein(real, fake) + 0.1 * tf.reduce_mean(inner_norm(nets.body(real)))


@tf.custom_gradient
def own_log(values):
    def gradient(upstream):
        return upstream / values  # here

    return tf.math.log(values + 1e-6), gradient


@planted("RealDiv", order=BACKWARD, where=own_log.__wrapped__, modes=("eager", "function", "jit"))
def gradient_of_ones_own(nets, real, fake):
    size = tf.reduce_sum(tf.abs(nets.body(real)), axis=-1)
    return nets.wasserstein(real, fake) + 1e-3 * tf.reduce_mean(own_log(size))


# --- second backward --------------------------------------------------------------------------------------------------


def with_relu() -> Nets:
    """At a sample of zeros its gradient is zero."""
    return Nets("relu")


def slopes(nets, samples):
    with tf.GradientTape() as tape:
        tape.watch(samples)
        scores = nets.score(samples)
    return tape.gradient(scores, samples)


@planted("Sqrt", order=SECOND, nets=with_relu, step=LATE, modes=MODES)
def penalty_root(nets, real, fake):
    gradient = slopes(nets, real)
    size = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=-1))  # here
    return nets.wasserstein(real, fake) + 10.0 * tf.reduce_mean(tf.square(size - 1.0))


@planted("Sqrt", order=SECOND, nets=with_relu, modes=("eager", "function", "jit"))
def penalty_norm(nets, real, fake):
    size = tf.norm(slopes(nets, real), axis=-1)  # here
    return nets.wasserstein(real, fake) + 10.0 * tf.reduce_mean(tf.square(size - 1.0))


@planted("EuclideanNorm", order=SECOND, nets=with_relu, step=LATE, modes=("eager", "function", "fit"))
def penalty_euclidean_norm(nets, real, fake):
    size = tf.math.reduce_euclidean_norm(slopes(nets, real), axis=-1)  # here
    return nets.wasserstein(real, fake) + 10.0 * tf.reduce_mean(tf.square(size - 1.0))


@planted("Pow", order=SECOND, nets=with_relu, modes=("eager", "function", "jit"))
def penalty_power(nets, real, fake):
    size = tf.reduce_sum(slopes(nets, real) ** 2, axis=-1) ** 0.5  # here
    return nets.wasserstein(real, fake) + 10.0 * tf.reduce_mean(tf.square(size - 1.0))


@planted("Log", order=SECOND, nets=with_relu, modes=("function", "fit"))
def penalty_log(nets, real, fake):
    size = tf.reduce_sum(tf.square(slopes(nets, real)), axis=-1)
    penalty = tf.square(tf.math.log(size))  # here
    return nets.wasserstein(real, fake) + 1e-3 * tf.reduce_mean(penalty)


class Bent(layers.Layer):
    def call(self, inputs):
        return tf.pow(tf.abs(inputs), 1.5)  # here


class WithBent(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.body = keras.Sequential([keras.Input((4,)), layers.Dense(6, use_bias=False), Bent()])


def squared_slopes(nets, real, fake):
    return nets.wasserstein(real, fake) + tf.reduce_mean(tf.square(slopes(nets, real)))


@planted("Pow", order=SECOND, where=Bent, nets=WithBent, modes=("eager", "function", "jit"))
def pow_in_the_critic(nets, real, fake):
    return squared_slopes(nets, real, fake)


@planted("Pow", order=SECOND, where=Bent, nets=WithBent, step=LATE, modes=("eager", "function", "fit"))
def pow_in_the_critic_late(nets, real, fake):
    return squared_slopes(nets, real, fake)


class Rooted(layers.Layer):
    def call(self, inputs):
        size = tf.reduce_sum(tf.square(inputs), axis=-1, keepdims=True)
        return inputs + tf.sqrt(size)  # here


class WithRooted(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.body = keras.Sequential([keras.Input((4,)), layers.Dense(6, use_bias=False), Rooted()])


@planted("Sqrt", order=SECOND, where=Rooted, nets=WithRooted, modes=("eager", "function", "jit"))
def root_in_the_critic(nets, real, fake):
    return squared_slopes(nets, real, fake)


@planted("Sqrt", order=SECOND, where=Rooted, nets=WithRooted, step=LATE, modes=("eager", "function", "fit"))
def root_in_the_critic_late(nets, real, fake):
    return squared_slopes(nets, real, fake)


class UnitLength(tf.Module):
    def __call__(self, values):
        length = tf.norm(values, axis=-1, keepdims=True)  # here
        return values / (length + 1e-3)


class WithUnitLength(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.unit = UnitLength()

    def score(self, samples: Any) -> Any:
        return self.head(self.unit(self.body(samples)))


@planted("Sqrt", order=SECOND, where=UnitLength, nets=WithUnitLength, modes=("eager", "function", "jit"))
def norm_in_the_critic(nets, real, fake):
    return squared_slopes(nets, real, fake)


class SmoothRoot(tf.Module):
    """Its first derivative at zero is finite, its second is not."""

    def __call__(self, values):
        return tf.abs(values) * tf.sqrt(tf.abs(values))  # here


class WithSmoothRoot(Nets):
    def __init__(self) -> None:
        super().__init__()
        self.bend = SmoothRoot()

    def score(self, samples: Any) -> Any:
        return self.head(self.bend(self.body(samples)))


@planted("Sqrt", order=SECOND, where=SmoothRoot, nets=WithSmoothRoot, modes=("eager", "function"))
def smooth_root_in_the_critic(nets, real, fake):
    return squared_slopes(nets, real, fake)


@planted("Sqrt", order=SECOND, nets=with_relu, modes=("function", "jit"))
def penalty_in_a_function_called_from_helpers(nets, real, fake):
    @tf.function
    def penalty(samples):
        with tf.GradientTape() as tape:
            tape.watch(samples)
            scores = nets.score(samples)
        gradient = tape.gradient(scores, samples)
        return tf.reduce_mean(tf.square(tf.norm(gradient, axis=-1) - 1.0))  # here

    return nets.wasserstein(real, fake) + 10.0 * penalty(real)


# --- sound ------------------------------------------------------------------------------------------------------------


class Sound(Nets):
    """With biases, as one would write it."""

    def __init__(self, dtype: str | None = None) -> None:
        super().__init__()
        self.body = keras.Sequential(
            [keras.Input((4,)), layers.Dense(16, dtype=dtype), layers.LeakyReLU(0.2, dtype=dtype)]
        )
        self.head = keras.Sequential([keras.Input((16,)), layers.Dense(1, dtype="float32")])


def logistic(nets, real, fake):
    of_fake, of_real = nets.score(fake), nets.score(real)
    return tf.reduce_mean(tf.nn.softplus(of_fake)) + tf.reduce_mean(tf.nn.softplus(-of_real))


def sound(**more: Any) -> Callable[[Loss], Loss]:
    return planted(**{"order": "sound", "nets": Sound, "steps": 30, "step": 7, "modes": ("eager", "function"), **more})


@sound()
def masked_nan_that_reaches_nothing(nets, real, fake):
    logs = tf.math.log(real - 1.0)
    chosen = tf.where(tf.math.is_finite(logs), logs, 0.0)
    return logistic(nets, real, fake) + 0.01 * tf.reduce_mean(chosen)


def loss_scale() -> Any:
    return keras.optimizers.LossScaleOptimizer(adam(), initial_scale=2.0**20)


@sound(nets=lambda: Sound("mixed_float16"), optimizer=loss_scale, bad=no_change, steps=60, modes=("function", "fit"))
def step_left_out_by_the_loss_scale(nets, real, fake):
    return logistic(nets, real, fake)


@sound(modes=("eager", "function", "jit"))
def infinite_padding(nets, real, fake):
    scores = tf.where(real > 0.8, real, -np.inf)
    scores = tf.concat([scores, tf.zeros_like(scores[:, :1])], 1)
    attention = tf.nn.softmax(scores)[:, :-1]
    nearest = tf.reduce_min(tf.concat([tf.where(real > 0.8, real, np.inf), tf.ones_like(real)], 1), axis=-1)
    return logistic(nets, real, fake) + 0.01 * tf.reduce_mean(attention * nets.body(real)[:, :4]) * tf.reduce_mean(
        nearest
    )


@sound()
def nan_in_a_metric(nets, real, fake):
    tf.reduce_mean(tf.math.log(real[0]) * 0.0)
    return logistic(nets, real, fake)


@sound(modes=("eager", "function", "jit"))
def where_twice(nets, real, fake):
    size = tf.reduce_sum(tf.nn.relu(nets.body(real)), axis=-1)
    logs = tf.where(size > 0.0, tf.math.log(tf.where(size > 0.0, size, 1.0)), 0.0)
    return logistic(nets, real, fake) + 0.01 * tf.reduce_mean(logs)


@sound(modes=("eager", "function", "jit"))
def top_k_with_infinite_mask(nets, real, fake):
    scores = nets.score(fake)[:, 0]
    far = tf.where(scores > tf.reduce_max(scores) - 1e-6, -np.inf, scores)
    best, _ = tf.math.top_k(far, k=4)
    return logistic(nets, real, fake) + 0.01 * tf.reduce_mean(tf.nn.softplus(best))


# --- judging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    operation: str
    line: int
    order: int
    causes: tuple[str, ...]
    note: str


def examine(row: Row, mode: str) -> Verdict:
    """Trains a row under ganmedic and reads what was found."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(3)
    for function in (inner_logs, outer_logs, inner_norm):
        globals()[function.python_function.__name__] = tf.function(function.python_function)
    batches = np.random.default_rng(5).uniform(0.5, 1.5, (row.steps, 8, 4)).astype(np.float32)
    row.bad(batches[row.step])
    fault = ""
    with ganmedic.watch() as examination:
        try:
            train(Gan(row.nets(), row.loss, row.optimizer), batches, mode)
        except Exception as error:
            fault = f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    diagnosis = examination.diagnosis()
    record = examination._session.record.view()
    causes = tuple(finding.cause for finding in diagnosis.findings)
    notes = [fault, *diagnosis.tool_errors]
    notes += [f"{one.source}: {one.note}" for one in record.origins.values() if one.source != "operation"]
    if not record.origins:
        notes.append("no origin")
    found = births(record)
    if not found:
        return Verdict("", 0, 0, causes, "; ".join(filter(None, notes)))
    first = found[0]
    place = operation_place(Run(record), first.root)
    line = place.line if place is not None and place.file == __file__ else 0
    return Verdict(first.root.kind, line, first.origin.order, causes, "; ".join(filter(None, notes)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="rows whose names are or begin with these")
    parser.add_argument("--modes", nargs="*", choices=MODES, default=MODES)
    args = parser.parse_args()
    began = time.monotonic()
    totals: dict[str, list[bool]] = collections.defaultdict(list)
    print(f"{'row':44} {'mode':9} {'expected':14} {'found':14} {'line':>5} {'found':>5} ok   order finding")
    for row in ROWS:
        if args.only and not row.name.startswith(tuple(args.only)):
            continue
        for mode in (mode for mode in row.modes if mode in args.modes):
            verdict = examine(row, mode)
            if not row.operations:
                right, line = not verdict.causes, 0
            else:
                line = row.line
                right = verdict.operation in row.operations and verdict.line == line
            for key in ("planted", row.order, mode) if row.operations else ("sound",):
                totals[key].append(right)
            if row.operations:
                totals["first finding names it"].append(verdict.causes[:1] != () and verdict.causes[0] in CAUSES)
            print(
                f"{row.name:44} {mode:9} {'|'.join(row.operations) or '-':14} {verdict.operation or '-':14} {line:5} "
                f"{verdict.line:5} {'ok  ' if right else 'FAIL'} {verdict.order}     {', '.join(verdict.causes[:2]) or '-'}"
                f"{'  [' + verdict.note + ']' if verdict.note and (not right) else ''}",
                flush=True,
            )
    print()
    for key in ("planted", FORWARD, BACKWARD, SECOND, *MODES, "sound", "first finding names it"):
        if totals[key]:
            print(f"{key:24} {sum(totals[key]):3} of {len(totals[key]):3}  {sum(totals[key]) / len(totals[key]):6.1%}")
    print(f"{len(ROWS)} rows, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
