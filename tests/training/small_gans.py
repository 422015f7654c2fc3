"""The smallest GANs that have what is to be tested."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import ganmedic
from ganmedic.randomness import RandomStream


def networks(
    classes: int | None = None, *, output: str = "linear", noise: bool = False, size: int = 2, seed: int = 7
) -> tuple[keras.Model, keras.Model]:
    """A generator of points and its discriminator; the same weights for the same seed."""
    keras.utils.set_random_seed(seed)
    latents, samples = keras.Input((4,)), keras.Input((size,))
    hidden = keras.layers.Dense(8)(latents)
    looked = keras.layers.Dense(8)(samples)
    inputs, seen = [latents], [samples]
    if classes is not None:
        for inner in (inputs, seen):
            inner.append(keras.Input((), dtype="int32"))
        hidden = hidden + keras.layers.Embedding(classes, 8)(inputs[1])
        looked = looked + keras.layers.Embedding(classes, 8)(seen[1])
    if noise:
        hidden = keras.layers.GaussianNoise(0.5, seed=3)(hidden, training=True)
    made = keras.layers.Dense(size, activation=output, dtype="float32")(keras.layers.LeakyReLU(0.2)(hidden))
    score = keras.layers.Dense(1, dtype="float32")(keras.layers.LeakyReLU(0.2)(looked))
    return (
        keras.Model(inputs if classes else latents, made),
        keras.Model(seen if classes else samples, score),
    )


def pictures(size: int = 8) -> tuple[keras.Model, keras.Model]:
    """Networks for grey pictures of so many pixels."""
    keras.utils.set_random_seed(5)
    generator = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(size * size, activation="tanh", dtype="float32"),
            keras.layers.Reshape((size, size, 1)),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((size, size, 1)),
            keras.layers.Conv2D(2, 3, strides=2),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Flatten(),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )
    return generator, discriminator


def compiled(classes: int | None = None, *, seed: int = 3, noise: bool = False, **arguments: Any) -> ganmedic.GAN:
    """A compiled GAN of points."""
    gan = ganmedic.GAN(*networks(classes, noise=noise), classes=classes, seed=seed)
    gan.compile(**arguments)
    return gan


def points(count: int = 32, size: int = 2, seed: int = 0) -> NDArray[np.float32]:
    """Standard normal points."""
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


def in_order(samples: Any, labels: Any = None, batch_size: int = 8) -> tf.data.Dataset:
    """Batches in the order that the samples have."""
    given = samples if labels is None else (samples, labels)
    return tf.data.Dataset.from_tensor_slices(given).batch(batch_size, drop_remainder=True)


def weights_of(gan: ganmedic.GAN) -> dict[str, list[NDArray[Any]]]:
    """The weights of both networks."""
    return {"generator": gan.generator.get_weights(), "discriminator": gan.discriminator.get_weights()}


def assert_close(left: Any, right: Any, tolerance: float = 1e-6) -> None:
    """Two results of `weights_of` agree."""
    for player in ("generator", "discriminator"):
        for one, other in zip(left[player], right[player], strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def trained_by_hand(
    batches: list[Any], *, rate: float, seed: int = 3, accumulation: int = 1, simultaneous: bool = False
) -> tuple[dict[str, list[NDArray[Any]]], dict[str, list[float]]]:
    """R3GAN's step for points, written out: softplus of score differences, R1 and R2 of weight 1, plain gradient descent.

    Returns:
        The weights in the end, and the losses of each batch.
    """
    generator, discriminator = networks()
    stream = RandomStream(seed)
    sums: dict[str, list[Any]] = {}
    losses: dict[str, list[float]] = {"d_loss": [], "g_loss": []}

    def judged(real: Any, fake: Any) -> tuple[Any, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch((real, fake))
            scores = discriminator(real), discriminator(fake)
        gradients = tape.gradient(scores, (real, fake))
        adversarial = tf.reduce_mean(tf.nn.softplus(scores[1] - scores[0]))
        flat = [0.5 * tf.reduce_mean(tf.reduce_sum(each**2, axis=1)) for each in gradients]
        return adversarial, adversarial + flat[0] + flat[1]

    def taken(network: keras.Model, gradients: list[Any], due: bool) -> None:
        held = sums.setdefault(network.name, [])
        held.append(gradients)
        if not due:
            return
        for variable, *each in zip(network.trainable_variables, *held, strict=True):
            variable.assign_sub(rate * tf.add_n(each) / accumulation)
        held.clear()

    for number, batch in enumerate(batches, 1):
        real, due = tf.constant(batch), number % accumulation == 0
        latents = stream.batch(len(batch), (4,))
        with tf.GradientTape() as tape:
            adversarial, total = judged(real, tf.stop_gradient(generator(latents)))
        gradients = tape.gradient(total, discriminator.trainable_variables)
        losses["d_loss"].append(float(adversarial))
        if not simultaneous:
            taken(discriminator, gradients, due)
            latents = stream.batch(len(batch), (4,))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(discriminator(real) - discriminator(generator(latents))))
        of_generator = tape.gradient(loss, generator.trainable_variables)
        losses["g_loss"].append(float(loss))
        if simultaneous:
            taken(discriminator, gradients, due)
        taken(generator, of_generator, due)
    return {"generator": generator.get_weights(), "discriminator": discriminator.get_weights()}, losses
