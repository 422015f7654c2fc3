"""Each cause that lies in the data or in the game, planted in one small GAN; and the GAN without it, which is quiet."""

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

WIDTH, NOISE, COUNT = 8, 6, 32
Batches = Callable[[int], Any]
Networks = tuple[keras.Model, keras.Model]


# --- data -------------------------------------------------------------------------------------------------------------


def table(number: int, count: int = COUNT) -> Any:
    """Rows between -1 and 1, other ones at each step."""
    rows = np.random.default_rng(number).normal(0.1, 0.4, size=(count, WIDTH)).astype("float32")
    return np.clip(rows, -1.0, 1.0)


def standard(number: int) -> Any:
    return np.random.default_rng(number).normal(size=(COUNT, WIDTH)).astype("float32")


def positive(number: int) -> Any:
    return (table(number) + 1.0) / 2.0


def raw(number: int) -> Any:
    return np.round(255.0 * positive(number))


def with_holes(number: int) -> Any:
    rows = table(number)
    rows[3, 2] = np.nan
    return rows


def lopsided(number: int) -> Any:
    rows = table(number)
    rows[:, 3] *= 500.0
    return rows


def squeezed(number: int) -> Any:
    return table(number) * 0.001


def copies(number: int) -> Any:
    return np.repeat(table(0, 1), COUNT, axis=0)


def a_small_set(number: int) -> Any:
    """Of 200 rows some at each step: many come again, few in the same batch."""
    return table(0, 200)[np.random.default_rng(number).permutation(200)[:COUNT]]


def in_order(number: int) -> Any:
    """One batch after the other of rows of two kinds, first all of the one and then all of the other."""
    return two_kinds()[number % 20 * COUNT :][:COUNT]


def in_disorder(number: int) -> Any:
    return np.random.default_rng(1).permutation(two_kinds())[number % 20 * COUNT :][:COUNT]


def two_kinds() -> Any:
    half = table(0, 10 * COUNT)
    return np.clip(np.concatenate([half + 0.1, half + 0.5]) * 0.5, -1.0, 1.0)


# --- networks ---------------------------------------------------------------------------------------------------------


def dense(units: int, **options: Any) -> keras.layers.Layer:
    return keras.layers.Dense(units, **options)


def leaky() -> keras.layers.Layer:
    return keras.layers.LeakyReLU(negative_slope=0.2)


def generator(*inside: keras.layers.Layer, end: str | None = "tanh") -> keras.Model:
    return keras.Sequential(
        [keras.Input((NOISE,)), dense(24), *inside, leaky(), dense(WIDTH, activation=end)], name="generator"
    )


def discriminator(*inside: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((WIDTH,)), dense(24), *inside, leaky(), dense(1)], name="discriminator")


class Deaf(keras.Model):
    """A generator that is handed noise and begins with what it has learnt instead."""

    def __init__(self) -> None:
        super().__init__(name="generator")
        self.beginning = self.add_weight(shape=(1, NOISE), initializer="random_normal")
        self.hidden, self.end = dense(24), dense(WIDTH, activation="tanh")

    def call(self, noise: Any) -> Any:
        start = tf.repeat(self.beginning, tf.shape(noise)[0], axis=0)
        return self.end(tf.nn.leaky_relu(self.hidden(start)))


class Muffled(keras.Model):
    """A generator that takes so much of its noise, beside what it has learnt."""

    def __init__(self, share: float) -> None:
        super().__init__(name="generator")
        self.share = share
        self.beginning = self.add_weight(shape=(1, NOISE), initializer="random_normal")
        self.hidden, self.end = dense(24), dense(WIDTH, activation="tanh")

    def call(self, noise: Any) -> Any:
        return self.end(tf.nn.leaky_relu(self.hidden(self.beginning + self.share * noise)))


# --- losses -----------------------------------------------------------------------------------------------------------


def cross_entropy(scores: Any, target: float) -> Any:
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.fill(tf.shape(scores), target), logits=scores)
    )


def told_apart(real: Any, fake: Any, high: float = 1.0, low: float = 0.0) -> Any:
    return cross_entropy(real, high) + cross_entropy(fake, low)


