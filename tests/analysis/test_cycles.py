"""Losses that go round are told from those that wander, settle or only shake."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ganmedic.analysis.cycles import Cycle, _cycle


def cycle(losses: np.ndarray, steps: np.ndarray | None = None) -> Cycle | None:
    """The cycle of a player that had these losses."""
    steps = np.arange(len(losses)) if steps is None else steps
    return _cycle(SimpleNamespace(series=SimpleNamespace(steps=steps.tolist()), losses=lambda: losses))


def noise(count: int, size: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count) * size


def sine(count: int, period: float) -> np.ndarray:
    return np.sin(2 * np.pi * np.arange(count) / period)


@pytest.mark.parametrize("period", [10, 37, 100])
@pytest.mark.parametrize("shaken", [0.0, 0.15])
def test_a_cycle_is_found_with_its_period(period, shaken):
    found = cycle(0.7 + 0.5 * sine(600, period) + noise(600, shaken))
    assert found is not None
    assert found.period == pytest.approx(period, rel=0.1)
    assert found.rounds == pytest.approx(480 / found.period)
    assert found.strength > 0.8
    assert found.kept == pytest.approx(1.0, abs=0.25)


def test_a_cycle_on_a_slope_is_found():
    found = cycle(2.0 + np.linspace(0, 8, 400) + sine(400, 40))
    assert found is not None
    assert found.period == pytest.approx(40, abs=3)


def test_a_swing_that_grows_is_one_that_lasts():
    found = cycle(5.0 + np.linspace(0.5, 4, 400) * sine(400, 40))
    assert found is not None
    assert found.kept > 1.2


@pytest.mark.parametrize(
    "losses",
    [
        0.7 + noise(400, 0.3),
        0.7 + np.cumsum(noise(400, 0.05)),
        np.linspace(3, 1, 400),
        np.full(400, 0.7),
        np.exp(-np.arange(400) / 40) + 0.5,
        0.7 + np.exp(-np.arange(400) / 60) * sine(400, 40),
        0.7 + 0.5 * sine(400, 300),
        0.7 + 0.02 * sine(400, 40),
        0.7 + 0.5 * sine(50, 10),
        np.r_[0.7 + 0.5 * sine(399, 40), np.nan],
    ],
    ids=[
        "shaking",
        "wandering",
        "falling",
        "standing",
        "settling",
        "dying away",
        "a single round",
        "next to nothing",
        "too short",
        "not finite",
    ],
)
def test_all_else_is_no_cycle(losses):
    assert cycle(losses) is None


@pytest.mark.parametrize("seed", range(10))
def test_no_shaking_is_taken_for_a_cycle(seed):
    shaking = noise(300, 1.0, seed)
    smooth = np.convolve(shaking, np.ones(8) / 8, mode="same")
    assert cycle(3.0 + shaking) is None
    assert cycle(3.0 + smooth) is None


def test_of_a_thinned_run_the_end_is_looked_at():
    steps = np.r_[np.arange(50), np.arange(50, 1000, 7), np.arange(1000, 1300)]
    found = cycle(0.7 + 0.5 * np.sin(2 * np.pi * steps / 30), steps)
    assert found is not None
    assert found.period == pytest.approx(30, abs=2)


def test_of_a_thinned_run_with_a_short_end_nothing_is_said():
    steps = np.r_[np.arange(0, 1000, 7), np.arange(1001, 1041)]
    losses = 0.7 + 0.5 * np.sin(2 * np.pi * steps / 8)
    assert cycle(losses, steps) is None
    assert cycle(np.tile(losses[-40:], 3)) is not None, "of more of the same something would have been"
