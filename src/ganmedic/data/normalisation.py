"""Brings data to what a generator can produce, and back.

Every channel c is shifted and scaled, `y = (x - offset[c]) / scale[c]`, and the way back is `x = y scale[c] + offset[c]`.

- `to="tanh"`, `to="sigmoid"` or `to=(low, high)`: the smallest value becomes `low`, the largest `high`. With
  `source_range=(0, 255)` the ends are declared and not measured, and no image of the test set can leave the range.
- `to="standard"` (or `"linear"`): zero mean and unit variance, for a generator that ends in a linear layer.

A channel of one value has no spread to divide by. It gets scale 1 and is named in `constant`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ganmedic.data import normalisation_file
from ganmedic.data.channel_state import Floats
from ganmedic.data.fitting import batches, check_declared, refuse_unfit
from ganmedic.data.moments import Moments
from ganmedic.data.output_range import (
    RangeWarning,
    activation_name,
    mismatch,
    pair,
    percent,
    reachable,
    share_outside,
    target_range,
)
from ganmedic.data.per_channel import per_channel

#: float32 has no normal number below this one: a channel of smaller spread is a constant to the network.
_SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Normalisation:
    """Offset and scale of every channel; made by `fit` or `from_moments`.

    Attributes:
        offset: what is subtracted, one number a channel.
        scale: what is divided by afterwards, one positive number a channel.
        target: (low, high) that the data are brought to; None for zero mean and unit variance.
        source_range: (low, high) that was declared; None where the data's own ends were taken.
        axis: the axis of the channels; -1 for (n, ..., channels), -3 for images (n, channels, height, width).
        dtype: type of the data, such as "uint8"; None if it is not known.
        mean, spread, minimum, maximum: what was measured, one number a channel, before normalisation.
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    target: tuple[float, float] | None
    source_range: tuple[float, float] | None
    axis: int
    dtype: str | None
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]

    # --- made from data -----------------------------------------------------------------------------------------------

    @classmethod
    def fit(
        cls,
        data: ArrayLike | Iterable[ArrayLike],
        to: str | tuple[float, float] = "tanh",
        *,
        source_range: tuple[float, float] | None = None,
        axis: int = -1,
    ) -> Normalisation:
        """Measures data in one pass.

        Args:
            data: array (n, ..., channels), or an iterable of such batches, for example a batched `tf.data.Dataset` of
                images without labels. A generator is used up.
            to: `"tanh"`, `"sigmoid"` or another activation with two ends, (low, high), or `"standard"` alias `"linear"`.
            source_range: the ends of what the data can be, (0, 255) for 8-bit images; only for a range.
            axis: the axis of the channels.

        Raises:
            ValueError: there are no data, some are not finite or outside of `source_range`, or `to` is not known.
            TypeError: the data are no real numbers.

        Example:
            >>> images = np.array([[0, 255], [51, 0]], np.uint8)[..., None]
            >>> normalisation = Normalisation.fit(images, to="tanh", source_range=(0, 255))
            >>> normalisation.apply(images).ravel().tolist()
            [-1.0, 1.0, -0.6000000238418579, -1.0]
        """
        moments = Moments()
        for batch in batches(data):
            moments.update(np.moveaxis(np.asarray(batch), axis, -1) if axis != -1 else batch)
        return cls.from_moments(moments, to, source_range=source_range, axis=axis)

    @classmethod
    def from_moments(
        cls,
        moments: Moments,
        to: str | tuple[float, float] = "tanh",
        *,
        source_range: tuple[float, float] | None = None,
        axis: int = -1,
    ) -> Normalisation:
        """The same from what was measured already; arguments and errors are those of `fit`."""
        target = target_range(to)
        refuse_unfit(moments)
        minimum, maximum = moments.minimum, moments.maximum
        if source_range is not None:
            source_range = pair(source_range, "source_range")
            check_declared(source_range, target, moments)
        if target is None:
            offset, scale = moments.mean, moments.spread
        else:
            low, high = target
            begin, end = (minimum, maximum) if source_range is None else np.broadcast_arrays(*source_range, minimum)[:2]
            scale = end / (high - low) - begin / (high - low)
            offset = begin - low * scale
        middle = 0.0 if target is None else (target[0] + target[1]) / 2
        constant = scale < _SMALLEST
        scale = np.where(constant, 1.0, scale)
        offset = np.where(constant, minimum / 2 + maximum / 2 - middle, offset)
        return cls(
            offset=tuple(offset.tolist()),
            scale=tuple(scale.tolist()),
            target=target,
            source_range=source_range,
            axis=axis,
            dtype=None if moments.dtype is None else moments.dtype.name,
            mean=tuple(moments.mean.tolist()),
            spread=tuple(moments.spread.tolist()),
            minimum=tuple(minimum.tolist()),
            maximum=tuple(maximum.tolist()),
        )

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return len(self.offset)

    @property
    def constant(self) -> tuple[int, ...]:
        """The channels that hold one value only. Unless `source_range` was declared, their scale is 1."""
        return tuple(np.flatnonzero(np.array(self.spread) < _SMALLEST).tolist())

    # --- there and back -----------------------------------------------------------------------------------------------

    def apply(self, data: ArrayLike) -> NDArray[Any]:
        """Normalises data: array of the shape that was measured, any number of samples.

        Returns:
            Array of the same shape: float64 for float64 data, else float32. It is computed in float64 all the same.
        """
        return per_channel(_forth, np.asarray(data), self.offset, self.scale, self.axis)

    def invert(self, normalised: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """The way back: samples as the data were.

        Args:
            normalised: array of the shape that was measured, any number of samples.
            dtype: `"source"` for the type of the data, or any other type. Integers are rounded, and what lies beyond their
                range becomes its end. None for floats as they come: float64 for float64, else float32.

        Raises:
            ValueError: NaN was to become an integer, or `"source"` was asked for and is not known.
        """
        wanted = self._wanted(dtype)
        return per_channel(_back, np.asarray(normalised), self.offset, self.scale, self.axis, wanted)

    def _wanted(self, dtype: DTypeLike | None) -> np.dtype[Any] | None:
        if not isinstance(dtype, str) or dtype != "source":
            return None if dtype is None else np.dtype(dtype)
        try:
            return np.dtype(self.dtype or "unknown")
        except TypeError:
            raise ValueError(
                f"The type of the data is {self.dtype or 'not known'}, which NumPy cannot make; a type is needed to restore "
                "it. Name one: invert(samples, dtype='uint8')."
            ) from None

    # --- does it fit the generator? -----------------------------------------------------------------------------------

    def warn_for(self, activation: str | Callable[..., Any] | None, sample: ArrayLike | None = None) -> str | None:
        """Warns if the normalised data lie outside of what the generator's last activation can produce.

        The discriminator then tells real from fake by the range alone, and the generator, on its way to values it cannot
        reach, ends in the flat part of its activation, where there is no gradient.

        Args:
            activation: `"tanh"`, `"sigmoid"`, ..., `"linear"`, or the function of that name; None is linear.
            sample: data before normalisation, to count the share of the values outside. Without them it is estimated
                from mean, spread, minimum and maximum as that of a normal distribution.

        Returns:
            The text of the warning, which is also given as a `RangeWarning`; None if the data fit.

        Raises:
            ValueError: the range of the activation is not known.
        """
        name = activation_name(activation)
        measured = (np.array(numbers) for numbers in (self.mean, self.minimum, self.maximum))
        offset, scale = np.array(self.offset), np.array(self.scale)
        mean, minimum, maximum = (_forth(numbers, offset, scale) for numbers in measured)
        ends = reachable(name, float(minimum.min()), float(maximum.max()))
        if ends is None:
            return None
        if sample is None:
            spread = np.array(self.spread) / scale
            shares = [share_outside(ends, *values) for values in zip(mean, spread, minimum, maximum, strict=True)]
            share = f"An estimated {percent(float(np.mean(shares)))} of the values"
        else:
            values = self.apply(sample)
            share = f"{percent(float(np.mean((values < ends[0]) | (values > ends[1]))))} of the values"
        kind = (
            "of zero mean and unit variance" if self.target is None else "brought to [{:g}, {:g}]".format(*self.target)
        )
        text = mismatch(name, kind, float(minimum.min()), float(maximum.max()), share)
        warnings.warn(text, RangeWarning, stacklevel=2)
        return text

    # --- JSON ---------------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return normalisation_file.with_header(self._entries())

    @classmethod
    def from_dict(cls, content: object) -> Normalisation:
        """The normalisation that `to_dict` wrote, to the last bit; ValueError if it is something else."""
        return cls(**normalisation_file.checked_entries(content))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes JSON, all of it or nothing; OSError if the file cannot be written."""
        normalisation_file.save(self._entries(), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Normalisation:
        """Reads what `save` wrote; OSError if the file cannot be read, ValueError if it holds something else."""
        return cls(**normalisation_file.load(path))

    def _entries(self) -> dict[str, Any]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def _forth(values: Floats, offset: Floats, scale: Floats) -> Floats:
    return (values - offset) / scale


def _back(values: Floats, offset: Floats, scale: Floats) -> Floats:
    return values * scale + offset
