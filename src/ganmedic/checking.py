"""Arguments, checked where they come in; each message says what came, what was expected and what to do."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Collection, Iterable
from typing import Any


def number(
    owner: str,
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float | None = None,
    below: float | None = None,
    hint: str = "",
) -> float:
    """A finite real number within bounds.

    Args:
        owner: who takes the argument, as the user wrote it, such as `R1`.
        name: the argument.
        value: what came.
        low, high: bounds that may be met.
        above, below: bounds that may not; they stand in for `low` and `high`.
        hint: what to do, where more can be said than the range.

    Returns:
        The number as a float.

    Raises:
        TypeError: no real number came.
        ValueError: it lies outside of the bounds or is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{owner}: {name} is {value!r}; a number {_bounds(low, high, above, below)} is expected. {hint}"
        )
    result = float(value)
    too_low = result < low or (above is not None and result <= above)
    too_high = result > high or (below is not None and result >= below)
    if not math.isfinite(result) or too_low or too_high:
        raise ValueError(
            f"{owner}: {name} is {value!r}; a number {_bounds(low, high, above, below)} is expected. {hint}".rstrip()
        )
    return result


def whole(owner: str, name: str, value: Any, *, low: int = 1, high: float = math.inf, hint: str = "") -> int:
    """A whole number within bounds; arguments and errors as for `number`."""
    bounds = f"of at least {low}" if math.isinf(high) else f"from {low} to {high:g}"
    message = f"{owner}: {name} is {value!r}; a whole number {bounds} is expected. {hint}".rstrip()
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(message)
    if not low <= int(value) <= high:
        raise ValueError(message)
    return int(value)


def choice(owner: str, name: str, value: Any, allowed: Collection[str]) -> str:
    """One of a few words.

    Raises:
        ValueError: another word came; the nearest allowed one is named.
    """
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(f"{owner}: {name} is {value!r}; {listed(allowed)} is expected.{nearest(value, allowed)}")


def flag(owner: str, name: str, value: Any) -> bool:
    """True or False.

    Raises:
        TypeError: something else came.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{owner}: {name} is {value!r}; True or False is expected.")
    return value


def nearest(value: Any, allowed: Iterable[str]) -> str:
    """` Did you mean 'r1'?`, or nothing where no allowed word is near."""
    near = difflib.get_close_matches(str(value).lower().replace("-", "_").replace(" ", "_"), list(allowed), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def listed(words: Iterable[str]) -> str:
    """The words one after the other, with `or` before the last."""
    quoted = [repr(word) for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _bounds(low: float, high: float, above: float | None, below: float | None) -> str:
    parts = []
    if above is not None:
        parts.append(f"above {above:g}")
    elif not math.isinf(low):
        parts.append(f"of at least {low:g}")
    if below is not None:
        parts.append(f"below {below:g}")
    elif not math.isinf(high):
        parts.append(f"at most {high:g}")
    return " and ".join(parts) or "that is finite"
