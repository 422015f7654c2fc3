"""The figures of one value of a forward pass and of the gradient that reached it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ganmedic.record.schema import Measure, Operation

#: Of larger values a sample of about so many entries is looked at.
_ENTRIES = 100_000
#: Units of at most so many are told apart.
_UNITS = 4096
#: They are zero below zero.
RECTIFIERS = frozenset({"Relu", "Relu6", "Maximum"})
#: What rectifiers of other forms are made of; they count as such where what comes out is zero or above.
GATES = frozenset({"Mul", "Select", "SelectV2"})
#: A derivative of less than this share of the steepest one counts as flat.
FLAT = 0.01

Array = NDArray[np.float64]


def measured(number: int, probe: int, operation: Operation, value: int, tensor: Any, gradient: Any) -> Measure:
    """The row of one value.

    Args:
        number: id of the row.
        tensor: float tensor of any shape.
        gradient: gradient of the loss with respect to it, ``None`` where none reaches it.
    """
    row = Measure(
        id=number,
        probe=probe,
        value=value,
        operation=operation.id,
        kind=operation.kind,
        shape=tuple(tensor.shape.as_list()),
        dtype=tensor.dtype.name,
    )
    sample, known = _sample(tensor)
    row.nonfinite = 1.0 - len(known) / max(1, sample.size)
    if len(known):
        row.mean, row.spread = float(known.mean()), float(known.std())
        row.low, row.high = float(known.min()), float(known.max())
        row.zeros = float((known == 0).mean())
        _flatness(row, operation.kind, known)
    if len(row.shape) > 1 and row.shape[0] > 1:
        row.across = _across(tensor)
    gate = operation.kind in GATES and row.low >= 0 and row.zeros > 0.4
    if (operation.kind in RECTIFIERS or gate) and len(row.shape) > 1 and row.shape[-1] <= _UNITS:
        _units(row, tensor)
    if gradient is not None:
        if isinstance(gradient, tf.IndexedSlices):
            gradient = gradient.values
        entries, finite = _sample(gradient)
        row.gradient_zeros = float((entries == 0).mean()) if entries.size else 0.0
        row.gradient = float(np.sqrt(np.mean(np.square(finite)))) if len(finite) else float("nan")
        row.gradient_high = float(np.abs(finite).max()) if len(finite) else float("nan")
        if len(finite) < entries.size:
            row.gradient = float("nan")
    return row


def _sample(tensor: Any) -> tuple[Array, Array]:
    """Entries of a tensor, all of them or a sample, and those of them that are finite."""
    size = int(np.prod(tensor.shape.as_list(), dtype=np.int64))
    if size > 2 * _ENTRIES:
        # An odd distance, so that no axis of a power of two is hit at the same places only.
        tensor = tf.reshape(tensor, (-1,))[:: (size // _ENTRIES) | 1]
    entries: Array = np.asarray(tf.cast(tensor, tf.float64)).reshape(-1)
    return entries, entries[np.isfinite(entries)]


def _across(tensor: Any) -> float:
    flat = tf.reshape(tf.cast(tensor, tf.float32), (tensor.shape[0], -1))
    if flat.shape[1] > 4096:
        flat = flat[:, :: (flat.shape[1] // 4096) | 1]
    with np.errstate(all="ignore"):
        found = float(np.asarray(flat).std(axis=0).mean())
    return found if np.isfinite(found) else 0.0


def _flatness(row: Measure, kind: str, outputs: Array) -> None:
    if kind == "Sigmoid":
        slopes = 4.0 * outputs * (1.0 - outputs)
    elif kind == "Tanh":
        slopes = 1.0 - np.square(outputs)
    else:
        return
    row.slope, row.flat = float(slopes.mean()), float((slopes < FLAT).mean())


def _units(row: Measure, tensor: Any) -> None:
    low = tf.cast(0, tensor.dtype)
    fired = np.asarray(tf.reduce_any(tensor > low, axis=list(range(tensor.shape.rank - 1))))
    row.units = int(fired.size)
    row.fired = np.packbits(fired).tobytes().hex()
