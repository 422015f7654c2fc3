"""How different the samples are, what lies apart, and how far a part of them speaks for the rest.

The Vendi score is the exponential of the entropy of the eigenvalues of K/n, with K the similarity of each two samples: the number
of samples, all quite different, that would be as diverse. Here K is the cosine of the features with their mean taken off. A
number only compares with others that were measured on the same features and as many samples.

References:
    Friedman, Dieng, *The Vendi Score: A Diversity Evaluation Metric for Machine Learning*, 2022,
    https://arxiv.org/abs/2210.02410 (definition 3.1).
    von Neumann, *Distribution of the ratio of the mean square successive difference to the variance*, 1941.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TINY = 1e-12
#: Below it, the nearest neighbour is as good as the same: typical nearest neighbours lie at a third to two thirds of the
#: distance of any two samples.
_ALMOST_SAME = 0.02


@dataclass(frozen=True, slots=True)
class Diversity:
    """What a fair sample of the data says.

    Attributes:
        samples: how many were looked at.
        features: what they were compared by.
        vendi: Vendi score of the sample.
        vendi_half: that of half of it: where it is close, more samples would show little that is new.
        neighbour: median distance to the nearest neighbour, in units of the median distance of two samples.
        almost_same: share of the samples whose nearest neighbour is closer than 0.02 of that unit.
        half_distance: distance between the means of two random halves, by the spread within.
        outliers: places in the sample of what lies furthest from its neighbours, with how many typical distances.
    """

    samples: int
    features: str
    vendi: float
    vendi_half: float
    neighbour: float
    almost_same: float
    half_distance: float
    outliers: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Whether samples that follow one another resemble one another.

    Attributes:
        samples: how many were looked at.
        ratio: how far neighbours in the order are apart, by how far any two are (squared): 1 where shuffled, 0 where sorted.
        deviation: by how many standard deviations it lies below that of shuffled data.
        label_ratio: how often neighbours have different classes, by how often any two have; `None` without classes.
        drift: distance of the first tenth's mean from the rest's, by the spread within.
    """

    samples: int
    ratio: float
    deviation: float
    label_ratio: float | None
    drift: float


def vendi_score(features: NDArray[np.float32]) -> float:
    """Return the Vendi score with the cosine kernel.

    Args:
        features: float array (n, dimensions), as they are: nothing is taken off.
    """
    if not len(features):
        return 0.0
    real = features.astype(np.float64)
    length = np.linalg.norm(real, axis=1, keepdims=True)
    unit = np.where(length > _TINY, real / np.maximum(length, _TINY), 0.0)
    # A sample without length is like itself and nothing else; those like it are like one another.
    nothing = float((length <= _TINY).mean())
    # The smaller of the two products has the same eigenvalues.
    product = unit.T @ unit if unit.shape[1] < len(unit) else unit @ unit.T
    shares = np.append(np.linalg.eigvalsh(product / len(unit)), nothing)
    shares = shares[shares > _TINY]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def measure_diversity(features: NDArray[np.float32], description: str) -> Diversity:
    """Measure a fair sample, float array (n, dimensions) with n at least 2, in the order of the data."""
    centred = features - features.mean(axis=0)
    shuffled = np.random.default_rng(0).permutation(len(features))
    halves = shuffled[::2], shuffled[1::2]
    spread = float(np.sqrt((centred.astype(np.float64) ** 2).sum(axis=1).mean()))
    squared = _squared_distances(centred)
    upper = np.sqrt(squared[np.triu_indices(len(features), 1)])
    typical = float(np.median(upper))
    np.fill_diagonal(squared, np.inf)
    nearest = np.sqrt(squared.min(axis=1))
    return Diversity(
        samples=len(features),
        features=description,
        vendi=vendi_score(centred),
        vendi_half=vendi_score(centred[halves[0]] - centred[halves[0]].mean(axis=0)),
        neighbour=float(np.median(nearest)) / typical if typical > 0 else 0.0,
        almost_same=float((nearest <= _ALMOST_SAME * typical).mean()),
        half_distance=_mean_distance(centred, *halves) / spread if spread > 0 else 0.0,
        outliers=_outliers(nearest),
    )


def measure_order(features: NDArray[np.float32], labels: NDArray[np.int32]) -> Order:
    """Measure whether the order of a fair sample (n at least 2) says something; arguments as they come in the data."""
    count = len(features)
    centred = (features - features.mean(axis=0)).astype(np.float64)
    spread = float((centred**2).sum(axis=1).mean())
    following = ((centred[1:] - centred[:-1]) ** 2).sum(axis=1).mean() / 2
    ratio = float(following / spread) if spread > 0 else 1.0
    # The ratio of shuffled data, by shuffling: its spread depends on how many dimensions the features have in truth.
    random = np.random.default_rng(0)
    shuffled = []
    for _ in range(20 if spread > 0 else 0):
        other = centred[random.permutation(count)]
        shuffled.append(float(((other[1:] - other[:-1]) ** 2).sum(axis=1).mean() / 2 / spread))
    deviation = (float(np.mean(shuffled)) - ratio) / max(float(np.std(shuffled)), 1e-6) if shuffled else 0.0
    label_ratio = None
    known = labels[labels >= 0]
    if len(known) > 1:
        shares = np.bincount(known) / len(known)
        differing = 1 - float((shares**2).sum())
        label_ratio = float((known[1:] != known[:-1]).mean()) / differing if differing > 0 else None
    tenth = max(1, count // 10)
    drift = _mean_distance(centred, np.arange(tenth), np.arange(tenth, count)) / np.sqrt(spread) if spread > 0 else 0.0
    return Order(count, ratio, deviation, label_ratio, float(drift))


def _squared_distances(features: NDArray[np.float32]) -> NDArray[np.float64]:
    real = features.astype(np.float64)
    lengths = (real**2).sum(axis=1)
    squared: NDArray[np.float64] = np.maximum(lengths[:, None] + lengths[None, :] - 2 * (real @ real.T), 0.0)
    return squared


def _mean_distance(values: NDArray[np.floating], one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    if not len(one) or not len(other):
        return 0.0
    return float(np.linalg.norm(values[one].mean(axis=0) - values[other].mean(axis=0)))


def _outliers(nearest: NDArray[np.float64], most: int = 12) -> tuple[tuple[int, float], ...]:
    typical = max(float(np.median(nearest)), _TINY)
    furthest = np.argsort(-nearest, kind="stable")[:most]
    return tuple((int(place), float(nearest[place]) / typical) for place in furthest)
