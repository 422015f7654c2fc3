"""How values and gradients travel through the operations of a record.

Backwards from a loss, every operation leads to its inputs. Calls of functions, loops and branches are entered; the way
out of a function leads to the arguments of the call through which it was entered. Along each edge a gradient flows, or it
is stopped for a reason that can be named. From that follows everything about a missing gradient: whether there is a way
from the variable to the loss at all, and where all ways are cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ganmedic.record.record import Record
from ganmedic.record.schema import FLOWS, NONE, GradientCall, Operation, Tape

#: The value depends on the shape of the input only, which is no way for a gradient and none for a cut.
SHAPE_ONLY = frozenset(
    {
        "Shape",
        "ShapeN",
        "Size",
        "Rank",
        "ZerosLike",
        "OnesLike",
        "VariableShape",
        "BroadcastGradientArgs",
        "TensorListLength",
    }
)
#: They run other graphs; the first input of a condition is what it decides on.
CONDITIONS = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
LOOPS = frozenset({"While", "StatelessWhile"})
#: They read the value of the variable whose handle is their first input.
READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd"})

#: Reasons beyond those of an operation's own gradient.
UNRECORDED = "unrecorded"  # the tape did not record when the operation was made
ARGUMENT = "argument"  # the value came into a traced function as an argument, from outside the tape
STATE = "state"  # the value went through a variable
UNWATCHED = "unwatched"  # the tape recorded but did not watch the source

_DEEPEST = 24


class Node(NamedTuple):
    """A value, in the calls through which it was reached (outermost first)."""

    value: int
    context: tuple[int, ...] = ()


class Edge(NamedTuple):
    """One step from an operation's output back to one of its inputs."""

    output: Node
    input: Node
    operation: int
    position: int
    verdict: str


@dataclass
class Reach:
    """What lies behind a loss.

    Attributes:
        edges: every edge found, by the node it starts from.
        differentiable: the nodes that a gradient reaches.
    """

    edges: dict[Node, list[Edge]] = field(default_factory=dict)
    differentiable: set[Node] = field(default_factory=set)
    targets: tuple[Node, ...] = ()

    @cached_property
    def readers(self) -> dict[Node, list[Edge]]:
        """The edges by the node they lead to."""
        found: dict[Node, list[Edge]] = {}
        for edges in self.edges.values():
            for edge in edges:
                found.setdefault(edge.input, []).append(edge)
        return found

    @cached_property
    def by_value(self) -> dict[int, list[Node]]:
        """The nodes of each value."""
        found: dict[int, list[Node]] = {}
        for node in self.edges:
            found.setdefault(node.value, []).append(node)
        return found

    def downstream(self, values: Iterable[int]) -> set[Node]:
        """Every node that depends on one of the values and on which the loss depends."""
        return self._closure([node for value in values for node in self.by_value.get(value, ())])

    def _closure(self, start: list[Node]) -> set[Node]:
        found, queue = set(start), deque(start)
        while queue:
            for edge in self.readers.get(queue.popleft(), ()):
                if edge.output not in found:
                    found.add(edge.output)
                    queue.append(edge.output)
        return found

    def cuts_beside(self, values: Iterable[int]) -> list[Edge]:
        """The edges without gradient on ways to the values, though other ways lead to them as well."""
        below = self.downstream(values)
        return [
            edge
            for node in self.differentiable
            for edge in self.edges.get(node, ())
            if edge.verdict == NONE and edge.input in below
        ]

    def within_a_step(self, cut: Edge, value: int) -> bool:
        """Whether a way leads from a cut on to the value that no write into a variable lies on.

        What a variable was given in one step and passes on in the next, as the probability of an augmentation that follows
        the scores, is not meant to carry a gradient.
        """
        found, queue = {cut.input}, deque([cut.input])
        while queue:
            node = queue.popleft()
            if node.value == value:
                return True
            for edge in self.edges.get(node, ()):
                if edge.verdict != STATE and edge.input not in found:
                    found.add(edge.input)
                    queue.append(edge.input)
        return False

    def cuts(self, values: Iterable[int]) -> list[Edge]:
        """The edges at which a gradient on its way to one of the values stops."""
        below = self.downstream(values)
        return [
            edge
            for node in self.differentiable
            for edge in self.edges.get(node, ())
            if edge.verdict != FLOWS and edge.input in below and edge.input not in self.differentiable
        ]


