"""Kernel distance between features."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ganmedic import checking
from ganmedic.metrics import intervals
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.distances import Doubles, Floats
from ganmedic.metrics.metric import Common, Metric, sizes
from ganmedic.metrics.samples import check_count
from ganmedic.metrics.score import Score

#: Kernel values held at a time (32 MB of float64).
_AT_ONCE = 2**22


class KID(Metric):
    """How far two sets of features lie apart, without bias: 0 on average for equal distributions, and so also below 0.

    The unbiased estimate of the squared maximum mean discrepancy with the kernel k(x, y) = (x·y/d + 1)³, averaged over random
    subsets. Because it has no bias it can be trusted with few samples, where a Fréchet distance cannot.

    Args:
        subsets: how many subsets.
        subset_size: samples of each kind in a subset. Where no more samples than that came, all of them make the only subset.
        common: `extractor`, `seed`, `intervals`, `value_range`: see `Metric`.

    Returns:
        One score; its detail has the standard error of the mean over subsets, as papers give it. That error says how well the mean
        over subsets is known and not how well the distance is, for the subsets share samples; the interval is a jackknife over samples.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, a set has less than 2 samples.

    Example:
        >>> metric = KID(extractor="pixels")
        >>> [score] = metric([[0.0], [0.0]], [[1.0], [1.0]])
        >>> score.name, score.value
        ('kid', 7.0)

    References:
        Bińkowski, Sutherland, Arbel, Gretton 2018, *Demystifying MMD GANs*, arXiv 1801.01401, section 4 and equation 4.
    """

    def __init__(self, subsets: int = 100, subset_size: int = 1000, **common: Unpack[Common]) -> None:
        super().__init__(**common)
        self.subsets = checking.whole("KID", "subsets", subsets)
        self.subset_size = checking.whole("KID", "subset_size", subset_size, low=2)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        check_count("KID", sizes(comparison), 2, "for each is compared with another of its kind")
        real, fake = comparison.real_features, comparison.fake_features
        size = min(self.subset_size, len(real), len(fake))
        whole = size == len(real) == len(fake)
        if whole:
            values = np.array([_discrepancy(real, fake)])
        else:
            random = np.random.default_rng(self.seed)
            drawn = (
                (random.permutation(len(real))[:size], random.permutation(len(fake))[:size])
                for _ in range(self.subsets)
            )
            values = np.array([_discrepancy(real[ours], fake[theirs]) for ours, theirs in drawn])
        value = float(values.mean())
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        interval = None
        if self.intervals and min(len(real), len(fake)) > 2:
            interval = intervals.of_jackknife(value, _variance(real, fake) + (error or 0.0) ** 2)
        detail = {
            "subsets": len(values),
            "subset_size": size,
            "standard_error": error,
            "interval": "jackknife over the samples of both kinds" if interval else None,
        }
        return (self._score(comparison, "kid", value, interval, detail),)


def _sums(rows: Floats, columns: Floats, *, same: bool) -> tuple[Doubles, Doubles]:
    """Sums of the kernel over each row and over each column; without a sample's kernel with itself for one set."""
    by_row, by_column = np.empty(len(rows)), np.zeros(len(columns))
    other = columns.astype(np.float64)
    step = max(1, _AT_ONCE // len(columns))
    for begin in range(0, len(rows), step):
        kernel = (rows[begin : begin + step].astype(np.float64) @ other.T / rows.shape[1] + 1.0) ** 3
        if same:
            own = np.arange(len(kernel))
            kernel[own, begin + own] = 0.0
        by_row[begin : begin + step] = kernel.sum(axis=1)
        by_column += kernel.sum(axis=0)
    return by_row, by_column


def _discrepancy(real: Floats, fake: Floats) -> float:
    n, m = len(real), len(fake)
    ours, theirs, mixed = (_sums(*pair, same=same)[0].sum() for pair, same in _pairs(real, fake))
    return float(ours / (n * (n - 1)) + theirs / (m * (m - 1)) - 2 * mixed / (n * m))


def _variance(real: Floats, fake: Floats) -> float:
    """Jackknife over both kinds: what the estimate becomes without each sample follows from the sums of its row."""
    n, m = len(real), len(fake)
    (ours, _), (theirs, _), (mixed, across) = (_sums(*pair, same=same) for pair, same in _pairs(real, fake))
    within_real, within_fake, between = ours.sum(), theirs.sum(), mixed.sum()
    without_real = (
        (within_real - 2 * ours) / ((n - 1) * (n - 2))
        + within_fake / (m * (m - 1))
        - 2 * (between - mixed) / ((n - 1) * m)
    )
    without_fake = (
        within_real / (n * (n - 1))
        + (within_fake - 2 * theirs) / ((m - 1) * (m - 2))
        - 2 * (between - across) / (n * (m - 1))
    )
    return intervals.variance_by_leaving_out(without_real) + intervals.variance_by_leaving_out(without_fake)


def _pairs(real: Floats, fake: Floats) -> tuple[tuple[tuple[Floats, Floats], bool], ...]:
    return ((real, real), True), ((fake, fake), True), ((real, fake), False)
