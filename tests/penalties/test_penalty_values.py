"""Penalties against closed forms, by NumPy."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic import losses, penalties
from ganmedic.penalties import Evaluation

pytestmark = pytest.mark.tensorflow
RANDOM = np.random.default_rng(8)
REAL, FAKE = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(5, 3)) + 1.0
MATRIX = RANDOM.normal(size=(3, 3))
MATRIX = MATRIX + MATRIX.T
OFFSET = RANDOM.normal(size=3)


def discriminator(x: Any) -> Any:
    """D(x) = ½ xᵀMx + bᵀx, in float64."""
    return (0.5 * tf.reduce_sum((x @ MATRIX) * x, axis=1) + tf.reduce_sum(x * OFFSET, axis=1))[:, None]


def score(x: np.ndarray) -> np.ndarray:
    return 0.5 * np.einsum("bi,ij,bj->b", x, MATRIX, x) + x @ OFFSET


def gradient(x: np.ndarray) -> np.ndarray:
    """∇D(x) = Mx + b."""
    return x @ MATRIX + OFFSET


def sigmoid(t: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-t))


def length(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(gradient(x), axis=1)


def test_r1_and_r2() -> None:
    assert float(penalties.get("r1", weight=3.0)(discriminator, REAL)) == pytest.approx(
        1.5 * (length(REAL) ** 2).mean()
    )
    assert float(penalties.get("r2", weight=3.0)(discriminator, None, FAKE)) == pytest.approx(
        1.5 * (length(FAKE) ** 2).mean()
    )


@pytest.mark.parametrize("target", [0.0, 1.0, 2.5])
def test_gradient_penalty(target: float) -> None:
    epsilon = RANDOM.uniform(size=5)
    between = epsilon[:, None] * REAL + (1 - epsilon[:, None]) * FAKE
    scale = target**2 or 1.0
    expected = 7.0 * ((length(between) - target) ** 2).mean() / scale + 0.01 * (score(REAL) ** 2).mean()
    penalty = penalties.get("gradient_penalty", weight=7.0, target=target, drift=0.01)
    assert float(penalty(discriminator, REAL, FAKE, epsilon=epsilon)) == pytest.approx(expected)


def test_one_sided_gradient_penalty_lets_small_gradients_be() -> None:
    epsilon = RANDOM.uniform(size=5)
    between = epsilon[:, None] * REAL + (1 - epsilon[:, None]) * FAKE
    target = float(np.median(length(between)))
    expected = 7.0 * (np.maximum(length(between) - target, 0) ** 2).mean() / target**2
    penalty = penalties.get("one_sided_gradient_penalty", weight=7.0, target=target)
    assert float(penalty(discriminator, REAL, FAKE, epsilon=epsilon)) == pytest.approx(expected)


def test_dragan() -> None:
    noise = RANDOM.uniform(size=REAL.shape)
    moved = REAL + 0.5 * REAL.std() * noise
    expected = 4.0 * ((length(moved) - 1) ** 2).mean()
    assert float(penalties.get("dragan", weight=4.0)(discriminator, REAL, noise=noise)) == pytest.approx(expected)


def test_roth() -> None:
    real = ((1 - sigmoid(score(REAL))) ** 2 * length(REAL) ** 2).mean()
    fake = (sigmoid(score(FAKE)) ** 2 * length(FAKE) ** 2).mean()
    found = penalties.get("roth", weight=3.0)(discriminator, REAL, FAKE)
    assert float(found) == pytest.approx(1.5 * (real + fake))


def test_lecam_takes_up_scores_from_its_start_on() -> None:
    penalty = penalties.get("lecam", weight=2.0, decay=0.5, start=2)
    r, f = score(REAL), score(FAKE)
    assert [float(penalty(discriminator, REAL, FAKE)) for _ in range(2)] == [0.0, 0.0]
    np.testing.assert_allclose([float(a) for a in penalty.averages], [r.mean(), f.mean()], rtol=1e-5)
    found = float(penalty(discriminator, FAKE, REAL))
    real_average, fake_average = (r.mean() + f.mean()) / 2, (f.mean() + r.mean()) / 2
    expected = (np.maximum(f - fake_average, 0) ** 2).mean() + (np.maximum(real_average - r, 0) ** 2).mean()
    assert found == pytest.approx(2.0 * expected, rel=1e-5)
    # Scores that are not finite, and scores in inference, do not enter.
    before = [float(a) for a in penalty.averages]
    penalty(lambda x: discriminator(x) * np.nan, REAL, FAKE)
    penalty(discriminator, REAL, FAKE, training=False)
    assert [float(a) for a in penalty.averages] == before
    with tf.GradientTape() as tape:
        tape.watch(samples := tf.constant(REAL))
        value = penalty(discriminator, samples, FAKE, training=False)
    above = np.maximum(r - before[1], 0)
    np.testing.assert_allclose(tape.gradient(value, samples), 2 * 2 * above[:, None] * gradient(REAL) / 5, rtol=1e-5)


def test_consistency_and_balanced_consistency() -> None:
    def shifted(x: Any) -> Any:
        return x + 0.5

    real = ((score(REAL) - score(REAL + 0.5)) ** 2).mean()
    fake = ((score(FAKE) - score(FAKE + 0.5)) ** 2).mean()
    found = penalties.get("consistency", weight=3.0, augment=shifted)(discriminator, REAL)
    assert float(found) == pytest.approx(3.0 * real)
    both = penalties.get("balanced_consistency", weight=3.0, fake_weight=2.0, augment=shifted)
    assert float(both(discriminator, REAL, FAKE)) == pytest.approx(3.0 * real + 2.0 * fake)


def test_consistency_flips_and_moves_images_and_wants_to_be_told_for_other_data() -> None:
    images = tf.constant(RANDOM.normal(size=(4, 16, 16, 1)), tf.float32)
    penalty = penalties.get("consistency", seed=1)
    assert float(penalty(lambda x: tf.reduce_sum(x, axis=[1, 2, 3])[:, None] * 0.0, images)) == 0.0
    assert float(penalty(lambda x: x[:, 0, 0, :], images)) > 0.0
    with pytest.raises(ValueError, match=r"samples are of shape \(5, 3\); flips and translations need images"):
        penalty(discriminator, REAL)
    with pytest.raises(TypeError, match="augment is 'flip'; a function of a batch is expected"):
        penalties.get("consistency", augment="flip")


def test_latent_consistency() -> None:
    turn, latents, noise = RANDOM.normal(size=(2, 3)), RANDOM.normal(size=(5, 2)), RANDOM.normal(size=(5, 2))

    def generator(z: Any) -> Any:
        return z @ turn

    penalty = penalties.get("latent_consistency", weight=3.0, generator_weight=2.0, spread=0.2)
    here, there = latents @ turn, (latents + 0.2 * noise) @ turn
    found = penalty(discriminator, generator=generator, latents=latents, noise=noise)
    assert float(found) == pytest.approx(3.0 * ((score(here) - score(there)) ** 2).mean())
    found = penalty.of_generator(generator, latents, noise=noise)
    assert float(found) == pytest.approx(-2.0 * ((here - there) ** 2).mean())


def test_path_length() -> None:
    turn, latents = RANDOM.normal(size=(2, 48)), RANDOM.normal(size=(5, 2))
    noise = RANDOM.normal(size=(5, 4, 4, 3))

    def generator(w: Any) -> Any:
        return tf.reshape(tf.tanh(w) @ turn, [-1, 4, 4, 3])

    slope = 1 - np.tanh(latents) ** 2
    lengths = np.linalg.norm(slope * (noise.reshape(5, 48) @ turn.T) / np.sqrt(16), axis=1)
    penalty = penalties.get("path_length", weight=2.0, decay=0.25)
    extras = {"generator": generator, "latents": latents, "noise": noise}
    for average in (0.25 * lengths.mean(), 0.25 * lengths.mean() * 1.75):
        assert float(penalty(None, **extras)) == pytest.approx(2.0 * ((lengths - average) ** 2).mean(), rel=1e-5)


def test_path_length_of_a_latent_for_each_layer_is_their_mean() -> None:
    latents, noise = tf.zeros([2, 3, 4]), tf.ones([2, 1])
    penalty = penalties.get("path_length", weight=1.0, decay=1.0)
    penalty(
        None,
        generator=lambda w: tf.reduce_sum(w * [[[1.0]], [[3.0]]], axis=[1, 2])[:, None],
        latents=latents,
        noise=noise,
    )
    # ‖(1, 1, 1, 1)‖ in each of three layers, and three times that.
    assert float(penalty._average) == pytest.approx((2.0 + 6.0) / 2)


def test_consensus() -> None:
    keras.utils.set_random_seed(0)
    judge = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False, dtype="float64")])
    maker = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, use_bias=False, dtype="float64")])
    latents = RANDOM.normal(size=(5, 2))
    w, v = judge.get_weights()[0], maker.get_weights()[0]
    # Wasserstein: L_D = mean(zVw) - mean(xw), L_G = -mean(zVw).
    z, x = latents.mean(axis=0), REAL.mean(axis=0)

    def half_square(w: np.ndarray, v: np.ndarray) -> float:
        return 0.5 * float(((z @ v - x) ** 2).sum() + (np.outer(z, w[:, 0]) ** 2).sum())

    penalty = penalties.get("consensus", weight=0.3)
    with tf.GradientTape() as tape:
        value = penalty(judge, REAL, generator=maker, latents=latents, loss=losses.get("wasserstein"))
    assert float(value) == pytest.approx(0.3 * half_square(w, v))
    by_judge, by_maker = tape.gradient(value, [judge.trainable_variables[0].value, maker.trainable_variables[0].value])
    np.testing.assert_allclose(by_judge, 0.3 * (z @ z) * w, rtol=1e-6)
    np.testing.assert_allclose(by_maker, 0.3 * np.outer(z, z @ v - x), rtol=1e-6)
    with pytest.raises(ValueError, match="has no trainable_variables; a built Keras network is expected"):
        penalty(discriminator, REAL, generator=maker, latents=latents, loss=losses.get("wasserstein"))
    with pytest.raises(ValueError, match=r"Consensus needs generator; none came\. Call it as penalty"):
        penalty(judge, REAL)


def test_lazy_is_the_same_on_average() -> None:
    always = float(penalties.get("r1", weight=1.0)(discriminator, REAL))
    lazy = penalties.get("lazy", penalties.get("r1", weight=1.0), every=3)
    found = [float(lazy(discriminator, REAL)) for _ in range(6)]
    assert found == pytest.approx([3 * always, 0, 0] * 2)
    with pytest.raises(TypeError, match="penalty is LeCam"):
        penalties.get("lazy", penalties.get("lecam"))
    assert penalties.lazy_optimizer_arguments(0.002, 0.0, 0.99, 16) == pytest.approx(
        {"learning_rate": 0.002 * 16 / 17, "beta_1": 0.0, "beta_2": 0.99 ** (16 / 17)}
    )


def test_lazy_passes_once_when_due_and_reads_only_what_it_needs() -> None:
    passes = []

    def counted(x: Any) -> Any:
        passes.append(1)
        return discriminator(x)

    lazy = penalties.get("lazy", penalties.get("r2", weight=1.0), every=2)
    for _ in range(4):
        lazy(counted, None, FAKE)
    assert len(passes) == 2


@pytest.mark.parametrize("name", ["r1", "r2", "gradient_penalty", "roth", "dragan"])
def test_patches_of_a_sample_are_averaged_as_in_the_loss(name: str) -> None:
    def patches(x: Any) -> Any:
        return tf.tile(discriminator(x)[:, None, None], [1, 6, 6, 1])

    draws = {"gradient_penalty": {"epsilon": np.full(5, 0.3)}, "dragan": {"noise": np.full((5, 3), 0.3)}}.get(name, {})
    whole = penalties.get(name)(discriminator, REAL, FAKE, **draws)
    assert float(penalties.get(name)(patches, REAL, FAKE, **draws)) == pytest.approx(float(whole))


def test_out_of_training_nothing_moves_on() -> None:
    fading = keras.optimizers.schedules.PolynomialDecay(1.0, 4, 0.0)
    penalty = penalties.get("r1", weight=fading)
    values = [float(penalty(discriminator, REAL, training=training)) for training in (False, False, True, True)]
    assert values[0] == values[1] == values[2] > values[3]


def test_the_generators_half_of_a_latent_consistency_is_dispatched() -> None:
    from ganmedic import objectives

    penalty = penalties.get("latent_consistency", seed=0)
    latents = tf.constant(RANDOM.normal(size=(5, 3)))
    extras = {"generator": lambda z: 2.0 * z, "latents": latents, "noise": tf.ones_like(latents)}
    made = objectives.generator_objective("hinge", discriminator, None, FAKE, penalties=[penalty], **extras)
    assert float(made.penalties["LatentConsistency"]) == pytest.approx(-0.5 * (2.0 * 0.05) ** 2)
    judged = objectives.discriminator_objective("hinge", discriminator, REAL, FAKE, penalties=[penalty], **extras)
    assert float(judged.penalties["LatentConsistency"]) > 0


# --- functions around a discriminator ---------------------------------------------------------------------------------


class Gan(keras.Model):
    """Both networks in one model, batch normalisation in the generator only, as is usual."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization(), keras.layers.Dense(3)])
        self.judge = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

    def scores(self, samples: Any, training: bool = False) -> Any:
        return self.judge(samples, training=training)


