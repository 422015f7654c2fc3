#!/usr/bin/env python3
"""What a correction costs per training step, against no correction and against the same one written out by hand.

    python benchmarks/corrections_cost.py                               all rows, about an hour
    python benchmarks/corrections_cost.py --quick                       the same in less than half of it, less certain
    python benchmarks/corrections_cost.py --only penalty/r1 clip        rows whose names are or begin with these
    python benchmarks/corrections_cost.py --networks points --eager     these networks, without a tf.function
    python benchmarks/corrections_cost.py --jit --json FILE             compiled by XLA; figures also as JSON

A step trains the discriminator once, then the generator once, with Adam. Three forms of it take turns in short blocks:

    plain         the non-saturating loss, no penalty, no clip, `optimizer.apply`
    hand-written  with the correction as tutorials and the authors' repositories write it; they stand in this file
    library       with the correction of ganmedic

A ratio is taken within a round, so that a machine that gets slower or busier does so for all three. Told are the medians of
the rounds: of CPU time (all threads) with the quartiles in brackets, and of wall time. The row `plain` compares the plain step
with itself, and so shows what chance alone makes. The learning rate is so small that the last step costs what the first one does.

`same` says whether hand-written and library form gave both optimizers the same gradients, to float32, in three steps between
which all weights are moved, with random draws given to both; `-` where they are not meant to, or there is no hand-written form.
The exit status is 1 where they differ, or where the library's form fails; times never decide.
"""

from __future__ import annotations

import argparse
import collections
import gc
import json
import math
import os
import platform
import resource
import statistics
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf

import ganmedic
from ganmedic import augmentation, averaging, clipping, guard, layers, losses, objectives, penalties, updating

#: Both halves of Adam's step are computed in full, and move nothing to speak of.
STILL = 1e-7
BETA_1 = 0.5
#: Bounds under which every clip acts.
VALUE, NORM, GLOBAL_NORM, UNIT, PERCENTILE, WEIGHT = 1e-4, 1e-2, 1e-2, 1e-2, 10.0, 1e-2
DECAY = 0.99
GAMMA, LAMBDA, SPREAD = 2.0, 10.0, 0.1
#: Relative to the norm of a variable's gradient, and to that of the gradient of all.
OF_ONE, OF_ALL = 1e-4, 1e-5
CHECKED_STEPS, EVERY = 3, 4

IMAGES, POINTS = "dcgan", "points"
#: Network -> (batch, size of a latent code, shape of a sample).
SIZES = {IMAGES: (64, 64, (28, 28, 1)), POINTS: (256, 8, (2,))}
YES, NO, NOT_COMPARED = "yes", "no", "-"


# --- the networks -----------------------------------------------------------------------------------------------------


