"""Mean, spread and range of every channel, measured in one pass.

`E[x^2] - E[x]^2` subtracts two large numbers from each other: for float32 data of mean 1e6 and spread 1 nothing is left of
the difference. Here each slice of a batch is measured around its own mean, in float64, and measurements are merged
(`channel_state.py` has the formulas).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic.data.channel_state import COUNTED, MEASURED, ChannelState, Counts, Floats, measured, slices


class Moments:
    """Streaming statistics of the channels of a data set.

    Memory depends on the number of channels only. Values that are not finite are counted and left out of all else.

    Example:
        >>> moments = Moments()
        >>> moments.update(np.array([[1.0, 10.0], [3.0, 10.0], [5.0, np.nan]]))
        >>> moments.mean.tolist(), moments.minimum.tolist(), moments.count.tolist(), moments.nonfinite.tolist()
        ([3.0, 10.0], [1.0, 10.0], [3, 2], [0, 1])
    """

    def __init__(self) -> None:
        self._dtype: np.dtype[Any] | None = None
        self._state: ChannelState | None = None

    # --- measuring ----------------------------------------------------------------------------------------------------

    def update(self, batch: ArrayLike) -> None:
        """Adds a batch.

        Args:
            batch: array (n, ..., channels) of booleans, integers or real numbers of any size; n may be 0. Integers beyond
                2**53 are rounded to float64.

        Raises:
            TypeError: the values are no real numbers, or some are masked.
            ValueError: there is no channel axis, or not as many channels as in the batches before.
        """
        values = _as_real(batch)
        state = ChannelState.empty(values.shape[-1])
        for part in slices(values):
            state.merge(measured(part))
        self._take(state, values.dtype)

    def merge(self, other: Moments) -> None:
        """Adds what another one measured, as if its batches had been given to this one; `other` stays as it is."""
        if other._state is not None:
            self._take(other._state, other._dtype)

    def _take(self, state: ChannelState, dtype: np.dtype[Any] | None) -> None:
        if self._state is None:
            self._state = ChannelState.empty(state.channels)
        if self._state.channels != state.channels:
            raise ValueError(
                f"Data of {state.channels} channels came after data of {self._state.channels}. Every batch must have the "
                "same last axis: (n, ..., channels). Convert grey and colour images to one form, or measure them apart."
            )
        self._state.merge(state)
        self._dtype = dtype if self._dtype is None else _common(self._dtype, dtype)

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def channels(self) -> int:
        """How many channels there are; 0 before the first batch."""
        return 0 if self._state is None else self._state.channels

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The type that holds all values seen: that of the batches where they agree, else the one NumPy promotes to."""
        return self._dtype

    @property
    def count(self) -> Counts:
        """Finite values of each channel, int64 array (channels,)."""
        return self._read().count.copy()

    @property
    def nonfinite(self) -> Counts:
        """NaN and infinite values of each channel, int64 array (channels,)."""
        return self._read().nonfinite.copy()

    @property
    def mean(self) -> Floats:
        """Mean of each channel, float64 array (channels,); NaN where there is no finite value."""
        return self._known(self._read().mean)

    @property
    def spread(self) -> Floats:
        """Population standard deviation of each channel, float64 array (channels,); exactly 0 for a constant channel."""
        return self._known(self._read().spread)

    @property
    def minimum(self) -> Floats:
        """Smallest finite value of each channel, float64 array (channels,)."""
        return self._known(self._read().minimum)

    @property
    def maximum(self) -> Floats:
        """Largest finite value of each channel, float64 array (channels,)."""
        return self._known(self._read().maximum)

    def _read(self) -> ChannelState:
        return ChannelState.empty(0) if self._state is None else self._state

    def _known(self, values: Floats) -> Floats:
        return np.where(self._read().count > 0, values, np.nan)

    def __repr__(self) -> str:
        return (
            f"Moments(channels={self.channels}, count={self.count.tolist()}, mean={self.mean.tolist()}, "
            f"spread={self.spread.tolist()})"
        )

    # --- JSON ---------------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All that is known, as lists of numbers that JSON can hold; a channel without a finite value has nulls."""
        lists = {name: getattr(self, name).tolist() for name in MEASURED}
        return {
            "dtype": None if self._dtype is None else self._dtype.name,
            "count": self.count.tolist(),
            "nonfinite": self.nonfinite.tolist(),
            **{name: [None if value != value else value for value in values] for name, values in lists.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Moments:
        """The moments that `to_dict` wrote, to the last bit.

        Raises:
            ValueError: an entry is missing, has another length than the others, or cannot be.
        """
        lists = {name: _numbers(content, name) for name in (*COUNTED, *MEASURED)}
        lengths = {name: len(values) for name, values in lists.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Moments have one entry a channel in every list; here the lengths are {lengths}.")
        for name in COUNTED:
            if not all(value >= 0 and value == int(value) for value in lists[name].tolist()):
                raise ValueError(f"'{name}' of moments must hold whole numbers from 0 on, not {content[name]!r}.")
        moments = cls()
        dtype = content.get("dtype")
        moments._dtype = None if dtype is None else _dtype_named(dtype)
        if lengths["count"]:
            moments._state = ChannelState.of(lists)
        return moments


def _as_real(batch: ArrayLike) -> NDArray[Any]:
    if isinstance(batch, np.ma.MaskedArray) and np.ma.is_masked(batch):
        raise TypeError(
            "A masked array came, and statistics know no mask. Give the values that count: array[~mask], or "
            "array.filled(numpy.nan), for NaN is left out."
        )
    values = np.asarray(batch)
    if not _is_real(values.dtype):
        raise TypeError(
            f"Values of type {values.dtype} came; booleans, integers or real numbers are expected. Decode images and "
            "convert text or objects to numbers first; give the parts of complex numbers as two channels."
        )
    if values.ndim < 2 or values.shape[-1] == 0:
        raise ValueError(
            f"A batch of shape {values.shape} came; (n, ..., channels) is expected, with at least one channel. "
            "Add the axis that is missing: batch[..., None] for one channel, batch[None] for a single sample."
        )
    return values


def _is_real(dtype: np.dtype[Any]) -> bool:
    # TensorFlow's small floats (bfloat16, float8_*) are no kind that NumPy knows.
    return dtype.kind in "buif" or dtype.name.startswith(("bfloat", "float"))


def _common(one: np.dtype[Any], other: np.dtype[Any] | None) -> np.dtype[Any]:
    if other is None or one == other:
        return one
    try:
        return np.result_type(one, other)
    except TypeError:
        return np.dtype(np.float64)


def _dtype_named(name: object) -> np.dtype[Any]:
    try:
        return np.dtype(str(name))
    except TypeError:
        return np.dtype(np.float32)


def _numbers(content: Mapping[str, Any], name: str) -> Floats:
    values = content.get(name)
    allowed = (int, float) if name in COUNTED else (int, float, type(None))
    if not isinstance(values, list) or not all(isinstance(value, allowed) for value in values):
        raise ValueError(
            f"Moments need a list of numbers named '{name}', one a channel; {values!r} came. "
            "Measure the data again and write the file with to_dict."
        )
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
