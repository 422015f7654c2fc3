"""How many different samples there are in effect."""

from __future__ import annotations

import math
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from ganmedic import checking
from ganmedic.data.diversity import vendi_score
from ganmedic.metrics import intervals
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.distances import Doubles, Floats
from ganmedic.metrics.metric import Common, Metric, sizes
from ganmedic.metrics.samples import check_count
from ganmedic.metrics.score import Score

_TINY = 1e-12


class Vendi(Metric):
    """The number of samples, all quite different, that would be as varied; of the generated samples, and of the real ones beside it.

    The exponential of the Rényi entropy of order q of the eigenvalues of K/n, K the cosine of each two samples' features. The mean of the
    real features is taken off both sets, so that what all samples share does not count, and a collapsed set has a score near 1.
    It grows with the number of samples: both sets are thinned to the smaller one's.

    Args:
        order: q of at least 0, also `math.inf`. Small orders count rare kinds of samples as much as frequent ones; 1 is the entropy
            of Shannon, infinity sees the largest kind alone.
        common: `extractor`, `seed`, `intervals`, `value_range`: see `Metric`.

    Returns:
        `vendi` of the generated and `vendi_real` of the real samples.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, a set has less than 2 samples.

    Example:
        >>> rows = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
        >>> generated, real = Vendi(extractor="pixels")(rows, [[2.0, 0.0]] * 4)
        >>> round(generated.value, 6), round(real.value, 6)
        (1.0, 2.0)

    References:
        Friedman, Dieng 2022, *The Vendi Score: A Diversity Evaluation Metric for Machine Learning*, arXiv 2210.02410, definition 3.1.
        Pasarkar, Dieng 2023, *Cousins Of The Vendi Score*, arXiv 2310.12952, definition 2: orders.
    """

    def __init__(self, order: float = 1.0, **common: Unpack[Common]) -> None:
        super().__init__(**common)
        self.order = math.inf if order == math.inf else checking.number("Vendi", "order", order, low=0.0)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        check_count("Vendi", sizes(comparison), 2, "for one has no variety")
        count = min(len(comparison.real), len(comparison.fake))
        result = []
        sets = (("vendi", comparison.fake_features), ("vendi_real", comparison.real_features))
        for place, (name, features) in enumerate(sets):
            kept = features
            if count < len(features):
                random = np.random.default_rng(self.seed + place)
                kept = features[np.sort(random.permutation(len(features))[:count])]
            centred = (kept - comparison.centre).astype(np.float32)
            value = effective_number(centred, self.order)
            error = standard_error(centred, self.order) if self.intervals else None
            interval = None if error is None else intervals.of_jackknife(value, error**2)
            method = "delta method over the samples; of the value at this number of samples"
            detail = {
                "order": self.order if math.isfinite(self.order) else "inf",
                "interval": method if interval else None,
            }
            result.append(self._score(comparison, name, value, interval, detail, (count, count)))
        return tuple(result)


def effective_number(features: Floats, order: float = 1.0) -> float:
    """The Vendi score of features as they are: nothing is taken off.

    Args:
        features: float array (n, d).
        order: of the entropy, at least 0.

    Example:
        >>> clusters = np.repeat(np.eye(5), 3, axis=0)
        >>> [round(effective_number(clusters, order), 6) for order in (0, 0.5, 1, 2, math.inf)]
        [5.0, 5.0, 5.0, 5.0, 5.0]
    """
    if order == 1.0:
        return vendi_score(features)
    shares = _shares(features)
    if math.isinf(order):
        return float(1 / shares.max())
    return float((shares**order).sum() ** (1 / (1 - order)))


def standard_error(features: Floats, order: float = 1.0) -> float | None:
    """Standard error of `effective_number`, by how much each sample moves the entropy.

    With u the unit features and ρ the mean of u uᵀ, whose eigenvalues are those of K/n, the entropy of order q moves with a sample by
    q/(1 - q) (uᵀ ρ^(q-1) u / tr ρ^q - 1), for order 1 by -uᵀ (log ρ) u - H, and for infinity by 1 - (u·v)²/λ with the largest
    eigenvalue λ and its eigenvector v.

    Args:
        features: float array (n, d).
        order: of the entropy.

    Returns:
        The error; None for order 0, the rank, of which no derivative is.
    """
    if order == 0:
        return None
    shares, parts = _parts(features)
    if math.isinf(order):
        moves = 1 - parts[:, shares.argmax()] / shares.max()
    elif order == 1.0:
        moves = -(parts @ np.log(shares))
    else:
        moves = order / (1 - order) * (parts @ shares ** (order - 1)) / (shares**order).sum()
    return effective_number(features, order) * float(moves.std(ddof=1)) / math.sqrt(len(features))


def _shares(features: Floats) -> Doubles:
    """Eigenvalues of K/n above rounding; a sample without length is like itself and those like it."""
    unit, nothing = _unit(features)
    product = unit.T @ unit if unit.shape[1] < len(unit) else unit @ unit.T
    shares = np.append(np.linalg.eigvalsh(product / len(unit)), nothing.mean())
    kept: Doubles = shares[shares > _TINY]
    return kept


def _parts(features: Floats) -> tuple[Doubles, Doubles]:
    """The eigenvalues, and for each sample the squares of its parts along their eigenvectors, (n, eigenvalues)."""
    unit, nothing = _unit(features)
    _, lengths, axes = np.linalg.svd(unit, full_matrices=False)
    shares = np.append(lengths**2 / len(unit), nothing.mean())
    parts = np.column_stack([(unit @ axes.T) ** 2, nothing.astype(np.float64)])
    kept = shares > _TINY
    return shares[kept], parts[:, kept]


def _unit(features: Floats) -> tuple[Doubles, NDArray[np.bool_]]:
    wide = features.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.where(length > _TINY, wide / np.maximum(length, _TINY), 0.0), (length <= _TINY)[:, 0]
