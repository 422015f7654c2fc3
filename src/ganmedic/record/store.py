"""A record as one SQLite file.

One table a kind of row, one column a field; what is not a number or a text is kept as JSON. The file is in WAL mode, so
that a reader never waits and a process that is killed leaves a file that can be read.
"""

from __future__ import annotations

import json
import sqlite3
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ganmedic.record import schema
from ganmedic.record.record import Record

FORMAT = 1

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
        connection = sqlite3.connect(fresh)
        try:
            _write(record, connection)
        finally:
            connection.close()
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


def _write(record: Record, connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT)")
    about = {"format": str(FORMAT), **{f"fact:{name}": value for name, value in record.facts.items()}}
    connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    connection.execute("CREATE TABLE sources (file TEXT PRIMARY KEY, text TEXT)")
    connection.executemany(
        "INSERT INTO sources VALUES (?, ?)", ((file, _plain(text)) for file, text in record.sources.items())
    )
    for table, kind in TABLES.items():
        names = [field.name for field in fields(kind)]
        connection.execute(f"CREATE TABLE {table} ({', '.join(_column(name) for name in names)})")
        marks = ", ".join("?" for _ in names)
        rows = getattr(record, table).values()
        connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})", ([_plain(getattr(row, name)) for name in names] for row in rows)
        )
    connection.commit()


def _column(name: str) -> str:
    return f'"{name}" INTEGER PRIMARY KEY' if name == "id" else f'"{name}"'


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, (int, float)):
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
    # A file that nobody writes any more is read as it is: no journal is made beside it.
    quiet = "" if target.with_name(target.name + "-wal").exists() else "&immutable=1"
    try:
        connection = sqlite3.connect(f"{target.absolute().as_uri()}?mode=ro{quiet}", uri=True)
        try:
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
        finally:
            connection.close()
    except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
        raise RecordError(
            f"{target} is no record of ganmedic ({error}). Make one with: ganmedic check --record FILE train.py"
        ) from error
    return record


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
    if value is None or hint in (int, float, str):
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
