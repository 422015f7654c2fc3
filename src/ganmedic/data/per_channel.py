"""One number a channel, applied to whole arrays in little memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.channel_state import SLICE, Floats


def refuse_other_channels(shape: Sequence[int | None], channels: int, axis: int) -> None:
    """Refuses a shape with another number of channels, for one channel would be spread over all; None is any number.

    Raises:
        ValueError: `axis` of the shape is not there or not so long.
    """
    if not -len(shape) <= axis < len(shape) or shape[axis] not in (None, channels):
        raise ValueError(
            f"Data of shape {tuple(shape)} came; {channels} channels on axis {axis} are expected. "
            "Bring the data to the form they were measured in, or fit a normalisation to them."
        )


def per_channel(
    compute: Callable[[Floats, Floats, Floats], Floats],
    values: NDArray[Any],
    offset: Sequence[float],
    scale: Sequence[float],
    axis: int,
    dtype: np.dtype[Any] | None = None,
) -> NDArray[Any]:
    """Computes in float64, a few samples at a time: a float64 copy of 8-bit images takes eight times their memory.

    Args:
        compute: function of values, offset and scale, element by element.
        values: real array with one entry a channel on `axis`.
        offset, scale: one number a channel.
        axis: the axis of the channels.
        dtype: type of the result; None for float64 where the values are that, else float32. Where it is an integer, results
            are rounded, and what lies beyond its range becomes its end.

    Raises:
        ValueError: the values have another number of channels, or NaN was to become an integer.
    """
    refuse_other_channels(values.shape, len(offset), axis)
    broadcast = [1] * values.ndim
    broadcast[axis] = len(offset)
    offsets, scales = (np.array(numbers, np.float64).reshape(broadcast) for numbers in (offset, scale))
    result = np.empty(values.shape, dtype or (np.float64 if values.dtype == np.float64 else np.float32))
    group = max(1, SLICE // max(1, values[:1].size)) if axis % values.ndim else max(1, len(values))
    for first in range(0, len(values), group):
        part = compute(values[first : first + group].astype(np.float64), offsets, scales)
        result[first : first + group] = _as_type(part, result.dtype)
    return result


def _as_type(values: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind not in "bui":
        return values
    missing = int(np.isnan(values).sum())
    if missing:
        raise ValueError(
            f"{missing} values are NaN and cannot become {dtype.name}; finite samples are expected. Look at them as "
            "floats first: invert(samples)."
        )
    if dtype.kind == "b":
        return values >= 0.5
    ends = np.iinfo(dtype)
    # float64 cannot hold 2**63 - 1: the next number below 2**63 is the largest that can be converted.
    largest = min(float(ends.max), math.nextafter(2.0 ** (dtype.itemsize * 8 - (dtype.kind == "i")), 0.0))
    return np.clip(np.rint(values), float(ends.min), largest).astype(dtype)
