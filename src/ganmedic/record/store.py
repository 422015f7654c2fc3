"""A record as one SQLite file.

One table a kind of row, one column a field; what is not a number or a text is kept as JSON. The file is in WAL mode, so
that a reader never waits and a process that is killed leaves a file that can be read.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from ganmedic.record import game, schema
from ganmedic.record.record import Record
from ganmedic.record.series import BUDGET_BYTES, Series
from ganmedic.record.snapshots import Kept, Snapshot

FORMAT = 3

#: Name of the collection in a record -> the kind of its rows.
TABLES: Mapping[str, type] = {
    "operations": schema.Operation,
    "graphs": schema.Graph,
    "variables": schema.Variable,
    "modules": schema.Module,
    "layer_calls": schema.LayerCall,
    "tapes": schema.Tape,
    "gradient_calls": schema.GradientCall,
    "optimizers": schema.Optimizer,
    "applies": schema.Apply,
    "list_reads": schema.ListRead,
    "freezes": schema.Freeze,
    "departures": schema.Departure,
    "train_calls": schema.TrainCall,
    "writes": schema.Write,
    "failures": schema.Failure,
    "probes": schema.Probe,
    "measures": schema.Measure,
    "summands": schema.Summand,
    "profiles": schema.Profile,
    "origins": schema.Origin,
    "batches": game.Batch,
    "showings": game.Showing,
    "responses": game.Response,
}


class RecordError(Exception):
    """A file that is no record, or one that cannot be written."""


def save(record: Record, path: str | Path) -> None:
    """Writes a record to a file; an existing record of that name is replaced only once the new one is whole.

    Raises:
        RecordError: the file cannot be written.
    """
    target = Path(path)
    fresh = target.with_name(target.name + ".part")
    try:
        fresh.unlink(missing_ok=True)
        target.with_name(fresh.name + "-journal").unlink(missing_ok=True)
        connection = sqlite3.connect(fresh)
        try:
            _write(record, connection)
        finally:
            connection.close()
        _finish(target)
        fresh.replace(target)
        connection = sqlite3.connect(target)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
    except (OSError, sqlite3.Error, ValueError) as error:
        fresh.unlink(missing_ok=True)
        raise RecordError(
            f"The record could not be written to {target}: {error}. Name a file in a writable folder."
        ) from error


def _finish(target: Path) -> None:
    """Brings the journal of a record that was still being written into its file, so that no later one is read with it."""
    journals = [target.with_name(target.name + end) for end in ("-wal", "-shm")]
    if not any(journal.exists() for journal in journals):
        return
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(target)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    for journal in journals:
        journal.unlink(missing_ok=True)


def _write(record: Record, connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT)")
    about = {"format": str(FORMAT), **{f"fact:{name}": value for name, value in record.facts.items()}}
    connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    connection.execute("CREATE TABLE sources (file TEXT PRIMARY KEY, text TEXT)")
    connection.executemany(
        "INSERT INTO sources VALUES (?, ?)", ((file, _plain(text)) for file, text in record.sources.items())
    )
    for table, kind in TABLES.items():
        connection.execute(f"CREATE TABLE {table} ({', '.join(_column(field.name) for field in fields(kind))})")
        add_rows(connection, table, (plain(row) for row in getattr(record, table).values()))
    _write_series(record, connection)
    _write_snapshots(record, connection)
    connection.commit()


def plain(row: Any) -> tuple[Any, ...]:
    """The fields of a row as its table keeps them."""
    return tuple(_plain(getattr(row, field.name)) for field in fields(row))


def add_rows(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Puts rows into a table, each in the place of one of the same id."""
    marks = ", ".join("?" for _ in fields(TABLES[table]))
    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)


