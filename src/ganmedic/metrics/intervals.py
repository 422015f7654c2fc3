"""95 % intervals of scores.

References:
    Wilson 1927, *Probable Inference, the Law of Succession, and Statistical Inference*, JASA 22, page 209.
    Efron, Tibshirani 1993, *An Introduction to the Bootstrap*, chapters 11 (jackknife) and 13 (percentiles).
    Shao, Wu 1989, *A General Theory for Jackknife Variance Estimation*, Annals of Statistics 17 (groups are left out).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Interval = tuple[float, float]
Places = NDArray[np.intp]
#: 97.5 % quantiles of the standard normal distribution and of Student's t with GROUPS - 1 = 9 degrees of freedom.
NORMAL, STUDENT = 1.959964, 2.262157
#: Groups that are left out in turn.
GROUPS = 10
_RESAMPLES = 1000


def of_share(hits: NDArray[np.bool_]) -> Interval:
    """Wilson's score interval of the share of hits among independent trials; it keeps its width where all or none hit.

    Example:
        >>> tuple(round(end, 4) for end in of_share(np.array([True] * 10)))
        (0.7225, 1.0)
    """
    count, share = len(hits), float(hits.mean())
    square = NORMAL**2 / count
    middle = (share + square / 2) / (1 + square)
    reach = NORMAL * np.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    low, high = max(0.0, float(middle - reach)), min(1.0, float(middle + reach))
    return (low if share > 0 else 0.0), (high if share < 1 else 1.0)


def of_mean(values: Doubles, seed: int) -> Interval:
    """Percentile bootstrap of the mean of independent numbers, 1,000 resamples.

    Each number is drawn about once on average; how often is multinomial, so no resampled array is ever held.
    """
    random = np.random.default_rng(seed)
    distinct, counts = np.unique(values, return_counts=True)
    shares = counts / len(values)
    means = [float(random.multinomial(len(values), shares) @ distinct) / len(values) for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def of_jackknife(value: float, variance: float, *, quantile: float = NORMAL) -> Interval:
    """Value ± quantile · standard error."""
    reach = quantile * float(np.sqrt(max(variance, 0.0)))
    return value - reach, value + reach


def variance_by_leaving_out(estimates: Sequence[float] | Doubles) -> float:
    """Jackknife variance, (g - 1)/g Σ (θ₋ᵢ - mean)², from the estimates without each of g equal parts."""
    values = np.asarray(estimates, np.float64)
    return float((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum())


def groups(count: int, seed: int) -> Places:
    """A random group, 0 to GROUPS - 1, for each of so many samples; group sizes differ by one at most."""
    return np.random.default_rng(seed).permutation(count) % GROUPS
