"""Modes that are known, such as the Gaussians of a ring or a grid."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic import checking
from ganmedic.metrics import intervals
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.distances import squared_distances
from ganmedic.metrics.divergence import checked_shares, divergence
from ganmedic.metrics.metric import Common, Metric
from ganmedic.metrics.score import Score

_OWNER = "mode_coverage"


@dataclass(frozen=True, slots=True)
class ModeCoverage:
    """Which of the known modes samples found.

    Attributes:
        modes: how many modes have at least `minimum` samples within the radius.
        total: how many there are.
        quality: share of the samples that lie within the radius of a mode.
        divergence: KL divergence, in nats, of those samples' shares of the modes from the expected ones; None where no sample lies
            within the radius of any mode.
        counts: samples within the radius of each mode.
        samples: how many samples there were.
    """

    modes: int
    total: int
    quality: float
    divergence: float | None
    counts: tuple[int, ...]
    samples: int

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {**asdict(self), "counts": list(self.counts)}

    def __str__(self) -> str:
        far = "" if self.divergence is None else f", divergence {self.divergence:.3g}"
        return f"{self.modes:,} of {self.total:,} modes, {self.quality:.1%} of {self.samples:,} samples near one{far}"


def mode_coverage(
    samples: ArrayLike,
    centres: ArrayLike,
    radius: float,
    *,
    weights: ArrayLike | None = None,
    minimum: int = 1,
) -> ModeCoverage:
    """Counts the known modes that samples found.

    A sample belongs to the nearest centre, and is of high quality within `radius` of it: three standard deviations in the papers.

    Args:
        samples: float array (n, d).
        centres: float array (modes, d).
        radius: distance above 0, in the unit of the samples.
        weights: expected share of each mode, brought to a sum of 1; None for equal ones.
        minimum: so many samples of high quality make a mode found.

    Raises:
        TypeError, ValueError: shapes do not fit, numbers are not finite, or an argument does not fit.

    Example:
        >>> print(mode_coverage([[0.0, 0.1], [0.1, 0.0], [5.0, 5.0]], [[0.0, 0.0], [1.0, 0.0]], radius=0.3))
        1 of 2 modes, 66.7% of 3 samples near one, divergence 0.693

    References:
        Metz, Poole, Pfau, Sohl-Dickstein 2016, *Unrolled Generative Adversarial Networks*, arXiv 1611.02163, section 3.1 (the ring).
        Srivastava, Valkov, Russell, Gutmann, Sutton 2017, *VEEGAN*, arXiv 1705.07761, section 5.1 (both counts).
        Lin, Khetan, Fanti, Oh 2018, *PacGAN*, arXiv 1712.04086, section 4.1 (the divergence).
    """
    points, middles = _rows("samples", samples), _rows("centres", centres)
    if points.shape[1] != middles.shape[1]:
        raise ValueError(
            f"{_OWNER}: samples have {points.shape[1]} columns and centres {middles.shape[1]}; one number is expected. "
            "Give centres (modes, d) in the space of the samples (n, d)."
        )
    radius = checking.number(_OWNER, "radius", radius, above=0.0)
    minimum = checking.whole(_OWNER, "minimum", minimum)
    expected = checked_shares(_OWNER, "weights", weights, len(middles), "modes")
    near, close = _assigned(points, middles, radius)
    counts = np.bincount(near[close], minlength=len(middles))
    return ModeCoverage(
        modes=int((counts >= minimum).sum()),
        total=len(middles),
        quality=float(close.mean()),
        divergence=divergence(_OWNER, counts, expected) if counts.sum() else None,
        counts=tuple(counts.tolist()),
        samples=len(points),
    )


class Modes(Metric):
    """`mode_coverage` as a metric: `modes_found`, `high_quality_share` and, where a sample is near a mode, `mode_divergence`.

    Args:
        centres: float array (modes, columns).
        radius: distance above 0.
        weights: expected share of each mode; None for equal ones.
        minimum: so many samples of high quality make a mode found.
        common: `extractor` (unused), `seed`, `intervals`, `value_range`: see `Metric`.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, samples are no rows of as many columns as the centres.

    Example:
        >>> for score in Modes(centres=[[0.0], [9.0]], radius=1.0)([[0.1], [9.1]], [[0.2], [0.3]]):
        ...     print(score.name, round(score.value, 3), score.detail["real"])
        modes_found 1.0 2
        high_quality_share 1.0 1.0
        mode_divergence 0.693 0.0

    References:
        Those of `mode_coverage`.
    """

    by_features = False
    by_default = False

    def __init__(
        self,
        centres: ArrayLike,
        radius: float,
        weights: ArrayLike | None = None,
        minimum: int = 1,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(**common)
        self.centres = _rows("centres", centres)
        self.radius = checking.number(_OWNER, "radius", radius, above=0.0)
        self.weights = weights
        self.minimum = checking.whole(_OWNER, "minimum", minimum)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        real, fake = (self._of(samples.values) for samples in (comparison.real, comparison.fake))
        interval = None
        if self.intervals:
            near = np.arange(fake.samples) < round(fake.quality * fake.samples)
            interval = intervals.of_share(near)
        detail = {"total": fake.total, "radius": self.radius, "interval": None}
        method = "Wilson, over the draw of the generated samples" if interval else None
        result = [
            self._score(comparison, "modes_found", fake.modes, None, {**detail, "real": real.modes}),
            self._score(
                comparison,
                "high_quality_share",
                fake.quality,
                interval,
                {**detail, "interval": method, "real": real.quality},
            ),
        ]
        if fake.divergence is not None:
            more = {**detail, "real": real.divergence, "counts": list(fake.counts)}
            result.append(self._score(comparison, "mode_divergence", fake.divergence, None, more))
        return tuple(result)

    def _of(self, samples: ArrayLike) -> ModeCoverage:
        return mode_coverage(samples, self.centres, self.radius, weights=self.weights, minimum=self.minimum)


def _rows(name: str, values: ArrayLike) -> NDArray[np.float64]:
    rows = np.asarray(values)
    if rows.dtype.kind not in "iuf" or rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(
            f"{_OWNER}: {name} of shape {rows.shape} and type {rows.dtype} came; numbers (n, d) are expected. "
            "Flatten other shapes to rows."
        )
    spoilt = int((~np.isfinite(rows)).any(axis=1).sum())
    if spoilt:
        raise ValueError(
            f"{_OWNER}: {spoilt:,} of {len(rows):,} {name} hold NaN or infinite values; finite ones are expected. "
            "Find out where they come from: ganmedic check."
        )
    return rows.astype(np.float64)


def _assigned(
    points: NDArray[np.float64], middles: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The nearest centre of each point, and whether it lies within the radius."""
    near = np.empty(len(points), np.intp)
    close = np.empty(len(points), np.bool_)
    for begin, squared in squared_distances(points, middles, middles.mean(axis=0)):
        rows = slice(begin, begin + len(squared))
        near[rows] = squared.argmin(axis=1)
        close[rows] = squared.min(axis=1) <= radius**2
    return near, close
