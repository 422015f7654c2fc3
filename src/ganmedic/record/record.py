"""The record of one run, and the look-ups that causes need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property

from ganmedic.record.game import Batch, Response, Showing
from ganmedic.record.schema import (
    Apply,
    Departure,
    Failure,
    Freeze,
    GradientCall,
    Graph,
    LayerCall,
    ListRead,
    Measure,
    Module,
    Operation,
    Optimizer,
    Origin,
    Probe,
    Profile,
    Summand,
    Tape,
    TrainCall,
    Variable,
    Write,
)
from ganmedic.record.series import Series
from ganmedic.record.snapshots import Snapshot


@dataclass
class Record:
    """What happened in a run.

    Rows are added by the capture, or read back from a file. A cause only reads. The derived look-ups are made on first
    use from the rows that are there then: ask a fresh view (:meth:`view`) after rows were added.
    """

    operations: dict[int, Operation] = field(default_factory=dict)
    graphs: dict[int, Graph] = field(default_factory=dict)
    variables: dict[int, Variable] = field(default_factory=dict)
    modules: dict[int, Module] = field(default_factory=dict)
    layer_calls: dict[int, LayerCall] = field(default_factory=dict)
    tapes: dict[int, Tape] = field(default_factory=dict)
    gradient_calls: dict[int, GradientCall] = field(default_factory=dict)
    optimizers: dict[int, Optimizer] = field(default_factory=dict)
    applies: dict[int, Apply] = field(default_factory=dict)
    list_reads: dict[int, ListRead] = field(default_factory=dict)
    freezes: dict[int, Freeze] = field(default_factory=dict)
    departures: dict[int, Departure] = field(default_factory=dict)
    train_calls: dict[int, TrainCall] = field(default_factory=dict)
    writes: dict[int, Write] = field(default_factory=dict)
    failures: dict[int, Failure] = field(default_factory=dict)
    probes: dict[int, Probe] = field(default_factory=dict)
    measures: dict[int, Measure] = field(default_factory=dict)
    summands: dict[int, Summand] = field(default_factory=dict)
    profiles: dict[int, Profile] = field(default_factory=dict)
    origins: dict[int, Origin] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)
    showings: dict[int, Showing] = field(default_factory=dict)
    responses: dict[int, Response] = field(default_factory=dict)
    series: dict[int, Series] = field(default_factory=dict)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    #: Operation id -> its attributes, of those operations that it takes to run a snapshot again.
    attributes: dict[int, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    #: What the analysis has worked out from the rows; not part of what happened.
    worked_out: object = field(default=None, init=False, repr=False, compare=False)

    def view(self) -> Record:
        """The same rows without the look-ups made so far."""
        return Record(**{row.name: getattr(self, row.name) for row in fields(self) if row.init})

    @property
    def failure(self) -> Failure | None:
        """The exception that ended the script, if one did."""
        return next(iter(self.failures.values()), None)

    @property
    def complete(self) -> bool:
        """Whether the run is over, so that weights were compared and nothing more can follow."""
        return self.facts.get("complete") == "yes"

    @cached_property
    def producers(self) -> dict[int, tuple[Operation, int]]:
        """Value id -> the operation that made it and which of its outputs it is; the last one where it was overridden."""
        return {
            value: (operation, index)
            for operation in self.operations.values()
            for index, value in enumerate(operation.outputs)
        }

    @cached_property
    def consumers(self) -> dict[int, list[tuple[Operation, int]]]:
        """Value id -> the operations that read it, and as which input."""
        found: dict[int, list[tuple[Operation, int]]] = {}
        for operation in self.operations.values():
            for index, value in enumerate(operation.inputs):
                found.setdefault(value, []).append((operation, index))
        return found

    @cached_property
    def calls_of(self) -> dict[int, list[Operation]]:
        """Graph id -> the operations that run it."""
        found: dict[int, list[Operation]] = {}
        for operation in self.operations.values():
            for body in operation.bodies:
                found.setdefault(body, []).append(operation)
        return found

    @cached_property
    def graph_inputs(self) -> dict[int, tuple[int, int]]:
        """Value id of a function's input -> (graph id, position)."""
        return {value: (graph.id, index) for graph in self.graphs.values() for index, value in enumerate(graph.inputs)}

    @cached_property
    def outside(self) -> dict[int, int]:
        """Value id inside a function graph -> value id of what it captured."""
        return {inner: outer for graph in self.graphs.values() for outer, inner in graph.captures}

    @cached_property
    def inside(self) -> dict[int, list[int]]:
        """Value id -> the value ids under which function graphs captured it."""
        found: dict[int, list[int]] = {}
        for inner, outer in self.outside.items():
            found.setdefault(outer, []).append(inner)
        return found

    def resolve(self, value: int) -> int:
        """The value that a captured one stands for, through any number of nested functions."""
        for _ in range(32):
            outer = self.outside.get(value)
            if outer is None:
                outer = self._argument(value)
            if outer is None:
                break
            value = outer
        return value

    def _argument(self, value: int) -> int | None:
        """The handle of a variable that was handed into a loop or a function as an argument."""
        known = self.graph_inputs.get(value)
        if known is None:
            return None
        graph, position = known
        for call in self.calls_of.get(graph, ()):
            index = position + 1 if call.kind in ("If", "StatelessIf", "Case", "StatelessCase") else position
            if index < len(call.inputs) and index < len(call.input_types) and call.input_types[index] == "resource":
                return call.inputs[index]
        return None

    @cached_property
    def assigns(self) -> dict[int, list[Operation]]:
        """Variable id -> the operations that write it from outside an optimizer."""
        found: dict[int, list[Operation]] = {}
        for operation in self.operations.values():
            if operation.kind.startswith(("Assign", "ResourceScatter", "ResourceStridedSlice")) and operation.inputs:
                found.setdefault(self.resolve(operation.inputs[0]), []).append(operation)
        return found

    @cached_property
    def owners(self) -> dict[int, list[Module]]:
        """Variable id -> the modules that hold it, smallest first."""
        found: dict[int, list[Module]] = {}
        for module in sorted(self.modules.values(), key=lambda module: len(module.variables)):
            for variable in module.variables:
                found.setdefault(variable, []).append(module)
        return found

    def module_calls(self, module: int) -> Iterable[LayerCall]:
        """The calls of a module on tensors, in order."""
        return self._calls_by_module.get(module, [])

    @cached_property
    def _calls_by_module(self) -> dict[int, list[LayerCall]]:
        found: dict[int, list[LayerCall]] = {}
        for call in self.layer_calls.values():
            found.setdefault(call.module, []).append(call)
        return found

    def line(self, file: str, number: int) -> str:
        """A line of the user's source, empty where it is not at hand."""
        lines = self._lines.get(file)
        if lines is None:
            text = self.sources.get(file, "").replace("\r\n", "\n").replace("\r", "\n")
            lines = self._lines[file] = text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""

    @cached_property
    def _lines(self) -> dict[str, list[str]]:
        return {}