def test_batch_normalisation_that_the_discriminator_does_not_run_is_no_fault() -> None:
    gan, batch = Gan(), tf.ones([4, 3])
    frozen = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    for judge in (gan.scores, lambda x, training: gan.judge(x, training=training), lambda x: frozen(x, training=False)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert np.isfinite(penalties.get("r1")(judge, batch))
    frozen.layers[0].trainable = False
    assert np.isfinite(penalties.get("r1")(frozen, batch))
    Evaluation(frozen, batch, batch, joint=True)
    assert "call" not in vars(frozen.layers[0])


def test_a_function_that_leaves_the_mode_out_is_warned_of() -> None:
    from ganmedic.layers import SpectralNormalization

    network = keras.Sequential([keras.Input((3,)), SpectralNormalization(keras.layers.Dense(1), name="bounded")])
    with pytest.warns(UserWarning, match="its layer 'bounded' runs in inference mode"):
        penalties.get("r1")(lambda x: network(x), tf.ones([4, 3]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        penalties.get("r1")(lambda x, training: network(x, training=training), tf.ones([4, 3]))
        penalties.get("r1")(lambda x, **options: network(x, **options), tf.ones([4, 3]))
        penalties.get("r1")(network, tf.ones([4, 3]))


# --- one evaluation for several ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("joint", [False, True])
def test_an_evaluation_is_shared(joint: bool) -> None:
    passes = []

    def counted(x: Any) -> Any:
        passes.append(len(x))
        return discriminator(x)

    needs = penalties.get("r1").needs | penalties.get("r2").needs
    shared = Evaluation(counted, REAL, FAKE, needs=needs, joint=joint)
    assert float(penalties.get("r1", 2.0).of(shared)) == pytest.approx((length(REAL) ** 2).mean())
    assert float(penalties.get("r2", 2.0).of(shared)) == pytest.approx((length(FAKE) ** 2).mean())
    np.testing.assert_allclose(shared.real_scores[:, 0], score(REAL))
    np.testing.assert_allclose(shared.fake_scores[:, 0], score(FAKE))
    assert passes == ([10] if joint else [5, 5])


def test_labels_go_with_their_samples() -> None:
    labels, others = RANDOM.normal(size=(5, 1)), RANDOM.normal(size=(5, 1))

    def conditional(inputs: Any) -> Any:
        samples, label = inputs
        return discriminator(samples) * label

    penalty = penalties.get("r2", weight=2.0)
    found = penalty(conditional, None, [FAKE, others])
    assert float(found) == pytest.approx(((length(FAKE) * others[:, 0]) ** 2).mean())
    joint = Evaluation(conditional, (REAL, labels), (FAKE, others), needs=penalty.needs, joint=True)
    assert float(penalty.of(joint)) == pytest.approx(float(found))
    assert float(penalties.get("gradient_penalty")(conditional, (REAL, labels), (FAKE, others))) > 0


def test_samples_of_a_batch_that_influence_each_other_are_not_joined() -> None:
    network = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(name="norm"), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="'norm' lets samples of a batch influence each other"):
        Evaluation(network, tf.ones([2, 3]), tf.ones([2, 3]), joint=True)


def test_a_float16_discriminator_keeps_small_gradients() -> None:
    # 1e-7 is below the smallest normal float16 number, and 2e-8 is nothing to it at all.
    kernel = tf.constant([[2e-8], [1e-7], [1e-7]])

    def half(x: Any) -> Any:
        inner = tf.cast(x, tf.float16)
        return tf.cast(1e-4, tf.float16) * (inner @ tf.cast(kernel * 1e4, tf.float16))

    found = penalties.get("r1", weight=2.0)(half, tf.ones([4, 3]))
    assert float(found) == pytest.approx(float(tf.reduce_sum(kernel**2)), rel=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: penalties.get("r3"), r"penalty: there is no 'r3'"),
        (lambda: penalties.get("r1", weight=-1.0), r"R1: weight is -1\.0; a number of at least 0"),
        (lambda: penalties.get("r1")(discriminator), r"real samples are needed, and none came"),
        (lambda: penalties.get("r2")(discriminator, REAL), r"fake samples are needed"),
        (lambda: penalties.get("r1")("network", REAL), r"discriminator is 'network'; a Keras model or a function"),
        (lambda: penalties.get("r1")(lambda x: (x, x), REAL), r"gives 2 results; one tensor of raw scores"),
        (
            lambda: penalties.get("gradient_penalty")(discriminator, REAL, FAKE[:2]),
            r"real is of shape \(5, 3\), fake of \(2, 3\)",
        ),
        (lambda: penalties.get("path_length")(None), r"PathLength needs generator"),
        (lambda: penalties.get("r1")(discriminator, []), r"real batch is an empty list"),
        (lambda: penalties.get("r1")(discriminator, {"image": REAL}), r"real batch is a dict of \['image'\]"),
    ],
)
def test_bad_input_is_told(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()
