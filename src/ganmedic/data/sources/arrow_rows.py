"""Tables that arrive as Arrow record batches, whatever file they come from: numbers, words, classes, or pictures as bytes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.batches import NO_LABEL, Batch, Broken, EncodedBatch, TableBatch, no_labels
from ganmedic.data.columns import MOST_WORDS
from ganmedic.data.sources.needs import need
from ganmedic.data.sources.source import Block, DataError, Source

_LABELS = ("label", "labels", "class", "target", "y", "category", "fine_label", "species")
_IMAGES = ("image", "img", "picture", "pixel_values", "bytes")
_NUMBER = r"^\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|[iI]nf(inity)?|INF|[nN]a[nN]|NAN)\s*$"
#: A column of text is one of numbers when so many of its first cells are; the others are told as cells that are none.
_MOSTLY = 0.9

#: Makes the record batches of a table, from the start each time.
Reading = Callable[[], Iterator[Any]]


class ArrowTable(Source):
    """A table.

    Args:
        reading: gives the record batches.
        title: what to call it.
        kind: what it is.
        features: the description of the columns that Hugging Face writes, if there is one.
        limit: look at so many rows at most.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        title: str,
        kind: str,
        features: dict[str, Any] | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(title)
        self.kind = kind
        self._reading, self._limit = reading, limit
        first = next((batch for batch in reading() if batch.num_rows), None)
        if first is None:
            raise DataError(f"{title} holds no row. A table with at least one row is expected.")
        described = features or _features_in(first.schema)
        self._image = next((name for name in (*_IMAGES, *first.schema.names) if _holds_pictures(first, name)), "")
        self.content: Literal["pictures", "table"] = "pictures" if self._image else "table"
        self.encoded = bool(self._image)
        self._label = next((name for name in _LABELS if name != self._image and _holds_classes(first, name)), "")
        self._codes: dict[Any, int] = {}
        self._named = _class_names(described, self._label)
        self.class_names = self._named
        self._numbers, self._words, left_out = ([], [], []) if self._image else _kinds(first, self._label)
        if not self._image and not self._numbers and not self._words:
            raise DataError(
                f"{title} has the columns {first.schema.names}, of which none holds numbers, words or pictures."
            )
        if self._image:
            self.notes.append(
                f"read as pictures in {self._image!r}" + (f", classes in {self._label!r}" if self._label else "")
            )
        if left_out:
            self.notes.append(f"columns that were passed over (neither numbers nor words): {', '.join(left_out[:8])}")

    def blocks(self) -> Iterator[Block]:
        left = self._limit
        try:
            for batch in self._reading():
                if left is not None:
                    batch = batch.slice(0, left)
                    left -= batch.num_rows
                if batch.num_rows:
                    yield Given(self._pictures(batch) if self._image else self._rows(batch))
                if left == 0:
                    return
        except (OSError, ValueError) as error:  # pyarrow's own errors are among these
            yield Given(Broken(self.title, f"the rest could not be read: {error}"))

    def name(self, index: int) -> str:
        return f"row {index}"

    def _pictures(self, batch: Any) -> Batch:
        cells = batch.column(self._image).to_pylist()
        payloads = [(cell or {}).get("bytes") or b"" if isinstance(cell, dict) else cell or b"" for cell in cells]
        return EncodedBatch(list(payloads), self._classes(batch))

    def _rows(self, batch: Any) -> Batch:
        columns, empty = [], []
        for name in self._numbers:
            values, missing = _as_numbers(batch.column(name))
            columns.append(values)
            empty.append(missing)
        values = np.stack(columns, axis=1) if columns else np.zeros((batch.num_rows, 0))
        words = {
            name: [None if cell is None else str(cell) for cell in batch.column(name).to_pylist()]
            for name in self._words
        }
        return TableBatch(values, tuple(self._numbers), self._classes(batch), np.array(empty, np.int64), words)

    def _classes(self, batch: Any) -> NDArray[np.int32]:
        if not self._label:
            return no_labels(batch.num_rows)
        cells = batch.column(self._label).to_pylist()
        if self._named:
            good = range(len(self._named))
            return np.array([cell if isinstance(cell, int) and cell in good else NO_LABEL for cell in cells], np.int32)
        numbers = []
        for cell in cells:
            if (
                cell is None
                or isinstance(cell, (list, dict, bytes))
                or (cell not in self._codes and len(self._codes) >= MOST_WORDS)
            ):
                numbers.append(NO_LABEL)
            else:
                numbers.append(self._codes.setdefault(cell, len(self._codes)))
        self.class_names = tuple(str(word) for word in self._codes)
        return np.array(numbers, np.int32)


