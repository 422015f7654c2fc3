"""Moments against `math.fsum`, NumPy in float64 and calculations by hand."""

from __future__ import annotations

import doctest
import itertools
import json
import math
import pickle
import tracemalloc

import ml_dtypes
import numpy as np
import pytest

from ganmedic.data import moments
from ganmedic.data.moments import Moments


def measured(*batches):
    moments = Moments()
    for batch in batches:
        moments.update(batch)
    return moments


def exact(values):
    """Mean and population standard deviation of one channel, summed without rounding."""
    values = [float(value) for value in np.ravel(values)]
    mean = math.fsum(values) / len(values)
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def assert_same(one, other, rtol=1e-12):
    for name in ("mean", "spread", "minimum", "maximum"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=rtol, err_msg=name)
    np.testing.assert_array_equal(one.count, other.count)
    np.testing.assert_array_equal(one.nonfinite, other.nonfinite)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.int64, np.uint32, np.float16, np.float32, np.float64, ">f4", ml_dtypes.bfloat16]
)
@pytest.mark.parametrize("shape", [(300, 3), (70, 19, 23, 3), (2, 1), (3, 5, 2000), (2, 70_000)])
def test_every_type_and_shape_is_measured_as_numpy_does_in_float64(dtype, shape):
    values = (np.random.default_rng(1).normal(60, 15, shape).clip(0, 255)).astype(dtype)
    moments = measured(values)
    wide = values.astype(np.float64).reshape(-1, shape[-1])
    np.testing.assert_allclose(moments.mean, wide.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.spread, wide.std(axis=0), rtol=1e-10, atol=1e-13)
    np.testing.assert_array_equal(moments.minimum, wide.min(axis=0))
    np.testing.assert_array_equal(moments.maximum, wide.max(axis=0))
    np.testing.assert_array_equal(moments.count, len(wide))
    assert moments.dtype == np.dtype(dtype)


def test_spread_1_around_1e6_in_float32_keeps_its_digits():
    values = np.random.default_rng(2).normal(1e6, 1.0, (200, 300, 2)).astype(np.float32)
    moments = measured(*np.array_split(values, 7))
    for channel in range(2):
        mean, spread = exact(values[..., channel])
        assert moments.mean[channel] == pytest.approx(mean, rel=1e-15)
        assert moments.spread[channel] == pytest.approx(spread, rel=1e-10)
    # The textbook formula in the type of the data is of no use here: the reason for all this.
    squares = np.mean(values[..., 0] ** 2) - np.mean(values[..., 0]) ** 2
    assert abs(squares - 1) > 10_000


def test_spread_1_around_1e9_in_float64_keeps_its_digits():
    values = 1e9 + np.random.default_rng(3).normal(0.0, 1.0, (100_000, 1))
    moments = measured(*np.array_split(values, 100))
    assert moments.spread[0] == pytest.approx(exact(values)[1], rel=1e-9)


def test_an_outlier_in_front_does_not_drown_the_rest():
    values = np.concatenate([[[1e9]], np.random.default_rng(4).normal(0, 1, (70_000, 1))])
    assert measured(values).spread[0] == pytest.approx(exact(values)[1], rel=1e-12)


def test_merging_in_any_order_comes_to_the_same():
    generator = np.random.default_rng(5)
    parts = [
        generator.normal(mean, spread, (count, 4)) for mean, spread, count in [(0, 1, 7), (50, 3, 900), (-8, 0, 1)]
    ]
    parts.append(np.zeros((0, 4)))
    whole = measured(np.concatenate(parts))
    for order in itertools.permutations(parts):
        assert_same(measured(*order), whole)
        merged = Moments()
        for part in order:
            merged.merge(measured(part))
        assert_same(merged, whole)


def test_merging_leaves_the_other_as_it_was():
    one, other = measured([[1.0], [2.0]]), measured([[5.0]])
    fresh = Moments()
    fresh.merge(other)
    fresh.merge(one)
    fresh.update([[100.0]])
    assert other.to_dict() == measured([[5.0]]).to_dict()
    assert one.to_dict() == measured([[1.0], [2.0]]).to_dict()


def test_a_single_value_has_no_spread():
    moments = measured(np.array([[0.1]], np.float32))
    assert moments.mean[0] == moments.minimum[0] == moments.maximum[0] == np.float32(0.1)
    assert moments.spread[0] == 0.0


def test_a_constant_has_exactly_no_spread_however_often_it_is_merged():
    batch = np.full((1000, 3), 0.1)
    batch[:, 1] = 1e300
    moments = measured(*[batch] * 50)
    assert moments.mean.tolist() == [0.1, 1e300, 0.1]
    assert moments.spread.tolist() == [0.0, 0.0, 0.0]


def test_nothing_but_an_empty_batch():
    moments = measured(np.zeros((0, 8, 8, 3)))
    assert moments.channels == 3
    assert moments.count.tolist() == [0, 0, 0]
    assert np.isnan(moments.mean).all()
    assert np.isnan(moments.maximum).all()
    assert Moments().channels == 0
    assert Moments().mean.shape == (0,)


def test_an_empty_batch_changes_nothing():
    assert measured([[1.0], [4.0]], np.zeros((0, 1))).to_dict() == measured([[1.0], [4.0]]).to_dict()


def test_huge_integers_do_not_wrap():
    ends = np.iinfo(np.int64)
    moments = measured(np.array([[ends.min], [ends.max]]), np.array([[0]]))
    assert moments.mean[0] == pytest.approx(0, abs=2.0**10)
    assert moments.spread[0] == pytest.approx(2.0**63 * math.sqrt(2 / 3), rel=1e-12)
    unsigned = measured(np.full((5, 1), np.iinfo(np.uint64).max))
    assert unsigned.mean[0] == 2.0**64
    assert measured(np.array([[250], [255]], np.uint8)).mean[0] == 252.5


