"""A record comes back from its file as it was."""

from __future__ import annotations

import sqlite3
from dataclasses import MISSING, Field, fields
from pathlib import Path

import numpy as np
import pytest

from ganmedic.record import game, schema
from ganmedic.record.record import Record
from ganmedic.record.schema import Place
from ganmedic.record.snapshots import pack, unpack
from ganmedic.record.store import TABLES, load, save
from record.rows import ROWS, full


def _default(field: Field[object]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.ganmedic"


@pytest.mark.parametrize("table", TABLES)
def test_every_kind_of_row_comes_back_equal_and_in_the_types_it_declares(table, path):
    row = ROWS[table]
    given = [getattr(row, field.name) for field in fields(row)]
    left_at_default = [field.name for field, value in zip(fields(row), given, strict=True) if value == _default(field)]
    assert left_at_default == [], "this test has to give every field a value of its own"
    save(full(), path)
    rows = getattr(load(path), table)
    assert rows == getattr(full(), table)
    assert repr(rows) == repr(getattr(full(), table)), "1 and True are equal, and so are () and [] not"


def test_every_kind_of_row_in_the_schema_has_a_table():
    kinds = {
        kind
        for module in (schema, game)
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__ and kind is not Place
    }
    assert set(TABLES.values()) == kinds
    assert set(TABLES) == set(Record.__dataclass_fields__) - {
        "series",
        "snapshots",
        "attributes",
        "sources",
        "facts",
        "worked_out",
    }


def test_sources_facts_and_the_order_of_rows_come_back(path):
    record = full()
    record.graphs.update({number: schema.Graph(number, "g") for number in (400, 300)})
    save(record, path)
    found = load(path)
    assert (found.sources, found.facts, found.complete) == (record.sources, record.facts, True)
    assert list(found.graphs) == [2, 102, 300, 400], "rows come back in the order of time"


def test_series_come_back_row_by_row(path):
    save(full(), path)
    found, given = load(path).series, full().series
    assert list(found) == list(given)
    for number, one in given.items():
        again = found[number]
        assert [getattr(again, field.name) for field in fields(again) if field.name != "rows"] == [
            getattr(one, field.name) for field in fields(one) if field.name != "rows"
        ]
        np.testing.assert_array_equal(again.table(), one.table())
    assert found[21].events == {30}


def test_steps_that_went_wrong_come_back_byte_by_byte(path):
    save(full(), path)
    found = load(path)
    assert (found.snapshots, found.attributes) == (full().snapshots, full().attributes)
    batch = unpack(found.snapshots[20].given[9], np.dtype(np.float32))
    np.testing.assert_array_equal(batch, [[0, 1, 2], [3, 4, 5]])
    save(found, path)
    assert load(path).snapshots == full().snapshots


def test_only_numbers_are_kept_of_tensors():
    with pytest.raises(ValueError, match="string cannot be kept"):
        pack(np.array([b"a"], object), "string")


def test_what_is_on_disk_is_numbers_and_text_only(path):
    save(full(), path)
    with sqlite3.connect(path) as connection:
        kinds = {
            kind
            for table, row in TABLES.items()
            for field in fields(row)
            if (table, field.name) != ("batches", "entries")  # compressed floats, read by zlib and NumPy alone
            for (kind,) in connection.execute(f'SELECT typeof("{field.name}") FROM {table}')
        }
    assert kinds <= {"integer", "real", "text", "null"}, "a blob could be a pickle"
    assert b"\x80\x04" not in path.read_bytes()
