"""The terms of a summed loss, and those among them through which no gradient passes to anything."""

from __future__ import annotations

from ganmedic.analysis.departures import Left, departures
from ganmedic.analysis.run import Run, Term
from ganmedic.record.flow import Edge, Node, Reach
from ganmedic.record.schema import FLOWS, GradientCall

#: Operations that add terms or hand them on.
_LINEAR = frozenset(
    {
        "AddV2",
        "Add",
        "AddN",
        "Sub",
        "Neg",
        "Identity",
        "Call",
        "Capture",
        "Cast",
        "Squeeze",
        "Reshape",
    }
)
#: They stop a gradient on purpose, where the term trains somebody else.
_DELIBERATE = frozenset({"StopGradient", "PreventGradient", "CustomGradient"})
_MOST = 64


def broken_terms(run: Run) -> list[Term]:
    """Terms of a loss that depend on a network whose gradient is asked for, but pass no gradient to any variable."""
    found: list[Term] = []
    for call in run.calls:
        if call.error or not any(result in ("tensor", "zero") for result in call.results):
            continue
        reach = run.flow.behind(call)
        for node in _leaves(run, reach):
            term = _judge(run, call, reach, node)
            if term is not None:
                found.append(term)
    return found


def _leaves(run: Run, reach: Reach) -> list[Node]:
    leaves: list[Node] = []
    queue = list(reach.targets)
    split = False
    while queue and len(leaves) < _MOST:
        node = queue.pop()
        edges = reach.edges.get(node, [])
        kind = run.flow.operation(edges[0]).kind if edges else ""
        terms = _terms_of(run, reach, kind, edges)
        if terms:
            split = split or kind in ("AddV2", "Add", "AddN", "Sub")
            queue.extend(terms)
        else:
            leaves.append(node)
    return leaves if split else []


def _terms_of(run: Run, reach: Reach, kind: str, edges: list[Edge]) -> list[Node]:
    """What a value is the sum of; of a product with a plain number the other factor. Empty where it is neither."""
    if not edges or any(edge.verdict != FLOWS for edge in edges):
        return []
    if kind in _LINEAR:
        return [edge.input for edge in edges]
    if kind in ("Mul", "RealDiv"):
        variable = [edge.input for edge in edges if _depends(run, reach, edge.input)]
        return variable if len(variable) == 1 else []
    return []


def _depends(run: Run, reach: Reach, node: Node) -> bool:
    return any(other.value in run.record.variables for other in _upstream(reach, node, flowing_only=False))


def _judge(run: Run, call: GradientCall, reach: Reach, node: Node) -> Term | None:
    upstream = _upstream(reach, node, flowing_only=False)
    reached = {other.value for other in _upstream(reach, node, flowing_only=True)}
    if reached & set(call.sources):
        return None
    values = tuple(sorted({other.value for other in upstream} & {s for s in call.sources if run.meant_to_train(s)}))
    if not values:
        return None
    cuts = [
        edge
        for other in _upstream(reach, node, flowing_only=True)
        for edge in reach.edges.get(other, ())
        if edge.verdict != FLOWS and edge.input in upstream and _leads_to(reach, edge.input, set(values))
    ]
    if not cuts:
        return None
    chains = [tuple(run.flow.entry(reach, edge, values)) for edge in cuts]
    chain = min(chains, key=lambda one: run.telling(reach, one, values[0]))
    trains_others = any(value in run.record.variables for value in reached)
    if run.flow.operation(chain[-1]).kind in _DELIBERATE and _serves_others(run, node, reached):
        return None
    return Term(call, node, values, chain, trains_others)


def _serves_others(run: Run, node: Node, reached: set[int]) -> bool:
    """Whether some gradient call trains, through this very term, the variables that it does reach."""
    return any(
        reached & set(other.sources) and any(one.value == node.value for one in run.flow.behind(other).differentiable)
        for other in run.calls
        if other.targets
    )


def _leads_to(reach: Reach, node: Node, values: set[int]) -> bool:
    return any(other.value in values for other in _upstream(reach, node, flowing_only=False))


def _upstream(reach: Reach, node: Node, *, flowing_only: bool) -> set[Node]:
    found, queue = {node}, [node]
    while queue:
        for edge in reach.edges.get(queue.pop(), ()):
            if (edge.verdict == FLOWS or not flowing_only) and edge.input not in found:
                found.add(edge.input)
                queue.append(edge.input)
    return found


def plain_terms(run: Run) -> list[tuple[GradientCall, Left]]:
    """Terms that came into a loss as plain numbers after the value of a trained network had left TensorFlow."""
    found = []
    for call in run.calls:
        if call.error or call.graph or not any(result in ("tensor", "zero") for result in call.results):
            continue
        reach = run.flow.behind(call)
        if all(_depends(run, reach, node) or _is_constant(run, node) for node in _leaves(run, reach)):
            continue
        nets = {net.name: net for value in call.sources if (net := run.net_of.get(value)) is not None}
        for net in nets.values():
            asked = tuple(value for value in net.variables if value in call.sources)
            left = [one for one in departures(run, asked, net, call.tape, call.id) if _is_of_loss(run, call, one)]
            if left:
                found.append((call, left[0]))
                break
    return found


def _is_constant(run: Run, node: Node) -> bool:
    """Whether a value was written as a constant by TensorFlow itself."""
    made = run.record.producers.get(node.value)
    return made is not None and made[0].kind in ("Const", "Fill", "ZerosLike", "OnesLike")


def _is_of_loss(run: Run, call: GradientCall, left: Left) -> bool:
    """Whether a departure lies between the tape's beginning and the gradient call, where losses are computed."""
    tape = run.record.tapes.get(call.tape)
    if tape is None or not tape.stack or not call.stack:
        return False
    same = left.place.file == call.stack[-1].file and left.place.function == call.stack[-1].function
    return not same or tape.stack[-1].line <= left.place.line <= call.stack[-1].line


def dominating(run: Run, call: GradientCall, source: int, kinds: frozenset[str]) -> Edge | None:
    """An operation of one of these kinds that every gradient to a source has to pass."""
    reach = run.flow.behind(call)
    candidates = [
        edge
        for node in reach.differentiable
        for edge in reach.edges.get(node, ())
        if edge.verdict == FLOWS and run.flow.operation(edge).kind in kinds
    ]
    for edge in sorted(candidates, key=lambda one: -one.operation):
        if not _reaches_without(reach, edge.operation, source):
            return edge
    return None


def _reaches_without(reach: Reach, operation: int, source: int) -> bool:
    found, queue = set(reach.targets), list(reach.targets)
    while queue:
        node = queue.pop()
        if node.value == source:
            return True
        for edge in reach.edges.get(node, ()):
            if edge.verdict == FLOWS and edge.operation != operation and edge.input not in found:
                found.add(edge.input)
                queue.append(edge.input)
    return False