def all_real(real: Any, fake: Any) -> Any:
    return cross_entropy(real, 1.0) + cross_entropy(fake, 1.0)


def overshot(real: Any, fake: Any) -> Any:
    return told_apart(real, fake, high=1.3)


def smoothed(real: Any, fake: Any) -> Any:
    return told_apart(real, fake, high=0.9)


def fooling(fake: Any) -> Any:
    return cross_entropy(fake, 1.0)


def helping(fake: Any) -> Any:
    return cross_entropy(fake, 0.0)


def critic_wrong(real: Any, fake: Any) -> Any:
    return tf.reduce_mean(tf.square(real - 1.0)) + tf.reduce_mean(tf.square(fake + 1.0))


# --- training ---------------------------------------------------------------------------------------------------------


def train(
    data: Batches = table,
    networks: Callable[[], Networks] = lambda: (generator(), discriminator()),
    d_loss: Any = told_apart,
    g_loss: Any = fooling,
    *,
    noise: Callable[[int], Any] | None = None,
    samples: Callable[[], Any] | None = None,
    disturb: tuple[float, float] = (0.0, 0.0),
    scatter: Callable[[Any, float], Any] = lambda shape, size: tf.random.normal(shape, stddev=size),
    together: bool = False,
    in_training: bool = True,
    rates: tuple[float, float] = (1e-3, 1e-3),
    steps: int = 60,
) -> Diagnosis:
    """Trains two networks under examination.

    Args:
        noise: what the noise of a step is, by its number; drawn inside the step where it is not given.
        samples: noise to draw samples from after the training.
        disturb: spreads of the random numbers that are added to real and to generated samples inside the step;
            ``scatter`` draws them.
        together: whether real and generated samples go through the discriminator as one batch.
    """
    g, d = networks()
    g_optimizer, d_optimizer = (keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates)

    def disturbed(rows: Any, size: float) -> Any:
        return rows + scatter(tf.shape(rows), size) if size else rows

    def judge(real: Any, fake: Any) -> tuple[Any, Any]:
        real, fake = disturbed(real, disturb[0]), disturbed(fake, disturb[1])
        if together:
            scores = d(tf.concat([real, fake], axis=0), training=in_training)
            return scores[: len(real)], scores[len(real) :]
        return d(real, training=in_training), d(fake, training=in_training)

    def step(real: Any, given: Any) -> None:
        count = real.shape[0]
        z = given if noise is not None else tf.random.normal((count, NOISE))
        with tf.GradientTape() as tape:
            loss = d_loss(*judge(real, g(z, training=in_training)))
        slopes = tape.gradient(loss, d.trainable_variables)
        d_optimizer.apply_gradients(zip(slopes, d.trainable_variables, strict=True))
        z = given if noise is not None else tf.random.normal((count, NOISE))
        with tf.GradientTape() as tape:
            fake = disturbed(g(z, training=in_training), disturb[1])
            loss = g_loss(d(fake, training=in_training))
        slopes = tape.gradient(loss, g.trainable_variables)
        g_optimizer.apply_gradients(zip(slopes, g.trainable_variables, strict=True))

    run = tf.function(step)
    with ganmedic.watch(preset="full") as examination:
        for number in range(steps):
            run(tf.constant(data(number)), tf.constant(noise(number) if noise is not None else 0.0))
        if samples is not None:
            g(samples(), training=False)
    diagnosis = examination.diagnosis()
    assert diagnosis.tool_errors == ()
    return diagnosis


def drawn(number: int) -> Any:
    return np.random.default_rng(1000 + number).normal(size=(COUNT, NOISE)).astype("float32")


def the_same(number: int) -> Any:
    return drawn(0)


def bell() -> Any:
    return tf.random.normal((64, NOISE))


def flat() -> Any:
    return tf.random.uniform((64, NOISE), 0.0, 1.0)


def with_batchnorm() -> Networks:
    return generator(keras.layers.BatchNormalization()), discriminator()


def with_maps_normalised() -> Networks:
    layers = keras.layers
    return generator(layers.Reshape((2, 3, 4)), layers.BatchNormalization(), layers.Flatten()), discriminator()


