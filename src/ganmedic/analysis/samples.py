"""How samples compare: how different they are among themselves, and one set from another. Pure arithmetic on arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: So many fixed random features of a picture, made with a convolution of so many pixels each way.
_FEATURES, _SIDE, _SEED = 32, 3, 20180110


def spread(samples: NDArray[np.floating]) -> float:
    """Root mean square distance of the entries from their mean over the samples; array (samples, ...)."""
    if len(samples) < 2:
        return 0.0
    flat = _flat(samples)
    return float(np.sqrt(np.square(flat - flat.mean(axis=0)).mean()))


def features(samples: NDArray[np.floating]) -> Floats:
    """Fixed random-convolution features of pictures, array (samples, features); of all else the samples themselves.

    Means over the picture of rectified responses to random 3 x 3 filters of one fixed seed, and of their squares.
    """
    if samples.ndim != 4 or min(samples.shape[1:3]) < _SIDE:
        return _flat(samples)
    pictures = np.nan_to_num(samples.astype(np.float64))
    filters = np.random.default_rng(_SEED).normal(size=(_SIDE, _SIDE, pictures.shape[3], _FEATURES))
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (_SIDE, _SIDE), axis=(1, 2))
    answers = np.maximum(np.einsum("nhwcij,ijcf->nhwf", windows, filters, optimize=True), 0.0)
    return np.concatenate([answers.mean(axis=(1, 2)), answers.std(axis=(1, 2))], axis=1)


def neighbour_accuracy(real: NDArray[np.floating], fake: NDArray[np.floating]) -> float:
    """How well the nearest neighbour tells real from fake samples, 0 to 1, around 0.5 where they are alike.

    The leave-one-out nearest-neighbour two-sample test, Lopez-Paz and Oquab, *Revisiting Classifier Two-Sample Tests*,
    2017, arXiv 1610.06545; distances in units of the real samples' spread, the mean of both classes' accuracies.
    """
    one, other = _flat(real), _flat(fake)
    scale = np.maximum(one.std(axis=0), 1e-3 * max(1e-12, float(one.std())))
    both = np.concatenate([one, other]) / scale
    labels = np.r_[np.ones(len(one), bool), np.zeros(len(other), bool)]
    squares = np.square(both).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * both @ both.T
    np.fill_diagonal(distances, np.inf)
    right = labels[distances.argmin(axis=1)] == labels
    return float((right[labels].mean() + right[~labels].mean()) / 2)


def between_batches(batches: Sequence[NDArray[np.floating]]) -> float:
    """How far the means of batches lie apart, against what samples drawn at random would give: about 1 for those.

    The F of a one-way analysis of variance, its median over those entries that vary at all.
    """
    flats = [_flat(batch) for batch in batches if len(batch) > 1]
    if len(flats) < 3:
        return 1.0
    count = min(map(len, flats))
    means = np.stack([flat.mean(axis=0) for flat in flats])
    within = np.mean([flat.var(axis=0, ddof=1) for flat in flats], axis=0)
    between = count * means.var(axis=0, ddof=1)
    varying = (within + between) > 1e-6 * max(1e-30, float((within + between).max()))
    if not varying.any():
        return 1.0
    return float(np.median(between[varying] / np.maximum(within[varying], 1e-3 * (within + between)[varying])))


def distinct(digests: Sequence[Sequence[int]]) -> tuple[int, int, float]:
    """Of samples drawn in batches: how many were looked at, how many of them differ, and how many there may be in all.

    Returns:
        The number drawn, the number of different ones, and the size of the set they were drawn from (infinite where hardly
        any came twice), from the chance that two draws of different batches are the same.
    """
    drawn = sum(map(len, digests))
    different = len({one for batch in digests for one in batch})
    pairs = same = 0
    for index, batch in enumerate(digests):
        for other in digests[index + 1 :]:
            pairs += len(batch) * len(other)
            known = Counter(other)
            same += sum(known[one] for one in batch)
    size = pairs / same if same else float("inf")
    return drawn, different, max(size, float(different))


def _flat(samples: NDArray[np.floating]) -> Floats:
    return np.nan_to_num(np.asarray(samples, np.float64).reshape(len(samples), -1), posinf=0.0, neginf=0.0)
