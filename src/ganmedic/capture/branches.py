"""A branch inside the user's graph that is hardly ever taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2


def rarely(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """``tf.cond``, kept as one operation.

    TensorFlow takes a condition apart into switches and merges, one for each value that goes in, which costs the first call of
    a function with many variables many seconds; what is not taken as a rule is better left whole. Only tensors may go in: an
    operation runs on one device, and cannot reach variables on another. XLA does as it likes.
    """
    result = tf.cond(condition, then, otherwise)
    for operation in _conditions(result):
        operation._set_attr("_lower_using_switch_merge", attr_value_pb2.AttrValue(b=False))
    return result


def _conditions(result: Any) -> list[Any]:
    """The conditions behind values that one returned."""
    found, queue = (
        [],
        [value.op for value in tf.nest.flatten(result) if not isinstance(value, tf.__internal__.EagerTensor)],
    )
    while queue:
        operation = queue.pop()
        if operation.type in ("If", "StatelessIf"):
            found.append(operation)
        elif operation.type == "Identity":
            queue.extend(value.op for value in operation.inputs)
    return found
