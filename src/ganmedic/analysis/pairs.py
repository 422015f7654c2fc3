"""Which gradient an optimizer was given for which variable."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ganmedic.analysis.run import Run
from ganmedic.record.flow import Node
from ganmedic.record.schema import Apply

#: So many operations are walked back from a gradient that was clipped, averaged or stored in between.
_FARTHEST = 400


@dataclass(frozen=True)
class Pair:
    """A gradient that was applied, and the variable it was computed for."""

    variable: int
    origin: int


def mismatches(run: Run, apply: Apply) -> list[Pair]:
    """The pairs of an application whose gradient was computed for another variable."""
    found = []
    for gradient, variable in zip(apply.gradients, apply.variables, strict=False):
        if gradient is None:
            continue
        origins = origins_of(run, gradient)
        if origins and variable not in origins:
            found.append(Pair(variable, min(origins)))
    return found


def origins_of(run: Run, gradient: int) -> set[int]:
    """The variables for which a gradient was computed, seen through whatever was done to it since.

    Element-wise processing keeps the shape, so only values of the gradient's own shape are followed; the nearest gradients
    found are the answer.
    """
    wanted = _shape(run, gradient)
    level: deque[tuple[Node, int]] = deque([(Node(gradient), 0)])
    seen = {Node(gradient)}
    hits: set[int] = set()
    depth_of_hits = -1
    while level and len(seen) < _FARTHEST:
        node, depth = level.popleft()
        if hits and depth > depth_of_hits:
            break
        known = run.gradient_values.get(node.value)
        if known is not None:
            hits.add(known[1])
            depth_of_hits = depth
            continue
        for edge in run.flow.steps(node, None, 1 << 62):
            fits = wanted is None or _shape(run, edge.input.value) in (None, wanted)
            if edge.input not in seen and fits:
                seen.add(edge.input)
                level.append((edge.input, depth + 1))
    return hits


def _shape(run: Run, value: int) -> tuple[int | None, ...] | None:
    variable = run.record.variables.get(value)
    if variable is not None:
        return variable.shape
    made = run.record.producers.get(value)
    if made is None or made[1] >= len(made[0].shapes):
        return None
    shape = made[0].shapes[made[1]]
    return None if shape is None or None in shape else shape


def applied_origins(run: Run) -> dict[int, list[Apply]]:
    """Variable id -> the applications in which its gradient was used, on whichever variable."""
    found: dict[int, list[Apply]] = {}
    seen: set[tuple[object, ...]] = set()
    for apply in run.record.applies.values():
        key = (apply.stack, apply.graph, len(apply.variables))
        if key in seen and not apply.error:
            continue
        seen.add(key)
        for gradient in apply.gradients:
            if gradient is not None:
                for origin in origins_of(run, gradient):
                    found.setdefault(origin, []).append(apply)
    return found
