"""A record is replaced whole, can be read at any time, and a file that is no record says so."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ganmedic.record import schema, store
from ganmedic.record.record import Record
from ganmedic.record.store import FORMAT, RecordError, load, save
from record.rows import full


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.ganmedic"


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


@pytest.mark.parametrize("name", ["a#b.run", "what?.run", "100%41.run"])
def test_a_record_has_any_name_that_a_file_can_have(name, tmp_path):
    save(full(), tmp_path / name)
    assert load(tmp_path / name).facts == full().facts


def test_text_of_the_program_that_is_no_unicode_is_kept_in_some_form(path):
    save(Record(failures={1: schema.Failure("OSError", "no file \udcff.png", id=1)}), path)
    assert "no file" in load(path).failures[1].message


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


def test_reading_leaves_nothing_behind(path):
    save(full(), path)
    load(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
