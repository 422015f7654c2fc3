"""What all metrics have in common: called on real and generated samples, each gives scores."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypedDict, Unpack

from numpy.typing import ArrayLike

from ganmedic import checking
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.intervals import Interval
from ganmedic.metrics.samples import check_seed
from ganmedic.metrics.score import Score


class Common(TypedDict, total=False):
    """Arguments that every metric takes beside its own."""

    extractor: Any
    seed: int
    intervals: bool
    value_range: tuple[float, float] | None


class Metric(ABC):
    """Base of the metrics.

    Args:
        extractor: what turns samples into features: a name of `extractors.names()`, or an extractor. For features that are
            known already, rows (n, d), take `"pixels"`.
        seed: seed of all that is drawn.
        intervals: whether 95 % intervals are worked out.
        value_range: (low, high) of the images' values; found where it is not told.
    """

    #: Whether it compares by an extractor's features, and whether it also takes rows that are no images.
    by_features: ClassVar[bool] = True
    takes_rows: ClassVar[bool] = True
    #: Whether `measure` takes it in by itself: it needs no argument that only the user knows.
    by_default: ClassVar[bool] = True

    def __init__(self, **common: Unpack[Common]) -> None:
        self.extractor = common.get("extractor", "random")
        self.seed = check_seed(type(self).__name__, common.get("seed", 0))
        self.intervals = checking.flag(type(self).__name__, "intervals", common.get("intervals", True))
        self.value_range = common.get("value_range")

    def __call__(self, real: ArrayLike, fake: ArrayLike) -> tuple[Score, ...]:
        """Measures.

        Args:
            real, fake: arrays of one shape: images (n, height, width, channels) or (n, height, width), or rows (n, columns).

        Raises:
            TypeError, ValueError: the samples cannot be compared, are not finite, or too few.
        """
        return self.scores(
            Comparison(real, fake, extractor=self.extractor, seed=self.seed, value_range=self.value_range)
        )

    @abstractmethod
    def scores(self, comparison: Comparison) -> tuple[Score, ...]:
        """The scores of a comparison, which may be shared with other metrics."""

    def neighbours(self) -> tuple[int, ...]:
        """The numbers of neighbours it will ask the comparison for."""
        return ()

    @classmethod
    def arguments(cls) -> list[str]:
        """The names of the arguments it takes."""
        own = [name for name in inspect.signature(cls.__init__).parameters if name not in ("self", "common")]
        return own + list(Common.__annotations__)

    def _score(
        self,
        comparison: Comparison,
        name: str,
        value: float,
        interval: Interval | None,
        detail: Mapping[str, Any],
        counts: tuple[int, int] | None = None,
    ) -> Score:
        low, high = interval or (None, None)
        by = comparison.extractor_name if self.by_features else None
        notes = comparison.extractor_note if self.by_features else {}
        return Score(
            name,
            float(value),
            low,
            high,
            *(counts or (len(comparison.real), len(comparison.fake))),
            seed=self.seed,
            extractor=by,
            detail={**notes, **detail},
        )


def sizes(comparison: Comparison) -> tuple[tuple[str, int], ...]:
    """How many samples of each kind there are, with the words for them."""
    return ("real", len(comparison.real)), ("generated", len(comparison.fake))