def dcgan(wrap: Callable[[Any], Any]) -> tuple[Any, Any]:
    """A small DCGAN for images of 28x28; no batch normalisation in the discriminator. `wrap` is put around its layers."""
    conv, up = partial(keras.layers.Conv2D, kernel_size=4, strides=2, padding="same"), keras.layers.Conv2DTranspose
    generator = keras.Sequential(
        [
            keras.Input((SIZES[IMAGES][1],)),
            keras.layers.Dense(7 * 7 * 64, activation="relu"),
            keras.layers.Reshape((7, 7, 64)),
            up(32, 4, 2, "same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            up(1, 4, 2, "same", activation="tanh"),
        ]
    )
    discriminator = [keras.Input(SIZES[IMAGES][2])]
    for filters in (32, 64, 128):
        discriminator += [wrap(conv(filters)), keras.layers.LeakyReLU(0.2)]
    return generator, keras.Sequential([*discriminator, keras.layers.Flatten(), wrap(keras.layers.Dense(1))])


def points(wrap: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Two dense networks of four hidden layers for points of the plane."""
    generator = [keras.Input((SIZES[POINTS][1],)), *(keras.layers.Dense(128, activation="relu") for _ in range(4))]
    discriminator = [keras.Input(SIZES[POINTS][2])]
    for _ in range(4):
        discriminator += [wrap(keras.layers.Dense(128)), keras.layers.LeakyReLU(0.2)]
    return (
        keras.Sequential([*generator, keras.layers.Dense(2)]),
        keras.Sequential([*discriminator, wrap(keras.layers.Dense(1))]),
    )


NETWORKS = {IMAGES: dcgan, POINTS: points}


class Game:
    """Both networks with their optimizers; made twice, they have the same weights."""

    def __init__(self, network: str, wrap: Callable[[Any], Any] = lambda layer: layer) -> None:
        keras.utils.set_random_seed(1)
        self.network = network
        self.generator, self.discriminator = NETWORKS[network](wrap)
        self.optimizers = [keras.optimizers.Adam(STILL, BETA_1) for _ in range(2)]
        for optimizer, variables in zip(self.optimizers, self.variables, strict=True):
            optimizer.build(variables)

    @property
    def variables(self) -> tuple[list[Any], list[Any]]:
        """What each player trains, the discriminator first."""
        return self.discriminator.trainable_variables, self.generator.trainable_variables

    def scores(self, samples: Any) -> Any:
        """Raw scores (batch, 1)."""
        return self.discriminator(samples, training=True)

    def samples(self, codes: Any) -> Any:
        """Generated samples."""
        return self.generator(codes, training=True)

    def momenta(self) -> list[np.ndarray]:
        """Adam's first moments: what it remembers of the gradients it was given."""
        held = [variable for optimizer in self.optimizers for variable in optimizer.variables]
        return [tf.convert_to_tensor(variable).numpy() for variable in held if variable.path.endswith("momentum")]


Draws = dict[str, Any]


@dataclass
class Form:
    """What a step consists of.

    Attributes:
        d_loss: of (real, fake, codes, draws), what the discriminator minimises.
        g_loss: of (real, codes, draws), what the generator minimises.
        update: applies gradients; of (optimizer, gradients, variables).
        after: called at the end of a step.
        results: what is compared beside the gradients.
    """

    d_loss: Callable[[Any, Any, Any, Draws], Any]
    g_loss: Callable[[Any, Any, Draws], Any]
    update: Callable[[Any, Any, Any], Any] = lambda optimizer, gradients, variables: optimizer.apply(
        gradients, variables
    )
    after: Callable[[], None] = lambda: None
    results: Callable[[], list[Any]] = list


Maker = Callable[[Game], Form]


def step_of(game: Game, form: Form) -> Callable[..., Any]:
    """One step of both players, the discriminator first."""
    d_variables, g_variables = game.variables
    d_optimizer, g_optimizer = game.optimizers

    def step(real: Any, codes: Any, draws: Draws | None = None) -> Any:
        draws = {} if draws is None else draws
        fake = game.samples(codes)
        with tf.GradientTape() as tape:
            d_loss = form.d_loss(real, fake, codes, draws)
        form.update(d_optimizer, tape.gradient(d_loss, d_variables), d_variables)
        with tf.GradientTape() as tape:
            g_loss = form.g_loss(real, codes, draws)
        form.update(g_optimizer, tape.gradient(g_loss, g_variables), g_variables)
        form.after()
        return d_loss + g_loss

    return step


# --- losses by hand ---------------------------------------------------------------------------------------------------


def d_softplus(real: Any, fake: Any) -> Any:
    """The discriminator's non-saturating loss."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def g_softplus(fake: Any) -> Any:
    """The generator's non-saturating loss."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def plain(game: Game, **others: Any) -> Form:
    """The plain step, or one of which some parts are others."""

    def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
        return d_softplus(game.scores(real), game.scores(fake))

    def g_loss(real: Any, codes: Any, draws: Draws) -> Any:
        return g_softplus(game.scores(game.samples(codes)))

    return Form(**{"d_loss": d_loss, "g_loss": g_loss, **others})


def of_scores(d_loss: Callable[[Any, Any], Any], g_loss: Callable[[Any, Any], Any], with_real: bool = False) -> Maker:
    """The step of a loss, given as functions of (real scores, fake scores)."""

    def make(game: Game) -> Form:
        def of_generator(real: Any, codes: Any, draws: Draws) -> Any:
            fake_scores = game.scores(game.samples(codes))
            return g_loss(game.scores(real) if with_real else None, fake_scores)

        return plain(
            game,
            d_loss=lambda real, fake, codes, draws: d_loss(game.scores(real), game.scores(fake)),
            g_loss=of_generator,
        )

    return make


def entropies() -> Maker:
    """Cross-entropy with a label for each score, as in TensorFlow's DCGAN tutorial."""
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    return of_scores(
        lambda r, f: entropy(tf.ones_like(r), r) + entropy(tf.zeros_like(f), f),
        lambda r, f: entropy(tf.ones_like(f), f),
    )


def averaged(cost: Callable[[Any], Any]) -> Maker:
    """A relativistic average loss; `cost` of how far a sample lies above the mean of the other kind."""

    def of(above: Any, below: Any) -> Any:
        first = tf.reduce_mean(cost(above - tf.reduce_mean(below)))
        return (first + tf.reduce_mean(cost(tf.reduce_mean(above) - below))) / 2

    return of_scores(of, lambda r, f: of(f, r), with_real=True)


HAND_LOSSES: dict[str, Callable[[], Maker]] = {
    "minimax": lambda: of_scores(d_softplus, lambda r, f: -tf.reduce_mean(tf.nn.softplus(f))),
    "non_saturating": entropies,
    "least_squares": lambda: of_scores(
        lambda r, f: 0.5 * tf.reduce_mean(tf.square(r - 1.0)) + 0.5 * tf.reduce_mean(tf.square(f)),
        lambda r, f: 0.5 * tf.reduce_mean(tf.square(f - 1.0)),
    ),
    "wasserstein": lambda: of_scores(
        lambda r, f: tf.reduce_mean(f) - tf.reduce_mean(r), lambda r, f: -tf.reduce_mean(f)
    ),
    "hinge": lambda: of_scores(
        lambda r, f: tf.reduce_mean(tf.nn.relu(1.0 - r)) + tf.reduce_mean(tf.nn.relu(1.0 + f)),
        lambda r, f: -tf.reduce_mean(f),
    ),
    "relativistic": lambda: of_scores(
        lambda r, f: tf.reduce_mean(tf.nn.softplus(f - r)),
        lambda r, f: tf.reduce_mean(tf.nn.softplus(r - f)),
        with_real=True,
    ),
    "relativistic_average": lambda: averaged(lambda margin: tf.nn.softplus(-margin)),
    "relativistic_average_least_squares": lambda: averaged(lambda margin: tf.square(margin - 1.0)),
    "relativistic_average_hinge": lambda: averaged(lambda margin: tf.nn.relu(1.0 - margin)),
}


def library_loss(name: str) -> Maker:
    """The step of one of ganmedic's losses."""
    loss = losses.get(name)
    return of_scores(loss.discriminator, loss.generator, with_real=loss.needs_real)


# --- penalties by hand ------------------------------------------------------------------------------------------------


def entries(samples: Any) -> list[int]:
    """All axes but that of the batch."""
    return list(range(1, len(samples.shape)))


def squared_gradient(game: Game, samples: Any) -> Any:
    """E ‖∇ D(x)‖² by a forward pass of its own."""
    with tf.GradientTape() as inner:
        inner.watch(samples)
        scores = game.scores(samples)
    gradient = inner.gradient(scores, samples)
    return tf.reduce_mean(tf.reduce_sum(tf.square(gradient), axis=entries(samples)))


def pull_to_one(game: Game, samples: Any) -> Any:
    """E (‖∇ D(x)‖ - 1)², as in the Keras example of WGAN-GP."""
    with tf.GradientTape() as inner:
        inner.watch(samples)
        scores = game.scores(samples)
    gradient = inner.gradient(scores, [samples])[0]
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=entries(samples)))
    return tf.reduce_mean((norm - 1.0) ** 2)


