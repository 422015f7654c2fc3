"""Between which ends a network's output can lie: the limits of its last activation, taken through what follows it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from ganmedic.capture.batches import array_of
from ganmedic.capture.profiles import after
from ganmedic.capture.replay import Program, Replay
from ganmedic.record.schema import Operation

#: What activations answer to minus and plus infinity.
LIMITS: Mapping[str, tuple[float, float]] = {
    "Tanh": (-1.0, 1.0),
    "Sigmoid": (0.0, 1.0),
    "Softmax": (0.0, 1.0),
    "Softsign": (-1.0, 1.0),
    "Sin": (-1.0, 1.0),
    "Cos": (-1.0, 1.0),
    "Relu": (0.0, float("inf")),
    "Relu6": (0.0, 6.0),
    "Softplus": (0.0, float("inf")),
    "Elu": (-1.0, float("inf")),
}
#: What may follow an activation, with numbers that are written out.
_ARITHMETIC = frozenset(
    {"Reshape", "Identity", "Squeeze", "ExpandDims", "Mul", "AddV2", "Sub", "RealDiv", "Cast", "Transpose", "Neg"}
)
_FAR = 8


def ends_of(
    program: Program, rows: list[Operation], replay: Replay, value: int
) -> tuple[Operation, float, float] | None:
    """The last activation before a value and the least and the greatest that the value can be, if there is one.

    Args:
        rows: the operations of the step, in order; ``replay`` one in which they were run.
    """
    found = _activation(program, replay, value)
    if found is None:
        return None
    outcome = replay.values.get(found.outputs[0])
    if outcome is None or not outcome.dtype.is_floating:
        return None
    depending = after(rows, found.outputs[0])
    redone = {one for row in depending for one in row.outputs}
    reached: list[float] = []
    for limit in LIMITS[found.kind]:
        given = replay.beside(redone)
        given[found.outputs[0]] = tf.fill(outcome.shape, tf.cast(limit, outcome.dtype))
        again = Replay(program, given, replay.read)
        again.run([row for row in depending if row.id <= _maker(program, value, found).id])
        entries = array_of(again.values.get(value)) if again.values.get(value) is not None else None
        if entries is None:
            return None
        reached.extend((float(entries.min()), float(entries.max())))
    known = [one for one in reached if not np.isnan(one)]
    return (found, min(known), max(known)) if known else None


def _maker(program: Program, value: int, default: Operation) -> Operation:
    return program.maker.get(value, default)


def _activation(program: Program, replay: Replay, value: int) -> Operation | None:
    for _ in range(_FAR):
        made = program.maker.get(value)
        if made is None or not made.outputs:
            return None
        if made.kind in LIMITS:
            return made
        if made.kind not in _ARITHMETIC:
            return None
        onward = [one for one in made.inputs if not _is_written(program, one)]
        if len(onward) != 1:
            return None
        value = onward[0]
    return None


def _is_written(program: Program, value: int, depth: int = 4) -> bool:
    """Whether a value is a number, or a shape, that stands in the code."""
    made = program.maker.get(value)
    if made is None or depth == 0:
        return False
    if made.kind in ("Const", "Shape"):
        return True
    simple = made.kind in ("Pack", "Cast", "StridedSlice", "Prod", "Identity", "ConcatV2")
    return simple and all(_is_written(program, one, depth - 1) for one in made.inputs)
