"""Where a value left TensorFlow on its way to the loss: seen while it ran, or read from the source."""

from __future__ import annotations

import pytest

from ganmedic.analysis.departures import gap_departures
from ganmedic.analysis.run import Run
from record.building import Script

#: The fakes leave TensorFlow in place of {way}; {helpers} stand before the step, {after} behind the gradient.
STEP = """
import numpy as np
from scipy import ndimage
{helpers}
def step(noise):
    with tf.GradientTape() as tape:
        fake = generator(noise)
        {way}
        loss = tf.reduce_mean(critic(image))
    gradients = tape.gradient(loss, generator.trainable_variables)
    {after}
"""


def departed(way: str, *, helpers: str = "", after: str = "pass", before: str = "", seen: str = "") -> list[str]:
    """Where and how the fakes left, as ``how: line of code``; those that were not seen but read are in parentheses.

    Args:
        seen: what the run noticed on the first line of ``way``: ``predict``, or how a value was converted.
        before: what the run noticed of the fakes of the round before.
    """
    run = Script(STEP.format(helpers=helpers, way=way, after=after))
    generator, critic = run.model("generator", (4, 8), (8, 4)), run.model("critic", (4, 1))
    for last in (False, True):
        with run.at("with tf").tape() as tape:
            fake = run.at("fake =").op("Identity", generator(run.noise()))
            first = way.splitlines()[0]
            if (seen if last else before) == "predict":
                run.at(first)
                generator.predict()
            elif seen if last else before:
                run.at(first).leave(fake, seen or before)
            loss = run.at("loss =").op("Mean", critic(run.data()))
        run.at("gradients =").gradient(tape, loss, generator.trainable_variables, none=generator.variables)
    view = Run(run.finish())
    call = list(view.record.gradient_calls.values())[-1]
    (gap,) = view._gaps_of(call)
    texts = [(left, view.record.line(left.place.file, left.place.line).strip()) for left in gap_departures(view, gap)]
    return [f"{left.how}: {text}" if left.seen else f"({left.how}: {text})" for left, text in texts]


@pytest.mark.parametrize(
    ("way", "seen", "expected"),
    [
        ("image = fake.numpy()", ".numpy()", [".numpy(): image = fake.numpy()"]),
        ("image = [float(x) for x in fake]", "float()", ["float(): image = [float(x) for x in fake]"]),
        ("image = generator.predict(noise)", "predict", ["generator.predict: image = generator.predict(noise)"]),
        ("image = np.asarray(fake)", "", ["(np.asarray: image = np.asarray(fake))"]),
        ("image = np.clip(2 * fake, 0, 1)", "", ["(np.clip: image = np.clip(2 * fake, 0, 1))"]),
        ("image = ndimage.zoom(fake, 2)", "", ["(ndimage.zoom: image = ndimage.zoom(fake, 2))"]),
        ("image = np.linalg.norm(x=fake)", "", ["(np.linalg.norm: image = np.linalg.norm(x=fake))"]),
        ("image = fake.numpy()", "", ["(.numpy(): image = fake.numpy())"]),
    ],
)
def test_a_value_that_leaves_between_the_network_and_the_loss_is_found(way, seen, expected):
    assert departed(way, seen=seen) == expected


def test_what_was_seen_is_not_told_again_from_the_source():
    assert departed("image = np.asarray(fake)", seen="NumPy") == ["NumPy: image = np.asarray(fake)"]


HELPER = "def smooth(x, size=3):\n    x = x / 2\n    return np.asarray(x)\n"
OUTER = HELPER + "def prepare(image):\n    return smooth(x=image)\n"
OTHER = "def shape_of(x, images):\n    return np.asarray(x)\n"


@pytest.mark.parametrize(
    ("helpers", "way", "expected"),
    [
        (HELPER, "image = smooth(fake)", ["(np.asarray: return np.asarray(x))"]),
        (OUTER, "image = prepare(fake)", ["(np.asarray: return np.asarray(x))"]),
        (OTHER, "image = shape_of(3, fake)", []),
        (HELPER, "image = tf.image.resize(fake, 3)", []),
    ],
)
def test_a_value_is_followed_into_the_helpers_that_are_handed_it(helpers, way, expected):
    assert departed(way, helpers=helpers) == expected


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("half = fake / 2\n        image = np.asarray(half)", ["(np.asarray: image = np.asarray(half))"]),
        ("a, b = tf.split(fake, 2)\n        image = np.asarray(b)", ["(np.asarray: image = np.asarray(b))"]),
        ("half = noise / 2\n        image = np.asarray(half)", []),
        ("image: object = fake\n        image = np.asarray(image)", ["(np.asarray: image = np.asarray(image))"]),
        ("image = 0\n        image += fake\n        image = np.abs(image)", ["(np.abs: image = np.abs(image))"]),
    ],
)
def test_a_value_is_followed_through_the_names_it_is_given(way, expected):
    assert departed(way) == expected


@pytest.mark.parametrize("after", ["print(np.mean(fake))", "plt.imshow(fake.numpy())", "np.save('fake', fake)"])
def test_what_is_shown_or_saved_after_the_gradient_is_no_departure(after):
    assert departed("image = tf.identity(noise)", after=after) == []


def test_the_round_before_is_another_matter():
    assert departed("image = tf.identity(noise)", before=".numpy()") == []
    assert departed("image = tf.identity(noise)", before="predict") == []


def test_a_single_number_that_is_shown_is_no_departure_nor_is_one_of_another_network():
    run = Script("loss = critic(generator(noise))")
    generator, critic = run.model("generator", (4, 4)), run.model("critic", (4, 4))
    with run.at("loss").tape() as tape:
        fake = generator(run.noise())
        run.leave(run.op("Mean", fake), "float()")
        run.leave(run.data(), ".numpy()")
        other = critic(run.data())
        run.leave(other, ".numpy()")
        critic.predict()
        loss = run.op("Mean", other)
    run.gradient(tape, loss, generator.trainable_variables, none=generator.variables)
    view = Run(run.finish())
    (gap,) = view.gaps
    assert gap_departures(view, gap) == []


@pytest.mark.parametrize("log", ["print(np.mean(fake))", "print(fake.numpy())", "logging.info('%s', np.mean(fake))"])
def test_what_is_shown_inside_the_tape_is_no_departure(log):
    assert departed(f"image = tf.identity(noise)\n        {log}") == []


@pytest.mark.parametrize(
    "way", ["image = [np.asarray(row) for row in fake]", "for row in fake:\n            image = np.asarray(row)"]
)
def test_a_value_is_followed_row_by_row(way):
    assert [text.split(":")[0] for text in departed(way)] == ["(np.asarray"]
