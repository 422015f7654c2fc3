"""What every kind of data set looks like to the audit: a name, perhaps a length, and blocks that can be read anywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Literal

from ganmedic.data.batches import Batch, Broken


class DataError(ValueError):
    """The data cannot be audited; the message says what came, what was expected, and what to do."""


class Block(ABC):
    """A part of a data set. It can be pickled, and read in another process."""

    @abstractmethod
    def read(self) -> Iterator[Batch]:
        """Read the samples, a batch at a time."""


class Source(ABC):
    """A data set.

    Attributes:
        kind: what it is, in words: ``folder of images``, ``NumPy array``.
        title: where it lies, or what was handed over.
        length: the number of samples, `None` where only reading tells.
        class_names: names of the classes, by label; empty where there are none or they have no names.
        content: ``pictures`` or ``table``.
        encoded: whether the pictures lie there as 8-bit files, so that their range says nothing about a normalisation.
        parallel: whether blocks can be read in other processes.
        ordered: whether the order of the samples is the order that training sees without a shuffle.
        rereadable: whether the blocks come again, in the same order and with the same content.
        broken: what was found unreadable before any block was read (links that lead out of the folder, ...).
        notes: what the person should know of how the data was understood.
    """

    kind = ""
    content: Literal["pictures", "table"] = "pictures"
    encoded = False
    parallel = True
    ordered = True
    rereadable = True

    def __init__(self, title: str) -> None:
        self.title = title
        self.length: int | None = None
        self.class_names: tuple[str, ...] = ()
        self.broken: list[Broken] = []
        self.notes: list[str] = []

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """The parts of the data set, in order."""

    def name(self, index: int) -> str:
        """What sample `index` (counted from 0, as read) is called."""
        return f"sample {index}"
