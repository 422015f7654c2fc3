"""What lies behind a value of a hand-built run, in words that a test can compare."""

from __future__ import annotations

from ganmedic.record.flow import Flow, Reach
from ganmedic.record.schema import Tape
from record.tracing import Trace

LATER = 1 << 40


def behind(run: Trace, target: int, tape: Tape | None = None, before: int = LATER) -> Reach:
    return Flow(run.record.view()).behind_values((target,), tape, before)


def reached(reach: Reach, value: int) -> str:
    """Whether a value lies behind the target: ``no``, ``cut`` where no gradient comes to it, else ``yes``."""
    nodes = reach.by_value.get(value, [])
    return "no" if not nodes else "yes" if any(node in reach.differentiable for node in nodes) else "cut"


def cut(run: Trace, reach: Reach, value: int) -> list[tuple[str, str]]:
    """Kind of operation and verdict of every cut on the way to a value."""
    flow = Flow(run.record.view())
    return [(flow.operation(edge).kind, edge.verdict) for edge in reach.cuts([value])]
