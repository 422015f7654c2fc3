"""Improved precision and recall."""

from __future__ import annotations

from typing import Unpack

from ganmedic import checking
from ganmedic.metrics import intervals
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.metric import Common, Metric, sizes
from ganmedic.metrics.samples import check_count
from ganmedic.metrics.score import Score


class PrecisionRecall(Metric):
    """How many generated samples look real, and how many real ones the generator could have made.

    A sample's ball reaches to its k-th nearest neighbour of the same kind; the balls of a set together are taken for where its
    distribution lies. Precision is the share of generated samples inside the real balls, recall the share of real samples inside
    the generated ones. High precision with low recall is mode collapse. One outlier has a large ball: see `DensityCoverage`.

    Args:
        neighbours: k. More neighbours make larger balls and higher scores.
        common: `extractor`, `seed`, `intervals`, `value_range`: see `Metric`.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, a set has no more than k samples.

    Example:
        >>> metric = PrecisionRecall(neighbours=1, extractor="pixels")
        >>> precision, recall = metric([[0.0], [1.0], [2.0]], [[0.5], [0.6], [9.0]])
        >>> round(precision.value, 3), round(recall.value, 3)
        (0.667, 0.667)

    References:
        Kynkäänniemi, Karras, Laine, Lehtinen, Aila 2019, *Improved Precision and Recall Metric for Assessing Generative Models*,
        arXiv 1904.06991, equations 1 to 3.
    """

    def __init__(self, neighbours: int = 3, **common: Unpack[Common]) -> None:
        super().__init__(**common)
        self.k = checking.whole("PrecisionRecall", "neighbours", neighbours)

    def neighbours(self) -> tuple[int, ...]:
        return (self.k,)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        check_count(
            "PrecisionRecall", sizes(comparison), self.k + 1, f"one more than the {self.k} neighbours of a ball"
        )
        balls = comparison.balls(self.k)
        result = []
        for name, hits, drawn, held in (
            ("precision", balls.fake_in_real, "generated", "real"),
            ("recall", balls.real_in_fake, "real", "generated"),
        ):
            method = f"Wilson, over the draw of the {drawn} samples; the balls of the {held} ones are held"
            detail = {"neighbours": self.k, "interval": method if self.intervals else None}
            interval = intervals.of_share(hits) if self.intervals else None
            result.append(self._score(comparison, name, float(hits.mean()), interval, detail))
        return tuple(result)
