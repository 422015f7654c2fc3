"""What networks are asked for outside of training is kept: of each line the first call and the last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ganmedic
from ganmedic.record.game import Batch, Showing
from ganmedic.record.record import Record

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

NOISE = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Show = Callable[[Any, Any], Any]


def watched(show: Show, *, before: Show | None = None) -> tuple[Record, Any]:
    """A GAN that is trained for two steps, with what is asked of it then: the record, and what ``show`` returned."""
    keras.utils.set_random_seed(3)
    g = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh")], name="generator")
    d = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)], name="discriminator")
    optimizer = keras.optimizers.SGD(0.1)
    with ganmedic.watch() as examination:
        if before is not None:
            before(g, d)
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.softplus(-d(g(tf.random.normal((12, 3))))))
            weights = g.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        told = show(g, d)
    assert examination.diagnosis().tool_errors == ()
    assert examination._session is not None
    return examination._session.record, told


def shown(record: Record) -> list[tuple[Showing, list[Batch], list[Batch]]]:
    """The showings with what went in and what came out."""
    rows = record.batches.values()
    return [
        (
            one,
            [row for row in rows if row.owner == one.id and row.place == "input"],
            [row for row in rows if row.owner == one.id and row.place == "output"],
        )
        for one in record.showings.values()
    ]


def line(piece: str) -> int:
    """The one line of this file that ends with a mark."""
    with open(__file__, encoding="utf-8") as file:
        (found,) = [number for number, text in enumerate(file, 1) if text.rstrip().endswith(f"# {piece}")]
    return found


def nothing(g: Any, d: Any) -> None:
    pass


def called(g: Any, d: Any) -> Any:
    return g(tf.constant(NOISE), training=False).numpy()  # called


def called_on_an_array(g: Any, d: Any) -> Any:
    return g(NOISE).numpy()  # called on an array


def predicted(g: Any, d: Any) -> Any:
    return g.predict(NOISE, verbose=0)  # predicted


@pytest.mark.parametrize(
    ("show", "how"),
    [(called, "call"), (called_on_an_array, "call"), (predicted, "predict")],
    ids=["called", "called on an array", "predicted"],
)
def test_samples_that_are_drawn_after_training_are_kept(show, how):
    record, samples = watched(show)
    ((one, (given,), (made,)),) = shown(record)
    assert (one.how, one.count) == (how, 1)
    assert record.modules[one.module].name == "generator"
    assert (one.stack[-1].file, one.stack[-1].line) == (__file__, line(show.__name__.replace("_", " ")))
    np.testing.assert_array_equal(given.array(), NOISE)
    np.testing.assert_array_equal(made.array(), samples)


def test_steps_under_a_tape_are_no_showings():
    assert watched(nothing)[0].showings == {}


def test_scores_of_samples_are_kept_too():
    record, _ = watched(lambda g, d: d(g(NOISE)))
    names = [record.modules[one.module].name for one in record.showings.values()]
    assert sorted(names) == ["discriminator", "generator"]
    rows = {record.modules[one.module].name: (given, made) for one, given, made in shown(record)}
    assert rows["discriminator"][0][0].digests == rows["generator"][1][0].digests


def test_of_a_line_the_first_and_the_last_call_are_kept():
    def often(g: Any, d: Any) -> None:
        for number in range(7):
            g(NOISE[: number + 1])

    record, _ = watched(often)
    assert [(one.count, given[0].shape[0]) for one, given, _ in shown(record)] == [(1, 1), (7, 7)]


def test_lines_are_told_apart():
    def twice(g: Any, d: Any) -> None:
        g(NOISE)
        g(NOISE)

    rows = shown(watched(twice)[0])
    assert [one.count for one, _, _ in rows] == [1, 1]
    assert len({one.stack[-1].line for one, _, _ in rows}) == 2


def test_what_was_shown_before_the_training_is_kept_as_it_was_then():
    record, _ = watched(called, before=called)
    rows = shown(record)
    assert [one.count for one, _, _ in rows] == [1, 1], "the line is the same, the way to it another"
    assert rows[0][2][0].digests != rows[1][2][0].digests, "the generator has learnt in between"


def test_arrays_that_are_filled_again_are_kept_as_they_were():
    noise = NOISE.copy()

    def refilled(g: Any, d: Any) -> None:
        g(noise)
        noise[:] = 0.0

    ((_, (given,), _),) = shown(watched(refilled)[0])
    np.testing.assert_array_equal(given.array(), NOISE)


def test_a_call_that_fails_is_no_showing_and_the_next_one_is_seen():
    def wrong(g: Any, d: Any) -> None:
        with pytest.raises(ValueError, match=r"\(2, 9\)|expected"):
            g(np.zeros((2, 9), "float32"))
        g(NOISE)

    ((_, (given,), _),) = shown(watched(wrong)[0])
    assert given.shape == (12, 3)


def test_samples_that_a_step_is_given_are_known_as_generated():
    """A program that trains the discriminator on what the generator had put out in eager code."""
    keras.utils.set_random_seed(3)
    g = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh")])
    d = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.1)

    @tf.function
    def step(real: Any, fake: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(-d(real))) + tf.reduce_mean(tf.nn.softplus(d(fake)))
        weights = d.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    with ganmedic.watch(preset="full") as examination:
        for number in range(6):
            fake = g(tf.random.normal((12, 3)))
            step(tf.constant(np.random.default_rng(number).normal(size=(12, 4)), tf.float32), fake)
    assert examination.diagnosis().tool_errors == ()
    assert examination._session is not None
    record = examination._session.record
    given = [one for one in record.batches.values() if one.place == "given" and one.shape == (12, 4)]
    assert sorted({one.generated for one in given}) == [0.0, 1.0]
    assert {len(one.made) for one in given} == {0, 12}