def _write_series(record: Record, connection: sqlite3.Connection) -> None:
    """One row a site, and one row a measured step with its figures as 32-bit floats."""
    connection.execute(
        "CREATE TABLE series (id INTEGER PRIMARY KEY, call, applied, variables, losses, seen, stride, events)"
    )
    # A table with a rowid: without one SQLite gives every row of more than a kilobyte a page of its own.
    connection.execute("CREATE TABLE meters (series, step, figures BLOB, PRIMARY KEY (series, step))")
    add_heads(connection, (head(one) for one in record.series.values()))
    for one in record.series.values():
        rows = zip(one.steps, one.rows, strict=True)
        add_meters(connection, ((one.id, step, figures(row)) for step, row in rows))


def head(one: Series) -> tuple[Any, ...]:
    """What the file says of a series beside its rows."""
    variables, events = json.dumps(one.variables), json.dumps(sorted(one.events))
    return one.id, one.call, int(one.applied), variables, one.losses, one.seen, one.stride, events


def figures(row: Any) -> bytes:
    """A row of a series as the file keeps it."""
    return bytes(row.astype("<f4").tobytes())


def add_heads(connection: sqlite3.Connection, heads: Iterable[tuple[Any, ...]]) -> None:
    """Puts what :func:`head` says of series in the place of what was said of them before."""
    connection.executemany("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?)", heads)


def add_meters(connection: sqlite3.Connection, rows: Iterable[tuple[int, int, bytes]]) -> None:
    """Puts rows of series, step and :func:`figures`."""
    connection.executemany("INSERT OR REPLACE INTO meters VALUES (?, ?, ?)", rows)


def _write_snapshots(record: Record, connection: sqlite3.Connection) -> None:
    """One row a step that was kept, one a tensor of it, and one an operation that it takes to run such steps again."""
    connection.execute("CREATE TABLE snapshots (id INTEGER PRIMARY KEY, call, program, step, note)")
    connection.execute(
        "CREATE TABLE tensors (snapshot, role, value, dtype, npy BLOB, PRIMARY KEY (snapshot, role, value))"
    )
    connection.execute("CREATE TABLE attributes (operation INTEGER PRIMARY KEY, text)")
    add_snapshots(connection, record.snapshots.values())
    add_attributes(connection, record.attributes.items())


def add_snapshots(connection: sqlite3.Connection, snapshots: Iterable[Snapshot]) -> None:
    """Puts steps that were kept, with their tensors."""
    for one in snapshots:
        row = (one.id, one.call, one.program, one.step, _plain(one.note))
        connection.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", row)
        for role, tensors in (("given", one.given), ("state", one.state)):
            connection.executemany(
                "INSERT OR REPLACE INTO tensors VALUES (?, ?, ?, ?, ?)",
                ((one.id, role, value, kept.dtype, kept.npy) for value, kept in tensors.items()),
            )


def add_attributes(connection: sqlite3.Connection, attributes: Iterable[tuple[int, str]]) -> None:
    """Puts attributes of operations."""
    connection.executemany("INSERT OR REPLACE INTO attributes VALUES (?, ?)", attributes)


def _read_snapshots(connection: sqlite3.Connection) -> dict[int, Snapshot]:
    found = {}
    rows = connection.execute("SELECT id, call, program, step, note FROM snapshots").fetchall()
    for number, call, program, step, note in rows:
        one = found[number] = Snapshot(number, call, program, step, note=note)
        for role, value, dtype, npy in connection.execute(
            "SELECT role, value, dtype, npy FROM tensors WHERE snapshot = ? ORDER BY value", (number,)
        ):
            (one.given if role == "given" else one.state)[value] = Kept(dtype, npy)
    return found


def _read_series(connection: sqlite3.Connection) -> dict[int, Series]:
    found = {}
    heads = connection.execute("SELECT id, call, applied, variables, losses, seen, stride, events FROM series")
    for number, call, applied, variables, losses, seen, stride, events in heads.fetchall():
        one = Series(number, call, tuple(json.loads(variables)), losses, bool(applied), seen, stride=stride)
        one.events.update(json.loads(events))
        steps = connection.execute("SELECT step, figures FROM meters WHERE series = ? ORDER BY step", (number,))
        for step, row in steps:
            one.steps.append(step)
            one.rows.append(np.frombuffer(row, "<f4"))
        found[number] = one
    for one in found.values():
        one.budget = BUDGET_BYTES // len(found)
    return found


