"""A series keeps its ends and its events, thins its middle, and fits whatever the length of the run."""

from __future__ import annotations

import numpy as np
import pytest

from ganmedic.record.series import BUDGET_BYTES, FIRST, LAST, MOST, Series, share

WIDE = tuple(range(60))


def filled(count: int, one: Series | None = None, at_once: int = 50) -> Series:
    """A series whose rows all hold the number of their step."""
    one = one or Series(1, 1, (1, 2), 1)
    for begin in range(0, count, at_once):
        steps = list(range(begin, min(count, begin + at_once)))
        one.add(steps, np.repeat(np.array(steps, np.float32)[:, None], one.width, axis=1))
    return one


@pytest.mark.parametrize("count", [1, FIRST, MOST])
def test_a_short_run_is_kept_whole(count):
    one = filled(count)
    assert one.steps == list(range(count))
    assert (one.seen, one.stride) == (count, 1)


@pytest.mark.parametrize("count", [MOST + 1, 20_000, 99_999])
@pytest.mark.parametrize("at_once", [1, 64])
def test_the_ends_are_whole_and_the_middle_is_thinned_evenly(count, at_once):
    one = filled(count, at_once=at_once)
    assert one.seen == count
    assert one.steps[:FIRST] == list(range(FIRST))
    assert one.steps[-LAST:] == list(range(count - LAST, count))
    assert MOST // 2 < len(one.steps) <= MOST, "half of the room is used, however long the run"
    gaps = np.diff(one.steps)
    assert (gaps > 0).all(), "steps grow"
    assert gaps.max() <= one.stride < 4 * count / MOST
    np.testing.assert_array_equal(one.loss()[:, 0], one.steps)


def test_rows_that_are_not_finite_are_kept_exactly_and_so_are_events():
    one = Series(1, 1, (1, 2), 1)
    for begin in range(0, 50_000, 50):
        rows = np.zeros((50, one.width), np.float32)
        if begin == 12_300:
            rows[7, 0], rows[7, 1], rows[31, 2] = np.nan, np.inf, np.inf
        one.add(list(range(begin, begin + 50)), rows)
        if begin == 700:
            one.events.add(713)
    assert one.events == {713, 12_307, 12_331}
    assert one.events <= set(one.steps)
    row = one.rows[one.steps.index(12_307)]
    assert np.isnan(row[0])
    assert np.isinf(row[1])


def test_a_run_that_stays_broken_fills_no_room_with_events():
    one = Series(1, 1, (1,), 1)
    one.add(list(range(100_000)), np.full((100_000, one.width), np.nan, np.float32))
    assert len(one.events) == 64
    assert len(one.steps) <= MOST


def test_what_has_no_value_by_nature_is_no_event():
    one = Series(1, 1, (1,), 1)
    rows = np.ones((10, one.width), np.float32)
    rows[:, -2:] = np.nan  # how far weights moved: not known of what an optimizer was given
    one.add(list(range(10)), rows)
    assert one.events == set()


def test_the_series_of_a_run_share_one_budget():
    run = [filled(5_000, Series(number, 1, WIDE, 1)) for number in range(6)]
    assert 4 * run[0].width * len(run[0].steps) > BUDGET_BYTES / 6
    share(run)
    assert sum(4 * one.width * len(one.steps) for one in run) <= BUDGET_BYTES
    for one in run:
        assert one.steps[:FIRST] == list(range(FIRST))
        assert one.steps[-LAST:] == list(range(5_000 - LAST, 5_000))
        filled(5_000, one)


def test_a_row_of_very_many_variables_leaves_room_for_some_rows_all_the_same():
    one = filled(1_000, Series(1, 1, tuple(range(20_000)), 2))
    assert len(one.steps) <= 100
    assert one.steps[0] == 0
    assert one.steps[-1] == 999


def test_quantities_are_read_by_name():
    one = Series(1, 1, (7, 8), 1)
    one.add([0], np.arange(one.width, dtype=np.float32)[None])
    assert one.loss().tolist() == [[0.0]]
    assert one.of("norm").tolist() == [[1.0, 2.0]]
    assert one.of("weight").tolist() == [[11.0, 12.0]]
    assert Series(1, 1, (7,), 1).of("zeros").shape == (0, 1)
