"""CSV, Parquet and Arrow files, read piece by piece with pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from ganmedic.data.sources.arrow_rows import ArrowTable
from ganmedic.data.sources.needs import need
from ganmedic.data.sources.source import DataError

_BATCH_ROWS = 8192
_BATCH_PICTURES = 64
_CSV_BLOCK = 1 << 20


def open_csv(path: str, limit: int | None = None) -> ArrowTable:
    """Open a CSV or TSV file. Cells are read as text first, so that a word among numbers is counted and not fatal."""
    csv = need("pyarrow.csv", "Reading CSV files")
    pyarrow = need("pyarrow", "Reading CSV files")
    skipped = 0

    def wrong_row(row: Any) -> str:
        nonlocal skipped
        skipped += 1
        return "skip"

    delimiter = "\t" if path.lower().endswith(".tsv") else _delimiter(path)
    try:
        parsing = csv.ParseOptions(delimiter=delimiter, invalid_row_handler=wrong_row)
        with csv.open_csv(path, parse_options=parsing, read_options=csv.ReadOptions(block_size=_CSV_BLOCK)) as stream:
            names = stream.schema.names
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as CSV: {error}. A first line of names and one line a row are expected."
        ) from error
    without_names = all(_is_number(name) for name in names)
    if without_names:
        names = [f"column {place}" for place in range(len(names))]
    elif len(set(names)) < len(names):
        names = [name if names.index(name) == place else f"{name} ({place})" for place, name in enumerate(names)]
    reading_options = csv.ReadOptions(block_size=_CSV_BLOCK, column_names=names, skip_rows=0 if without_names else 1)
    conversion = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pyarrow.string()),
        strings_can_be_null=True,
        null_values=["", "NA", "N/A", "null", "NULL", "None", "?"],
    )

    def reading() -> Iterator[Any]:
        nonlocal skipped
        skipped = 0
        yield from csv.open_csv(path, parse_options=parsing, read_options=reading_options, convert_options=conversion)

    table = _Csv(reading, title=path, kind="CSV table", limit=limit)
    table.skipped = lambda: skipped
    if without_names:
        table.notes.append("the first line holds numbers, so the columns were numbered")
    return table


class _Csv(ArrowTable):
    """A CSV file also tells, once it is read, how many lines had too few or too many cells."""

    skipped: Any = None

    def blocks(self) -> Iterator[Any]:
        from ganmedic.data.batches import Broken
        from ganmedic.data.sources.arrow_rows import Given

        yield from super().blocks()
        if self.skipped is not None and self.skipped():
            yield Given(
                Broken(f"{self.skipped()} lines of {self.title}", "more or fewer cells than the table has columns")
            )


def open_parquet(
    files: Sequence[str], *, title: str, kind: str, limit: int | None = None, features: dict[str, Any] | None = None
) -> ArrowTable:
    """Open Parquet files of the same columns."""
    parquet = need("pyarrow.parquet", "Reading Parquet files")
    try:
        opened = parquet.ParquetFile(files[0])
        rows = sum(parquet.ParquetFile(file).metadata.num_rows for file in files)
        average = (
            opened.metadata.row_group(0).total_byte_size / max(1, opened.metadata.row_group(0).num_rows)
            if opened.metadata.num_row_groups
            else 0
        )
    except (OSError, ValueError) as error:
        raise DataError(
            f"{title} cannot be read as Parquet: {error}. Write it again with DataFrame.to_parquet."
        ) from error
    batch = _BATCH_PICTURES if average > 1024 else _BATCH_ROWS

    def reading() -> Iterator[Any]:
        for file in files:
            yield from parquet.ParquetFile(file, pre_buffer=False).iter_batches(batch_size=batch)

    table = ArrowTable(reading, title=title, kind=kind, features=features, limit=limit)
    table.length = rows if limit is None else min(rows, limit)
    return table


def open_arrow(
    files: Sequence[str], *, title: str, kind: str, limit: int | None = None, features: dict[str, Any] | None = None
) -> ArrowTable:
    """Open Arrow files (streams, as Hugging Face datasets writes them, or Feather)."""
    pyarrow = need("pyarrow", "Reading Arrow files")
    ipc = need("pyarrow.ipc", "Reading Arrow files")

    def reading() -> Iterator[Any]:
        for file in files:
            with pyarrow.memory_map(os.fspath(file), "rb") as mapped:
                try:
                    batches: Iterator[Any] = iter(ipc.open_stream(mapped))
                except ValueError:
                    opened = ipc.open_file(mapped)
                    batches = (opened.get_batch(place) for place in range(opened.num_record_batches))
                for whole in batches:
                    step = _BATCH_PICTURES if whole.nbytes / max(1, whole.num_rows) > 1024 else _BATCH_ROWS
                    for begin in range(0, whole.num_rows, step):
                        yield whole.slice(begin, step)

    try:
        return ArrowTable(reading, title=title, kind=kind, features=features, limit=limit)
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(
            f"{title} cannot be read as Arrow: {error}. Save it again with Dataset.save_to_disk."
        ) from error


def _delimiter(path: str) -> str:
    with open(path, "rb") as stream:
        line = stream.readline(1 << 16).decode("utf-8", "replace")
    return max((",", ";", "\t", "|"), key=line.count)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
