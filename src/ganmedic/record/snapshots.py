"""Steps that went wrong, kept so that they can be run again: what they were given, and the weights of that moment.

Tensors are kept as ``.npy`` bytes; a type that NumPy does not know of itself (bfloat16) as the bytes of its entries, with its
name beside them. Nothing is pickled.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: So many bytes the snapshots of one run take at most.
MOST_BYTES = 512 * 1024 * 1024
_ORDINARY = frozenset("biufc")


@dataclass(frozen=True, slots=True)
class Kept:
    """One tensor.

    Attributes:
        dtype: TensorFlow's name of its type.
        npy: an ``.npy`` file; of a type that NumPy does not know one of unsigned integers of the same size.
    """

    dtype: str
    npy: bytes


@dataclass(slots=True)
class Snapshot:
    """One step.

    Attributes:
        id: that of the :class:`~ganmedic.record.schema.Origin` that was searched in it.
        call: the gradient call in which it was seen; its row may be gone, where an eager loop repeated it.
        program: the recorded gradient call whose operations are run.
        step: how often the call had been answered before, so that the first step is 0.
        given: value id -> what the step was given: the batch, numbers drawn at random.
        state: variable id -> its value when the gradient was taken. Slots and counters of optimizers are no part of it: no
            gradient depends on them.
        note: why nothing was kept; empty where it was.
    """

    id: int
    call: int
    program: int
    step: int
    given: dict[int, Kept] = field(default_factory=dict)
    state: dict[int, Kept] = field(default_factory=dict)
    note: str = ""

    @property
    def bytes(self) -> int:
        """What the tensors take."""
        return sum(len(kept.npy) for kept in (*self.given.values(), *self.state.values()))


def room(snapshots: Iterable[Snapshot]) -> int:
    """So many bytes a further snapshot may take."""
    return MOST_BYTES - sum(one.bytes for one in snapshots)


def pack(array: NDArray[Any], dtype: str) -> Kept:
    """Keeps an array.

    Args:
        dtype: TensorFlow's name of its type.

    Raises:
        ValueError: its entries are no numbers.
    """
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    if array.dtype.isbuiltin != 1 or array.dtype.kind not in _ORDINARY:
        if array.dtype.isbuiltin != 2 or array.dtype.hasobject:
            raise ValueError(f"entries of type {dtype} cannot be kept")
        array = array.view(f"u{array.dtype.itemsize}")
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return Kept(dtype, out.getvalue())


def unpack(kept: Kept, dtype: Any) -> NDArray[Any]:
    """The array again; ``dtype`` is its NumPy type, which for bfloat16 only TensorFlow can name."""
    array: NDArray[Any] = np.load(io.BytesIO(kept.npy), allow_pickle=False)
    return array if array.dtype == dtype else array.view(dtype)
