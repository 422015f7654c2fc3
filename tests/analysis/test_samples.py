"""How samples compare is worked out of the samples alone."""

from __future__ import annotations

import numpy as np
import pytest

from ganmedic.analysis.samples import between_batches, distinct, features, neighbour_accuracy, spread


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# --- spread -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(500, 8), (500, 4, 4, 3), (5000,)])
def test_spread_is_that_of_the_entries_around_their_mean(shape):
    assert spread(3.0 * normal(*shape) + 7.0) == pytest.approx(3.0, rel=0.05)


def test_what_differs_inside_a_sample_alone_is_no_spread():
    ramp = np.tile(np.arange(8, dtype=np.float32), (16, 1))
    assert spread(ramp) == 0.0
    assert spread(ramp[:1]) == 0.0


def test_spread_is_a_number_where_samples_are_not_finite():
    rows = normal(50, 4)
    rows[0, 0], rows[1, 1] = np.nan, np.inf
    assert np.isfinite(spread(rows))


# --- features ---------------------------------------------------------------------------------------------------------


def test_features_of_pictures_are_the_same_in_every_run_and_as_many_for_every_size():
    pictures = normal(6, 8, 8, 3)
    assert features(pictures).shape == features(normal(6, 20, 12, 3)).shape
    np.testing.assert_array_equal(features(pictures), features(pictures.copy()))


def test_features_tell_textures_apart_and_not_where_they_lie():
    stripes = np.zeros((2, 12, 12, 1), np.float32)
    stripes[0, ::2] = 1.0
    stripes[1, 1::2] = 1.0
    blocks = np.zeros((1, 12, 12, 1), np.float32)
    blocks[0, :6] = 1.0
    one, moved, other = features(np.concatenate([stripes, blocks]))
    assert np.linalg.norm(one - moved) < 0.3 * np.linalg.norm(one - other)


@pytest.mark.parametrize("shape", [(5, 7), (5, 2, 2, 3), (5, 4, 4)])
def test_of_all_else_the_entries_are_the_features(shape):
    rows = normal(*shape)
    np.testing.assert_allclose(features(rows), rows.reshape(5, -1))


# --- neighbours -------------------------------------------------------------------------------------------------------


def test_neighbours_of_alike_sets_are_a_guess():
    shares = [neighbour_accuracy(normal(64, 8, seed=seed), normal(64, 8, seed=100 + seed)) for seed in range(20)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("counts", [(32, 32), (64, 16), (10, 60)])
def test_neighbours_of_far_sets_tell_them_apart(counts):
    one, other = normal(counts[0], 8), normal(counts[1], 8, seed=1) + 10.0
    assert neighbour_accuracy(one, other) == 1.0
    assert neighbour_accuracy(other, one) == 1.0


def test_a_class_counts_as_much_as_the_other_however_many_it_has():
    # All are told to be of the larger class: one half of the classes is right.
    assert neighbour_accuracy(normal(300, 2), normal(4, 2, seed=1)) == pytest.approx(0.5, abs=0.05)


def test_columns_count_by_their_own_spread():
    scale = np.array([1.0, 1e4], np.float32)
    one, other = normal(64, 2) * scale, normal(64, 2, seed=1) * scale + [8.0, 0.0]
    assert neighbour_accuracy(one, other.astype(np.float32)) > 0.95


def test_a_column_that_stands_still_does_no_harm():
    one, other = normal(32, 3), normal(32, 3, seed=1)
    one[:, 1] = other[:, 1] = 0.0
    assert 0.2 < neighbour_accuracy(one, other) < 0.8
    assert neighbour_accuracy(one, other + np.array([9, 0, 0], np.float32)) == 1.0


# --- batches ----------------------------------------------------------------------------------------------------------


def test_batches_drawn_at_random_lie_as_far_apart_as_chance_has_it():
    shares = [
        between_batches([normal(32, 8, seed=1000 * seed + number) + 3.0 for number in range(8)]) for seed in range(20)
    ]
    assert np.mean(shares) == pytest.approx(1.0, abs=0.25)


def test_sorted_batches_lie_far_apart():
    rows = np.sort(normal(8 * 32, 4), axis=0)
    assert between_batches(np.split(rows, 8)) > 30.0


def test_scale_does_not_matter():
    batches = np.split(np.sort(normal(8 * 32, 4), axis=0), 8)
    assert between_batches([1e4 * one for one in batches]) == pytest.approx(between_batches(batches), rel=1e-6)


def test_a_batch_of_one_sample_says_nothing_of_the_others():
    batches = np.split(np.sort(normal(8 * 32, 4), axis=0), 8)
    assert between_batches([*batches, normal(1, 4)]) == between_batches(batches)


@pytest.mark.parametrize(
    "batches",
    [
        [],
        [normal(32, 4), normal(32, 4) + 9.0],
        [normal(1, 4)] * 9,
        [np.ones((16, 4), np.float32)] * 5,
    ],
    ids=["none", "two", "of one sample", "of what never varies"],
)
def test_too_little_to_judge_is_told_as_chance(batches):
    assert between_batches(batches) == 1.0


# --- how many there are -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100, 400, 1500])
def test_the_size_of_a_set_is_estimated_from_what_came_twice(size):
    random = np.random.default_rng(size)
    batches = [tuple(random.permutation(size)[:64].tolist()) for _ in range(12)]
    drawn, different, estimated = distinct(batches)
    assert drawn == 12 * 64
    assert different == len(set().union(*batches))
    assert estimated == pytest.approx(size, rel=0.25)


def test_where_nothing_came_twice_there_is_no_end():
    assert distinct([(1, 2), (3, 4)]) == (4, 4, float("inf"))


def test_there_are_at_least_as_many_as_were_seen():
    # Two come every time: by chance alone there were four and a half.
    _, different, size = distinct([(1, 2, 3), (1, 2, 4), (1, 2, 5)])
    assert different == 5
    assert size == 5


def test_the_same_batch_every_time_is_the_whole_set():
    drawn, different, size = distinct([tuple(range(32))] * 5)
    assert (drawn, different) == (160, 32)
    assert size == pytest.approx(32)
