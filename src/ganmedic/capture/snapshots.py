"""Keeps steps that went wrong in the record, and makes tensors and attributes of them again.

Of a step are kept what it was given and the variables that its gradient depends on, as they were when it was taken. Slots and
counters of optimizers are left out: in a function graph they have moved on by the time the step is looked at, and running the
forward and the backward pass again takes none of them.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, tensor_pb2, tensor_shape_pb2

from ganmedic.capture.origins import Again
from ganmedic.record.record import Record
from ganmedic.record.schema import Origin
from ganmedic.record.snapshots import Kept, Snapshot, pack, room, unpack

_PROTOS: dict[str, type[Any]] = {
    "AttrValue": attr_value_pb2.AttrValue,
    "TensorProto": tensor_pb2.TensorProto,
    "TensorShapeProto": tensor_shape_pb2.TensorShapeProto,
}
_UNKEPT = (tf.resource, tf.variant, tf.string)


def keep(record: Record, origin: Origin, again: Again) -> None:
    """Adds the step in which an origin was searched to the record, if there is room for it."""
    snapshot = Snapshot(origin.id, origin.call, again.call.id, origin.step)
    used = _used(again)
    given = {value: tensor for value, tensor in again.given.items() if value in used and _is_kept(tensor)}
    state = {number: tensor for number, tensor in again.variables.items() if _is_kept(tensor)}
    size = sum(int(np.prod(one.shape)) * one.dtype.size for one in (*given.values(), *state.values()))
    free = room(record.snapshots.values()) - sum(map(len, record.attributes.values()))
    record.snapshots[snapshot.id] = snapshot
    if size > free:
        snapshot.note = (
            f"the step takes {size / 2**20:.0f} MB, and of the 512 MB that the steps of a record may take "
            f"{max(0, free) / 2**20:.0f} MB were left"
        )
        return
    signatures = again.program.signatures
    for number in (*again.heard, *(operation.id for operation, _ in again.replay.failed)):
        if number in signatures and number not in record.attributes:
            text = encode(signatures[number][0])
            if text is not None:
                record.attributes[number] = text
    snapshot.given = {value: packed(tensor) for value, tensor in given.items()}
    snapshot.state = {number: packed(tensor) for number, tensor in state.items()}


def packed(tensor: Any) -> Kept:
    """A tensor as the record keeps it."""
    return pack(tensor.numpy(), tensor.dtype.base_dtype.name)


def tensor_of(kept: Kept) -> Any:
    """The tensor again."""
    return tf.constant(unpack(kept, np.dtype(tf.as_dtype(kept.dtype).as_numpy_dtype)))


def _is_kept(tensor: Any) -> bool:
    return hasattr(tensor, "numpy") and tensor.dtype not in _UNKEPT and not tensor.dtype.is_quantized


def _used(again: Again) -> set[int]:
    """What the operations of a step read and make, and where captured values come from."""
    found: set[int] = set(again.wanted)
    graphs = {again.call.graph}
    operations, index = list(again.rows), 0
    while index < len(operations):
        operation = operations[index]
        index += 1
        found.update(operation.inputs, operation.outputs)
        for body in operation.bodies:
            if body not in graphs:
                graphs.add(body)
                operations.extend(again.program.by_graph.get(body, ()))
                row = again.program.record.graphs.get(body)
                found.update(row.inputs if row is not None else ())
    outside = again.program.record.outside
    for value in list(found):
        while (outer := outside.get(value)) is not None and outer not in found:
            found.add(outer)
            value = outer
    return found


# --- attributes ---------------------------------------------------------------------------------------------------------


def encode(attributes: Any) -> str | None:
    """Attributes of an operation, names and values in turn, as JSON; ``None`` where there is one that has no such form."""
    pairs = tuple(attributes or ())
    shown = [
        _coded(part)
        for name, value in zip(pairs[::2], pairs[1::2], strict=True)
        if not _text(name).startswith("_")
        for part in (_text(name), value)
    ]
    try:
        return json.dumps(shown)
    except TypeError:
        return None


def decode(text: str) -> tuple[Any, ...]:
    """The attributes again."""
    return tuple(_decoded(value) for value in json.loads(text))


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _coded(value: Any) -> Any:
    if hasattr(value, "SerializeToString"):
        return {"proto": type(value).__name__, "bytes": base64.b64encode(value.SerializeToString()).decode()}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, tf.DType):
        return {"dtype": value.as_datatype_enum}
    if isinstance(value, tf.TensorShape):
        return {"shape": None if value.rank is None else value.as_list()}
    if isinstance(value, tuple):
        return {"tuple": [_coded(item) for item in value]}
    if isinstance(value, list):
        return [_coded(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "proto" in value:
        return _PROTOS[value["proto"]].FromString(base64.b64decode(value["bytes"]))
    if "bytes" in value:
        return base64.b64decode(value["bytes"])
    if "dtype" in value:
        return tf.as_dtype(value["dtype"])
    if "tuple" in value:
        return tuple(_decoded(item) for item in value["tuple"])
    return tf.TensorShape(value["shape"])
