"""Writes every TensorFlow operation into the record, eager or traced.

TensorFlow calls back for each operation (the door its own debugger uses); the recorder keeps its type, the ids of its
inputs and outputs, the user's lines, and what was going on: which tapes recorded, which layer was running, whether it
was made by ``tape.gradient`` or by an optimizer. Nothing is computed, and no tensor is held.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import op_callbacks
from tensorflow.python.framework.dtypes import as_dtype

from ganmedic.capture.execution import OUTSIDE, STATEFUL_RANDOM
from ganmedic.capture.patches import Patches
from ganmedic.capture.places import user_stack
from ganmedic.record.record import Record
from ganmedic.record.schema import GradientCall, Graph, Operation, Stack, Variable

#: So many operations are kept; beyond it the eager ones that came before the last two steps are dropped.
MOST_OPERATIONS = 400_000


class Context(threading.local):
    """What is going on in one thread."""

    def __init__(self) -> None:
        self.tapes: tuple[int, ...] = ()
        self.layers: list[int] = []
        self.gradient: int | None = None
        self.apply: int | None = None
        self.silent = 0
        self.deaf = 0
        self.forward = 0
        self.depth = 0
        #: The network that was called in eager code and under no tape, and what it was given.
        self.showing: tuple[Any, Any] | None = None
        self.xla = 0
        #: Time, module and input tensors of the last calls of whole networks.
        self.recent: deque[tuple[int, int, list[Any]]] = deque(maxlen=16)
        self.listening = False


class Recorder:
    """Fills a record with operations; the hooks add the events around them."""

    def __init__(self, record: Record, patches: Patches) -> None:
        self.record = record
        self.patches = patches
        self.here = Context()
        self.recording = False
        self._on = False
        self._count = itertools.count(1)
        self._graphs: dict[int, int] = {}
        self._graph_objects: list[Any] = []
        self._control_flow: list[tuple[Operation, Any]] = []
        self._stacks: dict[Stack, Stack] = {}
        self._made: dict[int, int] = {}
        self._readers: dict[tuple[str, tuple[int, ...]], int] = {}
        #: Value id -> number of the operation that used it, and the tensor: what a replay cannot compute again.
        self.leaves: dict[int, tuple[int, Any]] = {}
        #: Says which variable a tensor of unknown origin was read from.
        self.variable_behind: Callable[[Any], int | None] = lambda tensor: None
        #: Called when a variable is made while eager operations are not recorded.
        self.born: Callable[[], None] = lambda: None
        self.signatures: dict[int, tuple[Any, ...]] = {}
        self.latest = 0

    # --- time and place -------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The next id; ids grow with time."""
        self.latest = next(self._count)
        return self.latest

    def stack(self) -> Stack:
        """The user's frames, each stack kept once."""
        found = user_stack()
        return self._stacks.setdefault(found, found)

    def graph_id(self, graph: Any = None) -> int:
        """0 for eager execution, else a number of the function graph that is being built."""
        if graph is None:
            if tf.executing_eagerly():
                return 0
            graph = tf.compat.v1.get_default_graph()
        key = id(graph)
        if key not in self._graphs:
            number = self.now()
            self._graphs[key] = number
            self._graph_objects.append(graph)
            self.record.graphs[number] = Graph(number, str(getattr(graph, "name", "graph")))
        return self._graphs[key]

    # --- listening ------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Begins to hear the operations of this thread, if it does not yet."""
        if self._on and not self.here.listening:
            op_callbacks.add_op_callback(self.heard)
            self.here.listening = True

    def start(self) -> None:
        """Switches the recorder on."""
        self._on = self.recording = True
        self.listen()

    def stop(self) -> None:
        """Switches the recorder off for good."""
        self._on = self.recording = False
        self._hang_up()

    def _hang_up(self) -> None:
        if self.here.listening:
            op_callbacks.remove_op_callback(self.heard)
            self.here.listening = False

    def stacks(self) -> Iterable[Stack]:
        """All stacks that were seen."""
        return self._stacks

    def heard(
        self, kind: str, inputs: Any, attributes: Any, outputs: Any, op_name: str | None = None, graph: Any = None
    ) -> Any:
        """TensorFlow made or ran an operation.

        TensorFlow gives what one listener returns to the next one, so with several the outputs are handed on.
        """
        here = self.here
        passed_on = outputs if len(context.context().op_callbacks) > 1 else None
        if not self._on:
            self._hang_up()
            return passed_on
        if here.deaf or (graph is None and (here.silent or not self.recording) and kind not in _ALWAYS):
            return passed_on
        try:
            self._keep(kind.decode() if isinstance(kind, bytes) else str(kind), inputs, attributes, outputs, graph)
        except Exception as fault:
            self.patches.note(fault)
            if self.patches.broken:
                self._on = self.recording = False
        return passed_on

    def _keep(self, kind: str, inputs: Any, attributes: Any, outputs: Any, graph: Any) -> None:
        here = self.here
        # What is put into a variable was read in sight: there is nothing to look for, and each new variable is filled.
        if graph is None and not kind.startswith("Assign"):
            self._reads_behind(inputs)
        number = self.now()
        values = [value for value in inputs if hasattr(value, "_id")]
        made = [value for value in outputs or () if hasattr(value, "_id")]
        operation = Operation(
            id=number,
            kind="Call" if kind.startswith("__") else kind,
            graph=0 if graph is None else self.graph_id(graph),
            inputs=tuple([value._id for value in values]),
            outputs=tuple([value._id for value in made]),
            input_types=tuple([value.dtype.name for value in values]),
            output_types=tuple([value.dtype.name for value in made]),
            shapes=tuple([shape_of(value) for value in made]),
            stack=self.stack(),
            layer_call=here.layers[-1] if here.layers else None,
            tapes=here.tapes,
            gradient_call=here.gradient,
            apply=here.apply,
            forward=here.forward,
        )
        self.record.operations[number] = operation
        if graph is None and here.apply is None and (here.tapes or here.gradient is not None):
            self._keep_leaves(operation, values, made)
        self._made.update(dict.fromkeys(operation.outputs, number))
        if here.tapes and here.gradient is None and operation.inputs:
            self._readers[operation.kind, operation.inputs] = number
        self.signatures[number] = (attributes, [shape_of(value) for value in values])
        if kind in CONTROL_FLOW and made:
            self._control_flow.append((operation, made[0].op))
        if kind == "VarHandleOp" and made:
            self._new_variable(made[0], attributes, operation)
        if number % 4096 == 0:
            self._drop_old()

    def _new_variable(self, handle: Any, attributes: Any, operation: Operation) -> None:
        if handle._id not in self.record.variables:
            pairs = dict(zip(attributes[::2], attributes[1::2], strict=False)) if attributes else {}
            dtype = pairs.get("dtype")
            self.record.variables[handle._id] = Variable(
                id=handle._id,
                name="Variable",
                shape=(),
                dtype=as_dtype(dtype).name if isinstance(dtype, int) else "",
                seen=operation.id,
                stack=operation.stack,
            )
            if not self.recording and not tf.inside_function() and operation.apply is None:
                self.born()

    def add(self, kind: str, inputs: Iterable[Any], outputs: Iterable[Any], **more: Any) -> Operation:
        """Adds an operation that TensorFlow does not call back for (a function call, a custom gradient)."""
        values, made = [v for v in inputs if hasattr(v, "_id")], [v for v in outputs if hasattr(v, "_id")]
        here = self.here
        operation = Operation(
            id=self.now(),
            kind=kind,
            graph=self.graph_id(),
            inputs=tuple([value._id for value in values]),
            outputs=tuple([value._id for value in made]),
            input_types=tuple([value.dtype.name for value in values]),
            output_types=tuple([value.dtype.name for value in made]),
            shapes=tuple([shape_of(value) for value in made]),
            stack=self.stack(),
            layer_call=here.layers[-1] if here.layers else None,
            tapes=here.tapes,
            gradient_call=here.gradient,
            apply=here.apply,
            **more,
        )
        self.record.operations[operation.id] = operation
        self._made.update(dict.fromkeys(operation.outputs, operation.id))
        return operation

    def _keep_leaves(self, operation: Operation, values: list[Any], made: list[Any]) -> None:
        """Holds what the forward pass under the outermost tape was given, so that it can be run again."""
        call = self.record.gradient_calls.get(self.here.gradient or 0)
        began = self.here.tapes[0] if self.here.tapes else call.tape if call is not None else operation.id
        for value in values:
            if value._id not in self.leaves and self._made.get(value._id, 0) < began and value.dtype != tf.resource:
                self.leaves[value._id] = (operation.id, value)
        drawn = operation.kind in STATEFUL_RANDOM or operation.kind in OUTSIDE
        if drawn or (operation.kind == "ReadVariableOp" and not operation.output_types[0].startswith(("float", "bf"))):
            self.leaves.update((value._id, (operation.id, value)) for value in made)

    def forget_leaves(self, before: int) -> None:
        """Lets go of the tensors that were held for operations before a time."""
        for value in [value for value, (number, _) in self.leaves.items() if number < before]:
            del self.leaves[value]

    def inputs_now(self, program: GradientCall, row: GradientCall) -> dict[int, Any]:
        """What the networks were given in this round, under the value ids of a round that was recorded."""
        then = [
            call
            for call in self.record.layer_calls.values()
            if call.parent is None and program.tape < call.id < program.id
        ]
        now = [(module, values) for number, module, values in self.here.recent if number > row.tape]
        found: dict[int, Any] = {}
        for call, (module, values) in zip(then, now, strict=False):
            if call.module == module and len(call.inputs) == len(values):
                found.update(
                    (value, tensor)
                    for value, tensor in zip(call.inputs, values, strict=True)
                    if value in self.leaves and self.leaves[value][1].shape == tensor.shape
                )
        return found

    def captured_handle(self, number: int) -> Any:
        """The resource handle of this value id that a function graph captured, ``None`` where none did."""
        for graph in self._graph_objects:
            for outer, _ in captures_of(graph):
                if getattr(outer, "_id", 0) == number and isinstance(outer, tf.__internal__.EagerTensor):
                    return outer if outer.dtype == tf.resource else None
        return None

    def maker_of(self, value: int) -> Operation | None:
        """The operation that made a value, by its id."""
        return self.record.operations.get(self._made.get(value, 0))

    def operation_of(self, value: Any) -> int:
        """The number of the operation that made a tensor, 0 where it was not seen."""
        return self._made.get(getattr(value, "_id", -1), 0)

    def reader_of(self, kind: str, inputs: Iterable[Any]) -> int:
        """The number of the last operation of a type that read these tensors, 0 where it was not seen."""
        return self._readers.get((kind, tuple([getattr(value, "_id", -1) for value in inputs])), 0)

    def _reads_behind(self, inputs: Any) -> None:
        """Notes the reads of variables that TensorFlow did by itself, out of sight, for an operation handed the variable."""
        for value in inputs:
            found = getattr(value, "_id", None)
            if found is None or found in self._made or not value.dtype.is_floating:
                continue
            self._made[found] = 0
            handle = self.variable_behind(value)
            if handle is not None:
                self.add("ReadVariableOp", (), (value,), flows=("flows",)).inputs = (handle,)
                self.record.operations[self.latest].input_types = ("resource",)

    def _drop_old(self) -> None:
        operations = self.record.operations
        if len(operations) <= MOST_OPERATIONS:
            return
        calls = sorted(self.record.gradient_calls)
        horizon = calls[-8] if len(calls) >= 8 else self.latest - MOST_OPERATIONS // 2
        for number in [n for n, operation in operations.items() if n < horizon and operation.graph == 0]:
            del operations[number]
            self.signatures.pop(number, None)

    # --- what is known only later ----------------------------------------------------------------------------------

    def settle(self) -> None:
        """Completes the rows that could not be complete when they were written: bodies, graph inputs and outputs."""
        for operation, op in self._control_flow:
            if not operation.bodies:
                operation.bodies = tuple(self.graph_id(body) for body in bodies_of(op))
            # Where it is differentiated, TensorFlow has it hand out what its gradient needs.
            if len(op.inputs) > len(operation.inputs) or len(op.outputs) > len(operation.outputs):
                operation.inputs = tuple(value._id for value in op.inputs)
                operation.outputs = tuple(value._id for value in op.outputs)
                operation.input_types = tuple(value.dtype.name for value in op.inputs)
                operation.output_types = tuple(value.dtype.name for value in op.outputs)
                operation.shapes = tuple(shape_of(value) for value in op.outputs)
        for graph in list(self._graph_objects):
            row = self.record.graphs[self._graphs[id(graph)]]
            row.inputs = tuple(value._id for value in getattr(graph, "inputs", ()) if hasattr(value, "_id"))
            row.captures = tuple(
                (outer._id, inner._id)
                for outer, inner in captures_of(graph)
                if hasattr(outer, "_id") and hasattr(inner, "_id")
            )
            row.outputs = tuple(value._id for value in getattr(graph, "outputs", ()) if hasattr(value, "_id"))


