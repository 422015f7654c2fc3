"""The history of a run, read from its CSV as it is: still growing, cut off by a kill, with steps told twice after a resumption."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class History:
    """What was written of each step, one row a step, the steps in order.

    Attributes:
        steps: (n,), counted from the beginning of the training.
        columns: float64 (n,) by name, without `step`; NaN where nothing was measured, or where it was not finite.
        broken: bool (n,) by name: measured, and NaN or infinite. An empty cell is not broken, nor is NaN before the first finite value.
        skipped: lines that could not be read; a last one without its end is not counted.
    """

    steps: Floats
    columns: Mapping[str, Floats]
    broken: Mapping[str, Flags]
    skipped: int


def read_history(path: str | os.PathLike[str]) -> History:
    """Reads `history.csv`.

    A last line without its end is left out. Of steps that were told twice, because training was taken up again at a checkpoint
    before them, the later row counts. With pyarrow installed a million rows take a second, without it several.

    Args:
        path: of the CSV, whose first line has the names of the columns, `step` among them.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it has no column `step`.
    """
    content = Path(path).read_bytes()
    begin = (content.find(b"\n") + 1) or len(content)
    names = [name.strip() for name in content[:begin].decode("utf-8", "replace").split(",")]
    if "step" not in names or len(set(names)) < len(names):
        raise ValueError(
            f"'{path}' begins with the columns {', '.join(names)[:200]!r}; different names with 'step' among them are expected. "
            "Give the history.csv of a run."
        )
    # A view, for the file may have hundreds of megabytes.
    body = memoryview(content)[begin : max(begin, content.rfind(b"\n") + 1)]
    table, skipped = _quickly(body, names) or _line_by_line(body, names)
    steps, there = table.pop("step")
    kept = there & np.isfinite(steps)
    skipped += int((~kept).sum())
    kept &= _not_told_again(np.where(kept, steps, -np.inf))
    columns, broken = {}, {}
    for name, (values, measured) in table.items():
        finite = np.isfinite(values)
        columns[name] = np.where(finite, values, np.nan)[kept]
        broken[name] = (measured & ~finite)[kept]
        # Where the generator has its first turn after several of the discriminator, its figures are NaN until then.
        begin = _first(finite[kept])
        broken[name][:begin] &= ~np.isnan(values[kept][:begin])
    return History(steps[kept], columns, broken, skipped)


def _first(flags: Flags) -> int:
    """The place of the first that is set; 0 if none is."""
    return int(flags.argmax()) if flags.size else 0


def _not_told_again(steps: Floats) -> Flags:
    """Which rows no later row goes back behind."""
    if not steps.size:
        return np.zeros(0, np.bool_)
    # Rows without a step, at -inf here, must not hide those before them.
    known = np.where(np.isfinite(steps), steps, np.inf)
    least_later = np.append(np.minimum.accumulate(known[::-1])[::-1][1:], np.inf)
    result: Flags = known < least_later
    return result


def _quickly(body: memoryview, names: list[str]) -> tuple[dict[str, tuple[Floats, Flags]], int] | None:
    """By pyarrow; None where it is missing or a cell is no number."""
    try:
        import pyarrow as arrow
        from pyarrow import csv
    except ImportError:
        return None
    odd: list[int] = []

    def skip(row: object) -> str:
        odd.append(1)
        return "skip"

    if not body:
        return {name: (np.zeros(0), np.zeros(0, np.bool_)) for name in names}, 0
    try:
        table = csv.read_csv(
            arrow.BufferReader(body),
            read_options=csv.ReadOptions(column_names=names, block_size=1 << 24),
            parse_options=csv.ParseOptions(invalid_row_handler=skip, quote_char=False),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, arrow.float64()), null_values=[""]),
        )
    except arrow.ArrowInvalid:
        return None
    columns = {}
    for name in names:
        column = table.column(name).combine_chunks()
        there = column.is_valid().to_numpy(zero_copy_only=False)
        columns[name] = column.fill_null(np.nan).to_numpy(zero_copy_only=False), there
    return columns, len(odd)


def _line_by_line(body: memoryview, names: list[str]) -> tuple[dict[str, tuple[Floats, Flags]], int]:
    rows, there, skipped = [], [], 0
    for line in bytes(body).decode("utf-8", "replace").splitlines():
        cells = line.split(",")
        if not line.strip():
            continue
        try:
            if len(cells) != len(names):
                raise ValueError
            rows.append([float(cell) if cell else np.nan for cell in cells])
        except ValueError:
            skipped += 1
            continue
        there.append([bool(cell) for cell in cells])
    values = np.array(rows, np.float64).reshape(-1, len(names))
    measured = np.array(there, np.bool_).reshape(-1, len(names))
    return {name: (values[:, place], measured[:, place]) for place, name in enumerate(names)}, skipped
