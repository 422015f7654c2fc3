"""What one step of a GAN does, against the same written out by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_gans import assert_close, compiled, in_order, networks, points, trained_by_hand, weights_of

import devices
import ganmedic

pytestmark = pytest.mark.tensorflow

BATCHES = 4
RATE = 0.05


def descent(**arguments: Any) -> ganmedic.GAN:
    """A GAN of points by plain gradient descent, trained for a few batches."""
    gan = compiled(
        generator_optimizer=keras.optimizers.SGD(RATE), discriminator_optimizer=keras.optimizers.SGD(RATE), **arguments
    )
    gan.fit(in_order(points()), verbose=0)
    return gan


@pytest.mark.parametrize("way", ["default", "simultaneous", "accumulation"])
def test_a_step_is_the_one_of_the_papers(way: str) -> None:
    arguments: dict[str, Any] = {
        "default": {},
        "simultaneous": {"simultaneous": True},
        "accumulation": {"accumulation": 2},
    }[way]
    batches = list(points().reshape(BATCHES, 8, 2))
    before = [variable.numpy() for variable in networks()[0].trainable_variables]
    expected, losses = trained_by_hand(batches, rate=RATE, **arguments)
    gan = descent(**arguments)
    assert_close(weights_of(gan), expected)
    assert any(np.abs(one - other).max() > 1e-4 for one, other in zip(before, expected["generator"], strict=True)), (
        "the reference moved"
    )
    for name, values in losses.items():
        assert gan.history.history[name][0] == pytest.approx(np.mean(values), rel=1e-5)
    taken = BATCHES // arguments.get("accumulation", 1)
    assert [int(each.iterations) for each in gan.parts.optimizers.values()] == [taken, taken]
    assert int(gan.steps) == BATCHES


@pytest.mark.parametrize(
    ("how", "tolerance"), [("run_eagerly", 1e-6), ("jit_compile", 1e-5), ("steps_per_execution", 1e-6)]
)
def test_the_way_it_is_run_changes_no_result(how: str, tolerance: float) -> None:
    plain, other = descent(jit_compile=False), descent(**{how: 2 if how == "steps_per_execution" else True})
    assert_close(weights_of(plain), weights_of(other), tolerance)
    np.testing.assert_allclose(plain.last_row, other.last_row, rtol=1e-3, atol=1e-5)


def test_two_replicas_train_as_one_on_the_whole_batch() -> None:
    def trained() -> ganmedic.GAN:
        gan = compiled(jit_compile=False)
        gan.fit(in_order(points()), verbose=0)
        return gan

    alone = trained()
    with devices.mirrored().scope():
        both = trained()
    assert both.distribute_strategy.num_replicas_in_sync == 2
    assert_close(weights_of(alone), weights_of(both), 1e-4)
    np.testing.assert_allclose(alone.last_row, both.last_row, rtol=1e-3, atol=1e-4)


def test_n_critic_takes_turns() -> None:
    gan = compiled(loss="wasserstein", balance=ganmedic.balance.Turns(3, 1))
    assert [type(each).__name__ for each in gan.parts.penalties()] == ["GradientPenalty"]
    data = in_order(points(80))
    gan.fit(data, verbose=0)
    counts = {player: int(each.iterations) for player, each in gan.parts.optimizers.items()}
    assert counts == {"discriminator": 8, "generator": 2}
    # Three more batches: the discriminator was in the middle of its turn, and goes on with it.
    gan.fit(data.take(3), verbose=0)
    counts = {player: int(each.iterations) for player, each in gan.parts.optimizers.items()}
    assert counts == {"discriminator": 10, "generator": 3}


def test_a_step_is_traced_once() -> None:
    traced = []

    class Counting(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            if not tf.executing_eagerly():
                traced.append(None)
            return inputs

    generator, discriminator = networks()
    discriminator = keras.Sequential([keras.Input((2,)), Counting(), discriminator])
    gan = ganmedic.GAN(generator, discriminator, seed=1)
    gan.compile()
    traced.clear()
    gan.fit(points(), batch_size=8, verbose=0)
    after_first = len(traced)
    assert after_first > 0
    gan.fit(points(64, seed=1), batch_size=8, epochs=2, verbose=0)
    assert len(traced) == after_first


def test_labels_reach_both_networks() -> None:
    labels = np.arange(32) % 3
    gan = compiled(
        3, generator_optimizer=keras.optimizers.SGD(RATE), discriminator_optimizer=keras.optimizers.SGD(RATE)
    )
    other = compiled(
        3, generator_optimizer=keras.optimizers.SGD(RATE), discriminator_optimizer=keras.optimizers.SGD(RATE)
    )
    before = weights_of(gan)
    for each, given in ((gan, labels), (other, np.zeros(32, int))):
        each.fit(in_order(points(), given), verbose=0)
    for player in ("generator", "discriminator"):
        table = next(place for place, weight in enumerate(before[player]) if weight.shape == (3, 8))
        moved, with_zeros = (
            np.abs(weights_of(each)[player][table] - before[player][table]).max(1) for each in (gan, other)
        )
        assert (moved > 0).all()
        assert with_zeros[0] > 0
        assert (with_zeros[1:] == 0).all()
    first = gan.generate(6, labels=0)
    assert not np.array_equal(first, gan.generate(6, labels=1))
    np.testing.assert_array_equal(gan.generate(6), gan.generate(6, labels=[0, 1, 2, 0, 1, 2]))


def test_a_round_with_gradients_that_are_not_finite_changes_nothing() -> None:
    gan = descent()
    before = weights_of(gan)
    gan.fit(in_order(np.full((8, 2), np.nan, np.float32)), verbose=0)
    for player, weights in weights_of(gan).items():
        for one, other in zip(weights, before[player], strict=True):
            np.testing.assert_array_equal(one, other)
    assert np.isnan(np.asarray(gan.last_row)).any()
