"""A GAN that trains soundly, written by hand, for tests that break one line of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from ganmedic.record.schema import Tape
from record.building import Script

SOURCE = """
import numpy as np
generator = keras.Sequential([Dense(8), Dense(4)], name="generator")
discriminator = keras.Sequential([Dense(8), Dense(1)], name="discriminator")
g_opt = keras.optimizers.Adam(2e-4)
d_opt = keras.optimizers.Adam(2e-4)
{before}
for real in dataset:
    noise = tf.random.normal((8, 4))
    with tf.GradientTape() as d_tape:
        detached = tf.stop_gradient(generator(noise))
        d_loss = hinge(discriminator(real), discriminator(detached))
    d_gradients = d_tape.gradient(d_loss, discriminator.trainable_variables)
    d_opt.apply_gradients(zip(d_gradients, discriminator.trainable_variables))
    {between}
    with tf.GradientTape() as g_tape:
        fake = generator(noise)
        {way}
        g_loss = -tf.reduce_mean(discriminator(image))
    g_gradients = g_tape.gradient(g_loss, generator.trainable_variables)
    {apply}
"""
APPLY = "g_opt.apply_gradients(zip(g_gradients, generator.trainable_variables))"


def _same(fake: int) -> int:
    return fake


class Gan(Script):
    """The script above, with lines of a test's own in it, and the steps of its training.

    Args:
        way: what becomes of ``fake`` before it is judged as ``image``.
        before: lines in front of the loop; ``between``: lines between the two steps; ``apply``: instead of the update.
    """

    def __init__(self, way: str = "image = fake", *, before: str = "", between: str = "", apply: str = APPLY) -> None:
        super().__init__(
            SOURCE.format(
                way=textwrap.indent(way, " " * 8).strip(),
                before=before,
                between=textwrap.indent(between, " " * 4).strip() or "pass",
                apply=apply,
            )
        )
        self.generator = self.at("generator = keras.Sequential").model("generator", (4, 8), (8, 4))
        self.discriminator = self.at("discriminator = keras.Sequential").model("discriminator", (4, 8), (8, 1))
        self.g_opt, self.d_opt = self.at("g_opt = ").optimizer(), self.at("d_opt = ").optimizer()

    def discriminator_step(self) -> None:
        with self.at("as d_tape").tape() as tape:
            self.at("detached =")
            detached = self.op("StopGradient", self.generator(self.noise()))
            self.at("d_loss =")
            scores = [self.op("Relu", self.discriminator(batch)) for batch in (self.data(), detached)]
            loss = self.op("AddV2", *(self.op("Mean", score) for score in scores), shape=())
        self.at("d_gradients =")
        gradients = self.gradient(tape, loss, self.discriminator.trainable_variables)
        self.at("d_opt.apply").apply(self.d_opt, gradients, self.discriminator.trainable_variables)

    def generator_loss(self, way: Callable[[int], int] = _same, **more: bool) -> tuple[Tape, int]:
        """The tape and the loss; ``way`` is what happens on the test's own lines: from the fakes to the image."""
        with self.at("as g_tape").tape(**more) as tape:
            self.at("fake =")
            image = way(self.generator(self.noise()))
            self.at("g_loss =")
            loss = self.op("Neg", self.op("Mean", self.discriminator(image)), shape=())
        return tape, loss

    def generator_step(self, way: Callable[[int], int] = _same, **answers: object) -> None:
        """``none``, ``zero`` and ``error`` say what the gradient call answered."""
        tape, loss = self.generator_loss(way)
        self.at("g_gradients =")
        gradients = self.gradient(tape, loss, self.generator.trainable_variables, **answers)  # type: ignore[arg-type]
        self.at("g_opt.apply").apply(self.g_opt, gradients, self.generator.trainable_variables)

    def train(self, way: Callable[[int], int] = _same, **answers: object) -> None:
        """Two rounds of both steps."""
        for _ in range(2):
            self.discriminator_step()
            self.generator_step(way, **answers)
