"""What metrics ask about two sets of samples, worked out once and shared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic import checking
from ganmedic.metrics import extractors
from ganmedic.metrics.distances import Doubles, nearest_neighbours, squared_distances
from ganmedic.metrics.extractors.extractor import Features, describe
from ganmedic.metrics.samples import Floats, SampleSet, check_seed, paired


@dataclass(frozen=True)
class Balls:
    """Which samples lie in the balls around the samples of the other kind; a ball reaches to the k-th nearest neighbour.

    Attributes:
        fake_in_real: whether each generated sample lies in the ball of any real one; bool (fakes,).
        real_in_fake: the same the other way round; bool (reals,).
        real_balls_around_fake: in how many real balls each generated sample lies; int (fakes,).
        real_balls_hit: whether any generated sample lies in the ball of each real one; bool (reals,).
    """

    fake_in_real: NDArray[np.bool_]
    real_in_fake: NDArray[np.bool_]
    real_balls_around_fake: NDArray[np.int64]
    real_balls_hit: NDArray[np.bool_]


class Comparison:
    """Real and generated samples, their features, and who is near whom.

    Args:
        real, fake: arrays of one shape: images (n, height, width, channels) or rows (n, columns).
        extractor: name of an extractor, or a callable from samples to features (n, d) that has a `name`.
        seed: draws the samples that are kept.
        samples: at most so many of each kind; None for all.
        value_range: (low, high) of the images' values; found where it is not told.
        neighbours: numbers of neighbours that will be asked for: one pass answers all of them.

    Raises:
        TypeError, ValueError: the samples cannot be compared, or there is no such extractor.
    """

    def __init__(
        self,
        real: ArrayLike,
        fake: ArrayLike,
        *,
        extractor: Any = "random",
        seed: int = 0,
        samples: int | None = None,
        value_range: tuple[float, float] | None = None,
        neighbours: Iterable[int] = (),
    ) -> None:
        seed = check_seed("metrics", seed)
        if samples is not None:
            checking.whole("metrics", "samples", samples, low=2, hint="None takes all.")
        first, second = paired(real, fake, value_range)
        self.real: SampleSet = first.thinned(samples, seed)
        self.fake: SampleSet = second.thinned(samples, seed + 1)
        self._extractor = extractors.get(extractor)
        self._neighbours = set(neighbours)
        self._balls: dict[int, Balls] = {}

    @cached_property
    def extractor(self) -> Features:
        """The extractor, adapted to the real samples where it is one that adapts."""
        fit = getattr(self._extractor, "fit", None)
        fitted: Features = self._extractor if fit is None else fit(self.real)
        return fitted

    @property
    def extractor_name(self) -> str:
        """What the samples are compared by, for scores."""
        return describe(self.extractor)

    @property
    def extractor_note(self) -> dict[str, str]:
        """What has to be known of the extractor, for the details of a score; empty where there is nothing."""
        note = getattr(self.extractor, "note", "")
        return {"note": note} if note else {}

    @cached_property
    def real_features(self) -> Floats:
        """Features of the real samples, float32 (n, d)."""
        return self._extracted(self.real)

    @cached_property
    def fake_features(self) -> Floats:
        """Features of the generated samples, float32 (m, d)."""
        return self._extracted(self.fake)

    @cached_property
    def centre(self) -> Doubles:
        """Mean of the real features."""
        return np.asarray(self.real_features.mean(axis=0, dtype=np.float64))

    def balls(self, neighbours: int) -> Balls:
        """Who lies in whose ball, for balls that reach to so many neighbours; both sets have more samples than that."""
        if neighbours not in self._balls:
            self._neighbours.add(neighbours)
            least = min(len(self.real), len(self.fake))
            self._measure_balls(sorted(k for k in self._neighbours if k < least and k not in self._balls))
        return self._balls[neighbours]

    def _measure_balls(self, wanted: list[int]) -> None:
        real, fake = self.real_features, self.fake_features
        real_radii = nearest_neighbours(real, wanted[-1], self.centre)
        fake_radii = nearest_neighbours(fake, wanted[-1], self.centre)
        found = {
            k: Balls(
                np.zeros(len(fake), np.bool_),
                np.zeros(len(real), np.bool_),
                np.zeros(len(fake), np.int64),
                np.zeros(len(real), np.bool_),
            )
            for k in wanted
        }
        for begin, squared in squared_distances(fake, real, self.centre):
            rows = slice(begin, begin + len(squared))
            for k, balls in found.items():
                inside = squared <= real_radii[:, k - 1]
                balls.real_balls_around_fake[rows] = inside.sum(axis=1)
                balls.fake_in_real[rows] = inside.any(axis=1)
                balls.real_balls_hit[:] |= inside.any(axis=0)
                balls.real_in_fake[:] |= (squared <= fake_radii[rows, k - 1, None]).any(axis=0)
        self._balls.update(found)

    def _extracted(self, samples: SampleSet) -> Floats:
        parts = []
        for block in samples.blocks():
            part = np.asarray(self.extractor(block), np.float32)
            if part.ndim != 2 or len(part) != len(block):
                raise ValueError(
                    f"metrics: {self.extractor_name} gave features of shape {part.shape} for {len(block)} samples; "
                    f"({len(block)}, d) is expected. Let it return one row of numbers a sample."
                )
            parts.append(part)
        features = np.concatenate(parts)
        if not np.isfinite(features).all():
            spoilt = int((~np.isfinite(features)).any(axis=1).sum())
            raise ValueError(
                f"metrics: the features of {spoilt:,} of {len(features):,} {samples.owner} samples by {self.extractor_name} are "
                "not finite; finite ones are expected. Use another extractor, or scale the samples."
            )
        return features
