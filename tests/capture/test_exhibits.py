"""The batches at the faces of the networks are kept as they were, and keeping them changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ganmedic
from ganmedic.record.game import Batch
from ganmedic.record.record import Record

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

WIDTH, NOISE, COUNT, STEPS = 4, 3, 16, 25
Trained = tuple[list[float], list[np.ndarray], Any, Any]


def batch(number: int) -> np.ndarray:
    return np.random.default_rng(number).uniform(-1, 1, size=(COUNT, WIDTH)).astype("float32")


def train(*, traced: bool = True, dropped: bool = False) -> Trained:
    """Trains a GAN; the losses of all steps, the weights after the last one, and the networks."""
    keras.utils.set_random_seed(3)
    drop = [keras.layers.Dropout(0.3)] if dropped else []
    g = keras.Sequential(
        [keras.Input((NOISE,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(WIDTH, "tanh")], name="generator"
    )
    d = keras.Sequential(
        [keras.Input((WIDTH,)), keras.layers.Dense(8, "relu"), *drop, keras.layers.Dense(1)], name="discriminator"
    )
    g_optimizer, d_optimizer = keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05)

    def step(real: Any, noise: Any) -> Any:
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            fake = g(noise, training=True)
            fakes, reals = d(fake, training=True), d(real, training=True)
            d_loss = tf.reduce_mean(tf.nn.softplus(-reals)) + tf.reduce_mean(tf.nn.softplus(fakes))
            g_loss = tf.reduce_mean(tf.nn.softplus(-fakes))
        for tape, loss, net, optimizer in ((d_tape, d_loss, d, d_optimizer), (g_tape, g_loss, g, g_optimizer)):
            weights = net.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return d_loss + g_loss

    run = tf.function(step) if traced else step
    losses = [float(run(tf.constant(batch(number)), tf.random.normal((COUNT, NOISE)))) for number in range(STEPS)]
    return losses, [one.numpy() for one in (*g.variables, *d.variables)], g, d


def watched(**more: Any) -> tuple[Record, Trained]:
    with ganmedic.watch(preset="full") as examination:
        trained = train(**more)
    diagnosis = examination.diagnosis()
    assert diagnosis.tool_errors == ()
    assert examination._session is not None
    return examination._session.record, trained


@pytest.fixture(scope="module")
def record() -> Record:
    return watched()[0]


def of_probe(record: Record, *places: str) -> list[Batch]:
    return [one for one in record.batches.values() if one.owner in record.probes and one.place in places]


# --- what is there ----------------------------------------------------------------------------------------------------


def test_real_samples_are_kept_bit_by_bit_with_the_step_they_were_given_in(record):
    real = [one for one in of_probe(record, "given") if one.shape == (COUNT, WIDTH)]
    steps = {one.owner: record.probes[one.owner].step for one in real}
    assert len(set(steps.values())) >= 3
    for row in real:
        np.testing.assert_array_equal(row.array(), batch(steps[row.owner]))
        np.testing.assert_allclose(row.mean, batch(steps[row.owner]).mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("traced", [True, False])
def test_every_look_has_what_the_networks_were_given_and_what_came_out(traced, record):
    record = record if traced else watched(traced=False)[0]
    assert record.probes
    for probe in record.probes.values():
        rows = [one for one in record.batches.values() if one.owner == probe.id]
        shapes = {(one.place, one.shape) for one in rows}
        assert {("given", (COUNT, NOISE)), ("output", (COUNT, WIDTH)), ("score", (COUNT, 1))} <= shapes
        assert [one.id for one in rows] == sorted(one.id for one in rows)


def test_the_generator_ends_where_its_activation_does(record):
    made = [one for one in of_probe(record, "output") if one.shape == (COUNT, WIDTH)]
    assert made
    for row in made:
        assert (row.activation, row.ends) == ("Tanh", (-1.0, 1.0))
        assert record.operations[row.activated].kind == "Tanh"
        assert min(row.low) >= -1.0
        assert max(row.high) <= 1.0


def test_steps_between_the_looks_are_kept_in_short(record):
    stream = [one for one in record.batches.values() if one.place == "stream"]
    given = {batch(number).tobytes(): number for number in range(STEPS)}
    real = [one for one in stream if one.shape[1:] == (WIDTH,)]
    assert len(real) >= 3
    assert all(one.array().tobytes() in given for one in real)
    assert {one.owner for one in stream} <= record.gradient_calls.keys()


def test_the_first_noise_is_given_again_at_every_look(record):
    fixed = [one for one in of_probe(record, "fixed") if one.shape == (COUNT, WIDTH)]
    assert len({one.owner for one in fixed}) >= 3
    assert len({one.entries for one in fixed}) > 1, "the generator has changed in between"


def test_other_noise_makes_other_samples_and_its_share_is_measured(record):
    noise = {one.value for one in of_probe(record, "given") if one.shape == (COUNT, NOISE)}
    rows = [one for one in record.responses.values() if one.leaf in noise]
    assert {one.probe for one in rows} == set(record.probes)
    outputs = {(one.owner, one.value): one for one in of_probe(record, "output") if one.shape == (COUNT, WIDTH)}
    seen = [(one, outputs[one.probe, one.value]) for one in rows if (one.probe, one.value) in outputs]
    assert seen
    for row, output in seen:
        made = output.array()
        moved = np.sqrt(np.square(np.roll(made, 1, axis=0) - made).mean())
        assert row.moved == pytest.approx(moved, rel=1e-4), "noise moved on by one sample gives samples moved on by one"
        assert row.spread == pytest.approx(np.sqrt(np.square(made - made.mean(axis=0)).mean()), rel=1e-4)


def test_real_samples_do_not_move_the_generator(record):
    real = {one.value for one in of_probe(record, "given") if one.shape == (COUNT, WIDTH)}
    made = {one.value for one in of_probe(record, "output") if one.activation == "Tanh"}
    assert not [one for one in record.responses.values() if one.leaf in real and one.value in made]


# --- nothing changes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("traced", "dropped"), [(True, False), (True, True), (False, True)])
def test_the_training_is_bit_by_bit_what_it_is_without_being_watched(traced, dropped):
    losses, weights, *_ = train(traced=traced, dropped=dropped)
    record, (same_losses, same_weights, *_) = watched(traced=traced, dropped=dropped)
    assert record.batches
    assert same_losses == losses
    for one, other in zip(weights, same_weights, strict=True):
        np.testing.assert_array_equal(one, other)
