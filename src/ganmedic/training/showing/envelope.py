"""A long series in as many places as a picture has: its extremes, so that no spike is lost, and its running median."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ganmedic.training.showing.history import Flags, Floats

#: More places a panel of 700 pixels cannot show.
_PLACES = 600
#: The median runs over this share of the places.
_WINDOW = 1 / 30


@dataclass(frozen=True)
class Envelope:
    """A series in places.

    Attributes:
        steps: the middle of each place.
        lowest, highest: the extremes in each; NaN where nothing finite was measured.
        median: the running median.
        broken: the places in which a value was measured that is not finite.
    """

    steps: Floats
    lowest: Floats
    highest: Floats
    median: Floats
    broken: NDArray[np.intp]


def envelope(steps: Floats, values: Floats, broken: Flags) -> Envelope:
    """The series in at most 600 places.

    Args:
        steps: (n,), rising.
        values: (n,), NaN where there is no value.
        broken: (n,), whether a value was not finite.

    Example:
        >>> steps = np.arange(6000.0)
        >>> found = envelope(steps, np.where(steps == 1234, 9.0, 0.0), np.zeros(6000, bool))
        >>> len(found.steps), float(found.highest.max()), float(found.median.max())
        (600, 9.0, 0.0)
    """
    measured = np.isfinite(values) | broken
    # What is measured in every 16th step only fills its places all the same.
    steps, values, broken = steps[measured], values[measured], broken[measured]
    size = max(1, -(-len(steps) // _PLACES))
    places = -(-len(steps) // size)
    rest = places * size - len(steps)
    blocks = np.pad(values, (0, rest), constant_values=np.nan).reshape(places, size)
    flags = np.pad(broken, (0, rest)).reshape(places, size)
    with warnings.catch_warnings():
        # A place in which nothing is finite is NaN, as it should be.
        warnings.simplefilter("ignore", RuntimeWarning)
        lowest, highest = np.nanmin(blocks, axis=1, initial=np.inf), np.nanmax(blocks, axis=1, initial=-np.inf)
        middle = np.nanmedian(blocks, axis=1) if places else np.zeros(0)
        median = _running(middle)
    empty = ~np.isfinite(lowest)
    lowest[empty], highest[empty] = np.nan, np.nan
    firsts = np.arange(places) * size
    lasts = np.minimum(firsts + size, len(steps)) - 1
    return Envelope(
        (steps[firsts] + steps[lasts]) / 2 if places else np.zeros(0),
        lowest,
        highest,
        np.where(empty, np.nan, median),
        np.flatnonzero(flags.any(axis=1)),
    )


def _running(values: Floats) -> Floats:
    """The median over an odd number of neighbours; towards the ends over those that are there."""
    reach = int(len(values) * _WINDOW / 2)
    if reach == 0:
        return values
    padded = np.pad(values, reach, constant_values=np.nan)
    result: Floats = np.nanmedian(sliding_window_view(padded, 2 * reach + 1), axis=1)
    return result
