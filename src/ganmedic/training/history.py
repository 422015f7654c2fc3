"""The figures of every step, in a file of comma-separated values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class History:
    """Appends rows to `history.csv`.

    A number is written with as many digits as it takes to read the same float32 back. Rows that cannot be written, because the disk is
    full, are kept and tried again.

    Args:
        path: the file.
        columns: names of the figures behind `step`.
        step: where the run goes on: rows beyond it go.
        aside: where rows beyond it are kept; None to drop them.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int = 0, aside: Path | None = None) -> None:
        self.path, self.columns = path, tuple(columns)
        self._waiting: list[str] = []
        self._cut(step, aside)

    def add(self, first_step: int, rows: NDArray[np.float32], rate: float) -> None:
        """Takes up rows.

        Args:
            first_step: the step of the first row, counted from 1.
            rows: float32 (rows, figures).
            rate: images a second, of all of them.
        """
        for place, row in enumerate(rows):
            figures = ",".join(np.format_float_positional(value, unique=True, trim="-") for value in row)
            self._waiting.append(f"{first_step + place},{figures},{rate:.4g}\n")

    def flush(self) -> None:
        """Brings what was taken up to the disk.

        Raises:
            OSError: the disk is full; the rows are kept for the next time, and the file has none of them.
        """
        if not self._waiting:
            return
        before = self.path.stat().st_size
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write("".join(self._waiting))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.truncate(self.path, before)
            raise
        self._waiting.clear()

    def _cut(self, step: int, aside: Path | None) -> None:
        """Begins the file, or takes off what is beyond the step or half-written."""
        header = f"step,{','.join(self.columns)},images_per_second\n"
        kept, beyond = [header], [header]
        if self.path.exists():
            with open(self.path, encoding="utf-8") as file:
                old = next(file, "")
                for line in file:
                    number = line.partition(",")[0]
                    if line.endswith("\n") and number.isdigit():
                        (kept if int(number) <= step else beyond).append(line)
            if old != header and len(kept) > 1:
                kept = [header, *_realigned(old, self.columns, kept[1:])]
            if aside is not None and len(beyond) > 1:
                _write(aside, [old or header, *beyond[1:]])
        _write(self.path, kept)


def _realigned(header: str, columns: tuple[str, ...], lines: list[str]) -> list[str]:
    """Rows of a file with other columns: what a change added is empty before, and what it took away goes."""
    old = header.strip().split(",")
    wanted = ["step", *columns, "images_per_second"]
    moved = []
    for line in lines:
        values = dict(zip(old, line.rstrip("\n").split(","), strict=False))
        moved.append(",".join(values.get(name, "nan") for name in wanted) + "\n")
    return moved


def _write(path: Path, lines: list[str]) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
