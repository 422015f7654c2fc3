"""Every penalty by the same measure."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from modes import assert_same_in_every_mode, numeric_error, retraces

import devices
from ganmedic import losses, penalties

pytestmark = pytest.mark.tensorflow
RANDOM = np.random.default_rng(1)
REAL, FAKE, LATENTS = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 2))
#: What stands for the numbers a penalty draws.
DRAWS = {
    "gradient_penalty": {"epsilon": RANDOM.uniform(size=6)},
    "one_sided_gradient_penalty": {"epsilon": RANDOM.uniform(size=6)},
    "dragan": {"noise": RANDOM.uniform(size=(6, 3))},
    "path_length": {"noise": RANDOM.normal(size=(6, 3))},
    "latent_consistency": {"noise": RANDOM.normal(size=(6, 2))},
}


@keras.saving.register_keras_serializable(package="tests")
def shift(samples: Any) -> Any:
    """An augmentation of points."""
    return samples + 0.3


OPTIONS: dict[str, dict[str, Any]] = {
    "gradient_penalty": {"weight": 2.0, "drift": 0.5},
    "one_sided_gradient_penalty": {"weight": 2.0, "target": 0.1},
    "lecam": {"weight": 0.5, "start": 0},
    "consistency": {"weight": 3.0, "augment": shift},
    "balanced_consistency": {"weight": 3.0, "fake_weight": 2.0, "augment": shift},
    "path_length": {"weight": 2.0, "decay": 0.5},
}
every_penalty = pytest.mark.parametrize("name", penalties.names())


def made(name: str) -> penalties.Penalty:
    if name == "lazy":
        return penalties.get(name, penalties.get("r1", 1.0), every=2)
    return penalties.get(name, **OPTIONS.get(name, {"weight": 2.0}))


def networks(dtype: str = "float32") -> tuple[keras.Model, keras.Model]:
    """A discriminator of points and a generator, smooth, always the same."""
    keras.utils.set_random_seed(3)
    discriminator = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(5, activation="softplus", dtype=dtype),
            keras.layers.Dense(1, dtype=dtype),
        ]
    )
    generator = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(4, activation="tanh", dtype=dtype), keras.layers.Dense(3, dtype=dtype)]
    )
    return discriminator, generator


def value_and_gradients(penalty: penalties.Penalty, name: str, dtype: str = "float32", **given: Any) -> Any:
    """A function of real, generated samples and latents: the penalty, and its gradient by the weights of its player."""
    discriminator, generator = given.get("networks") or networks(dtype)

    def function(real: Any, fake: Any, latents: Any) -> Any:
        draws = {
            key: tf.cast(value, latents.dtype) for key, value in DRAWS.get(name, {}).items() if not given.get("drawn")
        }
        with tf.GradientTape() as tape:
            value = penalty(
                discriminator,
                real,
                fake,
                generator=generator,
                latents=latents,
                loss=losses.get("non_saturating"),
                **draws,
            )
        player = generator if penalty.player == "generator" else discriminator
        weights = [variable.value for variable in player.trainable_variables]
        return value, tape.gradient(value, weights, unconnected_gradients="zero")

    return function


def batches(dtype: str = "float32", scale: float = 1.0) -> list[tf.Tensor]:
    return [tf.constant(scale * batch, dtype) for batch in (REAL, FAKE, LATENTS)]


@every_penalty
def test_config_round_trip(name: str) -> None:
    penalty = made(name)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(penalty))
    assert type(again) is type(penalty)
    assert again.get_config() == penalty.get_config()
    first, second = (value_and_gradients(each, name)(*batches())[0] for each in (penalty, again))
    assert float(first) == float(second)


@every_penalty
def test_weight_follows_a_schedule_that_is_checkpointed(name: str, tmp_path: Any) -> None:
    if name == "lazy":
        pytest.skip("its weight is that of the penalty inside")
    schedule = keras.optimizers.schedules.PolynomialDecay(1.0, 2, 0.0)
    options = {**OPTIONS.get(name, {}), "weight": schedule}
    if name == "lecam":
        options["decay"] = 0.0
    penalty = penalties.get(name, **{**options, **({"drift": 0.0} if name == "gradient_penalty" else {})})
    if name == "balanced_consistency":
        penalty = penalties.get(name, **{**options, "fake_weight": 0.0})
    function = value_and_gradients(penalty, name)
    first = float(function(*batches())[0])
    path = tf.train.Checkpoint(penalty=penalty).save(str(tmp_path / "penalty"))
    half = float(function(*batches())[0])
    assert float(function(*batches())[0]) == 0.0
    tf.train.Checkpoint(penalty=penalty).restore(path)
    again = float(function(*batches())[0])
    assert again == half != 0.0
    if name != "path_length":  # whose average moves
        assert half == pytest.approx(first / 2, rel=1e-5)


@every_penalty
def test_same_in_every_mode(name: str) -> None:
    def make() -> Any:
        keras.utils.set_random_seed(7)  # the seeds of what a penalty draws
        return value_and_gradients(made(name), name, drawn=True)

    assert_same_in_every_mode(make, *batches(), rtol=1e-4, atol=1e-5)


@every_penalty
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_near_full(name: str, policy: str) -> None:
    full = value_and_gradients(made(name), name)(*batches())[0]
    half, gradients = value_and_gradients(made(name), name, policy)(*batches())
    assert half.dtype == tf.float32
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert float(half) == pytest.approx(float(full), rel=0.1, abs=2e-2)


@every_penalty
@pytest.mark.parametrize("scale", [1e4, -1e4, 0.0])
def test_extreme_samples_are_finite(name: str, scale: float) -> None:
    value, gradients = value_and_gradients(made(name), name)(*batches(scale=scale))
    assert np.isfinite(value)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@every_penalty
def test_a_gradient_of_zero_has_finite_derivatives(name: str) -> None:
    discriminator, generator = networks()
    for network in (discriminator, generator):
        network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])
    value, gradients = value_and_gradients(made(name), name, networks=(discriminator, generator))(*batches())
    assert np.isfinite(value)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@every_penalty
def test_is_traced_once(name: str) -> None:
    assert retraces(value_and_gradients(made(name), name), *batches()) == 0


class Smooth(tf.Module):
    """A network of weights that are handed over, so that one can differentiate by them numerically."""

    def __init__(self, first: Any, bias: Any, last: Any) -> None:
        super().__init__()
        self.trainable_parts = (first, bias, last)

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        return self.trainable_parts

    def __call__(self, samples: Any) -> Any:
        first, bias, last = self.trainable_parts
        return tf.nn.softplus(samples @ first + bias) @ last


@every_penalty
def test_gradients_against_finite_differences(name: str) -> None:
    if name == "consensus":
        pytest.skip("it differentiates by variables of its own; test_consensus holds it against a closed form")
    judge, maker = [(3, 4), (4,), (4, 1)], [(2, 4), (4,), (4, 3)]
    options = OPTIONS.get(name, {"weight": 2.0})
    if name == "path_length":
        options = {"weight": 2.0, "decay": 1e-15}  # an average that stands still between two evaluations
    penalty = (
        penalties.get(name, penalties.get("r1", 1.0), every=1) if name == "lazy" else penalties.get(name, **options)
    )
    penalty(
        Smooth(*random_weights(judge)),
        *[tf.constant(b) for b in (REAL, FAKE)],
        generator=Smooth(*random_weights(maker)),
        latents=tf.constant(LATENTS),
    )
    fixed = Smooth(*random_weights(maker if penalty.player != "generator" else judge))
    draws = {key: tf.constant(value) for key, value in DRAWS.get(name, {}).items()}

    def function(*parts: Any) -> Any:
        networks = (Smooth(*parts), fixed) if penalty.player != "generator" else (fixed, Smooth(*parts))
        # Not in training: the averages of lecam stand still.
        return penalty(
            networks[0],
            tf.constant(REAL),
            tf.constant(FAKE),
            generator=networks[1],
            latents=tf.constant(LATENTS),
            training=name != "lecam",
            **draws,
        )

    assert numeric_error(function, *random_weights(judge if penalty.player != "generator" else maker)) < 1e-6


def random_weights(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    random = np.random.default_rng(11)
    return [random.normal(size=shape) for shape in shapes]


@every_penalty
def test_replicas_train_as_one(name: str) -> None:
    real, fake, latents = (batch.astype(np.float32) for batch in (REAL, FAKE, LATENTS))
    draws = DRAWS.get(name, {})
    alone = made(name)
    discriminator, generator = networks()
    extras = {"generator": generator, "loss": losses.get("non_saturating")}
    wanted = [float(alone(discriminator, real, fake, latents=latents, **extras, **draws)) for _ in range(2)]
    strategy = devices.mirrored()
    with strategy.scope():
        discriminator, generator = networks()
        together = made(name)
    extras["generator"] = generator
    parts = [devices.split(strategy, batch) for batch in (real, fake, latents)]
    drawn = {key: devices.split(strategy, value.astype(np.float32)) for key, value in draws.items()}

    @tf.function
    def step(r: Any, f: Any, z: Any, d: dict[str, Any]) -> Any:
        return strategy.run(
            lambda a, b, c, e: together(discriminator, a, b, latents=c, **extras, **e), args=(r, f, z, d)
        )

    found = [float(strategy.reduce("MEAN", step(*parts, drawn), axis=None)) for _ in range(2)]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
