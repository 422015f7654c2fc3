"""A batch is kept as its figures and a few of its samples, whatever it is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

from ganmedic.capture.batches import KEPT, TOLD_APART, array_of, batch_of, digests_of  # noqa: E402
from ganmedic.record.game import Batch  # noqa: E402


def row_of(tensor: Any, **more: Any) -> Batch:
    row = batch_of(1, 2, "given", 3, tensor, **more)
    assert row is not None
    return row


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# --- types ------------------------------------------------------------------------------------------------------------

WHOLE = np.array([[0, 1, 1], [1, 0, 1]])


TYPES = ("uint8", "int32", "int64", "bool", "float16", "float32", "float64")


@pytest.mark.parametrize(
    ("dtype", "array"), [*((one, False) for one in (*TYPES, "bfloat16")), *((one, True) for one in TYPES)]
)
def test_batches_of_every_type_of_numbers_are_read(dtype, array):
    tensor = tf.cast(WHOLE, dtype)
    row = row_of(tensor.numpy() if array else tensor)
    assert row.dtype == dtype
    assert row.shape == (2, 3)
    assert row.mean == (0.5, 0.5, 1.0)
    assert row.spread == (0.5, 0.5, 0.0)
    assert (row.low, row.high) == ((0.0, 0.0, 1.0), (1.0, 1.0, 1.0))
    assert (row.whole, row.levels, row.nonfinite) == (1.0, 2, 0.0)
    np.testing.assert_array_equal(row.array(), WHOLE)
    assert row.array().dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_values_of_low_precision_are_those_that_were_there(dtype):
    tensor = tf.cast(normal(4, 5), dtype)
    np.testing.assert_array_equal(row_of(tensor).array(), tf.cast(tensor, tf.float32).numpy())


@pytest.mark.parametrize(
    "tensor",
    [tf.constant(["a", "b"]), tf.constant(3.0), tf.zeros((0, 4)), tf.constant([1j, 2j]), np.array(["a"])],
    ids=["text", "a single number", "no samples", "complex", "text of NumPy"],
)
def test_what_is_no_batch_of_numbers_is_none(tensor):
    assert batch_of(1, 2, "given", 3, tensor) is None


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_are_taken_channel_by_channel():
    pictures = normal(16, 5, 5, 3) * [1.0, 2.0, 0.0] + [0.0, 7.0, -1.0]
    row = row_of(pictures.astype(np.float32))
    np.testing.assert_allclose(row.mean, pictures.mean(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(row.spread, pictures.std(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(row.low, pictures.min(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(row.high, pictures.max(axis=(0, 1, 2)), atol=1e-5)


@pytest.mark.parametrize(("shape", "figures"), [((9, 64), 64), ((9, 65), 1), ((9,), 1), ((9, 4, 200), 1)])
def test_a_last_axis_that_is_long_is_none_of_channels(shape, figures):
    row = row_of(normal(*shape))
    assert len(row.mean) == len(row.spread) == len(row.low) == len(row.high) == figures


def test_a_small_spread_on_a_large_mean_is_measured():
    row = row_of(normal(1000, 1).astype(np.float64) * 1e-3 + 1e4)
    assert row.spread[0] == pytest.approx(1e-3, rel=0.1)


def test_figures_leave_out_what_is_not_finite():
    entries = np.array([[1.0, np.nan], [3.0, np.inf], [np.nan, -np.inf], [np.inf, np.nan]], np.float32)
    row = row_of(entries)
    assert row.nonfinite == pytest.approx(6 / 8)
    assert (row.mean[0], row.low[0], row.high[0], row.spread[0]) == (2.0, 1.0, 3.0, 1.0)
    assert (row.low[1], row.high[1]) == (np.inf, -np.inf), "nothing finite was there"
    np.testing.assert_array_equal(row.array(), entries)


def test_a_batch_without_a_finite_entry_is_kept():
    row = row_of(np.full((4, 2), np.nan, np.float32))
    assert (row.nonfinite, row.whole, row.levels) == (1.0, 0.0, 0)


def test_levels_are_counted_up_to_an_end():
    assert row_of(np.arange(40, dtype=np.float32).reshape(10, 4) % 7).levels == 7
    assert row_of(normal(200, 50)).levels == 1025
    assert row_of(normal(50, 4)).whole == 0.0
    assert row_of(np.array([[0.0, 0.5], [1.0, 1.5]])).whole == 0.5


# --- digests ----------------------------------------------------------------------------------------------------------


def test_digests_are_equal_where_samples_are():
    rows = normal(4, 3, 2)
    rows[2] = rows[0]
    one = row_of(rows).digests
    assert one[0] == one[2]
    assert len(set(one)) == 3
    assert row_of(tf.constant(rows)).digests == one
    assert row_of(rows.astype(np.float64)).digests == one, "data are often of twice the precision of the networks"
    assert row_of(np.asfortranarray(rows)).digests == one, "the order in memory is not the samples' own"
    rows[0, 0, 0] = np.nextafter(rows[0, 0, 0], 9)
    assert row_of(rows).digests[0] != one[0]


def test_digests_do_not_depend_on_the_rest_of_the_batch():
    rows = normal(8, 5)
    assert digests_of(rows[3:]) == digests_of(rows)[3:]


def test_digests_are_whole_numbers_that_a_database_takes():
    found = row_of(normal(1000, 2)).digests
    assert len(found) == TOLD_APART
    assert all(0 <= one < 1 << 63 for one in found)


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [(200, 8), (3, 64, 64, 3), (70, 128, 128, 1), (2, 100_000), (2, 40, 40, 40, 2), (2, 3, 5000, 1)]
)
def test_what_is_kept_is_bounded(shape):
    row = row_of(normal(*shape))
    kept = row.array()
    assert row.shape == shape
    assert len(kept) == min(shape[0], KEPT)
    assert kept[0].size <= 4096
    assert row.pooled is (int(np.prod(shape[1:])) > 4096)
    assert len(row.entries) <= KEPT * 4096 * 4 * 1.01


def test_large_pictures_are_means_over_squares():
    pictures = normal(2, 126, 96, 3)
    kept = row_of(pictures).array()
    squares = pictures.reshape(2, 42, 3, 32, 3, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(kept, squares, atol=1e-5)


def test_sides_that_do_not_divide_are_pooled_all_the_same():
    kept = row_of(np.ones((2, 131, 75, 3), np.float32)).array()
    np.testing.assert_array_equal(kept, 1.0)


def test_figures_are_those_of_the_whole_picture_not_of_what_is_kept():
    checks = (np.indices((128, 128)).sum(axis=0) % 2).astype(np.float32)[None, :, :, None].repeat(4, axis=0)
    row = row_of(checks)
    assert (row.low, row.high, row.spread) == ((0.0,), (1.0,), (0.5,))
    assert np.ptp(row.array()) == 0.0


@pytest.mark.parametrize("kept", [0, 5])
def test_fewer_samples_are_kept_where_that_is_asked(kept):
    row = row_of(normal(20, 3), kept=kept)
    assert len(row.array()) == kept
    assert len(row.digests) == 20
    if not kept:
        assert row.entries == b""


def test_what_is_kept_is_a_copy():
    rows = normal(4, 3)
    row, before = row_of(rows), rows.copy()
    rows[:] = 0.0
    np.testing.assert_array_equal(row.array(), before)


def test_a_huge_batch_is_measured_by_its_first_samples():
    rows = np.zeros((5, 1_000_000), np.float32)
    rows[4] = 1.0
    row = row_of(rows)
    assert row.high == (0.0,)
    assert len(set(row.digests)) == 2


def test_arrays_of_numbers_only():
    assert array_of(np.array([b"a"], object)) is None
    assert array_of(tf.constant(["a"])) is None
    assert array_of(tf.constant([1.5], tf.bfloat16)).dtype == np.float32
