"""The gradient reaches a generator's first layer, as ganmedic itself measures it: at the output of every layer with weights."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganmedic
from ganmedic import networks, objectives
from ganmedic.analysis.vitals import Vitals
from ganmedic.causes.table import CAUSES

pytestmark = pytest.mark.tensorflow

BATCH = 4
#: A stack that fades loses a factor of 3 and more at each layer (see `ganmedic explain depth-attenuation`). Over the 4 to 14 layers
#: of these generators that is 27 to a million; a tenth to ten times is what single layers differ by.
COMPARABLE = 10.0


@dataclass(frozen=True)
class Flow:
    """What one examination measured of a generator.

    Attributes:
        pulls: norm of the gradient at the output of each layer, first to last.
        answers: of each kernel, the norm of its gradient times its own: what the loss does when the kernel grows by a share. It is
            the same whether a layer stores its kernel or a multiple of it.
        causes: what was found.
    """

    pulls: dict[str, float]
    answers: dict[str, float]
    causes: set[str]


def measured(name: str, **options: Any) -> Flow:
    pair = networks.get(name, seed=1, **options)
    generator, discriminator = pair.generator, pair.discriminator
    random = np.random.default_rng(0)
    real = tf.constant(random.normal(size=(BATCH, *pair.sample_shape)).astype("float32"))
    optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.0) for _ in range(2)]

    def objective() -> Any:
        latents = tf.constant(random.normal(size=(BATCH, pair.latent_size)).astype("float32"))
        fake = generator(latents, training=True)
        return objectives.generator_objective("relativistic", discriminator, real, fake).total

    # After a step, the residual blocks that start as the identity are so no more.
    with tf.GradientTape(persistent=True) as tape:
        loss = objective()
        opposite = -loss
    for optimizer, target, model in zip(optimizers, (loss, opposite), (generator, discriminator), strict=True):
        optimizer.apply(tape.gradient(target, model.trainable_variables), model.trainable_variables)
    with ganmedic.watch(preset="full") as examination:
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = objective()
            variables = generator.trainable_variables
            optimizers[0].apply(tape.gradient(loss, variables), variables)
    vitals = Vitals.of(examination.record)
    player = next(one for one in vitals.players if {"generator"} & {one.net.role, one.net.name})
    names = {number: row.name for number, row in examination.record.variables.items()}
    assert player.last is not None
    pulls = {
        names[layer.variable]: layer.pull for layer in vitals.layers(player.last) if layer.net.name == player.net.name
    }
    norms, weights = player.series.of("norm")[-1], player.series.of("weight")[-1]
    answers = {
        names[variable]: float(norm * weight)
        for variable, norm, weight in zip(player.series.variables, norms, weights, strict=True)
        if names[variable].endswith("kernel")
    }
    diagnosis = examination.diagnosis()
    assert not diagnosis.tool_errors
    return Flow(pulls, answers, {finding.cause for finding in diagnosis.findings})


def share(numbers: dict[str, float], first: str, last: str) -> float:
    found = [next(value for name, value in numbers.items() if part in name) for part in (first, last)]
    return found[0] / found[1]


@pytest.mark.parametrize(
    ("name", "options", "first", "last"),
    [
        ("dcgan", {"resolution": 64, "width": 16}, "to_4/", "to_64/"),
        ("resnet", {"resolution": 16, "width": 8, "blocks": 1}, "scales/", "colours/"),
        ("style", {"resolution": 16, "width": 8, "mapping_layers": 4}, "mapping_1/", "colours_16/kernel"),
        ("dense", {"shape": (2,), "depth": 8}, "hidden_1/", "entries/"),
    ],
)
def test_first_layer_of_the_generator_gets_as_much_as_the_last(name: str, options: Any, first: str, last: str):
    flow = measured(name, **options)
    assert 1 / COMPARABLE < share(flow.pulls, first, last) < COMPARABLE, flow.pulls
    assert 1 / COMPARABLE < share(flow.answers, first, last) < COMPARABLE, flow.answers
    assert all(np.isfinite(value) and value > 0 for value in (*flow.pulls.values(), *flow.answers.values()))
    causes = [importlib.import_module(f"ganmedic.causes.{cause}") for cause in CAUSES]
    vanishing = {cause.SLUG for cause in causes if cause.FAMILY in ("vanishing", "exploding")}
    assert len(vanishing) > 5
    assert not flow.causes & vanishing


def test_small_weights_without_normalisation_lose_it():
    flow = measured(
        "dcgan", resolution=64, width=16, generator_normalisation="none", initial_spread=0.02, latent_size=16
    )
    assert share(flow.pulls, "to_4/", "to_64/") < 1e-3, flow.pulls
