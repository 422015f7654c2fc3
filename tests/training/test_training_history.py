"""history.csv: every digit, every row once, whatever happened to the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganmedic.training.history import History
from ganmedic.training.showing.history import read_history

NAMES = ("d_loss", "d_R1")


def rows(first: int, count: int) -> Any:
    return np.arange(2 * first, 2 * (first + count), dtype=np.float32).reshape(count, 2) / 7


def filled(path: Path, count: int = 5) -> History:
    history = History(path, NAMES)
    history.add(1, rows(1, count), 123.456)
    history.flush()
    return history


def steps(path: Path) -> list[str]:
    return [line.split(",")[0] for line in path.read_text().splitlines()]


def test_every_float32_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 4000, np.uint32)
    values = np.concatenate([bits.view(np.float32), np.float32([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38])])
    values[np.isnan(values)] = np.nan
    values = values[: len(values) // 2 * 2].reshape(-1, 2)
    history = History(tmp_path / "history.csv", NAMES)
    history.add(1, values, 1.0)
    history.flush()
    lines = (tmp_path / "history.csv").read_text().splitlines()[1:]
    back = np.array([line.split(",")[1:3] for line in lines], np.float64).astype(np.float32)
    np.testing.assert_array_equal(back.view(np.uint32), values.view(np.uint32))


def test_it_reads_as_the_curves_read_it(tmp_path: Path) -> None:
    filled(tmp_path / "history.csv")
    read = read_history(tmp_path / "history.csv")
    np.testing.assert_array_equal(read.columns["d_R1"].astype(np.float32), rows(1, 5)[:, 1])
    assert read.columns["images_per_second"].tolist() == [123.5] * 5


def test_going_on_cuts_what_is_beyond_and_what_is_half_written(tmp_path: Path) -> None:
    path, aside = tmp_path / "history.csv", tmp_path / "aside.csv"
    filled(path)
    before = path.read_text().splitlines()
    with open(path, "a") as file:
        file.write("6,0.5,0.2")
    history = History(path, NAMES, step=3, aside=aside)
    assert path.read_text().splitlines() == before[:4]
    assert aside.read_text().splitlines() == [before[0], *before[4:]]
    history.add(4, rows(4, 2), 123.456)
    history.flush()
    assert path.read_text().splitlines() == before
    History(path, NAMES, step=2)
    assert steps(path) == ["step", "1", "2"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["aside.csv", "history.csv"]


def test_a_half_written_line_alone_goes(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    filled(path)
    text = path.read_text()
    path.write_text(text[:-3])
    History(path, NAMES, step=9)
    assert path.read_text() == "".join(text.splitlines(keepends=True)[:-1])


def test_other_columns_are_brought_into_line(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    filled(path, 2)
    history = History(path, ("g_loss", "d_loss"), step=2)
    history.add(3, np.float32([[1.0, 2.0]]), 5.0)
    history.flush()
    lines = path.read_text().splitlines()
    assert lines[0] == "step,g_loss,d_loss,images_per_second"
    assert [line.split(",")[1] for line in lines[1:]] == ["nan", "nan", "1"]
    assert np.float32(lines[1].split(",")[2]) == rows(1, 1)[0, 0]
    assert [line.split(",")[3] for line in lines[1:]] == ["123.5", "123.5", "5"]


@pytest.mark.parametrize("where", ["fsync", "write"])
def test_a_full_disk_keeps_rows_for_the_next_time(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.csv"
    history = filled(path)
    before = path.read_bytes()
    history.add(6, rows(6, 1), 1.0)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if where == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr("builtins.open", lambda *arguments, **named: full(0))
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                history.flush()
            assert path.read_bytes() == before
    history.add(7, rows(7, 1), 1.0)
    history.flush()
    history.flush()
    assert steps(path) == ["step", *map(str, range(1, 8))]
