"""Executes one recorded operation again, eagerly, from its type and its attributes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2
from tensorflow.python.eager import context, execute
from tensorflow.python.framework import op_def_registry, tensor_util

#: They draw numbers from a state inside TensorFlow: to run them again would change what the program draws next.
STATEFUL_RANDOM = frozenset(
    {
        "RandomUniform",
        "RandomStandardNormal",
        "TruncatedNormal",
        "RandomUniformInt",
        "RandomShuffle",
        "Multinomial",
        "RandomGamma",
        "RandomPoissonV2",
        "ParameterizedTruncatedNormal",
        "StatefulStandardNormalV2",
        "StatefulUniform",
        "StatefulTruncatedNormal",
        "StatefulUniformInt",
        "StatefulUniformFullInt",
        "RngReadAndSkip",
    }
)
#: Their result comes from outside TensorFlow's operations.
OUTSIDE = frozenset(
    {
        "IteratorGetNext",
        "IteratorGetNextSync",
        "IteratorGetNextAsOptional",
        "OptionalGetValue",
        "PyFunc",
        "PyFuncStateless",
        "EagerPyFunc",
        "ReadFile",
    }
)
#: They have no result that anything computes with.
SILENT = frozenset({"NoOp", "Assert", "PrintV2", "Print", "VarHandleOp", "DestroyResourceOp", "VarIsInitializedOp"})


def constant_of(attributes: Any) -> Any:
    """The value of a ``Const``."""
    pairs = dict(zip(attributes[::2], attributes[1::2], strict=True))
    return tf.constant(tensor_util.MakeNdarray(pairs["value"].tensor))


def run(kind: str, inputs: list[Any], attributes: Any, outputs: int) -> list[Any]:
    """The results of an operation; what the tapes of this thread watch is recorded on them."""
    plain = _plain(kind, attributes or ())
    results = list(execute.quick_execute(kind, outputs, inputs, plain, context.context()))
    if execute.must_record_gradient():
        execute.record_gradient(kind, inputs, plain, results)
    return results


def substitute(kind: str, inputs: list[Any], dtype: str) -> Any:
    """Numbers distributed as those of an operation that draws at random, drawn without touching any state."""
    if not inputs:
        return None
    shape = inputs[0] if not kind.startswith("Stateful") else inputs[-1]
    kinds = tf.as_dtype(dtype)
    if kind in ("RandomUniform", "StatefulUniform"):
        return tf.random.stateless_uniform(shape, (7, 11), dtype=kinds)
    if kind in ("RandomStandardNormal", "StatefulStandardNormalV2"):
        return tf.random.stateless_normal(shape, (7, 11), dtype=kinds)
    if kind in ("TruncatedNormal", "StatefulTruncatedNormal"):
        return tf.random.stateless_truncated_normal(shape, (7, 11), dtype=kinds)
    if kind == "RandomUniformInt":
        return tf.random.stateless_uniform(shape, (7, 11), minval=inputs[1], maxval=inputs[2], dtype=kinds)
    if kind == "RandomShuffle":
        return tf.identity(inputs[0])
    return None


def _plain(kind: str, attributes: Any) -> tuple[Any, ...]:
    """Attributes as TensorFlow's eager runtime takes them; None stands for the default of the operation."""
    found: list[Any] = []
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        if name.startswith("_"):
            continue
        if value is None:
            value = _default(kind, name)
        if value is not None:
            found += [name, _value(value) if isinstance(value, attr_value_pb2.AttrValue) else value]
    return tuple(found)


def _default(kind: str, name: str) -> Any:
    """What an operation takes where an attribute is not given, ``None`` where it has no default."""
    definition = op_def_registry.get(kind)
    for attribute in definition.attr if definition is not None else ():
        if attribute.name == name and attribute.HasField("default_value"):
            return attribute.default_value
    return None


def _value(value: attr_value_pb2.AttrValue) -> Any:
    field = value.WhichOneof("value")
    if field == "list":
        for part in ("s", "i", "f", "b", "type", "shape", "tensor"):
            items = list(getattr(value.list, part))
            if items:
                return [_dimensions(item) for item in items] if part == "shape" else items
        return []
    if field == "shape":
        return _dimensions(value.shape)
    return value.tensor if field == "tensor" else getattr(value, field)


def _dimensions(shape: Any) -> list[int | None] | None:
    known = tf.TensorShape(shape)
    return None if known.rank is None else known.as_list()
