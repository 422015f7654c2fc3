"""Keeps a record on disk while the run goes on, so that a process that is killed loses at most its last second.

The whole record is written once the surroundings of the gradient calls are known, and again where operations were added since.
Between, what is measured is appended by a thread of its own: the program hands it what is new and never waits for the disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganmedic.record import store
from ganmedic.record.record import Record
from ganmedic.record.series import Series
from ganmedic.record.snapshots import Snapshot

#: Seconds between two writes. Meters are read every half second: together less than one.
EVERY = 0.4
#: Tables that grow while a program trains, and whose rows are whole when they are added.
EVENTS = (
    "probes",
    "measures",
    "summands",
    "profiles",
    "origins",
    "batches",
    "showings",
    "responses",
    "failures",
)
#: The whole record is written again after so many times what that took before.
_PATIENCE = 20
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "journal_size_limit=0")


@dataclass
class _Told:
    """What of a series the file has or is about to have."""

    seen: int = 0
    steps: set[int] = field(default_factory=set)


@dataclass
class _Fresh:
    """What has to be written."""

    heads: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    meters: dict[tuple[int, int], bytes] = field(default_factory=dict)
    dropped: set[tuple[int, int]] = field(default_factory=set)
    rows: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict)
    gone: set[tuple[str, int]] = field(default_factory=set)
    snapshots: list[Snapshot] = field(default_factory=list)
    attributes: dict[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(vars(self).values())


class LiveRecord:
    """The file of a run that goes on.

    A fault in writing ends the writing, and no more: :attr:`fault` says what it was.

    Args:
        path: the file.
        every: seconds between two writes.
    """

    def __init__(self, path: str | Path, every: float = EVERY) -> None:
        self.path = Path(path)
        self.fault = ""
        self._every = every
        self._process = os.getpid()
        self._series: dict[int, _Told] = {}
        self._events: dict[str, set[int]] = {}
        self._operations: tuple[int, int] = (0, 0)
        self._took = 0.0
        self._written = 0.0
        self._begun = False
        self._fresh = _Fresh()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, record: Record) -> None:
        """Writes the whole record as it is; :meth:`collected` appends to it from then on."""
        if self._is_off():
            return
        self._stop()
        began = time.monotonic()
        try:
            store.save(record, self.path)
        except store.RecordError as error:
            self.fault = str(error)
            return
        self._series = {one.id: _Told(one.seen, set(one.steps)) for one in record.series.values()}
        self._events = {table: set(getattr(record, table)) for table in (*EVENTS, "snapshots", "attributes")}
        self._operations = _state(record)
        self._begun, self._written = True, time.monotonic()
        self._took = self._written - began

    def collected(self, record: Record) -> None:
        """Takes over what the record has more than the file, and what it has dropped; cheap where that is nothing."""
        if not self._begun or self._is_off():
            return
        with self._changed:
            for one in record.series.values():
                self._take_series(one)
            for table in EVENTS:
                self._take_rows(table, getattr(record, table))
            for number in record.snapshots.keys() - self._events["snapshots"]:
                self._events["snapshots"].add(number)
                self._fresh.snapshots.append(record.snapshots[number])
            if len(record.attributes) > len(self._events["attributes"]):
                for number in record.attributes.keys() - self._events["attributes"]:
                    self._events["attributes"].add(number)
                    self._fresh.attributes[number] = record.attributes[number]
            if self._fresh:
                if self._thread is None:
                    self._start()
                self._changed.notify()

    def is_behind(self, record: Record) -> bool:
        """Whether the record has operations that the file lacks, and it is time to write the whole of it again."""
        late = time.monotonic() - self._written > _PATIENCE * self._took
        return self._begun and late and not self._is_off() and self._operations != _state(record)

    def close(self) -> None:
        """Writes what is left and lets go of the file."""
        if os.getpid() == self._process:
            self._stop()
        self._begun = False

    def _is_off(self) -> bool:
        # A child process made by fork has a copy of this object and no business with the file.
        return bool(self.fault) or os.getpid() != self._process

    # --- what is new ---------------------------------------------------------------------------------------------------

    def _take_series(self, one: Series) -> None:
        told = self._series.setdefault(one.id, _Told())
        if one.seen == told.seen and len(one.steps) == len(told.steps):
            return
        fresh = self._fresh
        for index in range(len(one.steps) - 1, -1, -1):
            step = one.steps[index]
            if step < told.seen:
                break
            told.steps.add(step)
            fresh.meters[one.id, step] = store.figures(one.rows[index])
        told.seen = one.seen
        if len(told.steps) != len(one.steps):
            for step in told.steps.difference(one.steps):
                if fresh.meters.pop((one.id, step), None) is None:
                    fresh.dropped.add((one.id, step))
            told.steps = set(one.steps)
        fresh.heads[one.id] = store.head(one)

    def _take_rows(self, table: str, rows: dict[int, Any]) -> None:
        told = self._events[table]
        if len(told) == len(rows) and (not rows or next(reversed(rows)) in told):
            return
        for number in rows.keys() - told:
            self._fresh.rows[table, number] = store.plain(rows[number])
        for number in told - rows.keys():
            if self._fresh.rows.pop((table, number), None) is None:
                self._fresh.gone.add((table, number))
        self._events[table] = set(rows)

    # --- writing -------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._closing.clear()
        self._thread = threading.Thread(target=self._write_on, name="ganmedic-record", daemon=True)
        self._thread.start()

    def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._closing.set()
            with self._changed:
                self._changed.notify()
            thread.join()
        self._fresh = _Fresh()

    def _write_on(self) -> None:
        try:
            with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
                for pragma in _PRAGMAS:
                    connection.execute(f"PRAGMA {pragma}").fetchall()
                for fresh in self._handed_over():
                    _write(connection, fresh)
        except Exception as error:
            self.fault = f"The record could not be kept up to date in {self.path}: {error}"

    def _handed_over(self) -> Iterator[_Fresh]:
        """What there is to write, each time there is something; ends when all of it was taken and the file is closed."""
        while True:
            with self._changed:
                while not self._fresh and not self._closing.is_set():
                    self._changed.wait()
                fresh, self._fresh = self._fresh, _Fresh()
            if fresh:
                yield fresh
            elif self._closing.is_set():
                return
            self._closing.wait(self._every)


def _state(record: Record) -> tuple[int, int]:
    """Tells whether operations were added."""
    return len(record.operations), next(reversed(record.operations), 0)


def _write(connection: sqlite3.Connection, fresh: _Fresh) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("DELETE FROM meters WHERE series = ? AND step = ?", fresh.dropped)
        store.add_meters(connection, ((number, step, row) for (number, step), row in fresh.meters.items()))
        store.add_heads(connection, fresh.heads.values())
        for table, number in fresh.gone:
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (number,))
        for table in dict.fromkeys(table for table, _ in fresh.rows):
            store.add_rows(connection, table, (row for (name, _), row in fresh.rows.items() if name == table))
        store.add_snapshots(connection, fresh.snapshots)
        store.add_attributes(connection, fresh.attributes.items())
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
