"""DiffAugment's formulas against NumPy, with parameters that are set by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ganmedic.augmentation import DiffAugment

pytestmark = pytest.mark.tensorflow


def test_color(images):
    augment = DiffAugment("color", seed=1)
    drawn = augment.draw(images)
    ours = augment.apply(images, drawn).numpy()
    for sample, image in enumerate(images.astype(np.float64)):
        image = image + float(drawn["brightness"][sample])
        grey = image.mean(axis=-1, keepdims=True)
        image = grey + float(drawn["saturation"][sample]) * (image - grey)
        image = image.mean() + float(drawn["contrast"][sample]) * (image - image.mean())
        np.testing.assert_allclose(ours[sample], image, atol=1e-6)


def test_saturation_is_left_out_on_one_channel(images):
    augment, grey = DiffAugment("color", seed=1), images[..., :1]
    drawn = augment.draw(grey)
    ours = augment.apply(grey, drawn)
    np.testing.assert_array_equal(ours, augment.apply(grey, {**drawn, "saturation": tf.fill(8, np.inf)}))
    assert DiffAugment("color")(np.zeros((2, 4, 4, 5), np.float32)).shape == (2, 4, 4, 5)


def test_ranges_of_the_draws():
    drawn = {name: np.array(values) for name, values in DiffAugment(seed=1).draw(tf.zeros((5000, 1, 1, 1))).items()}
    for name, low, high in (("brightness", -0.5, 0.5), ("saturation", 0, 2), ("contrast", 0.5, 1.5)):
        assert low <= drawn[name].min() < low + 0.02
        assert high - 0.02 < drawn[name].max() <= high
    assert abs(drawn["flip"].mean() - 0.5) < 0.03


def test_translation_by_whole_pixels_with_zeros_coming_in():
    batch = np.random.default_rng(0).uniform(1.0, 2.0, (600, 16, 25, 2)).astype(np.float32)
    ours = DiffAugment("translation", seed=1)(batch).numpy()
    seen = set()
    for image, moved in zip(batch, ours, strict=True):
        rows, columns = np.flatnonzero(moved[..., 0].any(axis=1)), np.flatnonzero(moved[..., 0].any(axis=0))
        down = rows[0] if rows[0] else rows[-1] - 15
        along = columns[0] if columns[0] else columns[-1] - 24
        padded = np.pad(image, ((16, 16), (25, 25), (0, 0)))
        np.testing.assert_array_equal(moved, padded[16 - down : 32 - down, 25 - along : 50 - along])
        seen.add((int(down), int(along)))
    # 16 // 8 = 2 rows and 25 // 8 = 3 columns either way, and each of them occurs.
    assert {down for down, _ in seen} == set(range(-2, 3))
    assert {along for _, along in seen} == set(range(-3, 4))


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 9)])
def test_cutout_is_half_by_half_unless_the_border_cuts_it_off(height, width):
    ours = DiffAugment("cutout", seed=1)(np.ones((600, height, width, 3), np.float32)).numpy()
    assert set(np.unique(ours)) == {0.0, 1.0}
    hidden = ours[..., 0] == 0
    heights, widths = hidden.any(axis=2).sum(axis=1), hidden.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(hidden.sum(axis=(1, 2)), heights * widths)
    assert heights.max() == height // 2
    assert widths.max() == width // 2
    # A middle on any pixel (odd length) or any line between two (even length): at the border half of it is left.
    assert heights.min() == (height // 2 + 1) // 2
    assert widths.min() == (width // 2 + 1) // 2
    first_rows = hidden.any(axis=2).argmax(axis=1)
    assert first_rows.max() == height - (height // 2 + 1) // 2


def test_flip_exchanges_left_and_right(images):
    augment = DiffAugment("flip", seed=1)
    drawn = augment.draw(images)
    expected = np.where(np.reshape(drawn["flip"], (-1, 1, 1, 1)), images[:, :, ::-1], images)
    np.testing.assert_array_equal(augment.apply(images, drawn), expected)
    assert 0 < np.sum(drawn["flip"]) < 8


def test_the_policy_is_applied_in_its_order(images):
    first, second = DiffAugment("cutout, color"), DiffAugment("color,cutout")
    assert first.policy == "cutout,color"
    seed = (1, 2)
    assert (second(images, seed).numpy() == 0).mean() > 0.1
    assert (first(images, seed).numpy() == 0).mean() < 0.01


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("", "at least one of 'color'"),
        ("colour", "Did you mean 'color'"),
        ("color,cutout,color", "Leave one 'color' out"),
    ],
)
def test_policies_that_are_refused(policy, message):
    with pytest.raises(ValueError, match=message):
        DiffAugment(policy)
    with pytest.raises(TypeError, match="words separated by commas"):
        DiffAugment(["color"])
