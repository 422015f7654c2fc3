"""The usual mistakes in training a GAN: each cannot happen with the library, or is refused with a message that says why.

The number of a test is that of a list of 21 mistakes found in public libraries and tutorials.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganmedic
from ganmedic import balance, clipping, combination, losses, objectives, penalties

pytestmark = pytest.mark.tensorflow
RANDOM = np.random.default_rng(4)
IMAGES = RANDOM.normal(size=(4, 3, 3, 2)).astype(np.float32)


def linear(samples: Any) -> Any:
    """Scores whose gradient is 3 at each of 18 entries, of norm 3 √18."""
    return 3.0 * tf.reduce_sum(samples, axis=[1, 2, 3])[:, None]


def dense_discriminator(*layers: keras.layers.Layer, units: int = 1) -> keras.Model:
    return keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(units)])


@pytest.mark.parametrize("name", ["gradient_penalty", "dragan"])
def test_1_and_2_the_norm_is_over_all_axes_of_an_image(name: str) -> None:
    penalty = penalties.get(name, weight=1.0)
    assert float(penalty(linear, IMAGES, IMAGES)) == pytest.approx((3.0 * np.sqrt(18.0) - 1.0) ** 2, rel=1e-5)


@pytest.mark.parametrize("name", ["gradient_penalty", "one_sided_gradient_penalty", "dragan", "r1", "r2", "roth"])
def test_3_a_gradient_of_zero_has_no_nan_behind_it(name: str) -> None:
    slope = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        value = penalties.get(name)(lambda x: slope * x[:, :1], tf.ones([4, 2]), tf.zeros([4, 2]))
    assert np.isfinite(value)
    assert np.isfinite(tape.gradient(value, slope))


@pytest.mark.parametrize("name", ["gradient_penalty", "r1", "r2", "dragan", "roth"])
def test_4_the_penalty_trains_the_discriminator(name: str) -> None:
    network = dense_discriminator(keras.layers.Dense(4, activation="softplus"))
    with tf.GradientTape() as tape:
        value = penalties.get(name)(network, tf.ones([4, 2]), tf.zeros([4, 2]))
    gradients = tape.gradient(value, network.trainable_variables)
    kernels = [g for g, v in zip(gradients, network.trainable_variables, strict=True) if "kernel" in v.path]
    assert all(gradient is not None and np.abs(gradient).max() > 0 for gradient in kernels)


@pytest.mark.parametrize("name", ["gradient_penalty", "one_sided_gradient_penalty", "dragan", "r1", "r2", "roth"])
def test_5_batch_normalisation_is_refused_under_a_penalty_of_each_sample(name: str) -> None:
    network = dense_discriminator(keras.layers.BatchNormalization(name="norm"))
    batch = tf.ones([4, 2])
    for discriminator in (
        network,
        lambda x: network(x, training=True),
        tf.function(lambda x: network(x, training=True)),
    ):
        with pytest.raises(
            ValueError, match=r"'norm' \(BatchNormalization\).*LayerNormalization or GroupNormalization"
        ):
            penalties.get(name)(discriminator, batch, batch)
    with pytest.raises(ValueError, match="'norm'"):
        combination.check(losses.get("hinge"), [penalties.get(name)], discriminator=network)
    # In inference mode it is a fixed scale for each sample.
    assert np.isfinite(penalties.get(name)(network, batch, batch, training=False))
    layer_normalised = dense_discriminator(keras.layers.LayerNormalization())
    assert np.isfinite(penalties.get(name)(layer_normalised, batch, batch))


def test_6_interpolated_samples_lie_on_the_segment_one_number_a_sample() -> None:
    seen = []

    def discriminator(samples: Any) -> Any:
        seen.append(samples.numpy())
        return tf.reduce_sum(samples, axis=[1, 2, 3])[:, None]

    penalties.get("gradient_penalty", seed=1)(discriminator, tf.ones([64, 3, 3, 2]), tf.zeros([64, 3, 3, 2]))
    between = seen[0]
    assert (between >= 0).all()
    assert (between < 1).all()
    # One number for all entries of a sample, another for the next sample.
    assert (between == between[:, :1, :1, :1]).all()
    assert len(np.unique(between)) > 60
    assert between.mean() == pytest.approx(0.5, abs=0.15)


def test_7_the_gradient_does_not_vanish_at_large_logits() -> None:
    fake = tf.constant([[-20.0]])
    with tf.GradientTape() as tape:
        tape.watch(fake)
        value = losses.get("non_saturating").generator(None, fake)
    assert float(tape.gradient(value, fake)[0, 0]) == pytest.approx(-1.0, rel=1e-6)


@pytest.mark.parametrize("name", losses.names())
def test_8_a_sigmoid_before_the_loss_is_refused(name: str) -> None:
    loss, raw = losses.get(name), tf.constant([[0.5], [2.0]])
    for squashed in (keras.layers.Activation("sigmoid")(raw), keras.activations.sigmoid(raw)):
        with pytest.raises(ValueError, match="went through a sigmoid or softmax; raw scores are expected"):
            loss.discriminator(raw, squashed)
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid", name="last")])
    with pytest.raises(ValueError, match=r"ends in sigmoid \(layer 'last'\)"):
        combination.check(loss, [penalties.get("r1")], discriminator=network)


def test_9_no_epsilon_in_a_logarithm_flattens_the_loss() -> None:
    # log(σ(f) + 1e-8) has a slope of 0.17 at -20, and of 0 at -100.
    fake = tf.constant([[-100.0]])
    with tf.GradientTape() as tape:
        tape.watch(fake)
        value = losses.get("non_saturating").generator(None, fake)
    assert float(value) == pytest.approx(100.0)
    assert float(tape.gradient(value, fake)[0, 0]) == pytest.approx(-1.0)


def test_10_the_zero_sum_loss_is_finite_and_warned_of() -> None:
    loss = losses.get("minimax")
    assert float(loss.generator(None, tf.constant([[30.0]]))) == pytest.approx(-30.0)
    with pytest.warns(combination.CombinationWarning, match="gradient vanishes as soon as the discriminator wins"):
        combination.check(loss, [penalties.get("r1")])


@pytest.mark.parametrize("name", clipping.names())
def test_11_one_infinite_gradient_spoils_no_other(name: str) -> None:
    sound, held = tf.constant([3.0, 4.0]), [tf.Variable([0.1, 0.1], name="a"), tf.Variable([0.1], name="b")]
    clip = clipping.get(name)
    clipped = clip([sound, tf.constant([np.inf])], held)
    assert np.isfinite(clipped[0]).all()
    assert np.abs(clipped[0]).max() > 0
    assert dict(clip.report().non_finite) == {"b:0": 1}
    before = [v.numpy() for v in held]
    ganmedic.update(
        keras.optimizers.SGD(1.0), [sound, tf.constant([np.nan])], held, clip=clip, guard=ganmedic.GradientGuard()
    )
    assert all(np.array_equal(v.numpy(), old) for v, old in zip(held, before, strict=True))


def test_12_gradients_that_are_none_are_named_with_where_to_look() -> None:
    held = [tf.Variable(0.0, name="kernel")]
    with pytest.raises(ValueError, match=r"None of the 1 variables has a gradient: kernel:0\..*ganmedic check"):
        ganmedic.update(keras.optimizers.SGD(1.0), [None], held)
    with pytest.raises(ValueError, match=r"scores do not depend on its samples.*ganmedic check"):
        penalties.get("r1")(lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32)[:, :1], tf.ones([2, 2]))


def test_13_the_generators_step_leaves_the_discriminator_trainable() -> None:
    network = dense_discriminator()
    fake = tf.Variable(tf.ones([4, 2]))
    with tf.GradientTape() as tape:
        value = objectives.generator_objective(losses.get("non_saturating"), network, None, fake).total
    ganmedic.update(keras.optimizers.SGD(1.0), [tape.gradient(value, fake)], [fake])
    assert len(network.trainable_variables) == 2
    before = network.get_weights()[0].copy()
    with tf.GradientTape() as tape:
        value = objectives.discriminator_objective(
            losses.get("non_saturating"), network, tf.ones([4, 2]), tf.zeros([4, 2])
        ).total
    variables = network.trainable_variables
    ganmedic.update(keras.optimizers.SGD(1.0), tape.gradient(value, variables), variables)
    assert np.abs(network.get_weights()[0] - before).max() > 0


def test_14_a_scaled_gradient_is_applied_at_its_true_size() -> None:
    held = tf.Variable([1.0])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    optimizer.build([held])
    with tf.GradientTape() as tape:
        loss = ganmedic.precision.scaled(optimizer, tf.reduce_sum(held))
    ganmedic.update(optimizer, tape.gradient(loss, [held]), [held])
    assert held.numpy() == [pytest.approx(0.0)]


@pytest.mark.parametrize("name", losses.names())
def test_15_real_is_the_positive_side_everywhere(name: str) -> None:
    loss = losses.get(name)
    scores = tf.Variable([[0.5], [0.5]])
    with tf.GradientTape() as tape:
        value = loss.discriminator(scores[:1], scores[1:])
    real, fake = tape.gradient(value, scores).numpy().ravel()
    assert real < 0 < fake  # a step against it raises r and lowers f
    with tf.GradientTape() as tape:
        value = loss.generator(scores[:1], scores[1:])
    assert tf.convert_to_tensor(tape.gradient(value, scores)).numpy().ravel()[1] < 0
    # Both players' targets point the same way, and cannot be turned round.
    with pytest.raises(ValueError, match="Real is the positive side"):
        losses.get("least_squares", fake_target=1.0, real_target=0.0)


def test_16_label_noise_is_on_the_real_side_and_never_above_one() -> None:
    loss = losses.get("non_saturating", label_smoothing=0.1, label_noise=0.3, seed=2)
    # At a score of 0 the slope is σ(0) - target.
    real, fake = tf.zeros([4000, 1]), tf.zeros([4000, 1])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        value = loss.discriminator(real, fake)
    targets = 0.5 - 4000 * tape.gradient(value, real).numpy()
    assert targets.max() <= 0.9 + 1e-4
    assert targets.min() >= 0.6 - 1e-4
    assert targets.std() > 0.05
    np.testing.assert_allclose(4000 * tape.gradient(value, fake).numpy(), 0.5, rtol=1e-4)
    with pytest.raises(ValueError, match=r"label_smoothing \+ label_noise is 0.7"):
        losses.get("non_saturating", label_smoothing=0.4, label_noise=0.3)


def test_17_samples_that_became_integers_are_refused() -> None:
    images = tf.cast(IMAGES, tf.int32)
    with pytest.raises(ValueError, match=r"The real samples are int32; floating point numbers are expected"):
        penalties.get("r1")(linear, images)
    with pytest.raises(ValueError, match=r"The fake samples are int32"):
        objectives.discriminator_objective(losses.get("hinge"), linear, IMAGES, images)
    with pytest.raises(ValueError, match="real is int32; floating point samples are expected"):
        balance.get("instance_noise")(images, images)


def test_18_the_half_is_part_of_r1_and_its_weight_follows_the_resolution() -> None:
    for name, arguments in (("r1", (IMAGES,)), ("r2", (None, IMAGES))):
        assert float(penalties.get(name, weight=10.0)(linear, *arguments)) == pytest.approx(5.0 * 9.0 * 18.0, rel=1e-5)
    assert penalties.R1.weight_for(resolution=512, batch_size=64) == pytest.approx(0.8192)
    assert penalties.R1.weight_for(256, 32) / penalties.R1.weight_for(64, 32) == pytest.approx(16.0)


def test_19_a_step_moves_its_own_player_and_inference_leaves_statistics_alone() -> None:
    network = dense_discriminator(keras.layers.BatchNormalization())
    fake = tf.Variable(tf.ones([4, 2]) * 5.0)
    before = [value.copy() for value in network.get_weights()]
    with tf.GradientTape() as tape:
        value = objectives.generator_objective(losses.get("hinge"), network, None, fake, training=False).total
    ganmedic.update(keras.optimizers.SGD(1.0), [tape.gradient(value, fake)], [fake])
    assert all(np.array_equal(value, old) for value, old in zip(network.get_weights(), before, strict=True))


def test_20_mixtures_have_as_many_modes_as_they_say() -> None:
    import importlib.util
    from pathlib import Path

    path = Path(__file__).parents[1] / "benchmarks" / "mixtures.py"
    spec = importlib.util.spec_from_file_location("mixtures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, modes in (("ring", 8), ("grid", 25)):
        means, spread = module.MIXTURES[name]
        distances = np.linalg.norm(means[:, None] - means[None], axis=-1) + 1e9 * np.eye(len(means))
        assert len(means) == modes
        assert distances.min() > 6 * spread


@pytest.mark.parametrize("batch", [2, 8])
def test_21_the_gradient_is_that_of_each_samples_own_score(batch: int) -> None:
    # Of the mean score it would be smaller by the size of the batch, and R1 by its square.
    samples = tf.ones([batch, 2])
    assert float(penalties.get("r1", weight=2.0)(lambda x: 3.0 * x[:, :1], samples)) == pytest.approx(9.0)
    assert float(
        penalties.get("gradient_penalty", weight=1.0)(lambda x: 3.0 * x[:, :1], samples, samples)
    ) == pytest.approx(4.0)


# --- combinations that are known to fail ------------------------------------------------------------------------------


def test_a_bare_wasserstein_loss_is_refused() -> None:
    loss, batch = losses.get("wasserstein"), tf.ones([4, 2])
    network = dense_discriminator()
    with pytest.raises(ValueError, match=r"The Wasserstein loss is bare.*gradient_penalty.*SpectralNormalization"):
        combination.check(loss, discriminator=network)
    with pytest.raises(ValueError, match="bare"):
        objectives.discriminator_objective(loss, network, batch, batch)
    combination.check(loss, [penalties.get("gradient_penalty")], discriminator=network)
    combination.check(loss, clip=clipping.get("weights"), discriminator=network)
    bounded = dense_discriminator(ganmedic.layers.SpectralNormalization(keras.layers.Dense(3)))
    combination.check(loss, discriminator=bounded)
    clipping.get("weights", 0.1).constrain(network)
    combination.check(loss, discriminator=network)
    combination.check(losses.get("wasserstein", bounded=True), discriminator=dense_discriminator())


def test_lazy_penalties_with_relativistic_losses_are_refused() -> None:
    lazy = penalties.get("lazy", penalties.get("r1"), every=8)
    for name in losses.names():
        if losses.get(name).needs_real:
            with pytest.raises(ValueError, match="complete convergence failure"):
                combination.check(losses.get(name), [lazy])
            combination.check(losses.get(name), [penalties.get("lazy", penalties.get("r1"), every=1)])
        elif name != "minimax":
            combination.check(losses.get(name), [lazy])


def test_doubtful_combinations_are_warned_of_and_sound_ones_are_not() -> None:
    gradient_penalty, r1, r2 = (penalties.get(name) for name in ("gradient_penalty", "r1", "r2"))
    with pytest.warns(combination.CombinationWarning, match="RaSGAN-GP diverged"):
        combination.check(losses.get("relativistic_average"), [gradient_penalty])
    with pytest.warns(combination.CombinationWarning, match="Roth's regulariser with Hinge"):
        combination.check(losses.get("hinge"), [penalties.get("roth")])
    with pytest.warns(combination.CombinationWarning, match="Weight clipping beside a gradient penalty"):
        combination.check(losses.get("wasserstein"), [gradient_penalty], clip=clipping.get("weights"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        combination.check(losses.get("relativistic"), [r1, r2], clip=clipping.get("global_norm"))
        combination.check(losses.get("non_saturating"), [penalties.get("roth")])
        combination.check(losses.get("wasserstein"), [gradient_penalty])


def test_a_penalty_of_the_wrong_player_is_refused() -> None:
    batch = tf.ones([4, 2])
    with pytest.raises(ValueError, match="PathLength belongs to the generator's loss"):
        objectives.discriminator_objective(
            losses.get("hinge"), dense_discriminator(), batch, batch, penalties=[penalties.get("path_length")]
        )
    with pytest.raises(ValueError, match="R1 belongs to the discriminator's loss"):
        objectives.generator_objective(
            losses.get("hinge"), dense_discriminator(), None, batch, penalties=[penalties.get("r1")]
        )