def r1(game: Game, real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
    return GAMMA / 2 * squared_gradient(game, real)


def r1_and_r2(game: Game, real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
    return GAMMA / 2 * squared_gradient(game, real) + GAMMA / 2 * squared_gradient(game, fake)


def wgan_gp(game: Game, real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
    shape = [real.shape[0], *(1 for _ in entries(real))]
    epsilon = tf.reshape(draws["epsilon"], shape) if draws else tf.random.uniform(shape)
    return LAMBDA * pull_to_one(game, real * epsilon + fake * (1.0 - epsilon))


def dragan(game: Game, real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
    noise = draws["noise"] if draws else tf.random.uniform(real.shape)
    return LAMBDA * pull_to_one(game, real + 0.5 * tf.math.reduce_std(real) * noise)


def roth(game: Game, real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
    total = 0.0
    for samples, sign in ((real, -1.0), (fake, 1.0)):
        with tf.GradientTape() as inner:
            inner.watch(samples)
            scores = game.scores(samples)
        squares = tf.reduce_sum(tf.square(inner.gradient(scores, samples)), axis=entries(samples))
        total += tf.reduce_mean(tf.square(tf.sigmoid(sign * scores[:, 0])) * squares)
    return GAMMA / 2 * total


def transformed(samples: Any) -> Any:
    """Images mirrored, points turned half round."""
    return samples[:, :, ::-1] if len(samples.shape) == 4 else -samples


def change(game: Game, samples: Any) -> Any:
    return tf.reduce_mean(tf.square(game.scores(samples) - game.scores(transformed(samples))))


def consistency(game: Game, real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
    return LAMBDA * change(game, real)


def balanced_consistency(game: Game, real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
    return LAMBDA * change(game, real) + LAMBDA * change(game, fake)


def consensus_of(game: Game, real: Any, codes: Any) -> Any:
    with tf.GradientTape(persistent=True) as inner:
        fake = game.samples(codes)
        real_scores, fake_scores = game.scores(real), game.scores(fake)
        d_loss, g_loss = d_softplus(real_scores, fake_scores), g_softplus(fake_scores)
    d_variables, g_variables = game.variables
    gradients = [*inner.gradient(d_loss, d_variables), *inner.gradient(g_loss, g_variables)]
    return GAMMA / 2 * tf.add_n([tf.reduce_sum(tf.square(gradient)) for gradient in gradients])


def neighbours(codes: Any, draws: Draws) -> Any:
    return codes + SPREAD * (draws["noise"] if draws else tf.random.normal(codes.shape))


def with_penalty(penalty: Callable[..., Any]) -> Maker:
    """The step with a penalty beside the discriminator's loss."""

    def make(game: Game) -> Form:
        def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
            return d_softplus(game.scores(real), game.scores(fake)) + penalty(game, real, fake, codes, draws)

        return plain(game, d_loss=d_loss)

    return make


def shared(samples: str) -> Maker:
    """R1, or R1 and R2, with the passes of the loss, as an expert writes it."""

    def make(game: Game) -> Form:
        def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
            batches = [real, fake] if samples == "both" else [real]
            with tf.GradientTape(persistent=samples == "both", watch_accessed_variables=False) as inner:
                inner.watch(batches)
                scores = [game.scores(batch) for batch in batches]
            loss = d_softplus(scores[0], scores[1] if samples == "both" else game.scores(fake))
            for batch, score in zip(batches, scores, strict=True):
                squares = tf.reduce_sum(tf.square(inner.gradient(score, batch)), axis=entries(batch))
                loss += GAMMA / 2 * tf.reduce_mean(squares)
            return loss

        return plain(game, d_loss=d_loss)

    return make


def lazy_r1(game: Game) -> Form:
    """R1 in every fourth step, four times as strong."""
    count = tf.Variable(0, dtype=tf.int64)

    def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
        loss = d_softplus(game.scores(real), game.scores(fake))
        due = count % EVERY == 0
        count.assign_add(1)
        return loss + tf.cond(due, lambda: EVERY * r1(game, real, fake, codes, draws), lambda: 0.0)

    return plain(game, d_loss=d_loss)


def lecam(game: Game) -> Form:
    """Scores held to moving averages, which follow the scores at once in the first step."""
    real_average, fake_average, count = tf.Variable(0.0), tf.Variable(0.0), tf.Variable(0)

    def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
        real_scores, fake_scores = game.scores(real), game.scores(fake)
        decay = tf.where(count < 1, 0.0, DECAY)
        real_average.assign(decay * real_average + (1.0 - decay) * tf.reduce_mean(tf.stop_gradient(real_scores)))
        fake_average.assign(decay * fake_average + (1.0 - decay) * tf.reduce_mean(tf.stop_gradient(fake_scores)))
        count.assign_add(1)
        above = tf.reduce_mean(tf.square(tf.nn.relu(real_scores - fake_average)))
        below = tf.reduce_mean(tf.square(tf.nn.relu(real_average - fake_scores)))
        return d_softplus(real_scores, fake_scores) + LAMBDA * (above + below)

    return plain(game, d_loss=d_loss)


def latent_consistency(game: Game) -> Form:
    """Nearby latents: alike to the discriminator, different from the generator."""

    def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
        loss = d_softplus(game.scores(real), game.scores(fake))
        near = game.scores(game.samples(neighbours(codes, draws)))
        return loss + LAMBDA * tf.reduce_mean(tf.square(game.scores(game.samples(codes)) - near))

    def g_loss(real: Any, codes: Any, draws: Draws) -> Any:
        loss = g_softplus(game.scores(game.samples(codes)))
        near = game.samples(neighbours(codes, draws))
        return loss - 0.5 * tf.reduce_mean(tf.square(game.samples(codes) - near))

    return plain(game, d_loss=d_loss, g_loss=g_loss)


def path_length(game: Game) -> Form:
    """The generator's path lengths, held to their moving average."""
    average = tf.Variable(0.0)

    def g_loss(real: Any, codes: Any, draws: Draws) -> Any:
        loss = g_softplus(game.scores(game.samples(codes)))
        with tf.GradientTape() as inner:
            inner.watch(codes)
            samples = game.samples(codes)
            noise = draws["noise"] if draws else tf.random.normal(samples.shape)
            product = tf.reduce_sum(samples * noise / math.sqrt(math.prod(samples.shape[1:-1])))
        lengths = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(product, codes)), axis=1))
        average.assign_add(0.01 * (tf.reduce_mean(tf.stop_gradient(lengths)) - average))
        return loss + GAMMA * tf.reduce_mean(tf.square(lengths - average))

    return plain(game, g_loss=g_loss)


def consensus(game: Game) -> Form:
    """Both players pay for the gradient of the game."""

    def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
        return d_softplus(game.scores(real), game.scores(fake)) + consensus_of(game, real, codes)

    def g_loss(real: Any, codes: Any, draws: Draws) -> Any:
        return g_softplus(game.scores(game.samples(codes))) + consensus_of(game, real, codes)

    return plain(game, d_loss=d_loss, g_loss=g_loss)


def library_penalty(*made: Callable[[], Any], joint: bool = False) -> Maker:
    """The step with penalties of ganmedic, each player's objective in shared passes."""

    def make(game: Game) -> Form:
        loss = losses.get("non_saturating")
        chosen = [each() for each in made]
        of_d = [penalty for penalty in chosen if penalty.player != "generator"]
        of_g = [penalty for penalty in chosen if penalty.player != "discriminator"]

        def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
            extras = {"generator": game.generator, "latents": codes, **draws}
            return objectives.discriminator_objective(
                loss, game.discriminator, real, fake, penalties=of_d, joint=joint, **extras
            ).total

        def g_loss(real: Any, codes: Any, draws: Draws) -> Any:
            extras = {"generator": game.generator, "latents": codes, **draws}
            fake = game.samples(codes)
            return objectives.generator_objective(loss, game.discriminator, real, fake, penalties=of_g, **extras).total

        return plain(game, d_loss=d_loss, g_loss=g_loss)

    return make


# --- clips and the rest by hand ---------------------------------------------------------------------------------------


def clipped(clip: Callable[[Any, Any], Any]) -> Maker:
    """The step with a function of (gradients, variables) before the optimizer."""
    return lambda game: plain(
        game, update=lambda optimizer, gradients, variables: optimizer.apply(clip(gradients, variables), variables)
    )


def unit_by_unit(gradients: Any, variables: Any) -> list[Any]:
    """Adaptive gradient clipping; units on the last axis, a bias one unit."""
    result = []
    for gradient, variable in zip(gradients, variables, strict=True):
        axes = list(range(len(variable.shape) - 1)) or None
        weight_norm = tf.sqrt(tf.reduce_sum(tf.square(variable), axis=axes, keepdims=True))
        gradient_norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=axes, keepdims=True))
        largest = UNIT * tf.maximum(weight_norm, 1e-3)
        held = gradient * (largest / tf.maximum(gradient_norm, 1e-6))
        result.append(tf.where(gradient_norm > largest, held, gradient))
    return result


def by_history(game: Game) -> Form:
    """AutoClip: NumPy's percentile of norms that are kept in Python, a history for each player."""
    histories = [collections.deque(maxlen=1000) for _ in range(2)]

    def update(optimizer: Any, gradients: Any, variables: Any) -> None:
        history = histories[0 if optimizer is game.optimizers[0] else 1]

        def percentile(norm: Any) -> Any:
            history.append(float(norm))
            return np.float32(np.percentile(history, PERCENTILE))

        norm = tf.linalg.global_norm(gradients)
        bound = percentile(norm) if tf.executing_eagerly() else tf.py_function(percentile, [norm], tf.float32)
        optimizer.apply(tf.clip_by_global_norm(gradients, bound, use_norm=norm)[0], variables)

    return plain(game, update=update)


def weights_clipped(game: Game) -> Form:
    """The critic's weights clipped after its step."""

    def update(optimizer: Any, gradients: Any, variables: Any) -> None:
        optimizer.apply(gradients, variables)
        if optimizer is game.optimizers[0]:
            for variable in variables:
                variable.assign(tf.clip_by_value(variable, -WEIGHT, WEIGHT))

    return plain(game, update=update, results=game.discriminator.get_weights)


def numerics_checked(gradients: Any, variables: Any) -> list[Any]:
    """An error where a gradient is not finite."""
    return [tf.debugging.check_numerics(gradient, "gradient") for gradient in gradients]


def where_finite(game: Game) -> Form:
    """A step is left out where a gradient is not finite."""

    def update(optimizer: Any, gradients: Any, variables: Any) -> None:
        if tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients]):
            optimizer.apply(gradients, variables)

    return plain(game, update=update)


