"""Runs recorded operations again, in a sandbox: nothing of the program is written, drawn or called.

The operations are those that the recorder heard, eager ones and those of function graphs alike; calls, branches and loops
are entered. What cannot be computed again comes from values that were kept while the program ran; what was not kept is
unknown, and so is what depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from ganmedic.capture import execution
from ganmedic.record.flow import CONDITIONS, LOOPS
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation

#: A loop is followed for so many rounds.
_MOST_ROUNDS = 200
_WRITES = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")
_ASIDE = frozenset({"PartitionedCall", "StatefulPartitionedCall"})

#: Called after each operation with its row, its inputs and its outputs.
Listener = Callable[[Operation, list[Any], list[Any]], None]


class Program:
    """The recorded operations of a run, sorted for running them again."""

    def __init__(self, record: Record, signatures: Mapping[int, tuple[Any, ...]]) -> None:
        self.record = record
        self.signatures = signatures
        self.by_graph: dict[int, list[Operation]] = {}
        self.maker: dict[int, Operation] = {}
        for operation in sorted(record.operations.values(), key=lambda row: row.id):
            if operation.kind in _ASIDE:
                continue
            self.by_graph.setdefault(operation.graph, []).append(operation)
            for value in operation.outputs:
                self.maker.setdefault(value, operation)

    def behind(
        self, values: Iterable[int], graph: int, known: Iterable[int] = (), since: int = 0, before: int | None = None
    ) -> list[Operation]:
        """The operations of a graph that make these values, in order, without what lies behind the known ones.

        Writes to variables that come before a read of theirs are among them: a layer may normalise its kernel in place.
        """
        stop, found, queue = set(known), dict[int, Operation](), list(values)
        self._collect(queue, stop, graph, since, found)
        read = {operation.inputs[0] for operation in found.values() if operation.kind == "ReadVariableOp"}
        last = max(found, default=0)
        for operation in self.by_graph.get(graph, ()):
            ours = since <= operation.id < (before or last)
            if ours and operation.kind in _WRITES and operation.apply is None and operation.inputs[0] in read:
                found[operation.id] = operation
                self._collect(list(operation.inputs[1:]), stop, graph, since, found)
        return [found[number] for number in sorted(found)]

    def _collect(self, queue: list[int], stop: set[int], graph: int, since: int, found: dict[int, Operation]) -> None:
        while queue:
            value = queue.pop()
            made = self.maker.get(value)
            if made is None or value in stop or made.id in found or made.graph != graph or made.id < since:
                continue
            found[made.id] = made
            queue.extend(made.inputs)


class Replay:
    """One sandbox.

    Args:
        program: what can be run.
        given: value id -> tensor, for what is not to be computed.
        read: the value of a variable by the id of its handle, ``None`` where it is not known.
        listener: hears every operation.
    """

    def __init__(
        self,
        program: Program,
        given: Mapping[int, Any],
        read: Callable[[int], Any],
        listener: Listener | None = None,
    ) -> None:
        self.program = program
        self.values: dict[int, Any] = dict(given)
        self.given = frozenset(given)
        self.read = read
        self._state: dict[int, Any] = {}
        self._listener = listener
        self.failed: list[tuple[Operation, str]] = []

    def run(self, operations: Iterable[Operation]) -> None:
        """Runs operations in order."""
        for operation in operations:
            self._step(operation)

    def beside(self, redone: set[int]) -> dict[int, Any]:
        """What is known beside values that are to be computed again, for another sandbox.

        What lies inside of functions, loops and branches is left out: it would stand for what they are run on anew.
        """
        makers, given = self.program.maker, self.given
        graphs = {makers[value].graph for value in redone if value in makers}
        return {
            value: tensor
            for value, tensor in self.values.items()
            if value not in redone and (value in given or value not in makers or makers[value].graph in graphs)
        }

    def _step(self, operation: Operation) -> None:
        if operation.outputs and all(value in self.given for value in operation.outputs):
            return
        if operation.kind in ("CustomGradient", "Capture") and operation.outputs:
            self._pass_on(operation)
            return
        if operation.bodies:
            self._run_ahead(operation, operation.id)
        inputs = [self._value(value) for value in operation.inputs]
        outputs = self._outcome(operation, inputs)
        if outputs is None:
            return
        for value, tensor in zip(operation.outputs, outputs, strict=False):
            if tensor is not None and value not in self.given:
                self.values[value] = tensor
        if self._listener is not None:
            self._listener(operation, inputs, outputs)

    def _run_ahead(self, operation: Operation, since: int) -> None:
        """Runs what is made later and needed now: a loop is handed the lists for its gradient when it is differentiated."""
        for value in operation.inputs:
            made = self.program.maker.get(value)
            if made is not None and made.id > since and made.graph == operation.graph and value not in self.values:
                self._run_ahead(made, since)
                self._step(made)

    def _pass_on(self, operation: Operation) -> None:
        if operation.kind == "Capture" and operation.inputs and operation.outputs[0] not in self.values:
            tensor = self._value(operation.inputs[0])
            if tensor is not None:
                self.values[operation.outputs[0]] = tensor

    def _value(self, value: int) -> Any:
        found = self.values.get(value)
        if found is None:
            outer = self.program.record.outside.get(value)
            if outer is not None and outer != value:
                return self._value(outer)
        return found

    def _outcome(self, operation: Operation, inputs: list[Any]) -> list[Any] | None:
        kind = operation.kind
        if kind in execution.SILENT or (kind in execution.OUTSIDE and kind != "OptionalGetValue"):
            return None
        if kind == "ReadVariableOp":
            return [self._variable(operation.inputs[0])]
        if kind == "VariableShape":
            handle = operation.inputs[0]
            made = self.program.maker.get(handle)
            if made is not None and made.kind in LOOPS:
                handle = made.inputs[made.outputs.index(handle)]
            known = self._variable(handle)
            return None if known is None else [tf.shape(known, tf.as_dtype(operation.output_types[0]))]
        if kind == "ResourceGather" and len(inputs) > 1 and inputs[1] is not None:
            table = self._variable(operation.inputs[0])
            return None if table is None else [tf.gather(table, inputs[1])]
        if kind in _WRITES:
            self._write(operation, inputs)
            return None
        if kind == "Placeholder":
            return [self._value(operation.outputs[0])] if operation.outputs else None
        signature = self.program.signatures.get(operation.id)
        try:
            if kind == "Const" and signature is not None:
                return [execution.constant_of(signature[0])]
            if operation.bodies:
                return self._enter(operation, inputs)
            if any(tensor is None for tensor in inputs) or signature is None:
                return None
            if kind in execution.STATEFUL_RANDOM:
                return [execution.substitute(kind, inputs, operation.output_types[0])]
            return execution.run(kind, inputs, signature[0], len(operation.outputs))
        except Exception as fault:
            self.failed.append((operation, f"{type(fault).__name__}: {fault}"))
            return None

    # --- variables ----------------------------------------------------------------------------------------------------

    def _variable(self, handle: int) -> Any:
        number = self.program.record.resolve(handle)
        if number not in self._state:
            self._state[number] = self.read(number)
        return self._state[number]

    def _write(self, operation: Operation, inputs: list[Any]) -> None:
        number = self.program.record.resolve(operation.inputs[0])
        given = inputs[1] if len(inputs) > 1 else None
        if given is None:
            return
        if operation.kind == "AssignVariableOp":
            self._state[number] = given
            return
        now = self._variable(number)
        if now is not None:
            self._state[number] = now + given if operation.kind == "AssignAddVariableOp" else now - given

    # --- calls, branches, loops -----------------------------------------------------------------------------------------

    def _enter(self, operation: Operation, inputs: list[Any]) -> list[Any] | None:
        bodies = operation.bodies
        if operation.kind in CONDITIONS:
            if inputs[0] is None:
                return None
            chosen = int(inputs[0])
            if operation.kind in ("If", "StatelessIf"):
                chosen = 0 if bool(inputs[0]) else 1
            return self._body(bodies[min(chosen, len(bodies) - 1)], operation.inputs[1:], inputs[1:])
        if operation.kind in LOOPS:
            return self._loop(bodies, operation.inputs, inputs)
        return self._body(bodies[0], operation.inputs, inputs)

    def _loop(self, bodies: tuple[int, ...], handles: tuple[int, ...], inputs: list[Any]) -> list[Any] | None:
        now = inputs
        for _ in range(_MOST_ROUNDS):
            goes_on = self._body(bodies[0], handles, now)
            if goes_on is None or not goes_on or goes_on[0] is None:
                return None
            if not bool(goes_on[0]):
                return now
            after = self._body(bodies[1], handles, now)
            if after is None:
                return None
            now = after
        return now

    def _body(self, graph: int, handles: tuple[int, ...], inputs: list[Any]) -> list[Any] | None:
        row = self.program.record.graphs.get(graph)
        if row is None:
            return None
        for inner, tensor in zip(row.inputs, inputs, strict=False):
            if tensor is not None:
                self.values[inner] = tensor
        for operation in self.program.by_graph.get(graph, ()):
            if operation.kind != "Placeholder":
                self._step(operation)
        return [self._value(value) for value in row.outputs]


def finite(tensor: Any) -> bool:
    """Whether every entry of a tensor is finite; true of what holds no floating-point numbers."""
    if tensor is None or not hasattr(tensor, "dtype") or not (tensor.dtype.is_floating or tensor.dtype.is_complex):
        return True
    try:
        return bool(tf.reduce_all(tf.math.is_finite(tensor)))
    except (TypeError, tf.errors.OpError):
        return True