class Flow:
    """Walks the operations of a record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self._reaches: dict[tuple[tuple[int, ...], int, int], Reach] = {}

    def behind(self, call: GradientCall) -> Reach:
        """What lies behind the target of a gradient call, seen by its tape."""
        return self.behind_values(call.targets, self.record.tapes.get(call.tape), call.id)

    def behind_values(self, targets: tuple[int, ...], tape: Tape | None, before: int) -> Reach:
        """What lies behind values, seen by a tape (``None``: by a tape that records everything)."""
        key = (targets, tape.id if tape else 0, before)
        if key not in self._reaches:
            self._reaches[key] = self._walk(targets, tape, before)
        return self._reaches[key]

    def _walk(self, targets: tuple[int, ...], tape: Tape | None, before: int) -> Reach:
        reach = Reach(targets=tuple(Node(value) for value in targets))
        queue = deque(reach.targets)
        seen = set(reach.targets)
        while queue:
            node = queue.popleft()
            edges = reach.edges[node] = list(self.steps(node, tape, before))
            for edge in edges:
                if edge.input not in seen:
                    seen.add(edge.input)
                    queue.append(edge.input)
        reach.differentiable = set(reach.targets)
        queue = deque(reach.targets)
        while queue:
            for edge in reach.edges[queue.popleft()]:
                if edge.verdict == FLOWS and edge.input not in reach.differentiable:
                    reach.differentiable.add(edge.input)
                    queue.append(edge.input)
        return reach

    def steps(self, node: Node, tape: Tape | None, before: int) -> Iterator[Edge]:
        """The edges that lead from a value to what it was made of."""
        value, context = node
        if value in self.record.graph_inputs or value in self.record.outside:
            yield from self._outwards(node, tape)
            return
        if value in self.record.variables:
            yield from self._writes(node, before)
            return
        made = self.record.producers.get(value)
        if made is None:
            return
        operation, index = made
        if operation.kind in SHAPE_ONLY:
            return
        if operation.bodies and len(context) < _DEEPEST:
            yield from self._inwards(node, operation, index, tape)
            return
        recorded = self._recorded(operation, context, tape)
        for position, source in enumerate(operation.inputs):
            if operation.kind == "CustomGradient" and source in operation.outputs:
                continue
            yield Edge(
                node,
                Node(source, context),
                operation.id,
                position,
                self._verdict(operation, position, source, recorded, tape),
            )

    def _verdict(self, operation: Operation, position: int, source: int, recorded: bool, tape: Tape | None) -> str:
        own = operation.flows[position] if position < len(operation.flows) else FLOWS
        if not recorded and operation.kind != "Capture":
            return UNRECORDED
        if tape is not None and operation.kind in READS and position == 0:
            source = self.record.resolve(source)
            variable = self.record.variables.get(source)
            watched = any(value == source and time <= operation.id for value, time in tape.watched)
            if variable is not None and not watched and not (tape.watch_accessed and variable.trainable):
                return UNWATCHED
        return own

    def _recorded(self, operation: Operation, context: tuple[int, ...], tape: Tape | None) -> bool:
        if tape is None:
            return True
        if any(time > operation.id for time, _ in tape.resets):
            return False
        if tape.id in operation.tapes:
            return True
        return any(tape.id in self.record.operations[call].tapes for call in context if call in self.record.operations)

    def _inwards(self, node: Node, operation: Operation, index: int, tape: Tape | None) -> Iterator[Edge]:
        """Into the body of a call, a loop or a condition."""
        inner = (*node.context, operation.id)
        verdict = FLOWS if self._recorded(operation, node.context, tape) else UNRECORDED
        bodies = [self.record.graphs[body] for body in operation.bodies if body in self.record.graphs]
        if operation.kind in LOOPS:
            bodies = bodies[1:]
            if index < len(operation.inputs):
                yield Edge(node, Node(operation.inputs[index], node.context), operation.id, index, verdict)
        if operation.kind in CONDITIONS:
            yield Edge(node, Node(operation.inputs[0], node.context), operation.id, 0, NONE)
        for body in bodies:
            if index < len(body.outputs):
                yield Edge(node, Node(body.outputs[index], inner), operation.id, -1, verdict)

    def _outwards(self, node: Node, tape: Tape | None) -> Iterator[Edge]:
        """From the input of a body to the argument of the call through which it was entered."""
        outer_value = self.record.outside.get(node.value)
        if outer_value is not None:
            context = self._made_in(outer_value, node.context)
            yield Edge(node, Node(outer_value, context), 0, 0, self._captured(node, outer_value, tape))
            return
        graph, position = self.record.graph_inputs[node.value]
        if node.context:
            call = self.record.operations.get(node.context[-1])
            if call is not None and graph in call.bodies:
                outer = node.context[:-1]
                yield from self._argument(node, call, position, outer, FLOWS)
                if call.kind in LOOPS and len(call.bodies) > 1:
                    outputs = self.record.graphs[call.bodies[1]].outputs
                    if position < len(outputs):
                        yield Edge(node, Node(outputs[position], node.context), call.id, -1, FLOWS)
                return
        for call in self.record.calls_of.get(graph, ()):
            outside = tape is not None and tape.id not in call.tapes
            yield from self._argument(node, call, position, (), ARGUMENT if outside else FLOWS)

    def _made_in(self, value: int, context: tuple[int, ...]) -> tuple[int, ...]:
        """The calls around the making of a captured value: those that run the graph it was made in."""
        made = self.record.producers.get(value)
        inside = self.record.graph_inputs.get(value)
        graph = inside[0] if inside is not None else made[0].graph if made is not None else 0
        context = context[:-1]
        while context:
            call = self.record.operations.get(context[-1])
            if call is not None and graph in call.bodies:
                break
            context = context[:-1]
        return context

    def _captured(self, node: Node, outer: int, tape: Tape | None) -> str:
        """A tape inside the function does not follow what the function took from outside it."""
        if tape is None or self._is_variable(self.record.resolve(outer)):
            return FLOWS
        made = self.record.producers.get(outer)
        if made is None or tape.id in made[0].tapes:
            return FLOWS
        graph = self.record.graph_inputs.get(node.value, (0, 0))[0]
        return ARGUMENT if tape.graph == graph else FLOWS

    def _argument(
        self, node: Node, call: Operation, position: int, context: tuple[int, ...], verdict: str
    ) -> Iterator[Edge]:
        if call.kind in CONDITIONS:
            position += 1
        if position < len(call.inputs):
            source = call.inputs[position]
            if self._is_variable(self.record.resolve(source)):
                verdict = FLOWS
            yield Edge(node, Node(source, context), call.id, position, verdict)

    def _is_variable(self, value: int) -> bool:
        return value in self.record.variables

    def _writes(self, node: Node, before: int) -> Iterator[Edge]:
        """From a variable to the values that the user's code wrote into it."""
        for operation in self.record.assigns.get(node.value, ()):
            if operation.id < before and self.by_user(operation):
                for position, source in enumerate(operation.inputs[1:], 1):
                    yield Edge(node, Node(source), operation.id, position, STATE)

    def by_user(self, operation: Operation) -> bool:
        """Whether a write to a variable stands in the user's code: not in an optimizer, not in a Keras layer."""
        if operation.apply is not None or not operation.stack:
            return False
        call = self.record.layer_calls.get(operation.layer_call) if operation.layer_call is not None else None
        return call is None or self.record.modules[call.module].custom

    def operation(self, edge: Edge) -> Operation:
        """The operation of an edge; for a capture the one that made the value outside."""
        found = self.record.operations.get(edge.operation)
        if found is not None:
            return found
        made = self.record.producers.get(edge.input.value)
        return made[0] if made is not None else Operation(0, "Capture", 0, (), ())

    def entry(self, reach: Reach, cut: Edge, values: Iterable[int]) -> list[Edge]:
        """The cut and what follows it towards the variable, as long as no gradient could flow there either.

        The last of them is where the way from the variable enters the stretch without gradients, which is what has to
        be changed: of ``one_hot(argmax(x))`` the ``argmax``.
        """
        below = reach.downstream(values)
        chain = [cut]
        seen = {cut.input}
        while True:
            onward = [
                edge
                for edge in reach.edges.get(chain[-1].input, ())
                if edge.verdict == cut.verdict and edge.input in below and edge.input not in seen
            ]
            if cut.verdict != NONE or not onward:
                return chain
            chain.append(onward[0])
            seen.add(onward[0].input)

    def path(self, reach: Reach, start: Iterable[Node], goal: Node, within: set[Node] | None = None) -> list[Edge]:
        """A shortest chain of edges from one of the start nodes to the goal, empty where there is none."""
        came: dict[Node, Edge | None] = dict.fromkeys(start)
        queue = deque(came)
        while queue:
            node = queue.popleft()
            if node == goal:
                return _unwind(came, node)
            for edge in reach.edges.get(node, ()):
                if edge.input not in came and (within is None or edge.input in within):
                    came[edge.input] = edge
                    queue.append(edge.input)
        return []

    def forward(self, values: Iterable[int], before: int) -> set[int]:
        """Every value that depends on one of the values, whatever the way, up to a time (calls are not told apart)."""
        found = set(values)
        queue = deque(found)
        while queue:
            value = queue.popleft()
            for outcome in self._onward(value, before):
                if outcome not in found:
                    found.add(outcome)
                    queue.append(outcome)
        return found

    def _onward(self, value: int, before: int) -> Iterator[int]:
        yield from self.record.inside.get(value, ())
        for operation, index in self.record.consumers.get(value, ()):
            if operation.id > before or operation.kind in SHAPE_ONLY or operation.apply is not None:
                continue
            if operation.bodies:
                shift = 1 if operation.kind in CONDITIONS else 0
                for body in operation.bodies:
                    graph = self.record.graphs.get(body)
                    if graph is not None and 0 <= index - shift < len(graph.inputs):
                        yield graph.inputs[index - shift]
            else:
                yield from operation.outputs
        for graph_id, position in self._graph_outputs.get(value, ()):
            for call in self.record.calls_of.get(graph_id, ()):
                if position < len(call.outputs) and call.id <= before:
                    yield call.outputs[position]

    @cached_property
    def _graph_outputs(self) -> dict[int, list[tuple[int, int]]]:
        found: dict[int, list[tuple[int, int]]] = {}
        for graph in self.record.graphs.values():
            for position, value in enumerate(graph.outputs):
                found.setdefault(value, []).append((graph.id, position))
        return found


def _unwind(came: dict[Node, Edge | None], node: Node) -> list[Edge]:
    edges = []
    while (edge := came[node]) is not None:
        edges.append(edge)
        node = edge.output
    return edges[::-1]
