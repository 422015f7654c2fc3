"""Keeps what a step inside a function graph worked on, so that it can be run again.

Two things are kept for each gradient call in a graph. Of every step: what the graph cannot compute from its variables (its
arguments, data from an iterator, numbers drawn at random), by handing the buffers over. Of the first step with a value that
is not finite: these and the variables as they were when the gradient was taken, before any update. Values are written to
cells inside the graph, so that nothing crosses to Python while it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_resource_variable_ops as raw
from tensorflow.python.ops import handle_data_util

from ganmedic.capture.cells import Cell
from ganmedic.capture.execution import OUTSIDE, STATEFUL_RANDOM
from ganmedic.capture.meters import Site
from ganmedic.capture.recorder import Recorder

#: What no cell can hold.
_UNKEPT = (tf.resource, tf.variant, tf.string)


@dataclass
class Box:
    """What was kept for one gradient call.

    Attributes:
        latest: value id -> cell with what the last step was given.
        leaves: the same for the step that went wrong.
        variables: id of a variable -> cell with its value in that step.
        step: cell with the number of that step.
        fleeting: its leaves are those of the last step, so that it has to be read before the next one.
    """

    site: Site
    latest: dict[int, Cell] = field(default_factory=dict)
    leaves: dict[int, Cell] = field(default_factory=dict)
    variables: dict[int, Cell] = field(default_factory=dict)
    step: Cell | None = None
    fleeting: bool = False

    def given(self, *, at_fault: bool = False) -> dict[int, Any]:
        """What was kept, as eager tensors."""
        cells = self.leaves if at_fault else self.latest
        return {value: tensor for value, cell in cells.items() if (tensor := cell.get()) is not None}

    def state(self) -> dict[int, Any]:
        """The variables of the step that went wrong."""
        return {number: tensor for number, cell in self.variables.items() if (tensor := cell.get()) is not None}


class BlackBox:
    """The boxes of a session."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.boxes: dict[int, Box] = {}
        self._taken: Cell | None = None

    def arm(self, site: Site, bad: Any) -> None:
        """Adds the operations that keep a step of the graph that is being built; ``bad`` is a boolean scalar."""
        graph = tf.compat.v1.get_default_graph()
        box = self.boxes[site.series.id] = Box(site)
        if self._taken is None:
            self._taken = Cell(tf.int64, (), 0)
        taken = self._taken
        compiled = self._recorder.here.xla > 0
        behind = self._behind(site)
        leaves = [leaf for leaf in _leaves(graph, compiled=compiled) if leaf._id in behind]
        box.fleeting = compiled and not all(leaf.shape.is_fully_defined() for leaf in leaves)
        for leaf in leaves:
            box.latest[leaf._id] = Cell(leaf.dtype)
            box.latest[leaf._id].put(leaf)
        for leaf in leaves:
            box.leaves[leaf._id] = (
                box.latest[leaf._id] if box.fleeting else _room(leaf.dtype, leaf.shape, compiled=compiled)
            )
        handles = {number: handle for number, handle in self._variables(graph).items() if handle._id in behind}
        for number, handle in handles.items():
            data = handle_data_util.get_resource_handle_data(handle).shape_and_type
            shape = tf.TensorShape(data[0].shape)
            box.variables[number] = _room(tf.as_dtype(data[0].dtype), shape, compiled=compiled)
        box.step = Cell(tf.int64, (), -1)
        step = box.step

        def keep() -> Any:
            taken.put(tf.constant(site.series.id, tf.int64))
            step.put(site.count.read() - 1)
            for leaf in () if box.fleeting else leaves:
                box.leaves[leaf._id].put(leaf)
            for number, handle in handles.items():
                cell = box.variables[number]
                cell.put(raw.read_variable_op(handle, cell.dtype))
            return tf.constant(0)

        # Variables may lie on several devices, which only a condition that is taken apart can reach together.
        tf.cond(tf.logical_and(bad, tf.equal(taken.read(), 0)), keep, lambda: tf.constant(0))

    @property
    def fleeting(self) -> bool:
        """Whether some box has to be looked at after every step."""
        return any(box.fleeting for box in self.boxes.values())

    def taken(self) -> Box | None:
        """The box of the step that went wrong, if one did since the last :meth:`forget`."""
        if self._taken is None:
            return None
        return self.boxes.get(int(np.asarray(self._taken.get())))

    def forget(self) -> None:
        """Makes room for another step that goes wrong."""
        if self._taken is not None:
            with tf.init_scope():
                self._taken.put(tf.constant(0, tf.int64))

    def _behind(self, site: Site) -> set[int]:
        """The values that the loss of a gradient call was made of."""
        call = self._recorder.record.gradient_calls.get(site.series.call)
        found: set[int] = set()
        queue = list(call.targets) if call is not None else []
        while queue:
            value = queue.pop()
            if value not in found:
                found.add(value)
                made = self._recorder.maker_of(value)
                queue.extend(made.inputs if made is not None else ())
        return found

    def _variables(self, graph: Any) -> dict[int, Any]:
        """The variables that a graph has read so far and that the record knows: id -> handle inside the graph."""
        outer: dict[int, dict[int, Any]] = {}

        def outside(value: Any) -> Any:
            captured = outer.get(id(value.graph))
            if captured is None:
                captured = outer[id(value.graph)] = {id(inside): out for out, inside in value.graph.captures}
            return captured.get(id(value))

        found: dict[int, Any] = {}
        for handle in _handles(graph):
            value: Any = handle
            while value is not None and not isinstance(value, tf.__internal__.EagerTensor):
                value = outside(value)
            number = getattr(value, "_id", 0)
            if number in self._recorder.record.variables:
                found[number] = handle
        return found


def _room(dtype: Any, shape: Any, *, compiled: bool) -> Cell:
    """A cell to be written inside a branch, where XLA asks for one that holds something already."""
    if not compiled:
        return Cell(dtype)
    return Cell(dtype, shape, np.zeros(shape.as_list(), tf.as_dtype(dtype).as_numpy_dtype))


def _leaves(graph: Any, *, compiled: bool) -> list[Any]:
    """The values in a graph that do not follow from its variables.

    From one seed XLA draws other numbers than TensorFlow does without it.
    """
    constant = {id(inside) for outside, inside in graph.captures if isinstance(outside, tf.__internal__.EagerTensor)}
    found = [value for value in graph.inputs if id(value) not in constant]
    for operation in graph.get_operations():
        drawn = operation.type in STATEFUL_RANDOM or operation.type in OUTSIDE
        drawn = drawn or (compiled and operation.type.startswith(("StatelessRandom", "StatelessTruncated")))
        state = operation.type == "ReadVariableOp" and not operation.outputs[0].dtype.is_floating
        if drawn or state:
            found.extend(operation.outputs)
    return [value for value in found if value.dtype.base_dtype not in _UNKEPT]


def _handles(graph: Any) -> list[Any]:
    """The handles of the variables that a graph has read so far."""
    return [
        inside
        for _, inside in graph.captures
        if inside.dtype == tf.resource and handle_data_util.get_resource_handle_data(inside).is_set
    ]
