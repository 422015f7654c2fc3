"""Sliced Wasserstein distance."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ganmedic import checking
from ganmedic.metrics import intervals, laplacian
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.distances import Doubles
from ganmedic.metrics.intervals import GROUPS, STUDENT
from ganmedic.metrics.metric import Common, Metric, sizes
from ganmedic.metrics.projections import directions, sliced
from ganmedic.metrics.samples import SampleSet, check_count
from ganmedic.metrics.score import Score


class SlicedWasserstein(Metric):
    """How far samples have to be moved to become the others, seen along random lines.

    Images are compared by 7 x 7 patches of the levels of their Laplacian pyramids, 128 of each image and level: the fine levels tell
    about sharpness and noise, the coarse ones about composition. The score is the mean over levels; its detail has each one under
    `levels`, by the shorter side in pixels. (Papers print these numbers times 1,000.) Rows are compared as they are.

    Each level's channels are brought to mean 0 and spread 1, for each set by itself: a shift of all colours is not seen.

    Args:
        directions: how many lines are drawn.
        images: at most so many images of each kind are looked at; 1,024 take 75 MB a level and kind.
        common: `extractor` (unused), `seed`, `intervals`, `value_range`: see `Metric`.

    Raises:
        TypeError, ValueError: an argument does not fit; on the call, images are smaller than 7 x 7.

    Example:
        >>> [score] = SlicedWasserstein()([[0.0], [1.0], [2.0]], [[3.0], [4.0], [5.0]])
        >>> score.value
        3.0

    References:
        Karras, Aila, Laine, Lehtinen 2017, *Progressive Growing of GANs*, arXiv 1710.10196, section 5: 4 x 128 lines.
    """

    by_features = False

    def __init__(self, directions: int = 512, images: int = 1024, **common: Unpack[Common]) -> None:
        super().__init__(**common)
        self.directions = checking.whole("SlicedWasserstein", "directions", directions)
        self.images = checking.whole("SlicedWasserstein", "images", images)

    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        check_count("SlicedWasserstein", sizes(comparison), 1, "for there is nothing else to move")
        if not comparison.real.images:
            return (self._of_rows(comparison),)
        shape = comparison.real.values.shape[1:]
        if min(shape[:2]) < laplacian.PATCH:
            raise ValueError(
                f"SlicedWasserstein: images of {shape[0]} x {shape[1]} came; at least {laplacian.PATCH} x {laplacian.PATCH} is "
                "expected. Flatten smaller ones to rows."
            )
        real, fake = (
            samples.thinned(self.images, self.seed + place)
            for place, samples in enumerate((comparison.real, comparison.fake))
        )
        groups = self._groups(real, fake, laplacian.PATCHES)
        pairs = zip(laplacian.descriptors(real, self.seed), laplacian.descriptors(fake, self.seed + 1), strict=True)
        levels, without = {}, []
        for side, (ours, theirs) in zip(laplacian.sides(*shape[:2]), pairs, strict=True):
            along = directions(ours.shape[1], self.directions, self.seed)
            levels[f"{side} px"], left_out = sliced(ours, theirs, along, groups)
            without.append(left_out)
        value = float(np.mean(list(levels.values())))
        left = None if groups is None else np.mean([part for part in without if part is not None], axis=0)
        detail = {"levels": levels, "patches": laplacian.PATCHES}
        return (self._finished(comparison, value, left, detail, (len(real), len(fake))),)

    def _of_rows(self, comparison: Comparison) -> Score:
        real, fake = comparison.real, comparison.fake
        ours, theirs = (samples.take(slice(None)) for samples in (real, fake))
        along = directions(ours.shape[1], self.directions, self.seed)
        value, left = sliced(ours, theirs, along, self._groups(real, fake, 1))
        return self._finished(comparison, value, left, {}, (len(real), len(fake)))

    def _groups(self, real: SampleSet, fake: SampleSet, each: int) -> tuple[intervals.Places, intervals.Places] | None:
        if not self.intervals or min(len(real), len(fake)) < 2 * GROUPS:
            return None
        ours, theirs = (intervals.groups(len(samples), self.seed + place) for place, samples in enumerate((real, fake)))
        return np.repeat(ours, each), np.repeat(theirs, each)

    def _finished(
        self,
        comparison: Comparison,
        value: float,
        left: Doubles | None,
        detail: dict[str, object],
        counts: tuple[int, int],
    ) -> Score:
        interval = None
        if left is not None:
            interval = intervals.of_jackknife(value, intervals.variance_by_leaving_out(left), quantile=STUDENT)
        method = f"jackknife over {GROUPS} groups of samples, along 32 lines; of the value at this number of samples"
        detail |= {"directions": self.directions, "interval": method if interval else None}
        return self._score(comparison, "sliced_wasserstein", value, interval, detail, counts)
