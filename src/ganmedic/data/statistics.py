"""Turns what was gathered into statistics of channels: bytes are counted exactly, other numbers come with their moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.gathering import Gathered
from ganmedic.data.histogram import Histogram
from ganmedic.data.moments import Moments
from ganmedic.data.result import Channel

_NAMES = {1: ("grey",), 3: ("red", "green", "blue")}


def colour_counts(byte_counts: dict[int, NDArray[np.int64]]) -> NDArray[np.int64] | None:
    """Counts of the values of all 8-bit pictures, int64 array (1 or 3, 256) without transparency; `None` without such.

    Where some pictures are coloured, grey ones count as red, green and blue alike, as loaders turn them.
    """
    grey = sum(
        (counts[:1] for channels, counts in byte_counts.items() if channels in (1, 2)), np.zeros((1, 256), np.int64)
    )
    colour = [counts[:3] for channels, counts in byte_counts.items() if channels >= 3]
    if colour:
        return np.asarray(sum(colour[1:], colour[0]) + grey)
    return np.asarray(grey) if grey.any() else None


def moments_of_bytes(counts: NDArray[np.int64]) -> Moments:
    """Return the moments of values of which each is counted, int64 array (channels, 256)."""
    values = np.arange(256, dtype=np.float64)
    totals = counts.sum(axis=1)
    means = counts @ values / np.maximum(totals, 1)
    spreads = np.sqrt((counts * (values[None, :] - means[:, None]) ** 2).sum(axis=1) / np.maximum(totals, 1))
    seen = counts > 0
    return Moments.from_dict(
        {
            "dtype": "uint8",
            "count": totals.tolist(),
            "nonfinite": [0] * len(counts),
            "mean": means.tolist(),
            "spread": spreads.tolist(),
            "minimum": seen.argmax(axis=1).astype(float).tolist(),
            "maximum": (255 - seen[:, ::-1].argmax(axis=1)).astype(float).tolist(),
        }
    )


def statistics(gathered: Gathered) -> tuple[tuple[Channel, ...], Moments | None]:
    """Return the channels and the moments to normalise by."""
    if gathered.source.encoded:
        counts = colour_counts(gathered.byte_counts)
    else:
        # An array has one number of channels, and the fourth need not be transparency.
        counts = next(iter(gathered.byte_counts.values()), None)
    if counts is not None and not gathered.moments:
        moments, histograms = moments_of_bytes(counts), [Histogram.of_bytes(row) for row in counts]
    elif gathered.moments:
        width = max(gathered.moments, key=lambda channels: int(gathered.moments[channels].count.sum()))
        moments, histograms = gathered.moments[width], gathered.histograms[width]
    else:
        return (), None
    names = (
        gathered.columns
        or _NAMES.get(moments.channels)
        or tuple(f"channel {place}" for place in range(moments.channels))
    )
    empty = gathered.empty if gathered.empty is not None else np.zeros(moments.channels, np.int64)
    measured: dict[str, Any] = {
        name: getattr(moments, name) for name in ("count", "mean", "spread", "minimum", "maximum", "nonfinite")
    }
    channels = tuple(
        Channel(
            name=str(names[place]),
            count=int(measured["count"][place]),
            mean=float(measured["mean"][place]),
            spread=float(measured["spread"][place]),
            minimum=float(measured["minimum"][place]),
            maximum=float(measured["maximum"][place]),
            nonfinite=int(measured["nonfinite"][place] - empty[place]),
            empty=int(empty[place]),
            commonest=gathered.commonest[place].best if gathered.commonest else None,
            edges=tuple(histograms[place].edges.tolist()),
            counts=tuple(histograms[place].counts.tolist()),
        )
        for place in range(moments.channels)
    )
    return channels, moments
