"""NumPy arrays: in memory, in `.npy` (mapped into memory) and in `.npz` (read piece by piece). Pickles are never loaded."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.batches import ArrayBatch, Batch, TableBatch, no_labels
from ganmedic.data.sources.source import Block, DataError, Source

#: So many values are handed over in a block.
_BLOCK_VALUES = 1 << 20
_SAMPLES_PEEKED = 256
#: Names under which the samples, and their classes, lie in an .npz, most usual first.
_DATA_NAMES = ("x_train", "X_train", "train_images", "images", "x", "X", "data", "arr_0")
_LABEL_NAMES = ("y_train", "Y_train", "train_labels", "labels", "y", "Y", "target", "arr_1")
#: Neighbouring pixels of pictures differ less than pixels far apart; the digits of scikit-learn (8 x 8) have 0.72.
_SMOOTH = 0.8


class Layout:
    """How an array is to be understood: pictures (n, height, width, channels), or rows of numbers.

    Args:
        shape: shape of the whole array.
        first: its first samples, as an array.
    """

    def __init__(self, shape: tuple[int, ...], first: NDArray[Any]) -> None:
        if first.dtype.kind not in "buif":
            raise DataError(
                f"The array holds {first.dtype}, numbers are expected. Convert it first, such as array.astype('float32')."
            )
        self.sample = _picture_shape(shape[1:], first)
        self.channels_first = len(shape) == 4 and self.sample is not None and self.sample != tuple(shape[1:])
        self.flattened = len(shape) == 2 and self.sample is not None
        self.content: Literal["pictures", "table"] = "table" if self.sample is None else "pictures"
        self.unscaled = view_range(first)
        width = math.prod(shape[1:])
        self.columns = tuple(f"column {index}" for index in range(width)) if self.sample is None else ()

    def batch(self, values: NDArray[Any], labels: NDArray[np.int32] | None) -> Batch:
        """Put samples into the form that is measured."""
        given = no_labels(len(values)) if labels is None else labels.astype(np.int32)
        if self.sample is None:
            return TableBatch(values.reshape(len(values), -1), self.columns, given)
        if self.channels_first:
            values = np.moveaxis(values, 1, -1)
        return ArrayBatch(values.reshape(len(values), *self.sample), given, self.unscaled)

    def notes(self) -> list[str]:
        """What was assumed."""
        if self.sample is None:
            return []
        height, width, channels = self.sample
        if self.channels_first:
            return [
                f"the samples were taken for channels-first pictures ({channels}, {height}, {width}); Keras has channels last"
            ]
        return [f"the rows were taken for pictures of {height} x {width} x {channels}"] if self.flattened else []


class Arrays(Source):
    """An array in memory, or mapped into memory.

    Args:
        values: array (n, ...).
        labels: class of each sample, or `None`.
        title: what to call it.
        path: the `.npy` it comes from: workers then map it themselves.
        limit: look at so many samples at most.
    """

    kind = "NumPy array"

    def __init__(
        self,
        values: NDArray[Any],
        labels: NDArray[Any] | None = None,
        *,
        title: str = "array",
        path: str = "",
        limit: int | None = None,
    ) -> None:
        super().__init__(title)
        values = _checked(values, title)
        self.values, self._path = values[:limit], path
        self.labels = codes(labels, len(values), self)
        self.layout = Layout(self.values.shape, np.asarray(self.values[: min(len(self.values), _SAMPLES_PEEKED)]))
        self.content = self.layout.content
        self.length = len(self.values)
        self.notes += self.layout.notes()

    def blocks(self) -> Iterator[Block]:
        for begin, end in _ranges(len(self.values), self.values.shape[1:]):
            labels = None if self.labels is None else self.labels[begin:end]
            if self._path:
                yield MappedRows(self._path, begin, end, labels, self.layout)
            else:
                yield Rows(self.values[begin:end], labels, self.layout)


class Npz(Source):
    """The samples of an `.npz`, unpacked piece by piece: more than the memory holds does no harm."""

    kind = "NumPy archive"

    def __init__(self, path: str | os.PathLike[str], limit: int | None = None) -> None:
        super().__init__(os.fspath(path))
        self._path, self._limit = os.fspath(path), limit
        try:
            with zipfile.ZipFile(self._path) as archive:
                headers = {
                    name.removesuffix(".npy"): _header(archive, name)
                    for name in archive.namelist()
                    if name.endswith(".npy")
                }
                self._member = _choose(headers, self.title)
                self.shape, self._fortran, self._dtype = headers[self._member]
                if self._fortran and len(self.shape) > 1:
                    raise DataError(
                        f"{path}: {self._member} lies in Fortran order, which cannot be read piece by piece. "
                        "Save it again with np.savez(path, x=np.ascontiguousarray(x))."
                    )
                labels = _labels_beside(archive, headers, self.shape[0])
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise DataError(f"{path} cannot be read as an .npz: {error}. Save it again with np.savez.") from error
        self.labels = codes(labels, self.shape[0], self)
        self.length = self.shape[0] if limit is None else min(limit, self.shape[0])
        self.layout = Layout(self.shape, next(self._pieces(_SAMPLES_PEEKED)))
        self.content = self.layout.content
        others = sorted(set(headers) - {self._member})
        self.notes += [f"audited: {self._member}" + (f"; beside it there are {', '.join(others)}" if others else "")]
        self.notes += self.layout.notes()

    def blocks(self) -> Iterator[Block]:
        begin = 0
        for values in self._pieces(None):
            labels = None if self.labels is None else self.labels[begin : begin + len(values)]
            yield Rows(values, labels, self.layout)
            begin += len(values)

    def _pieces(self, most: int | None) -> Iterator[NDArray[Any]]:
        length = min(self.length or 0, most or self.length or 0)
        with zipfile.ZipFile(self._path) as archive, archive.open(self._member + ".npy") as stream:
            _read_header(stream)
            for begin, end in _ranges(length, self.shape[1:]):
                wanted = (end - begin) * math.prod(self.shape[1:]) * self._dtype.itemsize
                data = stream.read(wanted)
                if len(data) < wanted:
                    raise DataError(
                        f"{self._path}: {self._member} ends after {begin} of {length} samples. Save it again."
                    )
                yield np.frombuffer(data, self._dtype).reshape(end - begin, *self.shape[1:])


class Rows(Block):
    """Some samples, carried along."""

    def __init__(self, values: NDArray[Any], labels: NDArray[np.int32] | None, layout: Layout) -> None:
        self.values, self.labels, self.layout = values, labels, layout

    def read(self) -> Iterator[Batch]:
        yield self.layout.batch(self.values, self.labels)


class MappedRows(Block):
    """Some samples of a `.npy`, mapped where they are read."""

    def __init__(self, path: str, begin: int, end: int, labels: NDArray[np.int32] | None, layout: Layout) -> None:
        self.path, self.begin, self.end, self.labels, self.layout = path, begin, end, labels, layout

    def read(self) -> Iterator[Batch]:
        values = np.load(self.path, mmap_mode="r", allow_pickle=False)[self.begin : self.end]
        yield self.layout.batch(np.asarray(values), self.labels)


def open_npy(path: str | os.PathLike[str], limit: int | None = None) -> Arrays:
    """Map a `.npy` into memory."""
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(
            f"{path} cannot be mapped: {error}. An array of numbers is expected (objects would need pickle, which is never "
            "loaded). Save it again with np.save(path, array.astype('float32'))."
        ) from error
    return Arrays(values, title=os.fspath(path), path=os.path.abspath(path), limit=limit)


def view_range(first: NDArray[Any]) -> tuple[float, float]:
    """The values that stand for black and white: a usual range that holds the first samples, or what they span."""
    if first.dtype == np.uint8:
        return 0.0, 255.0
    finite = first[np.isfinite(first)] if first.dtype.kind == "f" else first
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    for usual in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        if usual[0] - 1e-6 <= low and high <= usual[1] + 1e-6 and high - low > 0.2 * (usual[1] - usual[0]):
            return usual
    return (low, high) if high > low else (low, low + 1.0)


def codes(labels: Any, length: int, source: Source) -> NDArray[np.int32] | None:
    """Labels as numbers from 0 on, with their names left in the source; `None` where they are no classes."""
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 2 and array.dtype.kind in "buif" and bool((array.sum(axis=1) == 1).all()):
        array = array.argmax(axis=1)
    if array.ndim != 1 or len(array) != length or array.dtype.kind not in "buiUS":
        return None
    names, numbers = np.unique(array, return_inverse=True)
    if len(names) > max(1000, length // 2):
        return None
    source.class_names = tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names
    )
    return numbers.astype(np.int32)


def _checked(values: NDArray[Any], title: str) -> NDArray[Any]:
    if values.ndim < 1 or not values.size:
        raise DataError(f"{title} is an array of shape {values.shape}; at least one sample is expected.")
    return values[:, None] if values.ndim == 1 else values


def _picture_shape(sample: tuple[int, ...], first: NDArray[Any]) -> tuple[int, int, int] | None:
    if len(sample) == 3:
        if sample[2] in (1, 2, 3, 4) and min(sample[:2]) >= 4:
            return sample[0], sample[1], sample[2]
        if sample[0] in (1, 3, 4) and min(sample[1:]) >= 8:
            return sample[1], sample[2], sample[0]
    if len(sample) == 2 and min(sample) >= 8 and max(sample) <= 8 * min(sample) and _is_smooth(first):
        return sample[0], sample[1], 1
    if len(sample) == 1:
        for channels in (1, 3):
            side = math.isqrt(sample[0] // channels)
            if (
                side >= 8
                and side * side * channels == sample[0]
                and _is_smooth(first.reshape(-1, side, side, channels))
            ):
                return side, side, channels
    return None


def _is_smooth(first: NDArray[Any]) -> bool:
    """Whether neighbours differ less than values far apart, along both axes, as they do in pictures."""
    values = np.nan_to_num(first[:64].astype(np.float64))
    height, width = values.shape[1:3]
    far = np.abs(values - np.roll(values, (height // 2, width // 2), (1, 2))).mean()
    near = [np.abs(np.diff(values, axis=axis)).mean() for axis in (1, 2)]
    return bool(far > 0 and max(near) < _SMOOTH * far)


def _ranges(length: int, sample: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    step = max(1, min(4096, _BLOCK_VALUES // max(1, math.prod(sample))))
    for begin in range(0, length, step):
        yield begin, min(begin + step, length)


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    with archive.open(name) as stream:
        return _read_header(stream)


def _read_header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except ValueError as error:
        raise DataError(f"A member of the archive is no NumPy array: {error}. Save it again with np.savez.") from error
    return shape, fortran, dtype


def _choose(headers: dict[str, tuple[tuple[int, ...], bool, np.dtype[Any]]], title: str) -> str:
    usable = {name: head for name, head in headers.items() if head[0] and head[2].kind in "buif" and min(head[0]) > 0}
    for name in _DATA_NAMES:
        if name in usable and len(usable[name][0]) > 1:
            return name
    if not usable:
        held = ", ".join(f"{name} ({head[2]}, {head[0]})" for name, head in headers.items()) or "nothing"
        raise DataError(
            f"{title} holds {held}; an array of numbers is expected. Objects would need pickle, which is never loaded."
        )
    return max(usable, key=lambda name: math.prod(usable[name][0]))


def _labels_beside(archive: zipfile.ZipFile, headers: dict[str, Any], length: int) -> NDArray[Any] | None:
    for name in _LABEL_NAMES:
        if name in headers and headers[name][0][:1] == (length,) and headers[name][2].kind in "buiUS":
            with archive.open(name + ".npy") as stream:
                return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
    return None
