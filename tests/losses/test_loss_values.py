"""Losses against numbers that were worked out otherwise."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic import losses

pytestmark = pytest.mark.tensorflow
REAL, FAKE = np.array([2.0, -1.0, 0.5]), np.array([-0.5, 1.5, -2.0])


def softplus(t: Any) -> Any:
    """log(1 + e^t), by NumPy."""
    return np.logaddexp(0.0, t)


def relu(t: Any) -> Any:
    return np.maximum(t, 0.0)


def slopes(function: Any, scores: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences of a NumPy function."""
    found = []
    for index in range(len(scores)):
        moved = [scores.copy(), scores.copy()]
        moved[0][index] += step
        moved[1][index] -= step
        found.append((function(moved[0]) - function(moved[1])) / (2 * step))
    return np.array(found)


#: L_D and L_G as the papers write them, by NumPy.
REFERENCES: dict[str, tuple[Any, Any]] = {
    "minimax": (lambda r, f: softplus(-r).mean() + softplus(f).mean(), lambda r, f: -softplus(f).mean()),
    "non_saturating": (lambda r, f: softplus(-r).mean() + softplus(f).mean(), lambda r, f: softplus(-f).mean()),
    "least_squares": (
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda r, f: ((f - 1) ** 2).mean() / 2,
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "hinge": (lambda r, f: relu(1 - r).mean() + relu(1 + f).mean(), lambda r, f: -f.mean()),
    "relativistic": (lambda r, f: softplus(-(r - f)).mean(), lambda r, f: softplus(-(f - r)).mean()),
    "relativistic_average": (
        lambda r, f: (softplus(-(r - f.mean())).mean() + softplus(f - r.mean()).mean()) / 2,
        lambda r, f: (softplus(r - f.mean()).mean() + softplus(-(f - r.mean())).mean()) / 2,
    ),
    "relativistic_average_least_squares": (
        lambda r, f: (((r - f.mean() - 1) ** 2).mean() + ((f - r.mean() + 1) ** 2).mean()) / 2,
        lambda r, f: (((r - f.mean() + 1) ** 2).mean() + ((f - r.mean() - 1) ** 2).mean()) / 2,
    ),
    "relativistic_average_hinge": (
        lambda r, f: (relu(1 - (r - f.mean())).mean() + relu(1 + (f - r.mean())).mean()) / 2,
        lambda r, f: (relu(1 + (r - f.mean())).mean() + relu(1 - (f - r.mean())).mean()) / 2,
    ),
}


def test_every_loss_has_a_reference() -> None:
    assert set(REFERENCES) == set(losses.names())


@pytest.mark.parametrize("name", losses.names())
def test_values_and_slopes(name: str) -> None:
    loss = losses.get(name)
    # No score lies in a corner of a hinge, where a slope is not defined.
    real_scores, fake_scores = np.array([2.1, -0.9, 0.45]), np.array([-0.4, 1.3, -2.2])
    for player, reference in zip((loss.discriminator, loss.generator), REFERENCES[name], strict=True):
        real, fake = tf.constant(real_scores[:, None]), tf.constant(fake_scores[:, None])
        with tf.GradientTape() as tape:
            tape.watch([real, fake])
            value = player(real, fake)
        by_real, by_fake = tape.gradient(value, [real, fake], unconnected_gradients="zero")
        assert float(value) == pytest.approx(reference(real_scores, fake_scores), rel=1e-12)
        np.testing.assert_allclose(
            by_real[:, 0], slopes(lambda r, of=reference: of(r, fake_scores), real_scores), atol=1e-8
        )
        np.testing.assert_allclose(
            by_fake[:, 0], slopes(lambda f, of=reference: of(real_scores, f), fake_scores), atol=1e-8
        )


def test_published_values() -> None:
    """Executed elsewhere, six digits."""
    found = {
        name: [float(player(REAL, FAKE)) for player in (losses.get(name).discriminator, losses.get(name).generator)]
        for name in ("minimax", "non_saturating", "least_squares", "wasserstein", "hinge")
    }
    assert found["minimax"] == pytest.approx([1.405562, -0.767473], abs=1e-6)
    assert found["non_saturating"] == pytest.approx([1.405562, 1.100806], abs=1e-6)
    assert found["least_squares"] == pytest.approx([1.958333, 1.916667], abs=1e-6)
    assert found["wasserstein"] == pytest.approx([-0.833333, 0.333333], abs=1e-6)
    assert found["hinge"] == pytest.approx([1.833333, 0.333333], abs=1e-6)


def test_cross_entropy_is_that_of_keras_from_logits() -> None:
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    real, fake = tf.constant(REAL[:, None], tf.float32), tf.constant(FAKE[:, None], tf.float32)
    loss = losses.get("non_saturating")
    both = entropy(tf.ones_like(real), real) + entropy(tf.zeros_like(fake), fake)
    assert float(loss.discriminator(real, fake)) == pytest.approx(float(both), rel=1e-6)
    smoothed = losses.get("non_saturating", label_smoothing=0.1)
    both = entropy(0.9 * tf.ones_like(real), real) + entropy(tf.zeros_like(fake), fake)
    assert float(smoothed.discriminator(real, fake)) == pytest.approx(float(both), rel=1e-6)
    assert float(smoothed.generator(None, fake)) == float(loss.generator(None, fake))


@pytest.mark.parametrize("name", losses.names())
def test_patches_are_averaged(name: str) -> None:
    real, fake = np.random.default_rng(0).normal(size=(2, 4, 3, 3, 1))
    loss = losses.get(name)
    assert float(loss.discriminator(real, fake)) == pytest.approx(REFERENCES[name][0](real.ravel(), fake.ravel()))


@pytest.mark.parametrize("name", losses.names())
def test_sample_weights_choose_samples(name: str) -> None:
    real, fake = tf.constant(REAL[:, None]), tf.constant(FAKE[:, None])
    weighted = losses.get(name).generator(real, fake, sample_weight=[1.0, 0.0, 1.0])
    chosen = [0, 2]
    if losses.get(name).pairs:
        expected = REFERENCES[name][1](REAL[chosen], FAKE[chosen])
    else:
        expected = REFERENCES[name][1](REAL, FAKE[chosen])
    assert float(weighted) == pytest.approx(float(expected))
    assert np.isfinite(losses.get(name).generator(real, fake, sample_weight=tf.zeros(3)))


def test_the_halves_of_the_discriminators_loss() -> None:
    for name in losses.names():
        loss = losses.get(name)
        if loss.pairs:
            with pytest.raises(ValueError, match="no half that belongs to either"):
                loss.discriminator_terms(REAL, FAKE)
        else:
            halves = loss.discriminator_terms(REAL, FAKE)
            assert float(sum(halves)) == pytest.approx(float(loss.discriminator(REAL, FAKE)))


def test_accuracy_means_the_same_for_every_loss() -> None:
    high, low = tf.constant([[3.0], [2.0]]), tf.constant([[-3.0], [-2.0]])
    for name in losses.names():
        loss = losses.get(name)
        assert float(loss.accuracy(high, low)) == 1.0
        assert float(loss.accuracy(low, high)) == 0.0
        assert float(loss.accuracy(high, high)) in (0.25, 0.5, 0.75)
        assert float(loss.overfitting(high, low)) == 1.0
    # A critic's scores have no zero: shifted by 100 it judges as well.
    assert float(losses.get("wasserstein").accuracy(high + 100.0, low + 100.0)) == 1.0
    assert losses.get("least_squares", -1.0, 1.0, 0.0).boundary == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.get("hinge2"), r"there is no 'hinge2'.*Did you mean 'hinge'\?"),
        (lambda: losses.get(3), r"3 came; a name, a AdversarialLoss or its configuration is expected"),
        (lambda: losses.get("non_saturating", label_smothing=0.1), r"Did you mean 'label_smoothing'\?"),
        (lambda: losses.get("non_saturating", label_smoothing="a"), r"label_smoothing is 'a'; a number of at least 0"),
        (lambda: losses.get("relativistic").generator(None, FAKE), r"real_scores is None\. Score a real batch"),
        (lambda: losses.get("relativistic").generator(REAL[:2], FAKE), r"Make batches of one size"),
        (lambda: losses.get("hinge").discriminator(REAL, FAKE[:, None]), r"would be broadcast against each other"),
        (lambda: losses.get("hinge").discriminator(REAL, FAKE > 0), r"fake_scores are bool; floating point"),
        (lambda: losses.get("hinge").discriminator(REAL, 1.5), r"fake_scores is one number|of shape"),
        (
            lambda: losses.get("hinge").generator(None, FAKE, sample_weight=[1.0]),
            r"one number a sample is expected, \(3,\)",
        ),
    ],
)
def test_bad_input_is_told(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()