def _column(name: str) -> str:
    return f'"{name}" INTEGER PRIMARY KEY' if name == "id" else f'"{name}"'


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, (int, float, bytes)):
        return value
    return json.dumps(value, default=asdict)


def load(path: str | Path) -> Record:
    """Reads a record back.

    Raises:
        RecordError: there is no such file, it is no record, or one of a later version.
    """
    target = Path(path)
    if not target.is_file():
        raise RecordError(f"There is no record at {target}. Make one with: ganmedic check --record {target} train.py")
    try:
        record = _load(target)
    except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
        raise RecordError(
            f"{target} is no record of ganmedic ({error}). Make one with: ganmedic check --record FILE train.py"
        ) from error
    return record


def _load(target: Path) -> Record:
    # A file that nobody writes any more is read as it is: no journal is made beside it.
    journal = target.with_name(target.name + "-wal")
    quiet = "" if journal.exists() else "&immutable=1"
    connection = sqlite3.connect(f"{target.absolute().as_uri()}?mode=ro{quiet}", uri=True)
    try:
        # All tables are read as they were at one moment.
        connection.execute("BEGIN")
        about = dict(connection.execute("SELECT name, value FROM about").fetchall())
        if int(about.get("format", 0)) != FORMAT:
            raise RecordError(
                f"{target} is a record of format {about.get('format')}; this ganmedic reads format {FORMAT}. "
                "Make it again with: ganmedic check --record FILE train.py"
            )
        record = Record(sources=dict(connection.execute("SELECT file, text FROM sources").fetchall()))
        record.facts = {name[5:]: value for name, value in about.items() if name.startswith("fact:")}
        for table, kind in TABLES.items():
            getattr(record, table).update(_read(connection, table, kind))
        record.series = _read_series(connection)
        record.snapshots = _read_snapshots(connection)
        record.attributes = dict(connection.execute("SELECT operation, text FROM attributes").fetchall())
    finally:
        connection.close()
    # Somebody has begun to write in the meantime: what was read may be half old and half new.
    return _load(target) if quiet and journal.exists() else record


def _read(connection: sqlite3.Connection, table: str, kind: type) -> dict[int, Any]:
    names = [field.name for field in fields(kind)]
    there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    if missing := set(names) - there:
        raise LookupError(f"its table {table} has no column {', '.join(sorted(missing))}")
    hints = typing.get_type_hints(kind)
    rows = {}
    for values in connection.execute(f"SELECT {', '.join(chr(34) + n + chr(34) for n in names)} FROM {table}"):
        row = kind(**{name: _typed(value, hints[name]) for name, value in zip(names, values, strict=True)})
        rows[row.id] = row
    return rows


def _typed(value: Any, hint: Any) -> Any:
    """A stored value in the type that the row declares."""
    if hint is bool:
        return bool(value)
    if hint is float and value is None:
        return float("nan")  # which SQLite keeps as NULL
    if value is None or hint in (int, float, str, bytes):
        return value
    return _shaped(json.loads(value) if isinstance(value, str) else value, hint)


def _shaped(value: Any, hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin in (typing.Union, types.UnionType):
        return _shaped(value, next(argument for argument in arguments if argument is not types.NoneType))
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_shaped(item, arguments[0]) for item in value)
    if origin is tuple:
        return tuple(_shaped(item, argument) for item, argument in zip(value, arguments, strict=True))
    if origin is list:
        return [_shaped(item, arguments[0]) for item in value]
    if hint is schema.Place:
        return schema.Place(**value)
    return value
