"""What holds for every pair, over one table: files, precision, tracing, second derivatives, labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic import networks, objectives, penalties

pytestmark = pytest.mark.tensorflow

BATCH, CLASSES = 4, 3
TABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "dcgan": ("dcgan", {"resolution": 16, "width": 16}),
    "dcgan_group": (
        "dcgan",
        {"resolution": 16, "width": 32, "normalisation": "group", "generator_normalisation": "pixel", "kernel_size": 5},
    ),
    "dense": ("dense", {"shape": (3,), "width": 16}),
    "resnet": ("resnet", {"resolution": 16, "width": 16, "blocks": (1, 1, 2)}),
    "style": ("style", {"resolution": 16, "width": 16, "mapping_layers": 2}),
    "style_residual": (
        "style",
        {
            "resolution": 16,
            "width": 16,
            "width_base": 128,
            "mapping_layers": 1,
            "architecture": "residual",
            "noise": False,
            "minibatch_group": None,
            "channels": 1,
        },
    ),
}


@pytest.fixture(params=list(TABLE))
def entry(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["dcgan", "dense", "resnet", "style"])
def plain_entry(request: pytest.FixtureRequest) -> str:
    """The networks without their variants, where those would only take time."""
    return str(request.param)


@pytest.fixture
def policy() -> Iterator[Any]:
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def made(entry: str, **options: Any) -> networks.Networks:
    name, arguments = TABLE[entry]
    return networks.get(name, **{"output": "tanh", "seed": 2, **arguments, **options})


def drawn(pair: networks.Networks) -> tuple[Any, Any, Any]:
    """Latents, real samples and labels."""
    random = np.random.default_rng(5)
    latents = random.normal(size=(BATCH, pair.latent_size)).astype("float32")
    real = random.uniform(-1.0, 1.0, size=(BATCH, *pair.sample_shape)).astype("float32")
    return tf.constant(latents), tf.constant(real), tf.constant([0, 1, 2, 1])


def awakened(pair: networks.Networks, steps: int = 2) -> None:
    """A few steps, after which nothing is zero that was so at the start."""
    latents, real, labels = drawn(pair)
    given = (latents, real) if not pair.conditional else ([latents, labels], [real, labels])
    optimizers = [keras.optimizers.Adam(1e-2) for _ in range(2)]
    for _ in range(steps):
        with tf.GradientTape(persistent=True) as tape:
            fake = pair.generator(given[0], training=True)
            fake = fake if not pair.conditional else [fake, labels]
            scores = pair.discriminator(given[1], training=True), pair.discriminator(fake, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(scores[1] - scores[0]))
            opposite = tf.reduce_mean(tf.nn.softplus(scores[0] - scores[1]))
        for optimizer, target, model in zip(
            optimizers, (loss, opposite), (pair.discriminator, pair.generator), strict=True
        ):
            optimizer.apply(tape.gradient(target, model.trainable_variables), model.trainable_variables)


def test_file_round_trip_with_labels(entry: str, tmp_path: Path):
    pair = made(entry, classes=CLASSES)
    awakened(pair, 1)
    latents, real, labels = drawn(pair)
    for model, first in ((pair.generator, latents), (pair.discriminator, real)):
        model.save(tmp_path / f"{model.name}.keras")
        loaded = keras.saving.load_model(tmp_path / f"{model.name}.keras")
        for training in (False, True):
            expected = model([first, labels], training=training)
            np.testing.assert_array_equal(loaded([first, labels], training=training), expected)


@pytest.mark.parametrize("half", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_is_finite_and_ends_in_float32(plain_entry: str, half: str, policy: Any):
    exact = made(plain_entry)
    policy(half)
    pair = made(plain_entry)
    latents, real, _ = drawn(pair)
    # The same weights: they are drawn in float32 under either policy.
    for one, other in zip(pair.generator.weights, exact.generator.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    samples = pair.generator(latents, training=True)
    np.testing.assert_allclose(samples, exact.generator(latents, training=True), atol=0.15)
    with tf.GradientTape(persistent=True) as tape:
        fake = pair.generator(latents, training=True)
        judged = objectives.discriminator_objective(
            "relativistic", pair.discriminator, real, fake, penalties=[penalties.get("r1", 1.0)]
        )
        opposite = objectives.generator_objective("relativistic", pair.discriminator, real, fake)
    assert samples.dtype == judged.real_scores.dtype == tf.float32
    half_layers = [one for one in pair.discriminator.layers if one.compute_dtype == half.removeprefix("mixed_")]
    assert len(half_layers) >= 3
    for target, model in ((judged.total, pair.discriminator), (opposite.total, pair.generator)):
        gradients = tape.gradient(target, model.trainable_variables, unconnected_gradients="zero")
        assert all(np.isfinite(np.asarray(gradient)).all() for gradient in gradients)
        assert any(np.abs(np.asarray(gradient)).max() > 0 for gradient in gradients)


def test_traced_is_as_eager_without_tracing_again(plain_entry: str):
    pair = made(plain_entry)
    latents, real, _ = drawn(pair)
    traces = []

    def gradients(latents: Any, real: Any) -> list[Any]:
        traces.append(1)
        with tf.GradientTape() as tape:
            fake = pair.generator(latents, training=True)
            total = objectives.generator_objective("relativistic", pair.discriminator, real, fake).total
        variables = [*pair.generator.trainable_variables, *pair.discriminator.trainable_variables]
        return [fake, *tape.gradient(total, variables, unconnected_gradients="zero")]

    eager, traced = gradients(latents, real), tf.function(gradients)
    # Of noise in the generator the strength starts at 0, and its gradient depends on what was drawn.
    noisy = {one.path for one in pair.generator.trainable_variables if one.path.endswith("strength")}
    names = ["samples", *(one.path for one in pair.generator.trainable_variables)]
    names += [one.path for one in pair.discriminator.trainable_variables]
    for name, one, other in zip(names, eager, traced(latents, real), strict=True):
        if name not in noisy:
            np.testing.assert_allclose(other, one, rtol=2e-3, atol=2e-5 * (1 + np.abs(one).max()), err_msg=name)
    before = len(traces)
    traced(latents, real)
    assert len(traces) == before


def test_penalty_reaches_every_kernel_of_the_discriminator(entry: str):
    pair = made(entry)
    _, real, _ = drawn(pair)
    r1 = penalties.get("r1", 1.0)

    def sizes() -> dict[str, float]:
        with tf.GradientTape() as tape:
            value = r1(pair.discriminator, real)
        kernels = [one for one in pair.discriminator.trainable_variables if len(one.shape) > 1]
        gradients = tape.gradient(value, kernels)
        return {one.path: float(tf.norm(gradient)) for one, gradient in zip(kernels, gradients, strict=True)}

    if entry == "resnet":
        # Each block starts as the identity, and its first two kernels without a gradient.
        silent = [name for name, size in sizes().items() if size == 0.0]
        assert len(silent) == 2 * 4
        assert all("wider" in name or "grouped" in name for name in silent)
    awakened(pair)
    found = sizes()
    assert all(np.isfinite(size) and size > 0 for size in found.values()), found


def test_labels_matter_and_are_learned_from(entry: str):
    pair = made(entry, classes=CLASSES)
    latents, real, labels = drawn(pair)
    others = (labels + 1) % CLASSES
    assert pair.conditional
    for model, first in ((pair.generator, latents), (pair.discriminator, real)):
        one, other = model([first, labels], training=True), model([first, others], training=True)
        assert all(np.abs(np.asarray(one - other))[sample].max() > 1e-4 for sample in range(BATCH))
    with tf.GradientTape(persistent=True) as tape:
        fake = pair.generator([latents, labels], training=True)
        score = tf.reduce_sum(pair.discriminator([fake, labels], training=True) ** 2)
    for model in (pair.generator, pair.discriminator):
        table = model.get_layer("class_embedding").embeddings
        gradient = tf.convert_to_tensor(tape.gradient(score, table.value))
        assert (np.abs(np.asarray(gradient)).max(axis=1) > 0).all()


@pytest.mark.parametrize("name", ["dcgan", "dense"])
def test_the_latents_decide_a_sample_before_the_class_does(name: str) -> None:
    kind, arguments = TABLE[name]
    generator = networks.get(kind, **arguments, classes=10, seed=0).generator
    latents = tf.constant(np.random.default_rng(0).normal(size=(100, generator.inputs[0].shape[1])), tf.float32)

    def spread(labels: Any) -> float:
        return float(np.std(generator([latents, tf.constant(labels)], training=True), axis=0).mean())

    assert spread(np.full(100, 3)) > 0.95 * spread(np.arange(100) % 10)
