"""What a source hands to the measuring code: batches of pictures as files, of arrays, or of table rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The label of a sample that has none.
NO_LABEL = -1


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Pictures as they lie in files or records.

    Attributes:
        payloads: for each picture its bytes (JPEG, PNG, ...), or the path of the file that holds them.
        labels: int32 array (n,), the class of each; `NO_LABEL` where there is none.
        folder: the folder that a path must not lead out of; empty where payloads are bytes.
    """

    payloads: list[bytes | str]
    labels: NDArray[np.int32]
    folder: str = ""


@dataclass(frozen=True, slots=True)
class ArrayBatch:
    """Pictures as numbers.

    Attributes:
        values: real array (n, height, width, channels).
        labels: int32 array (n,).
        unscaled: the values between black and white, by which pictures of numbers are turned into ones to look at.
    """

    values: NDArray[Any]
    labels: NDArray[np.int32]
    unscaled: tuple[float, float] = (0.0, 255.0)


@dataclass(frozen=True, slots=True)
class TableBatch:
    """Rows of a table, or vectors.

    Attributes:
        values: float array (n, columns) of what is a number; NaN where a cell is empty.
        columns: their names.
        empty: int64 array (columns,), how many cells are empty (not NaN: empty), `None` where that is not told apart.
        words: columns that are no numbers, each with its n cells as text (`None` where empty).
        labels: int32 array (n,).
    """

    values: NDArray[Any]
    columns: tuple[str, ...]
    labels: NDArray[np.int32]
    empty: NDArray[np.int64] | None = None
    words: dict[str, list[str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """Samples that could not be read: what they are called, and why."""

    name: str
    reason: str


Batch = EncodedBatch | ArrayBatch | TableBatch | Broken


def no_labels(count: int) -> NDArray[np.int32]:
    """Labels for samples that have none."""
    return np.full(count, NO_LABEL, np.int32)