def with_batchnorm_judged() -> Networks:
    return generator(), discriminator(keras.layers.BatchNormalization())


def one_row(number: int) -> Any:
    return table(number, 1)


FAULTY: dict[str, Callable[[], Diagnosis]] = {
    "wrong-loss-sign, of the generator": lambda: train(g_loss=helping),
    "wrong-loss-sign, of the discriminator": lambda: train(d_loss=all_real),
    "wrong-loss-sign, of squares": lambda: train(
        d_loss=critic_wrong, g_loss=lambda fake: tf.reduce_mean((fake + 1.0) ** 2)
    ),
    "bad-targets": lambda: train(d_loss=overshot),
    "range-mismatch, half unused": lambda: train(positive),
    "range-mismatch, out of reach": lambda: train(table, lambda: (generator(end="sigmoid"), discriminator())),
    "unnormalised-data": lambda: train(raw),
    "non-finite-data": lambda: train(with_holes),
    "bad-normalisation, one column": lambda: train(lopsided, lambda: (generator(end=None), discriminator())),
    "bad-normalisation, scaled twice": lambda: train(squeezed),
    "low-diversity": lambda: train(copies),
    "ignores-noise, not used": lambda: train(table, lambda: (Deaf(), discriminator())),
    "ignores-noise, too quiet": lambda: train(table, lambda: (Muffled(1e-4), discriminator())),
    "batchnorm-misuse, of a single sample": lambda: train(one_row, with_batchnorm, steps=30),
    "batchnorm-misuse, in inference mode": lambda: train(table, with_batchnorm, in_training=False),
    "batchnorm-misuse, real and fake together": lambda: train(table, with_batchnorm_judged, together=True),
    "sampling-mismatch, the same at every step": lambda: train(noise=the_same),
    "sampling-mismatch, of another law": lambda: train(samples=flat),
    "unshuffled-data": lambda: train(in_order),
    "discriminator-shortcut": lambda: train(disturb=(1.0, 0.0), rates=(1e-4, 2e-2)),
    "discriminator-shortcut, scaled by a factor": lambda: train(
        disturb=(1.0, 0.0), rates=(1e-4, 2e-2), scatter=lambda shape, size: size * tf.random.normal(shape)
    ),
}

SOUND: dict[str, Callable[[], Diagnosis]] = {
    "losses and targets": lambda: train(),
    "smoothed targets": lambda: train(d_loss=smoothed),
    "squares": lambda: train(d_loss=critic_wrong, g_loss=lambda fake: tf.reduce_mean((fake - 1.0) ** 2)),
    "data for a sigmoid": lambda: train(positive, lambda: (generator(end="sigmoid"), discriminator())),
    "standard scores": lambda: train(standard, lambda: (generator(end=None), discriminator())),
    "a small set": lambda: train(a_small_set),
    "noise beside what was learnt": lambda: train(table, lambda: (Muffled(1.0), discriminator())),
    "a batch normalised": lambda: train(table, with_batchnorm),
    "maps normalised behind a reshape": lambda: train(lambda number: table(number, 4), with_maps_normalised),
    "batches normalised apart": lambda: train(table, with_batchnorm_judged),
    "real and fake together": lambda: train(together=True),
    "noise that is given": lambda: train(noise=drawn),
    "samples of the same law": lambda: train(samples=bell),
    "shuffled batches": lambda: train(in_disorder),
    "both disturbed": lambda: train(disturb=(1.0, 1.0), rates=(1e-4, 2e-2)),
}


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(5)


@pytest.mark.parametrize("fault", FAULTY)
def test_a_planted_fault_is_told(fault: str) -> None:
    told = FAULTY[fault]().findings
    (found,) = [finding for finding in told if finding.cause == fault.split(",")[0]]
    assert found.locations[0].file == __file__
    assert found.severity == "error"
    assert found.evidence
    assert found.remedies


@pytest.mark.parametrize("way", SOUND)
def test_a_sound_training_is_left_alone(way: str) -> None:
    assert [finding.cause for finding in SOUND[way]().findings if finding.severity != "note"] == []
