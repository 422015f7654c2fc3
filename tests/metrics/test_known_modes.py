"""Modes and classes that are known, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ganmedic import metrics

RING = np.array([[math.cos(a), math.sin(a)] for a in np.arange(8) * math.pi / 4])


def test_a_ring_of_which_half_is_found():
    random = np.random.default_rng(0)
    samples = np.concatenate([RING[:4].repeat(50, axis=0) + random.normal(0, 0.01, (200, 2)), np.zeros((50, 2))])
    found = metrics.mode_coverage(samples, RING, radius=0.06)
    assert (found.modes, found.total, found.samples) == (4, 8, 250)
    assert found.quality == pytest.approx(0.8)
    assert found.divergence == pytest.approx(math.log(2))
    assert found.counts == (50,) * 4 + (0,) * 4
    weights = [1, 1, 1, 1, 0, 0, 0, 0]
    assert metrics.mode_coverage(samples, RING, 0.06, weights=weights).divergence == pytest.approx(0)
    assert metrics.mode_coverage(samples, RING, 0.06, minimum=51).modes == 0


def test_no_sample_near_any_mode_has_no_divergence():
    found = metrics.mode_coverage(np.zeros((5, 2)), RING, radius=0.5)
    assert (found.modes, found.quality, found.divergence) == (0, 0.0, None)
    scores = metrics.get("mode_coverage", centres=RING, radius=0.5)(RING, np.zeros((5, 2)))
    assert [score.name for score in scores] == ["modes_found", "high_quality_share"]
    assert scores[1].low == 0


def test_a_sample_counts_for_the_nearest_of_overlapping_modes_and_the_edge_is_inside():
    found = metrics.mode_coverage([[0.25, 0.0], [-0.5, 0.0], [1.6, 0.0]], [[0.0, 0.0], [1.0, 0.0]], radius=0.5)
    assert found.counts == (2, 0)


def test_classes_by_the_protocol_of_pacgan():
    random = np.random.default_rng(1)
    digits = random.integers(0, 10, (26_000, 3))
    found = metrics.class_coverage(digits @ [100, 10, 1], classes=1000)
    assert found.modes == 1000
    # 2 n KL is a chi-squared of 999 degrees of freedom where nothing is missing.
    assert found.divergence == pytest.approx(999 / 52_000, rel=0.2)
    half = digits % 5
    assert metrics.class_coverage(half @ [100, 10, 1], classes=1000).divergence == pytest.approx(math.log(8), rel=0.02)


def test_probabilities_and_references_of_either_kind():
    chances = np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.0, 1.0, 0.0]])
    found = metrics.class_coverage(chances, 3, reference=[0, 0, 1, 1, 2])
    assert found.counts == (1, 3, 0)
    assert found.divergence == pytest.approx(0.25 * math.log(0.25 / 0.4) + 0.75 * math.log(0.75 / 0.4))
    shares = metrics.class_coverage(chances, 3, reference=[0.4, 0.4, 0.2])
    assert shares.divergence == pytest.approx(found.divergence)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: metrics.class_coverage([0, 3], 3), "0 to 2"),
        (lambda: metrics.class_coverage([0, 2], 3, reference=[0, 1]), "larger reference"),
        (lambda: metrics.class_coverage([0.5, 0.5], 3), "whole numbers (n,)"),
        (lambda: metrics.class_coverage([[np.nan, 0.0]], 2), "1 of 1 rows"),
        (lambda: metrics.class_coverage([0], 2, reference=[0.5, 0.2, 0.3]), "each of the 2 classes"),
        (lambda: metrics.mode_coverage(RING, RING[:, :1], 1), "in the space of the samples"),
        (lambda: metrics.mode_coverage(RING, RING, 0), "above 0"),
        (lambda: metrics.mode_coverage(RING * np.nan, RING, 1), "8 of 8 samples"),
        (lambda: metrics.mode_coverage(RING, RING, 1, weights=[1.0]), "each of the 8 modes"),
    ],
)
def test_refused_modes(run, words):
    with pytest.raises(ValueError, match=r"expected|finite only") as caught:
        run()
    assert words in str(caught.value)
