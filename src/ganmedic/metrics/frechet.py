"""Fréchet distance between features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from ganmedic import checking
from ganmedic.metrics import intervals
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.distances import Doubles, Floats
from ganmedic.metrics.intervals import GROUPS, STUDENT
from ganmedic.metrics.metric import Common, Metric, sizes
from ganmedic.metrics.samples import check_count
from ganmedic.metrics.score import Score

#: Rows that are factorised at a time, beside those of a triangle.
_ROWS = 4096


class Frechet(Metric):
    """How far two sets of features lie apart if each were a normal distribution; 0 for equal ones.

    ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½). It is biased upwards by about c/n at n samples, so only values of equal numbers of samples
    compare; with fewer samples than features the covariances are rank-deficient and the bias is most of the value (the detail then
    has a `note`; `KID` has no bias). It is the FID of nothing but the Inception features of 2015, and is never called that here.

    With Σ = RᵀR, the trace of the root is the sum of the singular values of R₁R₂ᵀ, R from QR factorisations of the centred features. Neither
    a product of covariances nor its root is formed: it is exact for rank-deficient ones, and never complex.

    Args:
        extrapolate: whether the detail has `extrapolated`, the value at infinitely many samples: the intercept of a straight line over 1/n
            through the values at 50, 60, ..., 100 % of both sets. It asks for more than twice as many samples as features.
        common: `extractor`, `seed`, `intervals`, `value_range`: see `Metric`.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, a set has less than 2 samples, or too few to extrapolate.

    Example:
        >>> [score] = Frechet(extractor="pixels")([[0.0], [2.0]], [[3.0], [5.0]])
        >>> round(score.value, 9)
        9.0

    References:
        Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter 2017, *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
        Equilibrium*, arXiv 1706.08500, equation 6. Chong, Forsyth 2020, *Effectively Unbiased FID and Inception Score and where to find
        them*, arXiv 1911.07023, section 3: they thin the generated set only, here both are.
    """

    def __init__(self, extrapolate: bool = False, **common: Unpack[Common]) -> None:
        super().__init__(**common)
        self.extrapolate = checking.flag("Frechet", "extrapolate", extrapolate)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        check_count("Frechet", sizes(comparison), 2, "for a covariance")
        columns = comparison.real_features.shape[1]
        least = min(len(comparison.real), len(comparison.fake))
        if self.extrapolate:
            check_count(
                "Frechet(extrapolate=True)",
                sizes(comparison),
                2 * columns + GROUPS + 1,
                f"twice the {columns} features",
            )
        enough = least * (GROUPS - 1) // GROUPS > columns and least >= 2 * GROUPS
        detail: dict[str, object] = {"features": columns, "interval": None}
        if least <= columns:
            detail["note"] = f"{least} samples for {columns} features: most of the value is bias"
        if not enough or not (self.intervals or self.extrapolate):
            value = _distance(_whole(comparison.real_features), _whole(comparison.fake_features))
            return (self._score(comparison, "frechet_distance", value, None, detail),)
        ours, theirs = (
            _by_group(features, self.seed + place, comparison.centre)
            for place, features in enumerate((comparison.real_features, comparison.fake_features))
        )
        value = _distance(_Gaussian(_stacked(ours)), _Gaussian(_stacked(theirs)))
        interval = None
        if self.intervals:
            without = [_distance(_left_out(ours, group), _left_out(theirs, group)) for group in range(GROUPS)]
            variance = intervals.variance_by_leaving_out(without)
            interval = intervals.of_jackknife(value, variance, quantile=STUDENT)
            detail["interval"] = f"jackknife over {GROUPS} groups of samples; of the value at this number of samples"
        if self.extrapolate:
            detail["extrapolated"] = _extrapolated(ours, theirs)
        return (self._score(comparison, "frechet_distance", value, interval, detail),)


class _Gaussian:
    """Mean and root of the covariance, from the triangle of a QR factorisation of the features behind a column of ones.

    The first row of the triangle is √n (1, mean), and the rest is the triangle of the centred features.
    """

    def __init__(self, triangle: Doubles) -> None:
        count = triangle[0, 0] ** 2
        self.mean = triangle[0, 1:] / triangle[0, 0]
        self.root = triangle[1:, 1:] / np.sqrt(count - 1)


def _distance(one: _Gaussian, other: _Gaussian) -> float:
    traces = (one.root**2).sum() + (other.root**2).sum()
    root = np.linalg.svd(one.root @ other.root.T, compute_uv=False).sum()
    return max(0.0, float(((one.mean - other.mean) ** 2).sum() + traces - 2 * root))


def _whole(features: Floats) -> _Gaussian:
    """Of all samples; where there are fewer than features, the centred features are a root as they are."""
    if len(features) > features.shape[1]:
        return _Gaussian(_triangle(features, np.zeros(features.shape[1])))
    wide = features.astype(np.float64)
    mean = wide.mean(axis=0)
    result = _Gaussian.__new__(_Gaussian)
    result.mean, result.root = mean, (wide - mean) / np.sqrt(len(wide) - 1)
    return result


def _triangle(features: Floats, centre: Doubles) -> Doubles:
    result = np.empty((0, features.shape[1] + 1))
    for begin in range(0, len(features), _ROWS):
        block = features[begin : begin + _ROWS].astype(np.float64) - centre
        result = _stacked([result, np.column_stack([np.ones(len(block)), block])])
    return result


def _stacked(triangles: Sequence[Doubles]) -> Doubles:
    return np.asarray(np.linalg.qr(np.concatenate(triangles), mode="r"))


def _by_group(features: Floats, seed: int, centre: Doubles) -> list[Doubles]:
    places = intervals.groups(len(features), seed)
    return [_triangle(features[places == group], centre) for group in range(GROUPS)]


def _left_out(triangles: Sequence[Doubles], group: int) -> _Gaussian:
    return _Gaussian(_stacked([triangle for place, triangle in enumerate(triangles) if place != group]))


def _extrapolated(ours: Sequence[Doubles], theirs: Sequence[Doubles]) -> float:
    parts = range(GROUPS // 2, GROUPS + 1)
    values = [_distance(_Gaussian(_stacked(ours[:part])), _Gaussian(_stacked(theirs[:part]))) for part in parts]
    slope_and_end = np.polyfit([GROUPS / part for part in parts], values, 1)
    return float(slope_and_end[1])
