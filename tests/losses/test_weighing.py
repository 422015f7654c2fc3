"""Losses of several terms."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic import losses

pytestmark = pytest.mark.tensorflow


def test_weighted_terms_follow_their_schedules() -> None:
    fading = keras.optimizers.schedules.PolynomialDecay(1.0, 2, 0.0)
    total = losses.WeightedTerms({"adversarial": 2.0, "l1": fading})
    terms = {"adversarial": tf.constant(1.0), "l1": tf.constant(10.0)}
    assert [float(total(terms)) for _ in range(3)] == [12.0, 7.0, 2.0]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(total))
    assert [float(again(terms)) for _ in range(2)] == [12.0, 7.0]


def test_terms_are_neither_forgotten_nor_slipped_in() -> None:
    total = losses.WeightedTerms({"adversarial": 1.0, "l1": 1.0})
    with pytest.raises(ValueError, match=r"Missing: \['l1'\]. Unknown: \['adversary'\]. Did you mean 'adversarial'\?"):
        total({"adversarial": 1.0, "adversary": 1.0})
    with pytest.raises(ValueError, match="a weight for each named term is expected"):
        losses.WeightedTerms({})
    with pytest.raises(ValueError, match=r"weight of 'l1' is -1\.0"):
        losses.WeightedTerms({"l1": -1.0})


def terms_of(x: tf.Variable, y: tf.Variable) -> dict[str, Any]:
    return {"a": tf.reduce_sum(x), "b": 100.0 * tf.reduce_sum(x) + tf.reduce_sum(y), "c": 0.01 * tf.reduce_sum(x**2)}


def test_each_term_gets_its_share_of_the_gradient() -> None:
    shares = losses.GradientShares({"a": 1.0, "b": 2.0, "c": 0.5}, decay=0.0)
    x, y = tf.Variable([3.0, 4.0]), tf.Variable([1.0])

    @tf.function
    def step() -> Any:
        with tf.GradientTape(persistent=True) as tape:
            terms = terms_of(x, y)
        return shares.gradients(tape, terms, [x, y]), {
            name: tape.gradient(term, [x, y]) for name, term in terms.items()
        }

    combined, each = step()
    weights = {name: float(weight) for name, weight in shares.weights().items()}
    norms = {
        name: weights[name] * np.sqrt(sum(float(tf.reduce_sum(g**2)) for g in gradients if g is not None))
        for name, gradients in each.items()
    }
    assert norms["b"] / norms["a"] == pytest.approx(2.0, rel=1e-5)
    assert norms["c"] / norms["a"] == pytest.approx(0.5, rel=1e-5)
    assert weights["a"] == 1.0
    expected = sum(weights[name] * gradients[0] for name, gradients in each.items())
    np.testing.assert_allclose(combined[0], expected, rtol=1e-5)
    np.testing.assert_allclose(combined[1], weights["b"] * each["b"][1], rtol=1e-5)
    # The same weights, as constants, in a sum.
    with tf.GradientTape() as tape:
        value = shares(terms_of(x, y))
    np.testing.assert_allclose(tape.gradient(value, x), expected, rtol=1e-5)


def test_shares_are_smoothed_bounded_and_checkpointed(tmp_path: Any) -> None:
    x = tf.Variable([1.0])

    def measured(shares: losses.GradientShares, size: float) -> float:
        with tf.GradientTape(persistent=True) as tape:
            terms = {"a": tf.reduce_sum(x), "b": size * tf.reduce_sum(x)}
        shares.measure(tape, terms, [x])
        return float(shares.weights()["b"])

    shares = losses.GradientShares({"a": 1.0, "b": 1.0}, decay=0.5)
    assert float(shares.weights()["b"]) == 1.0
    assert measured(shares, 16.0) == pytest.approx(1 / 16)  # the first step counts in full
    path = tf.train.Checkpoint(shares=shares).save(str(tmp_path / "shares"))
    later = measured(shares, 1.0)
    # Logarithms are averaged: 16^(1/3), for the weights of both steps are 1/4 and 1/2.
    assert later == pytest.approx(16 ** (-1 / 3), rel=1e-5)
    assert measured(shares, float("nan")) == pytest.approx(later, rel=1e-6)
    tf.train.Checkpoint(shares=shares).restore(path)
    assert measured(shares, 1.0) == pytest.approx(later)
    bounded = losses.GradientShares({"a": 1.0, "b": 1.0}, decay=0.0, bounds=(0.5, 2.0))
    assert measured(bounded, 100.0) == 0.5


def test_a_term_without_a_gradient_is_named() -> None:
    shares, x = losses.GradientShares({"a": 1.0, "b": 1.0}), tf.Variable([1.0])
    with tf.GradientTape(persistent=True) as tape:
        terms = {"a": tf.reduce_sum(x), "b": tf.stop_gradient(tf.reduce_sum(x))}
    with pytest.raises(ValueError, match=r"the term 'b' has no gradient at any of the 1 sources"):
        shares.measure(tape, terms, [x])
    with pytest.raises(ValueError, match="two or more named terms"):
        losses.GradientShares({"a": 1.0})
    with pytest.raises(ValueError, match="reference is 'z'"):
        losses.GradientShares({"a": 1.0, "b": 1.0}, reference="z")
