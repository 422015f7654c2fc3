"""What data must be, so that a normalisation can be fitted to them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from ganmedic.data.moments import Moments
from ganmedic.data.output_range import RangeWarning, percent

#: Data that fill less of their declared range than this are most likely scaled already (1/255 is the usual slip).
_FILLED = 0.02


def batches(data: ArrayLike | Iterable[ArrayLike]) -> Iterable[ArrayLike]:
    """The batches of some data: an array is one; a list of arrays, a generator or a data set are many.

    Raises:
        TypeError: the data are neither, or a batch comes with labels.
    """
    if hasattr(data, "__array__"):
        return [np.asarray(data)]
    if isinstance(data, list | tuple):
        return data if data and all(hasattr(part, "__array__") for part in data) else [np.array(data)]
    if not isinstance(data, Iterable):
        raise TypeError(
            f"Data of type {type(data).__name__} came; an array or an iterable of batches is expected. "
            "Give the array itself, or a batched tf.data.Dataset."
        )
    return (_without_labels(batch) for batch in data)


def _without_labels(batch: ArrayLike) -> ArrayLike:
    if isinstance(batch, tuple | dict):
        raise TypeError(
            f"A batch that is a {type(batch).__name__} came; one array is expected. Take the data without their labels: "
            "dataset.map(lambda images, labels: images)."
        )
    return batch


def refuse_unfit(moments: Moments) -> None:
    """Refuses with a ValueError what holds values that are not finite, or none at all."""
    bad = moments.nonfinite
    if bad.any():
        where = ", ".join(f"channel {channel}: {bad[channel]}" for channel in np.flatnonzero(bad)[:8])
        more = f" and {np.count_nonzero(bad) - 8} more channels" if np.count_nonzero(bad) > 8 else ""
        raise ValueError(
            f"{bad.sum()} values are NaN or infinite ({where}{more}); finite data are expected, for one NaN makes every "
            "weight of the network NaN. Mend or drop these samples, then measure again."
        )
    if moments.channels == 0 or not moments.count.all():
        raise ValueError(
            "No values came to measure; at least one sample is expected. Look whether the data set is empty or the "
            "generator was used up by an earlier pass."
        )


def check_declared(declared: tuple[float, float], target: tuple[float, float] | None, moments: Moments) -> None:
    """Holds the data against the range that was declared for them.

    Raises:
        ValueError: they lie outside of it, or are not to be brought to a range at all.

    Warns:
        RangeWarning: they fill next to nothing of it.
    """
    low, high = declared
    lowest, highest = float(moments.minimum.min()), float(moments.maximum.max())
    if target is None:
        raise ValueError(
            f"source_range={declared} came together with zero mean and unit variance, which know no range. Leave it out, or "
            "give a range to bring the data to, such as to='tanh'."
        )
    if lowest < low or highest > high:
        raise ValueError(
            f"The data reach from {lowest:g} to {highest:g}; source_range={declared} was declared. Declare what the data "
            "can be, or look why some lie outside."
        )
    if highest - lowest < _FILLED * (high - low):
        warnings.warn(
            f"The data reach from {lowest:g} to {highest:g} and fill {percent((highest - lowest) / (high - low))} of "
            f"source_range={declared}: they come out as almost one value. If they are scaled already, declare the range "
            "they have now, such as (0, 1).",
            RangeWarning,
            stacklevel=4,
        )
