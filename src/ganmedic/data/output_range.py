"""Do the data lie within what the generator's last activation can produce?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

#: What a layer with this activation can produce.
ACTIVATION_RANGES: Mapping[str, tuple[float, float]] = {
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, math.inf),
    "exponential": (0.0, math.inf),
    "linear": (-math.inf, math.inf),
}
#: So far beyond an end, as a part of the data's own range, is rounding.
_SLACK = 1e-6


class RangeWarning(UserWarning):
    """The data and the generator's last activation, or the data and their declared range, do not fit."""


def activation_name(activation: str | Callable[..., Any] | None) -> str:
    """Name of an activation whose range is known: `"tanh"` for `keras.activations.tanh`, `"linear"` for None.

    Raises:
        ValueError: its range is not known.
    """
    name = "linear" if activation is None else str(getattr(activation, "__name__", activation))
    if name not in ACTIVATION_RANGES:
        raise ValueError(
            f"The range of the activation '{name}' is not known; known are {', '.join(sorted(ACTIVATION_RANGES))}. "
            "Give one of these that has the same range."
        )
    return name


def reachable(activation: str, lowest: float, highest: float) -> tuple[float, float] | None:
    """The ends of an activation if the data, `lowest` to `highest`, leave them by more than rounding; else None."""
    low, high = ACTIVATION_RANGES[activation]
    slack = _SLACK * (highest - lowest)
    return None if lowest >= low - slack and highest <= high + slack else (low - slack, high + slack)


def share_outside(ends: tuple[float, float], mean: float, spread: float, minimum: float, maximum: float) -> float:
    """Share of a normal distribution outside of both ends, 0 to 1; nothing lies beyond an end that the data keep."""
    low, high = ends
    if spread == 0.0:
        return float(not low <= mean <= high)
    below = math.erfc((mean - low) / (math.sqrt(2) * spread)) / 2 if minimum < low else 0.0
    above = math.erfc((high - mean) / (math.sqrt(2) * spread)) / 2 if maximum > high else 0.0
    return below + above


def mismatch(activation: str, data: str, lowest: float, highest: float, share: str) -> str:
    """What is wrong with data that an activation cannot produce, why that hurts, and what to do.

    Args:
        activation: name of the generator's last activation.
        data: how they were normalised, "of zero mean and unit variance".
        lowest, highest: their ends after normalisation.
        share: how much of them is out of reach, "31.7 % of the values".
    """
    low, high = ACTIVATION_RANGES[activation]
    advice = (
        f"Normalise with to='{activation}', or let the generator end in a linear layer."
        if math.isfinite(high - low)
        else f"Let the generator end in a linear layer, or bring the data above {low:g}."
    )
    return (
        f"Data {data} under a generator that ends in {activation}: they reach from {lowest:.3g} to {highest:.3g}, "
        f"{activation} from {low:g} to {high:g}. {share} can never be generated. The discriminator tells real from fake by "
        f"the range alone, and the generator is driven towards the flat part of the {activation}, where its gradient "
        f"vanishes. {advice}"
    )


def target_range(to: str | tuple[float, float]) -> tuple[float, float] | None:
    """What data are brought to: (low, high), or None for zero mean and unit variance.

    Raises:
        ValueError: `to` is neither a pair nor an activation with two ends nor "standard" or "linear".
    """
    if not isinstance(to, str):
        return pair(to, "to")
    if to in ("standard", "linear"):
        return None
    low, high = ACTIVATION_RANGES.get(to, (math.nan, math.nan))
    if not math.isfinite(high - low):
        bounded = [name for name, ends in ACTIVATION_RANGES.items() if math.isfinite(ends[1] - ends[0])]
        raise ValueError(
            f"to={to!r} came; 'standard', a pair (low, high) or an activation with two ends is expected: "
            f"{', '.join(bounded)}. For a generator that ends in {to}, give the pair that it should fill."
        )
    return low, high


def pair(ends: object, name: str) -> tuple[float, float]:
    """Two finite ends, the lower one first.

    Raises:
        ValueError: they are something else.
    """
    try:
        low, high = (float(end) for end in ends)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(high - low) and low < high):
        raise ValueError(
            f"{name}={ends!r} came; two numbers (low, high) with low < high are expected, such as (0, 255)."
        )
    return low, high


def percent(share: float) -> str:
    """A share from 0 to 1 as people read it."""
    return "less than 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"
