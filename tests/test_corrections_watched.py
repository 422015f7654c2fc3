"""A sound GAN that uses the corrections raises no finding, and trains the same whether it is watched or not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganmedic
from ganmedic import clipping, losses, objectives, penalties

pytestmark = pytest.mark.tensorflow


class Gan:
    """A small GAN of images with everything in its place."""

    def __init__(self, loss: str, regularisers: list[Any], clips: tuple[str, str]) -> None:
        keras.utils.set_random_seed(1)
        layers = keras.layers
        self.generator = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(4 * 4 * 4),
                layers.LeakyReLU(0.2),
                layers.Reshape((4, 4, 4)),
                layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh"),
            ]
        )
        body = [layers.Conv2D(4, 3, 2, "same"), layers.LeakyReLU(0.2), layers.Flatten(), layers.Dense(1)]
        self.discriminator = keras.Sequential([keras.Input((8, 8, 1)), *body])
        self.optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.0) for _ in range(2)]
        self.loss, self.penalties = losses.get(loss), regularisers
        self.clips, self.guard = [clipping.get(name) for name in clips], ganmedic.GradientGuard()
        self.average = ganmedic.ExponentialMovingAverage(decay=0.9)
        self.step = tf.function(self._step)

    def _step(self, real: Any, latents: Any) -> Any:
        fake = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            judged = objectives.discriminator_objective(
                self.loss, self.discriminator, real, fake, penalties=self.penalties
            )
        variables = self.discriminator.trainable_variables
        gradients = tape.gradient(judged.total, variables)
        ganmedic.update(self.optimizers[0], gradients, variables, clip=self.clips[0], guard=self.guard)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            made = objectives.generator_objective(self.loss, self.discriminator, real, fake)
        variables = self.generator.trainable_variables
        gradients = tape.gradient(made.total, variables)
        ganmedic.update(self.optimizers[1], gradients, variables, clip=self.clips[1], guard=self.guard)
        self.average.update(self.generator)
        return judged.adversarial, made.adversarial

    def train(self, steps: int = 6) -> list[float]:
        random = np.random.default_rng(0)
        course = []
        for _ in range(steps):
            centres = random.integers(2, 6, (16, 2))
            grid = np.indices((8, 8)).transpose(1, 2, 0)
            blobs = np.exp(-((grid[None] - centres[:, None, None]) ** 2).sum(axis=-1) / 3.0)[..., None] * 2 - 1
            latents = random.normal(size=(16, 4))
            course += [float(v) for v in self.step(tf.constant(blobs, tf.float32), tf.constant(latents, tf.float32))]
        return course


def made(kind: str) -> Gan:
    if kind == "r3gan":
        return Gan("relativistic", [penalties.get("r1", 0.1), penalties.get("r2", 0.1)], ("auto", "global_norm"))
    return Gan(
        "hinge", [penalties.get("gradient_penalty", 1.0, seed=1), penalties.get("lecam", start=2)], ("norm", "adaptive")
    )


@pytest.mark.parametrize("kind", ["r3gan", "hinge"])
def test_a_sound_gan_of_corrections_is_left_alone_and_unchanged(kind: str) -> None:
    alone = made(kind).train()
    gan = made(kind)
    with ganmedic.watch() as examination:
        watched = gan.train()
    assert watched == alone
    assert [finding.slug for finding in examination.diagnosis().findings] == []
    assert gan.guard.report().steps == 12
