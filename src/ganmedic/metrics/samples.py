"""Two sets of samples that can be compared: of one shape, finite, and in one range of values.

Images stay as they came and are brought to [-1, 1] a block at a time, so that a set may be larger than the memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic import checking

Floats = NDArray[np.float32]
Range = tuple[float, float]
#: So many numbers are looked at or converted at a time (16 MB of float32).
_AT_ONCE = 2**22
#: So far beyond its range, in units of the range, a float may lie by rounding alone.
_SLACK = 0.01


class SampleSet:
    """Samples of one kind.

    Attributes:
        values: array (n, columns), or (n, height, width, channels), as it came.
        value_range: what becomes -1 and 1; None for rows, which stay as they are.
        owner: what messages call it.
    """

    def __init__(self, values: NDArray[Any], value_range: Range | None, owner: str) -> None:
        self.values = values
        self.value_range = value_range
        self.owner = owner

    def __len__(self) -> int:
        return len(self.values)

    @property
    def images(self) -> bool:
        """Whether these are images and not rows of numbers."""
        return self.values.ndim == 4

    def take(self, places: slice | NDArray[np.intp]) -> Floats:
        """Some of them as float32: images in [-1, 1], what lies beyond is its end."""
        part: Floats = np.asarray(self.values[places], np.float32)
        if self.value_range is None:
            return part
        low, high = self.value_range
        scaled: Floats = np.clip((part - np.float32(low)) * np.float32(2 / (high - low)) - 1, -1, 1).astype(np.float32)
        return scaled

    def blocks(self, at_once: int | None = None) -> Iterator[Floats]:
        """All of them, one block after the other."""
        step = at_once or max(1, _AT_ONCE // max(1, math.prod(self.values.shape[1:])))
        for begin in range(0, len(self), step):
            yield self.take(slice(begin, begin + step))

    def thinned(self, samples: int | None, seed: int) -> SampleSet:
        """At most so many of them, drawn without repetition, in the order they came."""
        if samples is None or samples >= len(self):
            return self
        places = np.sort(np.random.default_rng(seed).permutation(len(self))[:samples])
        return SampleSet(self.values[places], self.value_range, self.owner)


def paired(real: ArrayLike, fake: ArrayLike, value_range: Any = None) -> tuple[SampleSet, SampleSet]:
    """Real and generated samples that can be compared.

    Args:
        real, fake: arrays (n, columns) of rows, (n, height, width) of grey images or (n, height, width, channels) with 1 to 4
            channels; whole numbers or floats.
        value_range: (low, high) of the images' values. Without it, 8 and 16-bit images have that of their type, and for
            others it is found: [0, 1], [-1, 1] or [0, 255], whatever holds the real ones.

    Returns:
        The real and the generated set.

    Raises:
        TypeError: these are no arrays of numbers.
        ValueError: there are none, some are not finite, shapes differ, or the ranges of values do.
    """
    first, second = _array("the real samples", real), _array("the generated samples", fake)
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"metrics: real samples of shape {first.shape[1:]} and generated ones of {second.shape[1:]} came; one shape is "
            "expected. Bring both to the same size and channels first."
        )
    ends = [_extremes("the real samples", first), _extremes("the generated samples", second)]
    if first.ndim == 2:
        return SampleSet(first, None, "real"), SampleSet(second, None, "generated")
    told = value_range is not None
    found = _told(value_range) if told else _found(first, ends[0])
    for owner, values in (("real", first), ("generated", second)):
        _check_scale(owner, values, found, told)
    return SampleSet(first, found, "real"), SampleSet(second, found, "generated")


def _array(owner: str, samples: ArrayLike) -> NDArray[Any]:
    values = np.asarray(samples)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    if values.dtype.kind not in "iuf":
        raise TypeError(
            f"metrics: {owner} came as {type(samples).__name__} of type {values.dtype}; an array of real numbers is expected. "
            "Gather batches with np.concatenate, and labels are left out."
        )
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim not in (2, 4):
        raise ValueError(
            f"metrics: {owner} have shape {values.shape}; (n, columns) or (n, height, width, channels) is expected. "
            "Reshape numbers to (n, 1), and flatten other shapes to (n, columns)."
        )
    if values.ndim == 4 and not 1 <= values.shape[-1] <= 4:
        advice = (
            "Move the channels to the end: np.moveaxis(images, 1, -1)." if values.shape[1] <= 4 else "Flatten them."
        )
        raise ValueError(
            f"metrics: {owner} have shape {values.shape}, with {values.shape[-1]} channels; 1 to 4 are expected. {advice}"
        )
    if 0 in values.shape:
        raise ValueError(
            f"metrics: {owner} have shape {values.shape}; at least one sample of at least one number is expected. "
            "Generate or load some."
        )
    return values


def _extremes(owner: str, values: NDArray[Any]) -> Range:
    """The ends of all values."""
    step = max(1, _AT_ONCE // math.prod(values.shape[1:]))
    low, high, spoilt = math.inf, -math.inf, 0
    for begin in range(0, len(values), step):
        block = values[begin : begin + step]
        first, last = float(block.min()), float(block.max())
        if math.isfinite(first) and math.isfinite(last):
            low, high = min(low, first), max(high, last)
        else:
            spoilt += int((~np.isfinite(block.reshape(len(block), -1))).any(axis=1).sum())
    if spoilt:
        raise ValueError(
            f"metrics: {spoilt:,} of {owner} ({len(values):,} in all) hold NaN or infinite values; finite ones are expected. "
            "Find out where they come from before anything is measured: ganmedic check."
        )
    return low, high


def _told(value_range: Any) -> Range:
    try:
        low, high = (float(end) for end in value_range)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"metrics: value_range is {value_range!r}; two numbers, the lower one first, are expected. "
            "Give (0, 255) for bytes, (-1, 1) for what ends in tanh."
        )
    return low, high


def _found(values: NDArray[Any], ends: Range) -> Range:
    if values.dtype in (np.uint8, np.uint16):
        return 0.0, float(np.iinfo(values.dtype).max)
    for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        slack = _SLACK * (high - low)
        if low - slack <= ends[0] and ends[1] <= high + slack:
            return low, high
    raise ValueError(
        f"metrics: the real images have values from {ends[0]:g} to {ends[1]:g}; [0, 1], [-1, 1] or [0, 255] is expected where no "
        f"range is told. Tell it: value_range=({ends[0]:g}, {ends[1]:g})."
    )


def _check_scale(owner: str, values: NDArray[Any], value_range: Range, told: bool) -> None:
    """Refuses images of another scale than the range; single values beyond it are clipped."""
    low, high = value_range
    span = high - low
    some = values[:: max(1, len(values) // 256)].ravel()
    first, last = (float(end) for end in np.percentile(some[:: max(1, some.size // 10**6)], (1, 99)))
    narrow = values.dtype.kind == "f" and span > 100 and max(abs(first), abs(last)) <= 1.5
    far = first < low - span or last > high + span
    signed = not told and low == 0.0 and first < -0.05 * span
    wide = not told and (first < low - span / 4 or last > high + span / 4)
    if narrow or far or signed or wide:
        remedy = (
            "Bring both to one range before they are compared, or tell the range that both have"
            if owner == "generated"
            else "Tell the range that the images have"
        )
        raise ValueError(
            f"metrics: the {owner} images have values from {first:.4g} to {last:.4g} (1st and 99th percentile); values of the "
            f"range [{low:g}, {high:g}]{'' if told else ' of the real images'} are expected. {remedy}: value_range=(-1, 1)."
        )


def check_count(metric: str, sets: tuple[tuple[str, int], ...], least: int, why: str) -> None:
    """Refuses sets of too few samples.

    Raises:
        ValueError: one of the sets is smaller than `least`.
    """
    for owner, count in sets:
        if count < least:
            raise ValueError(
                f"{metric}: {count} {owner} sample{'' if count == 1 else 's'} came; at least {least} are expected, {why}. "
                "Give more samples."
            )


def check_seed(owner: str, seed: Any) -> int:
    """A seed as NumPy takes it: a whole number of at least 0."""
    return checking.whole(owner, "seed", seed, low=0)
