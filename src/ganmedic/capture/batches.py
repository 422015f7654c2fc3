"""The figures and the samples of one batch, as the record keeps them."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ganmedic.record.game import Batch

#: So many samples of a batch are kept, so many are told apart, and so many entries a sample has at most.
KEPT, TOLD_APART, _ENTRIES = 64, 256, 4096
#: So many samples of a batch are measured at most, where they are large.
_MEASURED_ENTRIES = 4_000_000
#: A last axis of at most so many entries is one of channels or columns.
_CHANNELS = 64
_LEVELS = 1024

Array = NDArray[Any]


def batch_of(number: int, owner: int, place: str, value: int, tensor: Any, *, kept: int = KEPT) -> Batch | None:
    """The row of a batch.

    Args:
        number: id of the row.
        tensor: tensor or array (samples, ...) of numbers.
        kept: so many samples are kept in the row, 0 for none.

    Returns:
        ``None`` for what is no batch of numbers.
    """
    entries = array_of(tensor)
    if entries is None or entries.ndim == 0 or not entries.size:
        return None
    row = Batch(number, owner, place, value, tuple(entries.shape), str(getattr(tensor.dtype, "name", tensor.dtype)))
    row.digests = digests_of(entries)
    if entries.size > _MEASURED_ENTRIES:
        entries = entries[: max(1, _MEASURED_ENTRIES // max(1, entries[0].size))]
    _measure(row, entries)
    if kept:
        sample, row.pooled = _smaller(entries[:kept].astype(np.float32))
        row.form = tuple(sample.shape)
        row.entries = zlib.compress(np.ascontiguousarray(sample, "<f4").tobytes(), 1)
    return row


def array_of(tensor: Any) -> Array | None:
    """A tensor's entries as an array of numbers, float32 where they are of lower precision; ``None`` for texts and handles."""
    if isinstance(tensor, tf.Tensor):
        if not (tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_bool):
            return None
        if tensor.dtype.is_floating and tensor.dtype.size < 4:
            tensor = tf.cast(tensor, tf.float32)
    found = np.asarray(tensor)
    if found.dtype.name == "bfloat16":
        found = found.astype(np.float32)
    return found if found.dtype.kind in "fiub" else None


def digests_of(entries: Array) -> tuple[int, ...]:
    """One number a sample, equal for equal samples; float64 samples are taken as float32."""
    flat = np.ascontiguousarray(entries[:TOLD_APART].reshape(min(len(entries), TOLD_APART), -1))
    if flat.dtype == np.float64:
        flat = flat.astype(np.float32)
    return tuple(int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little") >> 1 for row in flat)


def _measure(row: Batch, entries: Array) -> None:
    by_channel = entries.ndim > 1 and entries.shape[-1] <= _CHANNELS
    flat = entries.reshape(-1, entries.shape[-1] if by_channel else 1).astype(np.float64)
    finite = np.isfinite(flat)
    row.nonfinite = float(1.0 - finite.mean())
    with np.errstate(all="ignore"):
        counts = np.maximum(finite.sum(axis=0), 1)
        safe = np.where(finite, flat, 0.0)
        mean = safe.sum(axis=0) / counts
        spread = np.sqrt(np.square(np.where(finite, flat - mean, 0.0)).sum(axis=0) / counts)
        row.mean, row.spread = tuple(map(float, mean)), tuple(map(float, spread))
        row.low = tuple(map(float, np.where(finite, flat, np.inf).min(axis=0)))
        row.high = tuple(map(float, np.where(finite, flat, -np.inf).max(axis=0)))
    known = flat[finite]
    if known.size > 20_000:
        known = known[:: (known.size // 20_000) | 1]
    row.whole = float((known == np.round(known)).mean()) if known.size else 0.0
    row.levels = min(_LEVELS + 1, int(np.unique(known).size))


def _smaller(sample: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """The samples in at most so many entries each: pictures as means over squares of pixels, the rest by leaving out."""
    size = int(np.prod(sample.shape[1:]))
    if size <= _ENTRIES:
        return sample, False
    if sample.ndim == 4:
        side = int(np.ceil(np.sqrt(size / _ENTRIES)))
        height, width = sample.shape[1] // side, sample.shape[2] // side
        if height and width:
            cut = sample[:, : height * side, : width * side]
            squares = cut.reshape(len(sample), height, side, width, side, sample.shape[3])
            return squares.mean(axis=(2, 4)), True
    return sample.reshape(len(sample), -1)[:, :: size // _ENTRIES + 1], True