#: The birth of a variable is noted always: it tells lists that were read before from lists that were read after.
_ALWAYS = frozenset({"VarHandleOp", b"VarHandleOp"})

#: Operations that run other graphs; their bodies are found through the operation.
CONTROL_FLOW = frozenset({"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"})


def bodies_of(op: Any) -> list[Any]:
    """The graphs that a control-flow operation runs: condition and body of a loop, branches of a condition."""
    if op.type in ("While", "StatelessWhile"):
        names = ["_cond_graph", "_body_graph"]
    elif op.type in ("If", "StatelessIf"):
        names = ["_true_graph", "_false_graph"]
    else:
        names = [f"_branch_graph_{index}" for index in range(len(op.get_attr("branches")))]
    return [graph for name in names if (graph := getattr(op, name, None)) is not None]


def captures_of(graph: Any) -> list[tuple[Any, Any]]:
    """The values that a function graph took from around it: the tensor outside and the one inside."""
    try:
        return list(getattr(graph, "captures", ()))
    except (AttributeError, TypeError, ValueError):
        return []


def shape_of(value: Any) -> tuple[int | None, ...] | None:
    """The static shape of a tensor, ``None`` where even its rank is unknown."""
    shape = getattr(value, "shape", None)
    if shape is None or shape.rank is None:
        return None
    return tuple(shape.as_list())
