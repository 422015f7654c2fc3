"""What the data are held against: the range that the generator's last layer can produce."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganmedic.data.output_range import ACTIVATION_RANGES
from ganmedic.data.sources.source import DataError


@dataclass(frozen=True, slots=True)
class Against:
    """A generator's range.

    Attributes:
        name: ``tanh``, ``linear``, ... or ``-1..1``.
        low, high: its ends, infinite where there are none.
    """

    name: str
    low: float
    high: float

    @property
    def bounded(self) -> bool:
        """Whether it has two ends."""
        return math.isfinite(self.high - self.low)

    @property
    def to(self) -> str | tuple[float, float]:
        """What `Normalisation` is asked to bring the data to."""
        return self.name if self.name in ACTIVATION_RANGES else (self.low, self.high)


def parse_against(given: str | tuple[float, float] | Against) -> Against:
    """Read a range: the name of an activation, ``LOW..HIGH``, or a pair.

    Raises:
        DataError: it is neither.
    """
    if isinstance(given, Against):
        return given
    if isinstance(given, str) and given.lower() in ACTIVATION_RANGES:
        return Against(given.lower(), *ACTIVATION_RANGES[given.lower()])
    try:
        low, high = (float(end) for end in (given.split("..") if isinstance(given, str) else given))
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(high - low) and low < high):
        raise DataError(
            f"{given} was given as the generator's range. The activation of its last layer (tanh, sigmoid, linear, ...) or "
            "LOW..HIGH is expected, such as -1..1."
        )
    return Against(f"{low:g}..{high:g}", low, high)