def test_booleans_are_zeros_and_ones():
    moments = measured(np.array([[True, False]] * 3 + [[False, False]]))
    assert moments.mean.tolist() == [0.75, 0.0]
    assert moments.spread[0] == pytest.approx(math.sqrt(0.75 * 0.25), rel=1e-15)
    assert moments.dtype == np.bool_


def test_what_is_not_finite_is_counted_and_left_out():
    values = np.random.default_rng(6).normal(1e6, 1, (5000, 3)).astype(np.float32)
    values[7, 0] = np.nan
    values[[8, 4999], 2] = np.inf, -np.inf
    moments = measured(values)
    assert moments.nonfinite.tolist() == [1, 0, 2]
    assert moments.count.tolist() == [4999, 5000, 4998]
    for channel in range(3):
        kept = values[np.isfinite(values[:, channel]), channel]
        mean, spread = exact(kept)
        assert moments.mean[channel] == pytest.approx(mean, rel=1e-15)
        assert moments.spread[channel] == pytest.approx(spread, rel=1e-9)
        assert (moments.minimum[channel], moments.maximum[channel]) == (kept.min(), kept.max())


def test_a_channel_of_nothing_but_nan_is_unknown():
    moments = measured(np.array([[np.nan, 1.0], [np.nan, 2.0]]))
    assert np.isnan([moments.mean[0], moments.spread[0], moments.minimum[0]]).all()
    assert (moments.mean[1], moments.count[0], moments.nonfinite[0]) == (1.5, 0, 2)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-160, 1e150, 1e200, 1e307])
def test_squares_neither_overflow_nor_vanish(size):
    moments = measured([[-size], [size]], [[0.0], [2 * size]])
    assert moments.mean[0] == pytest.approx(0.5 * size, rel=1e-12)
    assert moments.spread[0] == pytest.approx(math.sqrt(1.25) * size, rel=1e-12)


def test_the_largest_numbers_do_not_overflow():
    largest = float(np.finfo(np.float64).max)
    moments = measured([[-largest]], [[largest]], [[largest], [-largest]])
    assert moments.mean[0] == 0.0
    assert moments.spread[0] == pytest.approx(largest, rel=1e-12)


def test_arrays_that_lie_otherwise_in_memory():
    values = np.random.default_rng(7).normal(0, 1, (40, 3, 33, 21))
    assert_same(measured(np.moveaxis(values, 1, -1)), measured(np.ascontiguousarray(np.moveaxis(values, 1, -1))))
    assert_same(measured(values[::-3, :, ::2]), measured(values[::-3, :, ::2].copy()))


def test_memory_does_not_grow_with_the_batch():
    values = np.zeros((500, 64, 64, 3), np.uint8)  # 6 MB, and 49 MB in float64
    values[::2] = 9
    parted = np.zeros((500, 128, 64, 3), np.uint8)[:, ::2]
    tracemalloc.start()
    try:
        measured(values, parted)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("batch", [[[1.5, np.nan], [2.1, np.nan]], np.array([[1, 2], [3, 9]], np.uint8)])
def test_json_and_pickle_bring_back_every_bit(batch):
    moments = measured(batch)
    through_json = Moments.from_dict(json.loads(json.dumps(moments.to_dict(), allow_nan=False)))
    for copy in (through_json, pickle.loads(pickle.dumps(moments))):
        assert copy.to_dict() == moments.to_dict()
        assert copy.dtype == moments.dtype
        copy.update(batch)
        assert_same(copy, measured(batch, batch))
    assert Moments.from_dict(Moments().to_dict()).channels == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": None}, "list of numbers named 'mean'"),
        ({"mean": [1.0, 2.0]}, "lengths are"),
        ({"count": [-1]}, "whole numbers from 0"),
        ({"count": [None]}, "list of numbers named 'count'"),
    ],
)
def test_broken_json_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Moments.from_dict({**measured([[1.0]]).to_dict(), **change})


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        (np.zeros(3), ValueError, r"shape \(3,\) came; \(n, \.\.\., channels\)"),
        (np.float64(1), ValueError, "expected"),
        (np.zeros((3, 0)), ValueError, "at least one channel"),
        (np.array([["a"]]), TypeError, "Decode images"),
        (np.array([[1j]]), TypeError, "complex128 came"),
        (np.array([[None]]), TypeError, "object came"),
        (np.ma.masked_less([[1.0, -1.0]], 0), TypeError, "know no mask"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_advice(batch, error, message):
    moments = measured([[1.0]])
    with pytest.raises(error, match=message):
        moments.update(batch)
    assert moments.count.tolist() == [1]


def test_other_channels_are_refused_and_change_nothing():
    moments = measured(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="Data of 1 channels came after data of 3"):
        moments.update(np.zeros((2, 1)))
    with pytest.raises(ValueError, match="Every batch"):
        moments.merge(measured(np.zeros((2, 1))))
    assert moments.count.tolist() == [2, 2, 2]


def test_the_type_that_holds_all_that_was_seen():
    assert measured(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8)).dtype == np.uint8
    assert measured(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.float32)).dtype == np.float32
    assert measured(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.uint8)).dtype == np.float32
    assert Moments().dtype is None


def test_the_example_in_the_docstring_runs():
    failed, attempted = doctest.testmod(moments)
    assert (failed, attempted > 0) == (0, True)
