"""The adaptive pipeline's transformations against NumPy and SciPy, and how often each is applied."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from ganmedic.augmentation import AdaptiveAugmentation

pytestmark = pytest.mark.tensorflow

NEUTRAL = {
    "flip": 0.0,
    "quarter_turns": 0.0,
    "shift": (0.0, 0.0),
    "zoom": 1.0,
    "first_rotation": 0.0,
    "stretch": 1.0,
    "second_rotation": 0.0,
    "fractional_shift": (0.0, 0.0),
    "brightness": 0.0,
    "contrast": 1.0,
    "luma_flip": 0.0,
    "hue": 0.0,
    "saturation": 1.0,
}


def drawn(**values):
    """Parameters of one sample, neutral but for some."""
    return {name: tf.constant([value]) for name, value in {**NEUTRAL, **values}.items()}


def apply(pipeline, batch, parameters):
    return AdaptiveAugmentation(pipeline=pipeline, seed=1).apply(batch, parameters)


@pytest.fixture
def picture():
    return np.random.default_rng(3).uniform(-1, 1, (1, 16, 16, 3)).astype(np.float32)


def test_neutral_parameters_leave_every_bit(picture):
    # The value with the most digits, and odd sizes, whose middle is a pixel.
    for batch in (picture, picture[:, :11, :7]):
        np.testing.assert_array_equal(apply("bg", batch, drawn()), batch)
        np.testing.assert_array_equal(apply("c", tf.constant(batch), drawn()), batch)
        np.testing.assert_array_equal(apply("c", tf.constant(batch[..., :1]), drawn()), batch[..., :1])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_mirror_and_quarter_turns_move_pixels_only(picture, turns):
    ours = apply("bg", picture, drawn(flip=1.0, quarter_turns=float(turns)))
    # Clockwise on the screen is k = -1 for NumPy; the matrix leads from the result to the image, hence k = +1.
    np.testing.assert_array_equal(ours, np.rot90(picture[:, :, ::-1], turns, axes=(1, 2)))


def test_shift_by_whole_pixels_mirrors_at_the_border(picture):
    ours = apply("bg", picture, drawn(shift=(0.125, -0.07))).numpy()
    expected = np.pad(picture, ((0, 0), (2, 0), (0, 1), (0, 0)), mode="reflect")[:, :16, 1:]
    np.testing.assert_array_equal(ours, expected)


def test_the_whole_geometry_is_one_interpolation_in_the_order_of_the_paper(picture):
    values = drawn(
        flip=1.0,
        quarter_turns=3.0,
        shift=(0.1, -0.1),
        zoom=1.2,
        first_rotation=0.7,
        stretch=0.8,
        second_rotation=-2.0,
        fractional_shift=(0.03, -0.11),
    )
    ours = apply("bg", tf.constant(picture, tf.float64), values).numpy()

    def turn(angle):
        return np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])

    def move(down, along):
        return np.array([[1, 0, down], [0, 1, along], [0, 0, 1]])

    # From the image to the result: the forward transformations, each applied after the one before, then inverted.
    forward = np.eye(3)
    for step in (
        np.diag([1, -1, 1]),
        np.linalg.inv(turn(3 * np.pi / 2)),
        move(round(0.1 * 16), round(-0.1 * 16)),
        np.diag([1.2, 1.2, 1]),
        np.linalg.inv(turn(0.7)),
        np.diag([1 / 0.8, 0.8, 1]),
        np.linalg.inv(turn(-2.0)),
        move(0.03 * 16, -0.11 * 16),
    ):
        forward = step @ forward
    centred = move(7.5, 7.5) @ np.linalg.inv(forward) @ move(-7.5, -7.5)
    for channel in range(3):
        expected = ndimage.affine_transform(
            picture[0, :, :, channel].astype(float), centred[:2, :2], centred[:2, 2], order=1, mode="mirror"
        )
        np.testing.assert_allclose(ours[0, :, :, channel], expected, atol=1e-5)


def test_hue_keeps_luma_and_the_distance_from_grey(picture):
    ours = apply("c", picture, drawn(hue=1.1)).numpy()
    np.testing.assert_allclose(ours.mean(axis=-1), picture.mean(axis=-1), atol=1e-6)
    np.testing.assert_allclose(np.square(ours).sum(-1), np.square(picture).sum(-1), rtol=1e-5, atol=1e-6)
    third = apply("c", picture, drawn(hue=2 * np.pi / 3)).numpy()
    np.testing.assert_allclose(third, np.roll(picture, 1, axis=-1), atol=1e-6)


def test_the_other_colours_in_their_order(picture):
    ours = apply("c", picture, drawn(brightness=0.3, contrast=1.5, luma_flip=1.0, saturation=0.25)).numpy()
    expected = (picture.astype(float) + 0.3) * 1.5
    grey = expected.mean(axis=-1, keepdims=True)
    expected = -grey + 0.25 * (expected - grey)
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_grey_is_what_colour_makes_of_equal_channels(picture):
    grey = picture[..., :1]
    values = drawn(brightness=0.3, contrast=1.5, luma_flip=1.0, saturation=0.25, hue=1.0)
    in_colour = apply("c", np.repeat(grey, 3, axis=-1), values)
    np.testing.assert_allclose(apply("c", tf.constant(grey), values), in_colour[..., :1], atol=1e-6)


def test_noise_and_cutout():
    augment = AdaptiveAugmentation(initial_probability=1.0, pipeline="no", seed=1)
    ours = augment(np.ones((2000, 8, 12, 3), np.float32)).numpy()
    hidden = (ours == 0).all(axis=-1)
    assert hidden.any(axis=2).sum(axis=1).max() == 4
    assert hidden.any(axis=1).sum(axis=1).max() == 6
    strengths = np.array([image[~mask].std() for image, mask in zip(ours, hidden, strict=True)])
    # The mean of 0.1 |N|.
    assert abs(strengths.mean() - 0.1 * np.sqrt(2 / np.pi)) < 0.004


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_each_part_is_applied_as_often_as_it_should(probability):
    augment = AdaptiveAugmentation(initial_probability=probability, pipeline="bgcno", seed=1)
    values = {name: np.array(value) for name, value in augment.draw(tf.zeros((4000, 1, 1, 3))).items()}
    neutral = {**NEUTRAL, "noise_strength": 0.0, "cutout_side": 0.0}
    applied = {
        name: np.reshape(values[name] != np.float32(value), (4000, -1)).any(1) for name, value in neutral.items()
    }
    once = 1 - np.sqrt(1 - probability)
    shares = {"flip": probability / 2, "luma_flip": probability / 2, "quarter_turns": 0.75 * probability}
    shares |= {"first_rotation": once, "second_rotation": once}
    for name in neutral:
        assert abs(applied[name].mean() - shares.get(name, probability)) < 0.035, name
    assert abs((applied["first_rotation"] | applied["second_rotation"]).mean() - probability) < 0.035


def test_strengths_of_the_paper():
    augment = AdaptiveAugmentation(initial_probability=1.0, pipeline="bgc", seed=1)
    values = {name: np.array(value) for name, value in augment.draw(tf.zeros((4000, 1, 1, 3))).items()}
    assert abs(values["shift"]).max() == pytest.approx(0.125, abs=1e-3)
    deviations = {"zoom": 0.2, "stretch": 0.2, "contrast": 0.5, "saturation": 1.0}
    for name, deviation in deviations.items():
        assert np.log2(values[name]).std() == pytest.approx(deviation, rel=0.06), name
    assert values["fractional_shift"].std() == pytest.approx(0.125, rel=0.06)
    assert values["brightness"].std() == pytest.approx(0.2, rel=0.06)
    for name in ("hue", "first_rotation", "second_rotation"):
        assert values[name].min() == pytest.approx(-np.pi, abs=0.02)
        assert values[name].max() == pytest.approx(np.pi, abs=0.02)


def test_parameters_are_independent_of_each_other():
    augment = AdaptiveAugmentation(initial_probability=1.0, pipeline="bgcno", seed=1)
    values = augment.draw(tf.zeros((4000, 1, 1, 3)))
    columns = np.concatenate([np.reshape(value, (4000, -1)) for value in values.values()], axis=1).T
    columns = columns[columns.std(axis=1) > 0]
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < 0.08


def test_channels_that_are_no_colours():
    batch = np.zeros((2, 4, 4, 2), np.float32)
    with pytest.raises(ValueError, match=r"images of 2 channels came; .* pipeline='bg'"):
        AdaptiveAugmentation()(batch)
    assert AdaptiveAugmentation(initial_probability=1.0, pipeline="bgno")(batch).shape == batch.shape


@pytest.mark.parametrize("pipeline", ["", "bgf", "bgcc"])
def test_pipelines_that_are_refused(pipeline):
    with pytest.raises(ValueError, match="each once"):
        AdaptiveAugmentation(pipeline=pipeline)


def test_the_order_of_the_letters_does_not_matter():
    assert AdaptiveAugmentation(pipeline="ocb").pipeline == "bco"