def averaged_weights(game: Game) -> Form:
    """The generator's weights as a moving average, in a loop over its variables."""
    averages = [tf.Variable(weight) for weight in game.generator.weights]
    trained = {id(variable) for variable in game.generator.trainable_variables}

    def after() -> None:
        for average, weight in zip(averages, game.generator.weights, strict=True):
            average.assign(DECAY * average + (1.0 - DECAY) * weight)

    held = [a for a, w in zip(averages, game.generator.weights, strict=True) if id(w) in trained]
    return plain(game, after=after, results=lambda: [average.numpy() for average in held])


def library_update(clip: str | None = None, *arguments: Any, guarded: bool = False, players: int = 2) -> Maker:
    """The step with `ganmedic.update`; `players` is 1 where the discriminator alone is clipped."""

    def make(game: Game) -> Form:
        chosen = None if clip is None else clipping.get(clip, *arguments)
        watched = guard.GradientGuard() if guarded else None

        def update(optimizer: Any, gradients: Any, variables: Any) -> None:
            mine = chosen if players == 2 or optimizer is game.optimizers[0] else None
            updating.update(optimizer, gradients, variables, clip=mine, guard=watched)

        return plain(game, update=update, **_compared(game, clip))

    return make


def _compared(game: Game, clip: str | None) -> dict[str, Any]:
    return {"results": game.discriminator.get_weights} if clip == "weights" else {}


