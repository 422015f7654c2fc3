"""A data set as one array: read once, at the size that is trained with, and mapped from a file from then on.

Training then takes any sample at any time, so that batches are drawn from the whole set and a run can go on at any step.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.batches import ArrayBatch, Broken, EncodedBatch, TableBatch
from ganmedic.data.image_reading import UnreadableError, decode, read_file
from ganmedic.data.sources.source import DataError, Source

RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_PEEKED = 64
_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Samples:
    """A data set, ready to be trained with.

    Attributes:
        values: array (n, height, width, channels) or (n, columns); mapped into memory where it lies in a file.
        labels: int32 (n,), or None.
        class_names: by label; empty where they have none.
        skipped: how many could not be read, and the first reasons, as "name: reason".
        columns: of a table.
    """

    values: NDArray[Any]
    labels: NDArray[np.int32] | None
    class_names: tuple[str, ...] = ()
    skipped: tuple[int, tuple[str, ...]] = (0, ())
    columns: tuple[str, ...] = ()

    @property
    def classes(self) -> int | None:
        """How many classes there are; None without labels."""
        return None if self.labels is None else int(self.labels.max()) + 1


def arrays_of(source: Source, sample_shape: tuple[int, ...], *, labels: bool) -> tuple[NDArray[Any], Any]:
    """Samples of this shape, and labels where they are asked for, in memory.

    Raises:
        DataError: nothing can be read, or not as samples of this shape.
    """
    picture = len(sample_shape) == 3
    read = read_samples(
        source,
        resolution=sample_shape[0] if picture else None,
        channels=sample_shape[2] if picture else None,
        labels=labels,
    )
    return read.values, read.labels


def read_samples(
    source: Source,
    *,
    resolution: int | None = None,
    channels: int | None = None,
    labels: bool = False,
    folder: Path | None = None,
) -> Samples:
    """Reads a source to its end.

    Pictures are cut to a square around their middle and resized (Lanczos for 8-bit ones). What cannot be read is left out and named.

    Args:
        source: of `ganmedic.data.open_source`.
        resolution: height and width in pixels; None for the power of two next to the pictures' shorter sides, 16 to 1024.
        channels: 1, 3 or 4; None for 1 where all are grey, else 3.
        labels: whether classes are wanted; what has none is then an error.
        folder: where to keep the array; it is written aside and put there when it is complete. None for memory.

    Raises:
        DataError: nothing can be read, there are no classes, or a table has cells that are no finite numbers.
    """
    reader = _Reader(source, resolution, channels)
    if folder is None:
        parts = list(reader.parts())
        values = np.concatenate([part for part, _ in parts]) if parts else np.zeros(0)
        return reader.finished(values, [label for _, label in parts], labels)
    folder.mkdir(parents=True, exist_ok=True)
    values, found = _write(reader, folder / "samples.npy")
    samples = reader.finished(values, found, labels)
    _keep_labels(samples, folder)
    return samples


def load_samples(folder: Path) -> Samples:
    """What `read_samples` kept in a folder.

    Raises:
        DataError: it is not complete.
    """
    try:
        content = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
        values = np.load(folder / "samples.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False) if content["labels"] else None
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{folder} does not hold a complete data set ({error}). Begin the run anew, or put the folder back as it was."
        ) from error
    skipped = content["skipped"]
    return Samples(
        values, labels, tuple(content["class_names"]), (skipped[0], tuple(skipped[1])), tuple(content["columns"])
    )


class _Reader:
    """Turns batches into arrays of one shape."""

    def __init__(self, source: Source, resolution: int | None, channels: int | None) -> None:
        self.source, self.resolution, self.channels = source, resolution, channels
        self.columns: tuple[str, ...] = ()
        self._skipped, self._reasons = 0, list[str]()
        for broken in source.broken:
            self._skip(broken.name, broken.reason)

    def parts(self) -> Iterator[tuple[NDArray[Any], NDArray[np.int32]]]:
        """Samples and their labels, block by block."""
        with ThreadPoolExecutor(_THREADS) as threads:
            for block in self.source.blocks():
                for batch in block.read():
                    if isinstance(batch, Broken):
                        self._skip(batch.name, batch.reason)
                    elif isinstance(batch, EncodedBatch):
                        yield from self._encoded(batch, threads)
                    elif isinstance(batch, ArrayBatch):
                        yield self._arrays(batch), batch.labels
                    else:
                        yield self._rows(batch), batch.labels

    def finished(self, values: NDArray[Any], labels: list[NDArray[np.int32]], wanted: bool) -> Samples:
        if not len(values):
            reasons = "; ".join(self._reasons[:3])
            raise DataError(
                f"{self.source.title} gives no sample that can be read{f' ({reasons})' if reasons else ''}. At least one is expected."
            )
        found = np.concatenate(labels)
        if wanted and (found < 0).any():
            raise DataError(
                f"{self.source.title}: {int((found < 0).sum())} of {len(found)} samples have no class, and classes were asked for. A folder "
                "for each class, or labels beside the samples, are expected."
            )
        return Samples(
            values,
            found if wanted else None,
            self.source.class_names if wanted else (),
            (self._skipped, tuple(self._reasons)),
            self.columns,
        )

    def _skip(self, name: str, reason: str) -> None:
        self._skipped += 1
        if len(self._reasons) < 20:
            self._reasons.append(f"{name}: {reason}")

    def _encoded(
        self, batch: EncodedBatch, threads: ThreadPoolExecutor
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.int32]]]:
        def opened(payload: bytes | str) -> Any:
            try:
                return decode(payload if isinstance(payload, bytes) else read_file(payload, batch.folder))
            except UnreadableError as error:
                return str(error)

        images = list(threads.map(opened, batch.payloads))
        there = [image for image in images if not isinstance(image, str)]
        for payload, image in zip(batch.payloads, images, strict=True):
            if isinstance(image, str):
                self._skip(os.path.relpath(payload, batch.folder) if isinstance(payload, str) else "a record", image)
        if not there:
            return
        if self.resolution is None:
            self.resolution = _resolution([min(image.size) for image in there[:_PEEKED]])
        if self.channels is None:
            self.channels = 1 if all(image.mode in ("1", "L", "I;16", "I", "F") for image in there[:_PEEKED]) else 3
        mode, size = _MODES[self.channels], self.resolution
        arrays = threads.map(lambda image: np.asarray(_square(image.convert(mode), size)), there)
        values = np.stack(list(arrays)).reshape(len(there), size, size, self.channels)
        labels = [label for label, image in zip(batch.labels, images, strict=True) if not isinstance(image, str)]
        yield values, np.array(labels, np.int32)

    def _arrays(self, batch: ArrayBatch) -> NDArray[Any]:
        values = batch.values
        if self.resolution is None:
            self.resolution = _resolution([min(values.shape[1:3])])
        if self.channels is None:
            self.channels = values.shape[3]
        values = _with_channels(values, self.channels, self.source.title)
        if values.shape[1:3] == (self.resolution, self.resolution):
            return values if values.dtype == np.uint8 else values.astype(np.float32)
        return np.stack([_resized(picture, self.resolution) for picture in values])

    def _rows(self, batch: TableBatch) -> NDArray[Any]:
        self.columns = batch.columns
        if batch.words:
            names = ", ".join(list(batch.words)[:5])
            raise DataError(
                f"{self.source.title}: columns that are no numbers came ({names}). Numbers are expected: encode them first (one column "
                "of 0 and 1 for each word), or leave them out."
            )
        values = np.asarray(batch.values, np.float32)
        wrong = int((~np.isfinite(values)).any(axis=1).sum())
        if wrong:
            raise DataError(
                f"{self.source.title}: {wrong} of the rows have an empty cell or a number that is not finite. Finite numbers are expected; "
                "`ganmedic data` names them. Fill them in or leave the rows out."
            )
        return values


def _write(reader: _Reader, path: Path) -> tuple[NDArray[Any], list[NDArray[np.int32]]]:
    """One array file, written piece by piece: its header leaves room for the length."""
    partial = path.with_suffix(".partial")
    labels: list[NDArray[np.int32]] = []
    count, shape, dtype = 0, None, None
    try:
        with open(partial, "wb") as file:
            for values, found in reader.parts():
                values = np.ascontiguousarray(values)
                if shape is None:
                    shape, dtype = values.shape[1:], values.dtype
                    _header(file, 0, shape, dtype)
                if values.shape[1:] != shape:
                    raise DataError(
                        f"{reader.source.title}: samples of shape {shape} and {values.shape[1:]} came; one shape is expected."
                    )
                file.write(values.astype(dtype, copy=False).tobytes())
                labels.append(found)
                count += len(values)
            if shape is not None:
                file.seek(0)
                _header(file, count, shape, dtype)
            file.flush()
            os.fsync(file.fileno())
        if shape is None:
            return np.zeros(0), labels
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r", allow_pickle=False), labels


def _header(file: Any, count: int, shape: tuple[int, ...], dtype: Any) -> None:
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count, *shape)}
    np.lib.format.write_array_header_1_0(file, described)


def _keep_labels(samples: Samples, folder: Path) -> None:
    if samples.labels is not None:
        np.save(folder / "labels.npy", samples.labels, allow_pickle=False)
    content = {
        "labels": samples.labels is not None,
        "class_names": list(samples.class_names),
        "skipped": [samples.skipped[0], list(samples.skipped[1])],
        "columns": list(samples.columns),
    }
    partial = folder / "samples.json.partial"
    partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
    # The last thing that is written: where it is, all is.
    os.replace(partial, folder / "samples.json")


def _resolution(sides: list[int]) -> int:
    """The power of two next to the middle one of these sides, by their ratio."""
    middle = max(1.0, float(np.median(sides)))
    return min(RESOLUTIONS, key=lambda size: abs(np.log2(size / middle)))


def _square(image: Any, size: int) -> Any:
    from PIL import Image

    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    if (width, height) == (size, size):
        return image
    return image.resize((size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))


def _resized(picture: NDArray[Any], size: int) -> NDArray[Any]:
    """A picture of numbers, (height, width, channels), channel by channel: uint8 stays uint8, others become float32."""
    from PIL import Image

    whole = picture.dtype == np.uint8
    planes = [
        np.asarray(_square(Image.fromarray(np.ascontiguousarray(plane if whole else plane.astype(np.float32))), size))
        for plane in np.moveaxis(picture, -1, 0)
    ]
    return np.stack(planes, axis=-1)


def _with_channels(values: NDArray[Any], channels: int, title: str) -> NDArray[Any]:
    if values.shape[3] == channels:
        return values
    if values.shape[3] == 1 and channels == 3:
        return np.repeat(values, 3, axis=3)
    if values.shape[3] == 4 and channels == 3:
        return values[..., :3]
    raise DataError(
        f"{title}: pictures of {values.shape[3]} channels came, {channels} are expected. Set data.channels to {values.shape[3]}."
    )
