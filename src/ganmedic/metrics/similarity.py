"""How alike the samples of one set are."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from ganmedic import checking
from ganmedic.metrics import intervals
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.intervals import Interval
from ganmedic.metrics.metric import Common, Metric, sizes
from ganmedic.metrics.samples import SampleSet, check_count
from ganmedic.metrics.score import Score
from ganmedic.metrics.structural_similarity import WEIGHTS, ms_ssim, scales, window

#: Values of image blocks held at a time (32 MB of float64).
_AT_ONCE = 2**22


class MultiScaleSimilarity(Metric):
    """Mean MS-SSIM of pairs of generated images, and of real ones beside it: far above the real ones' it tells of mode collapse.

    It finds large collapses, and overlooks that colours or textures vary less. It says nothing of quality.

    Args:
        pairs: about so many random pairs of each kind are compared; each image is in as many pairs as any other.
        common: `extractor` (unused), `seed`, `intervals`, `value_range`: see `Metric`.

    Returns:
        `ms_ssim` of the generated and `ms_ssim_real` of the real images.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, the samples are no images, or less than 2.

    Example:
        >>> equal = np.tile(np.linspace(0, 1, 256).reshape(1, 16, 16, 1), (4, 1, 1, 1))
        >>> generated, real = MultiScaleSimilarity()(equal, equal)
        >>> generated.name, real.name, round(generated.value, 6)
        ('ms_ssim', 'ms_ssim_real', 1.0)

    References:
        Odena, Olah, Shlens 2017, *Conditional Image Synthesis with Auxiliary Classifier GANs*, arXiv 1610.09585, section 4.2.
        Wang, Simoncelli, Bovik 2003, *Multi-scale Structural Similarity for Image Quality Assessment*.
    """

    by_features = False
    takes_rows = False

    def __init__(self, pairs: int = 1000, **common: Unpack[Common]) -> None:
        super().__init__(**common)
        self.pairs = checking.whole("MultiScaleSimilarity", "pairs", pairs)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        shape = comparison.real.values.shape[1:]
        if not comparison.real.images:
            raise ValueError(
                f"MultiScaleSimilarity: rows of {shape[0]} columns came; images are expected. Use 'vendi' for the variety of rows."
            )
        check_count("MultiScaleSimilarity", sizes(comparison), 2, "for a pair")
        return self._of(comparison, "ms_ssim", comparison.fake), self._of(comparison, "ms_ssim_real", comparison.real)

    def _of(self, comparison: Comparison, name: str, samples: SampleSet) -> Score:
        height, width = samples.values.shape[1:3]
        first, second = _pairs(len(samples), self.pairs, self.seed)
        values = _similarities(samples, first, second)
        value = float(values.mean())
        interval, method = None, None
        if self.intervals and len(samples) > 2:
            interval, method = _interval(values, first, second, len(samples), value)
        size = window(height, width)
        weights = len(WEIGHTS[: scales(height, width)])
        detail = {"pairs": len(values), "scales": weights, "window": size, "interval": method}
        return self._score(comparison, name, value, interval, detail)


def _pairs(count: int, wanted: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of different samples: random halves against each other, as often as it takes, or all pairs where these are fewer."""
    if count * (count - 1) // 2 <= wanted:
        first, second = np.triu_indices(count, 1)
        return first, second
    random = np.random.default_rng(seed)
    half = count // 2
    orders = [random.permutation(count)[: 2 * half] for _ in range(max(1, -(-wanted // half)))]
    places = np.stack([order.reshape(2, half) for order in orders])
    return places[:, 0].ravel()[:wanted], places[:, 1].ravel()[:wanted]


def _similarities(samples: SampleSet, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float64]:
    step = max(1, _AT_ONCE // max(1, 4 * samples.values[0].size))
    parts = []
    for begin in range(0, len(first), step):
        sides = (samples.take(places[begin : begin + step]).astype(np.float64) / 2 + 0.5 for places in (first, second))
        parts.append(ms_ssim(*sides))
    return np.concatenate(parts).astype(np.float64)


def _interval(
    values: NDArray[np.float64], first: NDArray[np.intp], second: NDArray[np.intp], count: int, value: float
) -> tuple[Interval, str]:
    """Pairs that share no image are independent; otherwise each image is left out in turn with all its pairs."""
    used = np.bincount(np.concatenate([first, second]), minlength=count)
    if used.max() == 1:
        return intervals.of_jackknife(
            value, float(values.var(ddof=1)) / len(values)
        ), "normal, over pairs that share no image"
    sums = np.bincount(first, values, count) + np.bincount(second, values, count)
    without = (values.sum() - sums) / (len(values) - used)
    return intervals.of_jackknife(value, intervals.variance_by_leaving_out(without)), "jackknife over the images"
