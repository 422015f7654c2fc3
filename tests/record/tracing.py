"""What TensorFlow does at the lines of a script, written by hand: operations, functions, variables, tapes.

The script is there as text; ``at`` names the line by a piece of it. Networks and optimizers are in ``building.py``.
"""

from __future__ import annotations

import ast
import itertools
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from ganmedic.record.record import Record
from ganmedic.record.schema import FLOWS, NONE, UNREGISTERED, ZERO, Graph, Operation, Place, Tape, Variable

FILE = "/home/user/train.py"
Shape = tuple[int | None, ...]
#: How TensorFlow passes a gradient through these operations, for all inputs or input by input; all others let it flow.
GRADIENTS: dict[str, str | tuple[str, ...]] = {
    **dict.fromkeys(("ArgMax", "OneHot", "Round", "Greater", "StopGradient", "PyFunc"), NONE),
    "Sign": ZERO,
    "SelectV2": (NONE, FLOWS, FLOWS),
    "SoftsignGrad": UNREGISTERED,
}
SCALARS = ("Mean", "Sum")


class Trace:
    """A script and the record of what TensorFlow did in it.

    Attributes:
        record: what happened so far. Ids of rows are times from 1 on, ids of values lie above a million.
    """

    def __init__(self, source: str = "", file: str = FILE) -> None:
        self.record = Record(sources={file: textwrap.dedent(source).lstrip("\n")})
        self._times, self._values = itertools.count(1), itertools.count(1_000_001)
        self.stack: tuple[Place, ...] = ()
        self._tapes: tuple[int, ...] = ()
        self._graphs: list[Graph] = []
        self._home: dict[int, int] = {}
        self._types: dict[int, str] = {}
        self.gradient_call: int | None = None
        self.layers: list[int] = []

    # --- time and place -----------------------------------------------------------------------------------------------

    def now(self) -> int:
        return next(self._times)

    def value(self, dtype: str = "float32") -> int:
        """A new value of the graph that is being built; of nothing that the record knows if it is used right away."""
        value = next(self._values)
        self._home[value], self._types[value] = self.graph, dtype
        return value

    data = value  # a batch: it comes from outside TensorFlow

    def place(self, snippet: str) -> Place:
        """The one line of the script that holds a piece of text."""
        found = [
            (file, number)
            for file, text in self.record.sources.items()
            for number, line in enumerate(text.splitlines(), 1)
            if snippet in line
        ]
        assert len(found) == 1, f"{snippet!r} is on {len(found)} lines of the script, it has to be on one"
        file, line = found[0]
        holders = [
            node.name
            for node in ast.walk(ast.parse(self.record.sources[file]))
            if isinstance(node, ast.FunctionDef) and node.lineno < line <= (node.end_lineno or 0)
        ]
        return Place(file, line, holders[-1] if holders else "<module>")

    def at(self, *snippets: str) -> Self:
        """Go to a line; with several, the calls that lead there are named first."""
        self.stack = tuple(self.place(snippet) for snippet in snippets)
        return self

    @property
    def graph(self) -> int:
        return self._graphs[-1].id if self._graphs else 0

    # --- operations ---------------------------------------------------------------------------------------------------

    def op(self, kind: str, *inputs: int, shape: Shape | None = None, dtype: str = "float32", **more: Any) -> int:
        """An operation with one output; inputs from around the function that is being traced are captured."""
        return self.operation(kind, inputs, (self.value(dtype),), shape, **more).outputs[0]

    def operation(
        self, kind: str, inputs: Iterable[int], outputs: tuple[int, ...], shape: Shape | None = None, **more: Any
    ) -> Operation:
        inside = tuple(self._captured(value) for value in inputs)
        told = GRADIENTS.get(kind, FLOWS)
        shape = shape if shape is not None else () if kind in SCALARS else (8, 4)
        row = Operation(
            id=self.now(),
            kind=kind,
            graph=self.graph,
            inputs=inside,
            outputs=outputs,
            input_types=tuple(self._types.get(value, "float32") for value in inside),
            output_types=tuple(self._types[value] for value in outputs),
            shapes=tuple(shape for _ in outputs),
            **{
                "stack": self.stack,
                "layer_call": self.layers[-1] if self.layers else None,
                "tapes": self._tapes,
                "gradient_call": self.gradient_call,
                "flows": (told,) * len(inside) if isinstance(told, str) else told,
                **more,
            },
        )
        self.record.operations[row.id] = row
        return row

    def noise(self) -> int:
        return self.op("RandomStandardNormal")

    def variable(self, name: str, shape: Shape = (), value: int | None = None, **more: Any) -> int:
        """A variable; with a value: ``tf.Variable(value)`` by the script."""
        handle = self.value("resource")
        made = self.operation("VarHandleOp", (), (handle,), ())
        self.record.variables[handle] = Variable(
            handle, name, shape, more.pop("dtype", "float32"), seen=made.id, stack=self.stack, **more
        )
        self.assign(handle, value if value is not None else self.op("Const", shape=shape))
        return handle

    def read(self, variable: int) -> int:
        return self.op("ReadVariableOp", variable, shape=self.record.variables[variable].shape)

    def assign(self, variable: int, value: int, kind: str = "AssignVariableOp", **more: Any) -> None:
        self.operation(kind, (variable, value), (), **more)

    # --- functions, loops, branches -----------------------------------------------------------------------------------

    @contextmanager
    def function(self, name: str, arguments: int = 0) -> Iterator[Graph]:
        """What is traced inside; set ``outputs`` of the graph. Its arguments are its first inputs."""
        graph = Graph(self.now(), name)
        self.record.graphs[graph.id] = graph
        self._graphs.append(graph)
        graph.inputs = tuple(self.value() for _ in range(arguments))
        yield graph
        self._graphs.pop()

    def _captured(self, value: int) -> int:
        """The value as the function that is being traced sees it; it is captured straight from where it was made."""
        if not self._graphs or self._home[value] == self.graph:
            return value
        graph = self._graphs[-1]
        known = dict(graph.captures)
        if value not in known:
            known[value] = inner = self.value(self._types[value])
            graph.captures += ((value, inner),)
            graph.inputs += (inner,)
            row = Operation(self.now(), "Capture", graph.id, (value,), (inner,), tapes=self._tapes, flows=(FLOWS,))
            self.record.operations[row.id] = row
        return known[value]

    def call(self, graph: Graph, *arguments: int) -> int:
        """A call of a function; its first result, 0 if it has none."""
        graph.runs += not self.graph
        inputs = (*arguments, *(outer for outer, _ in graph.captures))
        made = tuple(self.value() for _ in graph.outputs)
        return next(iter(self.operation("Call", inputs, made, bodies=(graph.id,)).outputs), 0)

    def loop(self, body: Graph, *arguments: int) -> tuple[int, ...]:
        """``tf.while_loop``: what the body captured goes round with it, unchanged."""
        with self.function("condition", len(body.inputs)) as condition:
            condition.outputs = (self.op("Less", condition.inputs[0], dtype="bool"),)
        body.outputs += body.inputs[len(arguments) :]
        inputs = (*arguments, *(outer for outer, _ in body.captures))
        made = tuple(self.value() for _ in inputs)
        return self.operation("While", inputs, made, bodies=(condition.id, body.id)).outputs

    def branch(self, decision: int, then: Graph, otherwise: Graph, *arguments: int) -> int:
        """``tf.cond`` on a decision, with branches that capture nothing."""
        bodies = (then.id, otherwise.id)
        return self.operation("If", (decision, *arguments), (self.value(),), bodies=bodies).outputs[0]

    # --- tapes and gradients ------------------------------------------------------------------------------------------

    @contextmanager
    def tape(self, **more: Any) -> Iterator[Tape]:
        row = Tape(self.now(), self.stack, self.graph, **more)
        self.record.tapes[row.id] = row
        self._tapes += (row.id,)
        yield row
        self._tapes = tuple(number for number in self._tapes if number != row.id)
        row.ended = self.now()

    @contextmanager
    def stop_recording(self, tape: Tape) -> Iterator[None]:
        began, before, stack = self.now(), self._tapes, self.stack
        self._tapes = tuple(number for number in self._tapes if number != tape.id)
        yield
        self._tapes = before
        tape.pauses.append((began, self.now(), stack))

    def watch(self, tape: Tape, value: int) -> None:
        tape.watched.append((value, self.now()))
