"""One number about samples, with its interval and all that it depends on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Score:
    """What a metric says.

    A score compares only with scores of the same name, extractor and numbers of samples; that is why it carries them.

    Attributes:
        name: what was measured, such as `precision`.
        value: the number, always finite.
        low, high: ends of its 95 % interval; None where none was asked for or none is valid.
        real_count, fake_count: how many samples of each kind went into it.
        seed: seed of all that was drawn: subsets, directions, pairs.
        extractor: what the samples were compared by; None where they were compared as they are.
        detail: what else is worth knowing: settings, parts, and `interval`, how the interval was made.

    Raises:
        ValueError: the value or an end of the interval is not finite.

    Example:
        >>> score = Score("precision", 0.8121, 0.79, 0.832, 5000, 5000, 0, "random-conv-64, seed 0")
        >>> print(score)
        precision 0.812 [0.79, 0.832] (5,000 real, 5,000 generated, random-conv-64, seed 0)
        >>> score.title
        'precision (random-conv-64, seed 0)'
    """

    name: str
    value: float
    low: float | None
    high: float | None
    real_count: int
    fake_count: int
    seed: int
    extractor: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in ("value", "low", "high"):
            number = getattr(self, part)
            if number is not None and not math.isfinite(number):
                raise ValueError(
                    f"{self.name}: {part} came out as {number}; a finite number is expected. Look for samples that are all "
                    "equal or of enormous values, and compare them by another extractor."
                )

    @property
    def title(self) -> str:
        """The name with what the samples were compared by, for a heading or a legend."""
        return f"{self.name} ({self.extractor})" if self.extractor else self.name

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "name": self.name,
            "title": self.title,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "real_count": self.real_count,
            "fake_count": self.fake_count,
            "seed": self.seed,
            "extractor": self.extractor,
            "detail": dict(self.detail),
        }

    def __str__(self) -> str:
        interval = "" if self.low is None or self.high is None else f" [{self.low:.3g}, {self.high:.3g}]"
        counts = f"{self.real_count:,} real, {self.fake_count:,} generated"
        by = f", {self.extractor}" if self.extractor else ""
        return f"{self.name} {self.value:.3g}{interval} ({counts}{by})"
