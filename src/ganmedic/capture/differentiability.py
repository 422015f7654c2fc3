"""How a gradient passes through an operation: asked of TensorFlow itself, once a kind of operation.

The gradient function that TensorFlow has registered is called on placeholders in a scratch graph that is thrown away.
What it hands back for each input says whether a gradient flows, is ``None``, is zero by definition, or is not registered.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.framework.dtypes import as_dtype

from ganmedic.record.schema import FLOWS, NONE, UNREGISTERED, ZERO, Operation

_FLOATS = ("float", "bfloat", "complex")
#: Operations whose edges are followed by the flow analysis itself.
_TRANSPARENT = frozenset(
    {"Call", "Capture", "Placeholder", "While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"}
)
#: They read a variable: the gradient reaches the variable behind the handle.
_READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd"})


def is_float(dtype: str) -> bool:
    """Whether a gradient can be taken with respect to values of this dtype."""
    return dtype.startswith(_FLOATS)


def carries(dtype: str) -> bool:
    """Whether a gradient can travel in values of this dtype: numbers with a fraction, or lists of tensors."""
    return is_float(dtype) or dtype == "variant"


class Differentiability:
    """Answers, and remembers, how gradients pass through kinds of operations."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[str, ...]] = {}

    def flows(self, operation: Operation, attributes: Any, shapes: list[Any]) -> tuple[str, ...]:
        """For each input of an operation: ``flows``, ``none``, ``zero`` or ``unregistered``."""
        inputs = operation.input_types
        if operation.kind in _TRANSPARENT:
            return tuple(FLOWS for _ in inputs)
        if operation.kind in _READS:
            return tuple(FLOWS if dtype == "resource" else NONE for dtype in inputs)
        if not any(map(carries, operation.output_types)) or not any(map(carries, inputs)):
            return tuple(NONE for _ in inputs)
        key = (operation.kind, inputs, operation.output_types, _static(attributes))
        if key not in self._known:
            self._known[key] = self._ask(operation, attributes, shapes)
        return self._known[key]

    def _ask(self, operation: Operation, attributes: Any, shapes: list[Any]) -> tuple[str, ...]:
        floats = [carries(dtype) for dtype in operation.input_types]
        values = _attributes(attributes)
        kind = values.get("_gradient_op_type", operation.kind)
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        try:
            function = ops.gradient_registry.lookup(kind)
        except LookupError:
            return tuple(UNREGISTERED if yes else NONE for yes in floats)
        if function is None:
            return tuple(NONE for _ in floats)
        try:
            gradients = self._call(function, operation, values, shapes)
        except Exception:
            # The function wants more of the operation than a stand-in has: it exists, so gradients are taken to flow.
            return tuple(FLOWS if yes else NONE for yes in floats)
        return tuple(_verdict(gradient) if yes else NONE for gradient, yes in zip(gradients, floats, strict=True))

    def _call(self, function: Any, operation: Operation, values: dict[str, Any], shapes: list[Any]) -> list[Any]:
        with tf.Graph().as_default() as graph:
            inputs = [
                tf.compat.v1.placeholder(as_dtype(dtype), shape)
                for dtype, shape in zip(operation.input_types, shapes, strict=True)
            ]
            outputs = [
                tf.compat.v1.placeholder(as_dtype(dtype), shape)
                for dtype, shape in zip(operation.output_types, operation.shapes, strict=True)
            ]
            incoming = [
                tf.compat.v1.placeholder(value.dtype, value.shape) if carries(value.dtype.name) else None
                for value in outputs
            ]
            result = function(_StandIn(operation.kind, inputs, outputs, values, graph), *incoming)
            gradients = list(result) if isinstance(result, (list, tuple)) else [result]
            return [_Zero if _is_zero(gradient) else gradient for gradient in gradients]


class _Zero:
    """Marks a gradient that is zero by definition."""


def _verdict(gradient: Any) -> str:
    return NONE if gradient is None else ZERO if gradient is _Zero else FLOWS


def _is_zero(gradient: Any) -> bool:
    """Whether a symbolic gradient is zeros whatever the values are."""
    if not isinstance(gradient, tf.Tensor):
        return False
    if gradient.op.type == "ZerosLike":
        return True
    if gradient.op.type == "Fill":
        value = tf.get_static_value(gradient.op.inputs[1])
    elif gradient.op.type in ("Const", "Identity"):
        value = tf.get_static_value(gradient)
    else:
        return False
    return value is not None and value.dtype.kind == "f" and not value.any()


class _StandIn:
    """Looks like an operation to a gradient function."""

    def __init__(self, kind: str, inputs: list[Any], outputs: list[Any], values: dict[str, Any], graph: Any) -> None:
        self.type, self.name, self.graph = kind, "ganmedic", graph
        self.inputs, self.outputs = inputs, outputs
        self.control_inputs: list[Any] = []
        self._values = values

    def get_attr(self, name: str) -> Any:
        value = self._values[name]
        return as_dtype(value) if name in ("T", "SrcT", "DstT", "Tidx") and isinstance(value, int) else value

    def _get_control_flow_context(self) -> None:
        return None


def _attributes(attributes: Any) -> dict[str, Any]:
    """Attributes as plain values: eager ones come so, those of a graph as protocol messages."""
    pairs = dict(zip(attributes[::2], attributes[1::2], strict=False)) if attributes else {}
    return {str(name): _value(value) for name, value in pairs.items()}


def _value(value: Any) -> Any:
    which = value.WhichOneof("value") if hasattr(value, "WhichOneof") else None
    if which is None:
        return value
    if which == "list":
        return next((list(items) for _, items in value.list.ListFields()), [])
    if which == "type":
        return as_dtype(value.type)
    if which == "shape":
        return tf.TensorShape(value.shape)
    return getattr(value, which)


def _static(attributes: Any) -> Hashable:
    """What of the attributes can change how gradients pass: a gradient put in by name, an axis, a mode."""
    return tuple(
        sorted((name, str(value)) for name, value in _attributes(attributes).items() if name[0] == "_" or name == "f")
    )
