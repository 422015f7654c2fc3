"""Each cause of a gradient that is there but of no use, planted in one small GAN; and the GAN without it, which is quiet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ganmedic
from ganmedic.finding import Diagnosis

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

Loss = Callable[[Any, Any], Any]


def softplus_d(real: Any, fake: Any) -> Any:
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def softplus_g(fake: Any) -> Any:
    return tf.reduce_mean(tf.nn.softplus(-fake))


def wasserstein_d(real: Any, fake: Any) -> Any:
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def wasserstein_g(fake: Any) -> Any:
    return -tf.reduce_mean(fake)


def dense(units: int, **options: Any) -> keras.layers.Layer:
    return keras.layers.Dense(units, **options)


def network(width: int, *layers: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((width,)), *layers])


def generator(*before: keras.layers.Layer) -> keras.Model:
    return network(6, *(before or (dense(24), keras.layers.LeakyReLU(negative_slope=0.2))), dense(8, activation="tanh"))


def discriminator(*after: keras.layers.Layer, hidden: dict[str, Any] | None = None) -> keras.Model:
    options = hidden or {}
    layers = [dense(24, **options), keras.layers.LeakyReLU(negative_slope=0.2), dense(24, **options)]
    return network(8, *layers, keras.layers.LeakyReLU(negative_slope=0.2), *(after or (dense(1),)))


def train(
    g: keras.Model,
    d: keras.Model,
    d_loss: Any = softplus_d,
    g_loss: Any = softplus_g,
    *,
    d_optimizer: Any = None,
    g_optimizer: Any = None,
    clip: float | None = None,
    after: Callable[[Any], None] = lambda model: None,
    penalty: Callable[[Any, Any, Any], Any] | None = None,
    steps: int = 30,
    traced: bool = True,
) -> Diagnosis:
    """Trains two networks for a few steps under examination."""
    d_optimizer = d_optimizer or keras.optimizers.Adam(1e-3)
    g_optimizer = g_optimizer or keras.optimizers.Adam(1e-3)

    def step(real: Any) -> None:
        z = tf.random.normal((32, 6))
        with tf.GradientTape() as tape:
            fake = g(z, training=True)
            loss = d_loss(d(real, training=True), d(fake, training=True))
            if penalty is not None:
                loss += penalty(d, real, fake)
        gradients = tape.gradient(loss, d.trainable_variables)
        d_optimizer.apply_gradients(zip(gradients, d.trainable_variables, strict=True))
        after(d)
        with tf.GradientTape() as tape:
            loss = g_loss(d(g(z, training=True), training=True))
        gradients = tape.gradient(loss, g.trainable_variables)
        if clip is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, clip)
        g_optimizer.apply_gradients(zip(gradients, g.trainable_variables, strict=True))

    run = tf.function(step) if traced else step
    with ganmedic.watch() as examination:
        for number in range(steps):
            data = np.random.default_rng(number).normal(0.4, 0.3, size=(32, 8)).astype("float32")
            run(tf.constant(np.clip(data, -1, 1)))
    diagnosis = examination.diagnosis()
    assert diagnosis.tool_errors == ()
    return diagnosis


def penalty(axes: list[int], *, reduce: Callable[[Any], Any] = tf.reduce_sum) -> Callable[[Any, Any, Any], Any]:
    def of(d: Any, real: Any, fake: Any) -> Any:
        epsilon = tf.random.uniform((32, 1))
        mixed = epsilon * real + (1.0 - epsilon) * fake
        with tf.GradientTape() as inner:
            inner.watch(mixed)
            scores = reduce(d(mixed, training=True))
        slopes = inner.gradient(scores, mixed)
        norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=axes) + 1e-12)
        return 10.0 * tf.reduce_mean(tf.square(norms - 1.0))

    return of


def stopped(d: Any, real: Any, fake: Any) -> Any:
    return tf.stop_gradient(penalty([1])(d, real, fake))


def clip_weights(bound: float) -> Callable[[Any], None]:
    def clip(model: Any) -> None:
        for weight in model.trainable_variables:
            weight.assign(tf.clip_by_value(weight, -bound, bound))

    return clip


def cross_entropy(**options: Any) -> tuple[Any, Any]:
    bce = keras.losses.BinaryCrossentropy(**options)
    return (
        lambda real, fake: bce(tf.ones_like(real), real) + bce(tf.zeros_like(fake), fake),
        lambda fake: bce(tf.ones_like(fake), fake),
    )


def squares_d(real: Any, fake: Any) -> Any:
    return tf.reduce_mean(tf.square(real - 1.0)) + tf.reduce_mean(tf.square(fake))


def squares_g(fake: Any) -> Any:
    return tf.reduce_mean(tf.square(fake - 1.0))


def small(model: keras.Model, factor: float) -> keras.Model:
    for variable in model.trainable_variables:
        variable.assign(variable * factor)
    return model


def shut(model: keras.Model) -> keras.Model:
    """Pushes the units of the first layer far below zero."""
    model.layers[0].bias.assign(tf.fill(model.layers[0].bias.shape, -50.0))
    return model


def log_at_zero(fake: Any) -> Any:
    return -tf.reduce_mean(tf.math.log(tf.nn.relu(fake)))


def root_at_zero(fake: Any) -> Any:
    return tf.reduce_mean(tf.sqrt(tf.nn.relu(fake)))


def deep() -> list[keras.layers.Layer]:
    layers: list[keras.layers.Layer] = []
    for _ in range(5):
        layers += [dense(24), keras.layers.LeakyReLU(negative_slope=0.2)]
    return layers


def imbalanced(weight: float) -> Callable[[Any], Any]:
    return lambda fake: softplus_g(fake) + weight * tf.reduce_mean(tf.square(fake - 0.5))


FAULTY: dict[str, Callable[[], Diagnosis]] = {
    "logits-mismatch": lambda: train(generator(), discriminator(), *cross_entropy()),
    "logits-mismatch, sigmoid twice": lambda: train(
        generator(),
        discriminator(dense(1, activation="sigmoid"), keras.layers.Flatten()),
        *cross_entropy(from_logits=True),
    ),
    "saturating-generator-loss": lambda: train(
        generator(), discriminator(), g_loss=lambda fake: -tf.reduce_mean(tf.nn.softplus(fake))
    ),
    "saturated-activation": lambda: train(
        generator(), discriminator(dense(1, activation="sigmoid"), keras.layers.Flatten()), squares_d, squares_g
    ),
    "saturated-activation, inside": lambda: train(
        generator(small(network(6, dense(24)), 400.0).layers[0], keras.layers.Activation("tanh")), discriminator()
    ),
    "output-loss-mismatch": lambda: train(generator(), discriminator(dense(1), keras.layers.ReLU())),
    "output-loss-mismatch, softmax of one unit": lambda: train(
        generator(), discriminator(dense(1), keras.layers.Softmax(), keras.layers.Flatten()), *cross_entropy()
    ),
    "discriminator-saturated": lambda: train(
        generator(),
        discriminator(dense(1, activation="sigmoid"), keras.layers.Flatten()),
        *cross_entropy(),
        d_optimizer=keras.optimizers.Adam(0.5),
        g_optimizer=keras.optimizers.Adam(1e-5),
        steps=60,
    ),
    "dead-relu": lambda: train(shut(generator(dense(24), keras.layers.ReLU())), discriminator()),
    "depth-attenuation": lambda: train(small(generator(*deep()), 0.1), discriminator()),
    "weight-clipping": lambda: train(
        generator(), discriminator(), wasserstein_d, wasserstein_g, after=clip_weights(0.003), steps=20
    ),
    "clip-too-tight": lambda: train(generator(), discriminator(), clip=1e-6, g_optimizer=keras.optimizers.SGD(0.05)),
    "loss-weight-imbalance": lambda: train(generator(), discriminator(), g_loss=imbalanced(1e5)),
    "log-of-zero": lambda: train(generator(), discriminator(), g_loss=log_at_zero, steps=4),
    "norm-at-zero": lambda: train(generator(), discriminator(), g_loss=root_at_zero, steps=4),
    "unbounded-critic": lambda: train(generator(), discriminator(), wasserstein_d, wasserstein_g),
    "penalty-miscomputed, stopped": lambda: train(
        generator(), discriminator(), wasserstein_d, wasserstein_g, penalty=stopped
    ),
    "penalty-miscomputed, over the batch": lambda: train(
        generator(), discriminator(), wasserstein_d, wasserstein_g, penalty=penalty([0, 1])
    ),
    "penalty-miscomputed, of the mean": lambda: train(
        generator(), discriminator(), wasserstein_d, wasserstein_g, penalty=penalty([1], reduce=tf.reduce_mean)
    ),
    "learning-rate-too-high": lambda: train(
        generator(),
        discriminator(),
        squares_d,
        squares_g,
        d_optimizer=keras.optimizers.SGD(3.0),
        g_optimizer=keras.optimizers.SGD(1e-3),
    ),
    "exploding-gradients": lambda: train(
        generator(), small(network(8, *deep(), dense(1)), 8.0), d_optimizer=keras.optimizers.Adam(1e-5)
    ),
}

SOUND: dict[str, Callable[[], Diagnosis]] = {
    "cross-entropy from logits": lambda: train(generator(), discriminator(), *cross_entropy(from_logits=True)),
    "eager": lambda: train(generator(), discriminator(), traced=False),
    "probabilities": lambda: train(
        generator(), discriminator(dense(1, activation="sigmoid"), keras.layers.Flatten()), *cross_entropy()
    ),
    "least squares": lambda: train(generator(), discriminator(), squares_d, squares_g),
    "hinge": lambda: train(
        generator(),
        discriminator(),
        lambda real, fake: tf.reduce_mean(tf.nn.relu(1 - real)) + tf.reduce_mean(tf.nn.relu(1 + fake)),
        wasserstein_g,
    ),
    "Wasserstein with a penalty": lambda: train(
        generator(), discriminator(), wasserstein_d, wasserstein_g, penalty=penalty([1])
    ),
    "Wasserstein with clipped weights": lambda: train(
        generator(), discriminator(), wasserstein_d, wasserstein_g, after=clip_weights(0.3)
    ),
    "Wasserstein with spectral norms": lambda: train(
        generator(),
        network(8, keras.layers.SpectralNormalization(dense(24, activation="relu")), dense(1)),
        wasserstein_d,
        wasserstein_g,
    ),
    "clipping at a usual norm": lambda: train(generator(), discriminator(), clip=1.0),
    "weighted terms": lambda: train(generator(), discriminator(), g_loss=imbalanced(10.0)),
    "a deep network": lambda: train(generator(*deep()), discriminator()),
    "rectifiers": lambda: train(
        generator(dense(64, activation="relu")), network(8, dense(64, activation="relu"), dense(1))
    ),
}


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(5)


@pytest.mark.parametrize("fault", FAULTY)
def test_a_planted_fault_is_told_first(fault: str) -> None:
    found = FAULTY[fault]().findings
    assert [finding.cause for finding in found][:1] == [fault.split(",")[0]]
    assert found[0].locations[0].file == __file__
    assert found[0].evidence
    assert found[0].remedies


@pytest.mark.parametrize("way", SOUND)
def test_a_sound_training_is_left_alone(way: str) -> None:
    assert [finding.cause for finding in SOUND[way]().findings] == []
