"""A record that is kept while the run goes on: nothing but the last second is lost, and the file stays small."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ganmedic.record import live, schema, store
from ganmedic.record.live import LiveRecord
from ganmedic.record.record import Record
from ganmedic.record.series import FIRST, LAST, Series, share
from ganmedic.record.store import load, save
from record.rows import full

WIDE = tuple(range(60))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.ganmedic"


def with_series(count: int, variables: tuple[int, ...] = (1, 2)) -> Record:
    record = Record(series={number: Series(number, 1, variables, 1) for number in range(1, count + 1)})
    share(record.series.values())
    return record


def add(record: Record, begin: int, count: int) -> None:
    """Adds rows that hold the number of their step."""
    steps = list(range(begin, begin + count))
    for one in record.series.values():
        one.add(steps, np.repeat(np.array(steps, np.float32)[:, None], one.width, axis=1))


def sizes(path: Path) -> int:
    """Bytes of the record and its journal."""
    total = 0
    for file in path.parent.iterdir():
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue
    return total


def same(path: Path, record: Record) -> None:
    found = load(path)
    for number, one in record.series.items():
        assert found.series[number].steps == one.steps
        np.testing.assert_array_equal(found.series[number].table(), one.table())
        assert store.head(found.series[number]) == store.head(one)
    assert found.snapshots == record.snapshots
    assert found.attributes == record.attributes
    for table in live.EVENTS:
        assert getattr(found, table) == getattr(record, table)


def test_nothing_is_written_before_the_surroundings_are_known(path):
    kept = LiveRecord(path)
    kept.collected(full())
    kept.close()
    assert list(path.parent.iterdir()) == []


def test_the_whole_record_is_there_at_once_and_is_not_complete(path):
    record = full()
    del record.facts["complete"]
    kept = LiveRecord(path)
    kept.begin(record)
    assert load(path).operations == record.operations
    assert not load(path).complete
    same(path, record)
    kept.close()


def test_rows_and_events_are_appended_and_what_was_dropped_goes(path):
    record = full()
    record.series = {}
    kept = LiveRecord(path, every=0.01)
    kept.begin(record)
    record.series = with_series(2).series
    for begin in range(0, 6_000, 100):
        add(record, begin, 100)
        if begin == 3_000:
            record.origins[500] = schema.Origin(500, 7, 3)
            record.snapshots[500] = full().snapshots[20]
            record.snapshots[500].id = 500
            record.attributes[77] = "[]"
            record.probes = {501: schema.Probe(501, 7, 4), **record.probes}
        if begin == 4_000:
            del record.probes[16]
            record.measures = {number: row for number, row in record.measures.items() if row.probe != 16}
        kept.collected(record)
        if begin % 1_000 == 0:
            time.sleep(0.03)
    kept.close()
    assert kept.fault == ""
    same(path, record)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_row_is_on_disk_within_half_a_second_though_nothing_follows(path):
    record = with_series(1)
    kept = LiveRecord(path)
    kept.begin(record)
    for begin in range(5):
        add(record, begin, 1)
        kept.collected(record)
    limit = time.monotonic() + 0.8
    while load(path).series[1].seen < 5:
        assert time.monotonic() < limit
        time.sleep(0.02)
    kept.close()


def test_the_whole_record_is_written_again_where_operations_were_added_and_it_costs_little(path, monkeypatch):
    record = with_series(1)
    kept = LiveRecord(path)
    assert not kept.is_behind(record)
    kept.begin(record)
    assert not kept.is_behind(record)
    record.operations[1] = schema.Operation(1, "Log", 0, (), ())
    monkeypatch.setattr(kept, "_took", 100.0)
    assert not kept.is_behind(record)
    monkeypatch.setattr(kept, "_took", 0.0)
    assert kept.is_behind(record)
    add(record, 0, 10)
    kept.collected(record)
    kept.begin(record)
    assert not kept.is_behind(record)
    add(record, 10, 10)
    kept.collected(record)
    kept.close()
    assert list(load(path).operations) == [1]
    same(path, record)


def test_the_record_at_the_end_takes_its_place(path):
    record = with_series(1)
    kept = LiveRecord(path)
    kept.begin(record)
    add(record, 0, 10)
    kept.collected(record)
    kept.close()
    record.facts["complete"] = "yes"
    save(record, path)
    assert load(path).complete
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_fault_of_the_disk_is_told_and_ends_the_writing_only(path):
    kept = LiveRecord(path.parent / "missing" / "run")
    kept.begin(full())
    assert "Name a file in a writable folder" in kept.fault
    kept.collected(full())
    kept.close()

    record = with_series(1)
    kept = LiveRecord(path, every=0.01)
    kept.begin(record)
    path.unlink()
    path.write_text("no record any more")
    add(record, 0, 10)
    kept.collected(record)
    kept.close()
    assert "could not be kept up to date" in kept.fault


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_leaves_the_file_alone(path):
    record = with_series(1)
    kept = LiveRecord(path, every=0.01)
    kept.begin(record)
    add(record, 0, 10)
    kept.collected(record)
    child = os.fork()
    if not child:
        try:
            add(record, 10, 10)
            kept.collected(record)
            kept.begin(record)
            kept.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    add(record, 10, 5)
    kept.collected(record)
    kept.close()
    same(path, record)


# --- size and time ------------------------------------------------------------------------------------------------------


def test_a_million_steps_fit(path):
    record = with_series(1, WIDE)
    kept = LiveRecord(path)
    kept.begin(record)
    largest = 0
    for begin in range(0, 1_000_000, 500):
        add(record, begin, 500)
        kept.collected(record)
        if begin % 20_000 == 0:
            largest = max(largest, sizes(path))
    kept.close()
    assert kept.fault == ""
    assert largest < 50_000_000
    one = load(path).series[1]
    assert one.seen == 1_000_000
    assert one.steps[:FIRST] == list(range(FIRST))
    assert one.steps[-LAST:] == list(range(1_000_000 - LAST, 1_000_000))
    assert (np.diff(one.steps) > 0).all()
    same(path, record)


def test_six_series_of_sixty_variables_take_no_more_room_the_longer_they_run(path):
    record = with_series(6, WIDE)
    kept = LiveRecord(path)
    kept.begin(record)
    largest = [0, 0]
    for begin in range(0, 60_000, 200):
        add(record, begin, 200)
        kept.collected(record)
        half = begin >= 30_000
        largest[half] = max(largest[half], sizes(path))
    kept.close()
    assert max(largest) < 50_000_000
    assert path.stat().st_size < 35_000_000
    same(path, record)
    save(record, path)
    assert path.stat().st_size < 20_000_000


# --- a process that is killed -------------------------------------------------------------------------------------------

WRITER = """
import sys, time
import numpy as np
from ganmedic.record.live import LiveRecord
from ganmedic.record.record import Record
from ganmedic.record.series import Series

record = Record(series={1: Series(1, 1, (1, 2), 1)})
live = LiveRecord(sys.argv[1])
live.begin(record)
one, step = record.series[1], 0
while True:
    one.add([step], np.full((1, one.width), time.time() % 1e5, np.float32))
    live.collected(record)
    print(step, time.time(), flush=True)
    step += 1
    time.sleep(0.002)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing to kill with here")
@pytest.mark.parametrize("seconds", [0.7, 1.35, 2.6])
def test_a_process_that_is_killed_loses_at_most_its_last_second(path, seconds):
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            lines.append(writer.stdout.readline())
        writer.kill()
        killed = time.time()
        lines += writer.stdout.readlines()
    known = load(path).series[1]
    assert not load(path).complete
    assert known.steps == list(range(known.seen))
    times = dict(line.split() for line in lines if line.endswith("\n"))
    lost = [float(at) for step, at in times.items() if int(step) >= known.seen]
    assert not lost or killed - min(lost) < 1.0

    save(Record(facts={"run": "next"}), path)
    assert load(path).facts == {"run": "next"}, "the journal of the one that was killed is not read into the next"
    assert load(path).series == {}
    assert [file.name for file in path.parent.iterdir()] == [path.name]
