"""Puts the results of the blocks together, in memory that hardly grows with the data: about 120 bytes a picture."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.columns import Commonest, Words
from ganmedic.data.histogram import Histogram
from ganmedic.data.measuring import MOST_ROWS, BlockResult
from ganmedic.data.moments import Moments
from ganmedic.data.picture import READ, RECORD
from ganmedic.data.reservoir import Reservoir
from ganmedic.data.sources.source import Source

#: So many records are kept (some 240 MB); of samples beyond, everything is counted but duplicates and looks.
MOST_RECORDS = 2_000_000
#: So many unreadable samples are named.
MOST_NAMED = 1000
#: Samples that features are made of.
SAMPLE = 1024


class Growing:
    """A NumPy array that rows are put behind; what was not filled is never touched, so it takes no memory."""

    def __init__(self, dtype: Any, row: tuple[int, ...] = (), most: int = MOST_RECORDS) -> None:
        self._most = most
        self._held = np.empty((1024, *row), dtype)
        self.count = 0

    def add(self, rows: NDArray[Any]) -> None:
        rows = rows[: self._most - self.count]
        end = self.count + len(rows)
        if end > len(self._held):
            held = np.empty(
                (max(end, min(self._most, len(self._held) * 3 // 2)), *self._held.shape[1:]), self._held.dtype
            )
            held[: self.count] = self._held[: self.count]
            self._held = held
        self._held[self.count : end] = rows
        self.count = end

    @property
    def rows(self) -> NDArray[Any]:
        return self._held[: self.count]


class Gathered:
    """Everything that was measured so far."""

    def __init__(self, source: Source, most_records: int = MOST_RECORDS) -> None:
        self.source = source
        self.samples = 0
        self.starts = array("q")
        self._records = Growing(RECORD, most=most_records)
        self._digests = Growing(np.uint64, (2,), most=most_records)
        self._labels = Growing(np.int32, most=most_records)
        self.byte_counts: dict[int, NDArray[np.int64]] = {}
        self.moments: dict[int, Moments] = {}
        self.histograms: dict[int, list[Histogram]] = {}
        self.dtype = ""
        self.columns: tuple[str, ...] = ()
        self.commonest: list[Commonest] = []
        self.words: dict[str, Words] = {}
        self.empty: NDArray[np.int64] | None = None
        self.reservoir = Reservoir(SAMPLE)
        self.shapes: Counter[tuple[int, int]] = Counter()
        self.shapes_bounded = False
        self.class_counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self.broken_count = 0
        self.broken: list[tuple[str, str]] = []
        self.nonfinite: list[int] = []

    def add(self, result: BlockResult) -> None:
        """Add the result of the next block."""
        start = self.samples
        self.starts.append(start)
        self.samples += result.count
        self._add_broken(start, result)
        if len(self.nonfinite) < MOST_ROWS:
            self.nonfinite += [start + offset for offset in result.nonfinite]
        self._add_records(result)
        for channels, counts in result.byte_counts.items():
            self.byte_counts[channels] = self.byte_counts[channels] + counts if channels in self.byte_counts else counts
        for channels, moments in result.moments.items():
            self.moments.setdefault(channels, Moments()).merge(moments)
        for channels, histograms in result.histograms.items():
            mine = self.histograms.setdefault(channels, [Histogram() for _ in histograms])
            for one, other in zip(mine, histograms, strict=True):
                one.merge(other)
        self.dtype, self.columns = result.dtype or self.dtype, result.columns or self.columns
        self.commonest = self.commonest or [Commonest() for _ in result.commonest]
        for known, more in zip(self.commonest, result.commonest, strict=False):
            known.merge(more)
        for name, words in result.words.items():
            self.words.setdefault(name, Words()).merge(words)
        if result.empty is not None:
            self.empty = result.empty if self.empty is None else self.empty + result.empty
        self.reservoir.add(
            [(lot, start + offset, (kept, self._label(result, offset))) for lot, offset, kept in result.drawn]
        )

    @property
    def records(self) -> NDArray[Any]:
        """What is kept of each picture."""
        return self._records.rows

    @property
    def digests(self) -> NDArray[np.uint64]:
        """The digest of each picture or row."""
        return self._digests.rows if self._digests.count else self.records["digest"]

    @property
    def kept(self) -> int:
        """Of how many samples a record or digest is kept."""
        return max(self._records.count, self._digests.count)

    def _add_broken(self, start: int, result: BlockResult) -> None:
        self.broken_count += len(result.broken)
        for offset, name, reason in result.broken[: max(0, MOST_NAMED - len(self.broken))]:
            self.broken.append((name or self.source.name(start + offset), reason))

    def _add_records(self, result: BlockResult) -> None:
        records = result.records
        self._records.add(records)
        self._digests.add(result.digests)
        labels = records["label"] if len(records) else result.labels
        self._labels.add(result.labels)
        known = labels[labels >= 0]
        if len(known):
            counts = np.bincount(known, minlength=len(self.class_counts))
            counts[: len(self.class_counts)] += self.class_counts
            self.class_counts = counts
        for height, width in records[["height", "width"]][records["state"] == READ].tolist():
            if (height, width) in self.shapes or len(self.shapes) < 10_000:
                self.shapes[height, width] += 1
            else:
                self.shapes_bounded = True

    @staticmethod
    def _label(result: BlockResult, offset: int) -> int:
        labels = result.records["label"] if len(result.records) else result.labels
        return int(labels[offset])
