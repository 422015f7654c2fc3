"""Density and coverage."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ganmedic import checking
from ganmedic.metrics import intervals
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.metric import Common, Metric, sizes
from ganmedic.metrics.samples import check_count
from ganmedic.metrics.score import Score


class DensityCoverage(Metric):
    """Precision and recall that one outlier does not spoil: all balls are those of real samples.

    Density is in how many real balls a generated sample lies on average, by k; where real samples are dense it may exceed 1.
    Coverage is the share of real samples with a generated one in their ball. For equal distributions the expected density is 1 and
    the expected coverage 1 - (1/2)^k for large sets of one size.

    Args:
        neighbours: k.
        common: `extractor`, `seed`, `intervals`, `value_range`: see `Metric`.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, a set has no more than k samples.

    Example:
        >>> metric = DensityCoverage(neighbours=1, extractor="pixels")
        >>> density, coverage = metric([[0.0], [1.0], [3.0]], [[0.5], [0.6], [9.0]])
        >>> round(density.value, 3), round(coverage.value, 3)
        (1.333, 0.667)

    References:
        Naeem, Oh, Uh, Choi, Yoo 2020, *Reliable Fidelity and Diversity Metrics for Generative Models*, arXiv 2002.09797,
        equations 6 and 8 and section 3.3.
    """

    def __init__(self, neighbours: int = 5, **common: Unpack[Common]) -> None:
        super().__init__(**common)
        self.k = checking.whole("DensityCoverage", "neighbours", neighbours)

    def neighbours(self) -> tuple[int, ...]:
        return (self.k,)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        check_count(
            "DensityCoverage", sizes(comparison), self.k + 1, f"one more than the {self.k} neighbours of a ball"
        )
        balls = comparison.balls(self.k)
        counts = balls.real_balls_around_fake.astype(np.float64) / self.k
        hits = balls.real_balls_hit
        held = "the balls of the real ones are held"
        density = self._score(
            comparison,
            "density",
            float(counts.mean()),
            intervals.of_mean(counts, self.seed) if self.intervals else None,
            self._detail(f"bootstrap of 1,000 over the generated samples; {held}"),
        )
        coverage = self._score(
            comparison,
            "coverage",
            float(hits.mean()),
            intervals.of_share(hits) if self.intervals else None,
            self._detail("Wilson, over the draw of the real samples; the generated ones are held"),
        )
        return density, coverage

    def _detail(self, method: str) -> dict[str, object]:
        return {"neighbours": self.k, "interval": method if self.intervals else None}