class Given(Block):
    """Rows that were read already."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def read(self) -> Iterator[Batch]:
        yield self.batch


def _kinds(batch: Any, label: str) -> tuple[list[str], list[str], list[str]]:
    """Names of the columns of numbers, of those of words, and of the others; the classes are none of them."""
    pyarrow = need("pyarrow", "Reading tables")
    compute = need("pyarrow.compute", "Reading tables")
    kinds = pyarrow.types
    numbers: list[str] = []
    words: list[str] = []
    others: list[str] = []
    for field in batch.schema:
        if field.name == label:
            continue
        kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        if kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind) or kinds.is_decimal(kind):
            numbers.append(field.name)
        elif kinds.is_string(kind) or kinds.is_large_string(kind):
            cells = batch.column(field.name).drop_null()
            share = (
                np.mean(
                    compute.match_substring_regex(cells.cast(pyarrow.string()), _NUMBER).to_numpy(zero_copy_only=False)
                )
                if len(cells)
                else 0
            )
            (numbers if share >= _MOSTLY else words).append(field.name)
        else:
            others.append(f"{field.name} ({field.type})"[:60])
    return numbers, words, others


def _as_numbers(column: Any) -> tuple[NDArray[np.float64], int]:
    """The column as float64, NaN where there is no number, and how many cells hold none. NaN that the data holds stays NaN.

    Empty cells are left out of every count of what is not finite: they are given as NaN and counted apart.
    """
    pyarrow = need("pyarrow", "Reading tables")
    compute = need("pyarrow.compute", "Reading tables")
    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        trimmed = compute.utf8_trim_whitespace(column)
        column = compute.if_else(compute.match_substring_regex(trimmed, _NUMBER), trimmed, None).cast(pyarrow.float64())
    elif not pyarrow.types.is_floating(column.type) or column.type == pyarrow.float16():
        column = column.cast(pyarrow.float64(), safe=False)
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64), int(column.null_count)


def _holds_pictures(batch: Any, name: str) -> bool:
    if name not in batch.schema.names:
        return False
    pyarrow = need("pyarrow", "Reading tables")
    kind = batch.schema.field(name).type
    inner = kind.field("bytes").type if pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 else kind
    if not (pyarrow.types.is_binary(inner) or pyarrow.types.is_large_binary(inner)):
        return False
    from PIL import Image

    from ganmedic.data.image_reading import FORMATS

    for cell in batch.column(name).slice(0, 8).to_pylist():
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        try:
            if data:
                Image.open(io.BytesIO(data), formats=FORMATS).close()
                return True
        except Exception:  # not a picture, or a damaged one: the next cell tells
            continue
    return False


def _holds_classes(batch: Any, name: str) -> bool:
    """Whether a column tells classes: whole numbers or words, of which there are fewer than rows."""
    if name not in batch.schema.names:
        return False
    cells = [cell for cell in batch.column(name).to_pylist() if cell is not None]
    if not all(isinstance(cell, (bool, int, str)) for cell in cells):
        return False
    if any(isinstance(cell, str) and "." in cell and re.match(_NUMBER, cell) for cell in cells):
        return False
    return len(set(cells)) <= max(20, len(cells) // 2)


def _features_in(schema: Any) -> dict[str, Any]:
    """The description of the columns that Hugging Face puts into the metadata of a file."""
    try:
        content = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = content.get("info", {}).get("features", {})
        return found if isinstance(found, dict) else {}
    except (ValueError, AttributeError):
        return {}


def _class_names(features: dict[str, Any], label: str) -> tuple[str, ...]:
    described = features.get(label)
    names = described.get("names") if isinstance(described, dict) else None
    return tuple(map(str, names)) if isinstance(names, list) else ()