def library_constraint(game: Game) -> Form:
    """The critic's weights clipped by its optimizer."""
    clipping.get("weights", WEIGHT).constrain(game.discriminator)
    return plain(game, results=game.discriminator.get_weights)


def library_average(game: Game) -> Form:
    """The generator's weights as a moving average of ganmedic."""
    average = averaging.ExponentialMovingAverage(decay=DECAY, warm_up=False)
    average.build(game.generator)

    def results() -> list[np.ndarray]:
        with average.applied(game.generator):
            return [tf.convert_to_tensor(variable).numpy() for variable in game.generator.trainable_variables]

    return plain(game, after=lambda: average.update(game.generator), results=results)


def with_augmentation(augment: Callable[[Any, Draws], Any], observe: Callable[[Any], None] | None = None) -> Maker:
    """The step in which the discriminator sees augmented images, real and generated, for both players."""

    def make(game: Game) -> Form:
        def d_loss(real: Any, fake: Any, codes: Any, draws: Draws) -> Any:
            real_scores = game.scores(augment(real, draws))
            if observe is not None:
                observe(real_scores)
            return d_softplus(real_scores, game.scores(augment(fake, draws)))

        def g_loss(real: Any, codes: Any, draws: Draws) -> Any:
            return g_softplus(game.scores(augment(game.samples(codes), draws)))

        return plain(game, d_loss=d_loss, g_loss=g_loss)

    return make


