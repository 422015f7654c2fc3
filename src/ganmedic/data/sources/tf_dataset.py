"""A `tf.data.Dataset`, or anything else that gives batch after batch: what training would be fed is what is audited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.batches import no_labels
from ganmedic.data.sources.arrays import Layout, Rows
from ganmedic.data.sources.source import Block, DataError, Source

_MOST_LABELS = 1000
_TOGETHER = 256


class Batches(Source):
    """Batches from a program: a `tf.data.Dataset`, a `keras.utils.PyDataset`, a list or a generator.

    An element is an array, or a tuple or dictionary of which the first array is the sample and the second, of whole numbers,
    the class. Whether a `tf.data.Dataset` is batched is read from its shapes; elements of other iterables are taken for
    batches.

    Args:
        elements: what is iterated over.
        batched: whether an element holds many samples; worked out where it is `None`.
        limit: look at so many samples at most. A dataset that repeats for ever needs it.
    """

    kind = "batches of a program"
    parallel = False
    rereadable = False

    def __init__(self, elements: Iterable[Any], *, batched: bool | None = None, limit: int | None = None) -> None:
        name = type(elements).__name__
        super().__init__(name)
        self._elements, self._limit = elements, limit
        cardinality = getattr(elements, "cardinality", None)
        if callable(cardinality):
            self.kind = "tf.data.Dataset"
            if limit is None and int(cardinality()) == -1:
                raise DataError(
                    "The dataset repeats for ever. Give a limit, such as limit=10_000, or leave out .repeat()."
                )
        self._batched = _is_batched(elements) if batched is None else batched
        self._iterator = iter(elements)
        self._first = next(self._iterator, None)
        if self._first is None:
            raise DataError(f"The {name} gives no element. At least one batch is expected.")
        values, _ = _split(self._first, self._batched)
        self._shape = values.shape[1:]
        self.layout = Layout((len(values), *values.shape[1:]), values)
        self.content = self.layout.content
        self.notes += self.layout.notes()

    def blocks(self) -> Iterator[Block]:
        left = self._limit
        kept: list[tuple[NDArray[Any], NDArray[np.int32]]] = []
        for element in self._all():
            values, labels = _split(element, self._batched)
            if left is not None:
                values, labels = values[:left], labels[:left]
                left -= len(values)
            kept.append((values, labels))
            if sum(len(one) for one, _ in kept) >= _TOGETHER or left == 0:
                yield self._block(kept)
                kept = []
            if left == 0:
                return
        if kept:
            yield self._block(kept)

    def _block(self, kept: list[tuple[NDArray[Any], NDArray[np.int32]]]) -> Rows:
        shapes = {self._shape, *(values.shape[1:] for values, _ in kept)}
        if len(shapes) > 1:
            raise DataError(
                f"Samples of the shapes {sorted(shapes)} came from one {self.title}. Every sample must have the same shape; "
                "resize the pictures first."
            )
        return Rows(
            np.concatenate([values for values, _ in kept]), np.concatenate([labels for _, labels in kept]), self.layout
        )

    def _all(self) -> Iterator[Any]:
        first, self._first = self._first, None
        if first is not None:
            yield first
        yield from self._iterator


def _is_batched(elements: Any) -> bool:
    """Whether the elements of a `tf.data.Dataset` have a batch axis: an unknown first size, or one size for all parts."""
    specification = getattr(elements, "element_spec", None)
    if specification is None:
        return True
    parts = list(specification.values()) if isinstance(specification, dict) else specification
    parts = list(parts) if isinstance(parts, (tuple, list)) else [parts]
    shape = parts[0].shape
    if shape.rank is None or shape.rank == 0:
        return False
    if shape.rank == 4 or shape[0] is None:
        return True
    if len(parts) > 1 and parts[1].shape.rank is not None:
        return bool(parts[1].shape.rank > 0 and parts[1].shape[0] == shape[0])
    return False


def _split(element: Any, batched: bool) -> tuple[NDArray[Any], NDArray[np.int32]]:
    parts = list(element.values()) if isinstance(element, dict) else element
    parts = list(parts) if isinstance(parts, (tuple, list)) else [parts]
    values = np.asarray(parts[0])
    if not batched:
        values = values[None]
    if values.ndim == 0:
        raise DataError(
            f"An element that is a single {type(parts[0]).__name__} came; batches of samples are expected. Give the array itself."
        )
    if values.ndim == 1:
        values = values[:, None]
    labels = no_labels(len(values))
    if len(parts) > 1:
        given = np.asarray(parts[1])
        given = given if batched else given[None]
        if given.ndim == 2 and given.shape[1] == 1:
            given = given[:, 0]
        elif given.ndim == 2 and given.dtype.kind in "if" and bool((given.sum(axis=1) == 1).all()):
            given = given.argmax(axis=1)
        if (
            given.ndim == 1
            and len(given) == len(values)
            and given.dtype.kind in "biu"
            and given.min(initial=0) >= 0
            and given.max(initial=0) < _MOST_LABELS
        ):
            labels = given.astype(np.int32)
    return values, labels
