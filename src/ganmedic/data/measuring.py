"""Measures one block of a data set, in whatever process: what comes back is small and can be merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.batches import ArrayBatch, Batch, Broken, EncodedBatch, TableBatch
from ganmedic.data.columns import Commonest, Words
from ganmedic.data.hashing import SIDE, digest
from ganmedic.data.histogram import Histogram
from ganmedic.data.image_reading import UnreadableError, decode, read_file
from ganmedic.data.moments import Moments
from ganmedic.data.picture import BROKEN, MODES, NONFINITE, RECORD, Measured, finish, from_array, measure
from ganmedic.data.reservoir import NO_CUTOFF, lots
from ganmedic.data.sources.source import Block

#: Values of a float array that a histogram counts: each sample gives every n-th of its values beyond so many.
_HISTOGRAM_VALUES = 1 << 18
#: So many rows that are not finite are named.
MOST_ROWS = 20


@dataclass(slots=True)
class BlockResult:
    """What was measured on a block.

    Attributes:
        count: samples, the broken ones included.
        records: one `RECORD` a picture; empty for tables.
        digests: uint64 array (count, 2), one digest a row of a table.
        labels: int32 array (count,) of a table.
        byte_counts: for 8-bit pictures of so many channels, int64 array (channels, 256): how often each value occurs.
        moments: of values that are no bytes, by number of channels.
        histograms: the same.
        dtype: type of the values of arrays.
        columns: names of the columns of a table.
        commonest: the commonest value of each column.
        words: the columns that are no numbers.
        empty: int64 array (columns,), empty cells.
        drawn: the samples for the reservoir: lot, offset, thumbnail or row.
        nonfinite: rows of a table that hold a number that is not finite: offsets of the first ones.
        broken: samples that could not be read: offset (-1 where it is no sample), name, reason.
    """

    count: int = 0
    records: NDArray[Any] = field(default_factory=lambda: np.zeros(0, RECORD))
    digests: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, 2), np.uint64))
    labels: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    byte_counts: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    moments: dict[int, Moments] = field(default_factory=dict)
    histograms: dict[int, list[Histogram]] = field(default_factory=dict)
    dtype: str = ""
    columns: tuple[str, ...] = ()
    commonest: list[Commonest] = field(default_factory=list)
    words: dict[str, Words] = field(default_factory=dict)
    empty: NDArray[np.int64] | None = None
    drawn: list[tuple[int, int, NDArray[Any]]] = field(default_factory=list)
    nonfinite: list[int] = field(default_factory=list)
    broken: list[tuple[int, str, str]] = field(default_factory=list)


def measure_block(block: Block, number: int, *, seed: int = 0, cutoff: int = NO_CUTOFF) -> BlockResult:
    """Measure a block.

    Args:
        block: the block.
        number: its place in the data set.
        seed: of the reservoir.
        cutoff: samples of a higher lot are not drawn.
    """
    return _Measurement(number, seed, cutoff).of(block.read())


class _Measurement:
    def __init__(self, number: int, seed: int, cutoff: int) -> None:
        self.result = BlockResult()
        self._number, self._seed, self._cutoff = number, seed, cutoff
        self._records: list[NDArray[Any]] = []
        self._digests: list[NDArray[np.uint64]] = []
        self._labels: list[NDArray[np.int32]] = []

    def of(self, batches: Iterator[Batch]) -> BlockResult:
        result = self.result
        for batch in batches:
            if isinstance(batch, Broken):
                result.broken.append((-1, batch.name, batch.reason))
            elif isinstance(batch, EncodedBatch):
                self._encoded(batch)
            elif isinstance(batch, ArrayBatch):
                self._arrays(batch)
            else:
                self._rows(batch)
        if self._records:
            result.records = np.concatenate(self._records)
        if self._digests:
            result.digests, result.labels = np.concatenate(self._digests), np.concatenate(self._labels)
        return result

    # --- pictures -----------------------------------------------------------------------------------------------------

    def _encoded(self, batch: EncodedBatch) -> None:
        measured: list[Measured | None] = []
        for payload, label in zip(batch.payloads, batch.labels, strict=True):
            try:
                data = payload if isinstance(payload, bytes) else read_file(payload, batch.folder)
                one = measure(decode(data), int(label))
            except UnreadableError as error:
                self.result.broken.append((self.result.count + len(measured), "", str(error)))
                measured.append(None)
                continue
            measured.append(one)
            for channels, counts in one.counts.items():
                self._count_bytes(channels, np.asarray(counts, np.int64).reshape(channels, 256))
        self._keep(measured, batch.labels)

    def _arrays(self, batch: ArrayBatch) -> None:
        values = batch.values.astype(np.uint8) if batch.values.dtype == bool else batch.values
        self.result.dtype = str(batch.values.dtype)
        channels = values.shape[-1]
        finite = np.ones(len(values), bool)
        if values.dtype == np.uint8:
            flat = values.reshape(-1, channels)
            self._count_bytes(channels, np.stack([np.bincount(flat[:, one], minlength=256) for one in range(channels)]))
        else:
            self._count_values(values)
            if values.dtype.kind == "f":
                finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        shown = values * np.uint8(255) if batch.values.dtype == bool else values
        measured = [
            measure(from_array(sample, batch.unscaled), int(label), with_counts=False)
            for sample, label in zip(shown, batch.labels, strict=True)
        ]
        for one, sample, good in zip(measured, values, finite, strict=True):
            one.record["mode"] = MODES.index("array")
            if values.dtype != np.uint8 or channels not in (1, 3):
                one.record["digest"] = np.frombuffer(digest(np.ascontiguousarray(sample).tobytes()), np.uint64)
            if not good:
                one.record["flags"] |= NONFINITE
        self._keep(list(measured), batch.labels)

    def _keep(self, measured: list[Measured | None], labels: NDArray[np.int32]) -> None:
        records = np.zeros(len(measured), RECORD)
        records["label"], records["state"] = labels, BROKEN
        good = [place for place, one in enumerate(measured) if one is not None]
        found = [one for one in measured if one is not None]
        for place, one in zip(good, found, strict=True):
            records[place] = one.record
        grey = np.stack([one.grey for one in found]) if found else np.zeros((0, SIDE, SIDE), np.uint8)
        finish(records, grey)
        self._draw(len(measured), dict(zip(good, (one.thumb for one in found), strict=True)))
        self._records.append(records)
        self.result.count += len(measured)

    def _count_bytes(self, channels: int, counts: NDArray[np.int64]) -> None:
        known = self.result.byte_counts.get(channels)
        self.result.byte_counts[channels] = counts if known is None else known + counts

    # --- numbers ------------------------------------------------------------------------------------------------------

    def _rows(self, batch: TableBatch) -> None:
        result, values = self.result, batch.values
        result.columns, result.dtype = batch.columns, str(values.dtype)
        self._count_values(values)
        if not result.commonest:
            result.commonest = [Commonest() for _ in range(values.shape[1])]
        for column, counter in enumerate(result.commonest):
            counter.update(values[:, column])
        if batch.empty is not None:
            result.empty = batch.empty if result.empty is None else result.empty + batch.empty
        for name, cells in batch.words.items():
            result.words.setdefault(name, Words()).update(cells)
        count = len(batch.labels)
        texts = [
            "\0".join("" if cell is None else cell for cell in cells)
            for cells in zip(*batch.words.values(), strict=True)
        ]
        rows = np.ascontiguousarray(values + 0.0 if values.dtype.kind == "f" else values)
        digests = [digest(row.tobytes() + (texts[place].encode() if texts else b"")) for place, row in enumerate(rows)]
        self._note_nonfinite(batch)
        self._digests.append(np.frombuffer(b"".join(digests), np.uint64).reshape(count, 2))
        self._labels.append(batch.labels)
        self._draw(count, dict(enumerate(values.astype(np.float64))))
        result.count += count

    def _note_nonfinite(self, batch: TableBatch) -> None:
        """Note rows; of a batch with empty cells, which are NaN too, only those with an infinity."""
        empty = batch.empty is not None and bool(batch.empty.any())
        bad = np.isinf(batch.values) if empty else ~np.isfinite(batch.values)
        places = np.flatnonzero(bad.any(axis=1))[: MOST_ROWS - len(self.result.nonfinite)]
        self.result.nonfinite += (self.result.count + places).tolist()

    def _count_values(self, values: NDArray[Any]) -> None:
        channels = values.shape[-1]
        self.result.moments.setdefault(channels, Moments()).update(values)
        histograms = self.result.histograms.setdefault(channels, [Histogram() for _ in range(channels)])
        flat = values.reshape(-1, channels)
        flat = flat[:: max(1, len(flat) // _HISTOGRAM_VALUES)]
        for column, histogram in enumerate(histograms):
            histogram.update(flat[:, column])

    def _draw(self, count: int, kept: dict[int, Any]) -> None:
        """Draw samples; `kept` holds what is kept of each, by its place in the batch."""
        begin = self.result.count
        drawn = lots(self._number, begin + count, self._seed)[begin:]
        for place in np.flatnonzero(drawn <= np.uint64(self._cutoff)).tolist():
            if place in kept:
                self.result.drawn.append((int(drawn[place]), begin + place, kept[place]))