def brightness_shift_and_hole(images: Any, draws: Draws) -> Any:
    """DiffAugment by hand, for one channel: brightness and contrast, a shift by padding and gathering, a scattered hole."""
    batch, height, width = images.shape[:3]
    one_each = [batch, 1, 1, 1]
    brightness = tf.reshape(draws["brightness"], one_each) if draws else tf.random.uniform(one_each, -0.5, 0.5)
    contrast = tf.reshape(draws["contrast"], one_each) if draws else tf.random.uniform(one_each, 0.5, 1.5)
    images = images + brightness
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    images = (images - mean) * contrast + mean
    for axis, size in enumerate((height, width)):
        most = size // 8
        shift = _whole(draws, "translation", axis, batch, 2 * most + 1) - most
        places = tf.clip_by_value(tf.range(size)[None] - shift[:, None] + 1, 0, size + 1)
        order = [0, 1, 2, 3] if axis == 0 else [0, 2, 1, 3]
        padded = tf.pad(tf.transpose(images, order), [[0, 0], [1, 1], [0, 0], [0, 0]])
        images = tf.transpose(tf.gather_nd(padded, places[..., None], batch_dims=1), order)
    grid = [tf.range(batch)[:, None, None]]
    for axis, size in enumerate((height, width)):
        start = _whole(draws, "cutout", axis, batch, size + 1 - size // 2 % 2) - size // 4
        along = tf.clip_by_value(start[:, None] + tf.range(size // 2)[None], 0, size - 1)
        grid.append(along[:, :, None] if axis == 0 else along[:, None, :])
    shape = [batch, height // 2, width // 2]
    where = tf.stack([tf.broadcast_to(each, shape) for each in grid], axis=-1)
    mask = tf.maximum(1.0 - tf.scatter_nd(where, tf.ones(shape), [batch, height, width]), 0.0)
    return images * mask[..., None]


def _whole(draws: Draws, name: str, axis: int, batch: int, count: int) -> Any:
    """0 to count - 1, one a sample."""
    if draws:
        return tf.cast(tf.floor(draws[name][:, axis] * count), tf.int32)
    return tf.random.uniform([batch], 0, count, tf.int32)


def library_diff_augment() -> Maker:
    """DiffAugment of ganmedic."""
    augment = augmentation.get("diff_augment")
    return with_augmentation(lambda images, draws: augment.apply(images, draws) if draws else augment(images))


def library_adaptive(probability: float) -> Maker:
    """Adaptive augmentation of ganmedic at a probability, which is observed on."""
    # A change of p in so many images that it stays what it is.
    augment = augmentation.get("adaptive", initial_probability=probability, images=1e12)
    loss = losses.get("non_saturating")
    return with_augmentation(
        lambda images, draws: augment(images), lambda scores: augment.observe(loss, scores, tf.zeros_like(scores))
    )


# --- the rows ---------------------------------------------------------------------------------------------------------


def no_draws(game: Game, real: Any, codes: Any) -> Draws | None:
    return None


def epsilons(game: Game, real: Any, codes: Any) -> Draws:
    return {"epsilon": tf.random.uniform([len(real)])}


def uniform_like_real(game: Game, real: Any, codes: Any) -> Draws:
    return {"noise": tf.random.uniform(real.shape)}


def normal_like_real(game: Game, real: Any, codes: Any) -> Draws:
    return {"noise": tf.random.normal(real.shape)}


def normal_like_codes(game: Game, real: Any, codes: Any) -> Draws:
    return {"noise": tf.random.normal(codes.shape)}


def diff_augment_draws(game: Game, real: Any, codes: Any) -> Draws:
    return augmentation.get("diff_augment").draw(real)


def unwrapped(layer: Any) -> Any:
    return layer


@dataclass
class Row:
    """One correction.

    Attributes:
        name: kind/name.
        hand, library: make the maker of each form, anew for each network; `hand` None where there is none.
        draws: of (game, real, codes), what is drawn beforehand for the comparison.
        compared: whether both forms are to give the same gradients.
        networks: which it is for.
        period: steps after which its cost repeats; a block holds whole ones.
        wraps: what is put around the discriminator's layers in each form.
    """

    name: str
    hand: Callable[[], Maker] | None
    library: Callable[[], Maker]
    draws: Callable[[Game, Any, Any], Draws | None] = no_draws
    compared: bool = True
    networks: tuple[str, ...] = (IMAGES, POINTS)
    period: int = 1
    wraps: tuple[Callable[[Any], Any], Callable[[Any], Any]] = (unwrapped, unwrapped)


def penalty_row(name: str, hand: Maker, *made: Callable[[], Any], joint: bool = False, **others: Any) -> Row:
    return Row(f"penalty/{name}", lambda: hand, lambda: library_penalty(*made, joint=joint), **others)


def clip_row(name: str, hand: Maker, clip: str, *arguments: Any, **options: Any) -> Row:
    return Row(f"clip/{name}", lambda: hand, lambda: library_update(clip, *arguments, **options))


def made(name: str, *arguments: Any, **options: Any) -> Callable[[], Any]:
    """Makes a penalty, anew each time: some remember."""
    return lambda: penalties.get(name, *arguments, **options)


R1, R2 = made("r1", GAMMA), made("r2", GAMMA)

ROWS = (
    Row("plain", lambda: plain, lambda: plain),
    *(Row(f"loss/{name}", hand, partial(library_loss, name)) for name, hand in HAND_LOSSES.items()),
    penalty_row("r1", with_penalty(r1), R1),
    penalty_row("r1 joint", with_penalty(r1), R1, joint=True),
    penalty_row("r1 / passes shared by hand", shared("real"), R1),
    penalty_row("r1+r2", with_penalty(r1_and_r2), R1, R2),
    penalty_row("r1+r2 joint", with_penalty(r1_and_r2), R1, R2, joint=True),
    penalty_row("r1+r2 / passes shared by hand", shared("both"), R1, R2),
    penalty_row("lazy r1, every 4", lazy_r1, lambda: penalties.Lazy(R1(), EVERY), period=EVERY),
    penalty_row("gradient_penalty", with_penalty(wgan_gp), made("gradient_penalty", LAMBDA), draws=epsilons),
    penalty_row("dragan", with_penalty(dragan), made("dragan", LAMBDA), draws=uniform_like_real),
    penalty_row("roth", with_penalty(roth), made("roth", GAMMA)),
    penalty_row("lecam", lecam, made("lecam", LAMBDA, decay=DECAY, start=0)),
    penalty_row("consistency", with_penalty(consistency), made("consistency", LAMBDA, augment=transformed)),
    penalty_row(
        "balanced_consistency",
        with_penalty(balanced_consistency),
        made("balanced_consistency", LAMBDA, LAMBDA, augment=transformed),
    ),
    penalty_row(
        "latent_consistency",
        latent_consistency,
        made("latent_consistency", LAMBDA, 0.5, SPREAD),
        draws=normal_like_codes,
    ),
    penalty_row("path_length", path_length, made("path_length", GAMMA), draws=normal_like_real),
    penalty_row("consensus", consensus, made("consensus", GAMMA)),
    clip_row("value", clipped(lambda g, v: [tf.clip_by_value(each, -VALUE, VALUE) for each in g]), "value", VALUE),
    clip_row("norm", clipped(lambda g, v: [tf.clip_by_norm(each, NORM) for each in g]), "norm", NORM),
    clip_row(
        "global_norm", clipped(lambda g, v: tf.clip_by_global_norm(g, GLOBAL_NORM)[0]), "global_norm", GLOBAL_NORM
    ),
    clip_row("adaptive", clipped(unit_by_unit), "adaptive", UNIT),
    clip_row("auto", by_history, "auto", PERCENTILE),
    clip_row("weights", weights_clipped, "weights", WEIGHT, players=1),
    Row("clip/weights by constrain", lambda: weights_clipped, lambda: library_constraint),
    Row("other/update alone", lambda: plain, library_update),
    Row("other/guard / check_numerics", lambda: clipped(numerics_checked), partial(library_update, guarded=True)),
    Row("other/guard / if all finite", lambda: where_finite, partial(library_update, guarded=True)),
    Row("other/moving average", lambda: averaged_weights, lambda: library_average),
    Row(
        "other/spectral normalisation",
        lambda: plain,
        lambda: plain,
        compared=False,  # Keras writes the normalised kernel back, and its gradient does not know of sigma
        wraps=(keras.layers.SpectralNormalization, layers.SpectralNormalization),
    ),
    Row(
        "other/diff_augment",
        lambda: with_augmentation(brightness_shift_and_hole),
        library_diff_augment,
        draws=diff_augment_draws,
        networks=(IMAGES,),
    ),
    *(
        Row(f"other/adaptive at p = {p:g}", None, partial(library_adaptive, p), compared=False, networks=(IMAGES,))
        for p in (0.0, 0.3)
    ),
)


# --- the same? --------------------------------------------------------------------------------------------------------


@dataclass
class Player:
    """A form at work: its networks, its step, and a word where it fails."""

    game: Game
    form: Form
    step: Callable[..., Any]
    error: str | None = None

    def call(self, *inputs: Any) -> Any:
        """One step; None, and `error`, where it fails."""
        if self.error is None:
            try:
                return self.step(*inputs)
            except Exception as error:  # whatever TensorFlow or XLA cannot do is a result
                self.error = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
        return None


def player(network: str, make: Maker, mode: dict[str, Any] | None, wrap: Callable[[Any], Any] = unwrapped) -> Player:
    """Builds a form; `mode` are the arguments of `tf.function`, None for eager steps."""
    game = Game(network, wrap)
    form = make(game)
    step = step_of(game, form)
    return Player(game, form, step if mode is None else tf.function(step, **mode))


def inputs_of(network: str, seed: int) -> tuple[Any, Any]:
    """A batch of real samples, and of latent codes."""
    batch, size, shape = SIZES[network]
    real = tf.random.stateless_uniform((batch, *shape), (seed, 1), -1.0, 1.0)
    return real, tf.random.stateless_normal((batch, size), (seed, 2))


def difference(row: Row, network: str, players: Sequence[Player]) -> float:
    """How far apart the forms are, 1 being what float32 may do; infinite where a gradient is zero, and nothing is compared."""
    worst = 0.0
    for one in players:
        for optimizer in one.game.optimizers:
            optimizer.learning_rate = 0.0
    for seed in range(CHECKED_STEPS):
        real, codes = inputs_of(network, seed)
        draws = row.draws(players[0].game, real, codes)
        seen = []
        for one in players:
            one.call(real, codes, draws)
            if one.error is not None:
                return math.inf
            seen.append((one.game.momenta(), [np.asarray(each) for each in one.form.results()]))
            for variable in (*one.game.variables[0], *one.game.variables[1]):
                variable.assign(1.05 * tf.convert_to_tensor(variable))
        for expected, found in zip(*seen, strict=True):
            worst = max(worst, _apart(expected, found))
    for one in players:
        for optimizer in one.game.optimizers:
            optimizer.learning_rate = STILL
    return worst


def _apart(expected: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> float:
    if len(expected) != len(found):
        return math.inf
    whole = math.sqrt(sum(float(np.square(each, dtype=np.float64).sum()) for each in expected))
    if expected and not whole > 0.0:
        return math.inf
    worst = 0.0
    for one, other in zip(expected, found, strict=True):
        off, size = np.linalg.norm(one - other), np.linalg.norm(one)
        ratio = off / (OF_ONE * size + OF_ALL * whole)
        worst = max(worst, math.inf if math.isnan(ratio) else float(ratio))
    return worst


# --- measuring --------------------------------------------------------------------------------------------------------


def cpu_seconds() -> float:
    """CPU time of all threads of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def block(one: Player, inputs: tuple[Any, Any], steps: int) -> tuple[float, float]:
    """CPU and wall seconds a step."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    for _ in range(steps):
        result = one.step(*inputs)
    float(result)
    return (cpu_seconds() - cpu) / steps, (time.perf_counter() - wall) / steps


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


@dataclass
class Found:
    """What was found for a row on one network.

    Attributes:
        ratios: `cpu` or `wall`, and `hand` or `plain`, joined by a space -> median and quartiles of library's time over it.
        milliseconds: CPU, of each form.
        same: yes, no or -.
        apart: how far apart the gradients are, in units of the tolerance.
        notes: of forms that fail.
    """

    network: str
    row: str
    ratios: dict[str, dict[str, float]] = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)
    same: str = NOT_COMPARED
    apart: float | None = None
    notes: list[str] = field(default_factory=list)
    failed: bool = False


def examine(row: Row, network: str, bare: Player, steps: int, rounds: int, mode: dict[str, Any] | None) -> Found:
    """Compares and times the forms of a row."""
    found = Found(network, row.name)
    forms = {"plain": bare}
    if row.hand is not None:
        forms["hand"] = player(network, row.hand(), mode, row.wraps[0])
    forms["library"] = player(network, row.library(), mode, row.wraps[1])
    if row.compared and "hand" in forms:
        found.apart = difference(row, network, [forms["hand"], forms["library"]])
        found.same = YES if found.apart <= 1.0 else NO
    inputs = inputs_of(network, 0)
    for one in forms.values():
        for _ in range(3):
            one.call(*inputs)
    for name in [name for name, one in forms.items() if one.error is not None]:
        found.notes.append(f"the {name} form fails: {forms.pop(name).error}")
        found.same, found.apart = NOT_COMPARED, None
        found.failed = found.failed or name == "library"
    gc.collect()
    steps = row.period * math.ceil(steps / row.period)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in forms}
    order = list(forms)
    for number in range(rounds):
        turn = number % len(order)
        for name in order[turn:] + order[:turn]:
            times[name].append(block(forms[name], inputs, steps))
    for name in forms:
        found.milliseconds[name] = 1e3 * statistics.median(cpu for cpu, _ in times[name])
    for place, kind in enumerate(("cpu", "wall")):
        for other in ("hand", "plain"):
            if "library" in forms and other in forms:
                pairs = zip(times["library"], times[other], strict=True)
                found.ratios[f"{kind} {other}"] = spread([mine[place] / its[place] for mine, its in pairs])
    return found


# --- showing ----------------------------------------------------------------------------------------------------------


def machine(threads: int, how: str) -> str:
    """The machine and the versions, in a line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = named[0] if named else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{model}, {cores} cores, load {os.getloadavg()[0]:.1f}; TensorFlow {tf.__version__} "
        f"({threads or 'default'} thread{'s' if threads != 1 else ''}, {how}), Keras {keras.__version__}, "
        f"NumPy {np.__version__}, Python {platform.python_version()}, ganmedic {getattr(ganmedic, '__version__', '?')}"
    )


def line_of(found: Found) -> str:
    """The row of the table."""

    def cell(name: str) -> str:
        one = found.ratios.get(name)
        return f"{'-':>21}" if one is None else f"{one['median']:7.3f} [{one['low']:5.3f} {one['high']:5.3f}]"

    def short(name: str) -> str:
        return f"{found.ratios[name]['median']:6.2f}" if name in found.ratios else f"{'-':>6}"

    name = found.row.replace("relativistic_average", "rel_average")
    cells = [f"{name:37}", cell("cpu hand"), cell("cpu plain"), short("wall hand"), short("wall plain"), found.same]
    return " ".join(cells)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="ROW", help="rows whose names are or begin with these")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, help="of turns; 41 unless told, 15 with --quick; 2 at least")
    parser.add_argument("--quick", action="store_true", help="fewer rounds of shorter blocks")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--eager", action="store_true", help="steps outside of a tf.function")
    how.add_argument("--jit", action="store_true", help="steps compiled by XLA")
    parser.add_argument(
        "--threads", type=int, default=1, help="of each of TensorFlow's pools; 0 leaves it to TensorFlow"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    args = parser.parse_args(arguments)
    rows = [row for row in ROWS if not args.only or row.name.startswith(tuple(args.only))]
    if not rows:
        parser.error(f"no row begins with {' or '.join(args.only)}; there are {', '.join(row.name for row in ROWS)}")
    rounds = args.rounds or (15 if args.quick else 41)
    if rounds < 2:
        parser.error(f"--rounds is {rounds}; 2 at least are expected, for quartiles")
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    tf.get_logger().setLevel("ERROR")
    mode = None if args.eager else {"jit_compile": True} if args.jit else {}
    told = machine(args.threads, "eager" if args.eager else "tf.function, XLA" if args.jit else "tf.function")
    print(textwrap.fill(told, 110))
    began = time.monotonic()
    results: list[Found] = []
    for network in args.networks:
        bare, inputs = player(network, plain, mode), inputs_of(network, 0)
        for _ in range(3):
            bare.step(*inputs)
        each = block(bare, inputs, 8)[0]
        steps = max(1, round((0.08 if args.quick else 0.2) / each))
        count = sum(math.prod(variable.shape) for variables in bare.game.variables for variable in variables)
        print(
            f"\n{network}: {count / 1e6:.2f} million parameters, batch {SIZES[network][0]}; a plain step takes "
            f"{each * 1e3:.2f} ms of CPU time; {rounds} rounds of {steps} steps\n"
            f"{'':37}   CPU time of the library's step over      wall time over\n"
            f"{'':37}  the hand-written one        the plain one   hand  plain same"
        )
        for row in rows:
            if network in row.networks:
                results.append(examine(row, network, bare, steps, rounds, mode))
                print(line_of(results[-1]), flush=True)
                for note in results[-1].notes:
                    print(textwrap.fill(note, 110, initial_indent="    ", subsequent_indent="    "))
                gc.collect()
        if args.json:
            data = {"machine": told, "rows": [vars(each) for each in results]}
            args.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
    differing = [f"{each.row} ({each.network})" for each in results if each.same == NO]
    compared = sum(each.same != NOT_COMPARED for each in results)
    print(f"\n{compared - len(differing)} of {compared} pairs give the same gradients", end="")
    print(f"; not {', '.join(differing)}" if differing else "")
    print(f"{len(results)} rows, {time.monotonic() - began:.0f} s")
    return int(bool(differing) or any(each.failed for each in results))


if __name__ == "__main__":
    sys.exit(main())
