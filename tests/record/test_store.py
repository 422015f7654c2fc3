"""A record comes back from its file as it was, and a file that is no record says so."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import MISSING, Field, fields
from pathlib import Path

import pytest

from ganmedic.record import schema, store
from ganmedic.record.record import Record
from ganmedic.record.schema import Place
from ganmedic.record.store import FORMAT, TABLES, RecordError, load, save

FILE = '/home/josé/train\'s "gan".py'
STACK = (Place(FILE, 3), Place(f"{FILE}#cell-2", 14, "train_step"))
#: One row of every kind in which no field has its default value.
ROWS = {
    "operations": schema.Operation(
        1,
        "CustomGradient",
        20,
        (7, 8),
        (9, 10),
        ("float32", "resource"),
        ("float16", "bool"),
        ((None, 4), None, ()),
        STACK,
        5,
        (2, 3),
        17,
        18,
        ("flows", "none"),
        (30, 31),
        "straight_through",
        Place(FILE, 40, "grad"),
    ),
    "graphs": schema.Graph(2, "step\nname", (7, 8), (9,), ((7, 8), (1 << 62, 9)), 4),
    "variables": schema.Variable(
        3, "kernel", (None, 4), "float32", False, True, 12, STACK, first="ab", last="cd", dead=True
    ),
    "modules": schema.Module(
        4, "g", "Sequential", True, True, (7, 8), (7,), (9,), STACK, STACK[:1], used=True, loaded=True, trainable=False
    ),
    "layer_calls": schema.LayerCall(5, 4, 6, 20, STACK, (7,), (8, 9), ended=11),
    "tapes": schema.Tape(
        6, STACK, 20, True, False, ended=9, pauses=[(1, 2, STACK), (3, 0, ())], resets=[(4, STACK)], watched=[(7, 5)]
    ),
    "gradient_calls": schema.GradientCall(
        7, 6, STACK, 20, "jacobian", (8,), (9, 10), ("none", "tensor"), (None, 11), "LookupError: x", True, ended=12
    ),
    "optimizers": schema.Optimizer(8, "adam", "Adam", STACK, (0.1, 0.0, 1e-300, math.inf), (7, 8)),
    "applies": schema.Apply(9, 8, STACK, 20, (None, 11), (7, 8), "ValueError: y", by_framework=True),
    "list_reads": schema.ListRead(10, 4, "trainable_variables", (7, 8), STACK, 20),
    "freezes": schema.Freeze(11, 4, True, STACK),
    "departures": schema.Departure(12, ".numpy()", STACK, 7, 4),
    "train_calls": schema.TrainCall(13, 4, "fit", STACK, 3, 5),
    "writes": schema.Write(14, 7, STACK, "set_weights"),
    "failures": schema.Failure(
        "ValueError", "No gradients;\r\n\tprovided \x1b[31m", STACK, ("keras.optimizers:apply",), id=15
    ),
}
#: The same kinds with nothing but what has to be given.
BARE = [
    schema.Operation(101, "NoOp", 0, (), ()),
    schema.Graph(102, ""),
    schema.Variable(103, "", (), ""),
    schema.Module(104, "", ""),
    schema.LayerCall(105, 4, None, 0, ()),
    schema.Tape(106, (), 0),
    schema.GradientCall(107, 6, (), 0),
    schema.Optimizer(108, "", ""),
    schema.Apply(109, 8, (), 0),
    schema.ListRead(110, 4, "", (), (), 0),
    schema.Freeze(111, 4, False, ()),
    schema.Departure(112, "", ()),
    schema.TrainCall(113, 4, "", ()),
    schema.Write(114, 7, ()),
    schema.Failure("", "", id=115),
]


def full() -> Record:
    record = Record(sources={FILE: "x = 'ä'\n", "empty.py": ""}, facts={"complete": "yes", "tensorflow": "2.21"})
    for (table, kind), bare in zip(TABLES.items(), BARE, strict=True):
        assert type(bare) is kind
        getattr(record, table).update({ROWS[table].id: ROWS[table], bare.id: bare})
    return record


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
        for kind in vars(schema).values()
        if isinstance(kind, type) and kind.__module__ == schema.__name__ and kind is not Place
    }
    assert set(TABLES.values()) == kinds
    assert set(TABLES) == set(Record.__dataclass_fields__) - {"sources", "facts"}


def test_sources_facts_and_the_order_of_rows_come_back(path):
    record = full()
    record.graphs.update({number: schema.Graph(number, "g") for number in (400, 300)})
    save(record, path)
    found = load(path)
    assert (found.sources, found.facts, found.complete) == (record.sources, record.facts, True)
    assert list(found.graphs) == [2, 102, 300, 400], "rows come back in the order of time"


def test_what_is_on_disk_is_numbers_and_text_only(path):
    save(full(), path)
    with sqlite3.connect(path) as connection:
        kinds = {
            kind
            for table, row in TABLES.items()
            for field in fields(row)
            for (kind,) in connection.execute(f'SELECT typeof("{field.name}") FROM {table}')
        }
    assert kinds <= {"integer", "real", "text", "null"}, "a blob could be a pickle"
    assert b"\x80\x04" not in path.read_bytes()


# --- the file ---------------------------------------------------------------------------------------------------------


def test_an_existing_record_is_replaced_and_nothing_else_is_left_in_the_folder(path):
    save(Record(facts={"run": "first"}), path)
    save(Record(facts={"run": "second"}), str(path))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert load(path).facts == {"run": "second"}


def test_an_existing_record_stays_where_the_new_one_cannot_be_finished(path, monkeypatch):
    save(Record(facts={"run": "first"}), path)
    files = set(path.parent.iterdir())

    def half(record: Record, connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE about (name TEXT, value TEXT)")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "_write", half)
    with pytest.raises(RecordError, match=r"could not be written to .*run.ganmedic: database or disk is full"):
        save(Record(facts={"run": "second"}), path)
    assert set(path.parent.iterdir()) == files
    assert load(path).facts == {"run": "first"}


def test_what_a_killed_process_left_half_written_is_overwritten(path):
    path.with_name(path.name + ".part").write_bytes(b"half a record")
    save(Record(facts={"run": "new"}), path)
    assert load(path).facts == {"run": "new"}


def test_a_record_is_read_while_somebody_writes_into_it(path):
    save(full(), path)
    writer = sqlite3.connect(path, isolation_level=None)
    try:
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM operations")
        assert load(path).operations == full().operations
    finally:
        writer.close()


def test_a_folder_that_does_not_exist_is_told_with_what_to_do(tmp_path):
    with pytest.raises(RecordError, match=r"could not be written to .*missing.run: .*Name a file in a writable folder"):
        save(Record(), tmp_path / "missing" / "run")


# --- files that are no records ------------------------------------------------------------------------------------------


def _text(path: Path) -> None:
    path.write_text("step,loss\n1,0.7\n" * 100)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (id INTEGER)")


def _half(path: Path) -> None:
    save(full(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("make", [_text, Path.touch, _foreign, _half])
def test_a_file_that_is_no_record_is_told_with_its_name_the_reason_and_what_to_do(make, path):
    make(path)
    with pytest.raises(RecordError) as told:
        load(path)
    assert str(told.value).startswith(f"{path} is no record of ganmedic (")
    assert "ganmedic check --record FILE train.py" in str(told.value)


@pytest.mark.parametrize("number", [FORMAT - 1, FORMAT + 1])
def test_a_record_of_another_format_is_told_with_both_formats(number, path):
    save(full(), path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE about SET value = ? WHERE name = 'format'", (str(number),))
    with pytest.raises(RecordError) as told:
        load(path)
    assert f"is a record of format {number}; this ganmedic reads format {FORMAT}" in str(told.value)
    assert "Make it again with: ganmedic check --record" in str(told.value)


@pytest.mark.parametrize("folder", [False, True])
def test_no_file_is_told_with_the_command_that_makes_one(folder, path):
    if folder:
        path.mkdir()
    with pytest.raises(RecordError, match=rf"no record at {path}\. Make one with: ganmedic check --record {path}"):
        load(path)


# --- not yet so ---------------------------------------------------------------------------------------------------------


@pytest.mark.xfail(strict=True, reason="the name goes into an SQLite URI unquoted, and an empty file 'a' is made")
@pytest.mark.parametrize("name", ["a#b.run", "what?.run", "100%41.run"])
def test_a_record_has_any_name_that_a_file_can_have(name, tmp_path):
    save(full(), tmp_path / name)
    assert load(tmp_path / name).facts == full().facts
    assert not (tmp_path / name[: name.find("#")]).exists()


@pytest.mark.xfail(strict=True, reason="UnicodeEncodeError, and the .part file stays")
def test_text_of_the_program_that_is_no_unicode_is_kept_in_some_form(path):
    save(Record(failures={1: schema.Failure("OSError", "no file \udcff.png", id=1)}), path)
    assert "no file" in load(path).failures[1].message


@pytest.mark.xfail(
    strict=True, reason="JSONDecodeError and ValueError come through, and a lost column reads as its name"
)
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE graphs SET inputs = '[1,'",
        "UPDATE graphs SET captures = '[[1, 2, 3]]'",
        "UPDATE about SET value = 'x' WHERE name = 'format'",
        "ALTER TABLE failures DROP COLUMN message",
    ],
)
def test_a_damaged_record_is_told_as_no_record(damage, path):
    save(full(), path)
    with sqlite3.connect(path) as connection:
        connection.execute(damage)
    with pytest.raises(RecordError):
        load(path)


@pytest.mark.xfail(strict=True, reason="a read-only connection to a WAL file leaves -wal and -shm beside it")
def test_reading_leaves_nothing_behind(path):
    save(full(), path)
    load(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
