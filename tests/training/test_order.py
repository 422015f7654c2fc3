"""Which samples are in which batch follows from seed and step alone."""

from __future__ import annotations

import numpy as np
import pytest

from ganmedic.training.order import Batches
from ganmedic.training.reading import Samples

pytestmark = pytest.mark.tensorflow

ROWS = Samples(np.arange(30, dtype=np.float32).reshape(15, 2), np.arange(15, dtype=np.int32) % 4)
IMAGES = Samples(np.random.default_rng(0).integers(0, 256, (20, 4, 6, 3)).astype(np.uint8), None)


def test_every_epoch_is_another_permutation() -> None:
    batches = Batches(ROWS, 4, seed=3)
    drawn = np.concatenate([batches.indices(step) for step in range(30)])
    epochs = drawn.reshape(-1, 15)
    for epoch in epochs:
        assert sorted(epoch) == list(range(15))
    assert len(np.unique(epochs, axis=0)) == len(epochs)
    assert not np.array_equal(Batches(ROWS, 4, seed=4).indices(0), batches.indices(0))


def test_a_step_does_not_depend_on_those_before() -> None:
    batches = Batches(ROWS, 4, seed=3)
    wanted = {step: batches.indices(step) for step in range(40)}
    for step in (39, 0, 17, 38, 5):
        np.testing.assert_array_equal(Batches(ROWS, 4, seed=3).indices(step), wanted[step])
        np.testing.assert_array_equal(batches.indices(step), wanted[step])


def test_a_batch_may_be_larger_than_the_data() -> None:
    drawn = Batches(ROWS, 40).indices(2)
    assert np.bincount(drawn, minlength=15).tolist().count(0) == 0
    assert len(drawn) == 40


def test_samples_come_with_their_labels() -> None:
    values, labels = Batches(ROWS, 4, seed=3).at(7)
    chosen = Batches(ROWS, 4, seed=3).indices(7)
    np.testing.assert_array_equal(values, ROWS.values[chosen])
    np.testing.assert_array_equal(labels, chosen % 4)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("samples", [ROWS, IMAGES])
def test_the_parts_of_all_workers_make_up_the_batch(samples: Samples, mirror: bool) -> None:
    whole = Batches(samples, 12, seed=2, mirror=mirror)
    parts = [Batches(samples, 12, seed=2, mirror=mirror, worker=worker, workers=3) for worker in range(3)]
    for step in range(5):
        values, labels = whole.at(step)
        np.testing.assert_array_equal(np.concatenate([part.at(step)[0] for part in parts]), values)
        np.testing.assert_array_equal(np.concatenate([part.at(step)[1] for part in parts]), labels)


def test_half_of_the_images_are_mirrored_and_rows_never() -> None:
    batches = Batches(IMAGES, 20, seed=1, mirror=True)
    turned = 0
    for step in range(20):
        values, _ = batches.at(step)
        for value, place in zip(values, batches.indices(step), strict=True):
            original = IMAGES.values[place]
            assert np.array_equal(value, original) or np.array_equal(value, original[:, ::-1])
            turned += not np.array_equal(value, original)
    # 400 draws: five standard deviations are 50.
    assert abs(turned - 200) < 50
    np.testing.assert_array_equal(Batches(ROWS, 4, seed=3, mirror=True).at(0)[0], Batches(ROWS, 4, seed=3).at(0)[0])


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_dataset_gives_the_batches_in_order(replicas: int) -> None:
    batches = Batches(ROWS, 4, seed=3)
    elements = list(batches.dataset(5, 9, replicas=replicas).as_numpy_iterator())
    assert len(elements) == 4 * replicas
    assert {len(values) for values, _ in elements} == {4 // replicas}
    for place, kind in enumerate(("values", "labels")):
        expected = np.concatenate([batches.at(step)[place] for step in range(5, 9)])
        np.testing.assert_array_equal(np.concatenate([element[place] for element in elements]), expected, kind)
    images = list(Batches(IMAGES, 4).dataset(0, 2).as_numpy_iterator())
    np.testing.assert_array_equal(images[1], Batches(IMAGES, 4).at(1)[0])


def test_a_batch_that_workers_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10 samples cannot be dealt out to 4 workers alike. Take a multiple of 4"):
        Batches(ROWS, 10, workers=4)
