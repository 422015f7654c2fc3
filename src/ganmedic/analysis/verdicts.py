"""Which cause a gap belongs to."""

from __future__ import annotations

from ganmedic.analysis.departures import Left, gap_departures
from ganmedic.analysis.run import Gap, Run, Term
from ganmedic.analysis.source import assigned_name
from ganmedic.record.flow import ARGUMENT, STATE, UNRECORDED, UNWATCHED
from ganmedic.record.schema import LayerCall, Module, Operation

#: Operations whose purpose it is to stop a gradient.
STOPS = frozenset({"StopGradient", "PreventGradient"})
#: Operations that run Python code in the middle of a graph.
PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


def cause_of(run: Run, gap: Gap) -> str:
    """The slug of the cause that explains a gap."""
    if gap.absent:
        return _cause_of_absence(run, gap)
    return cause_of_cut(run, gap)


def cause_of_cut(run: Run, cut: Gap | Term) -> str:
    """The slug of the cause behind a cut."""
    verdict = cut.chain[0].verdict
    operation = run.flow.operation(cut.chain[-1])
    if verdict == UNWATCHED:
        variable = run.record.variables.get(cut.chain[-1].input.value)
        tape = run.record.tapes.get(cut.call.tape)
        frozen = variable is not None and not variable.trainable and (tape is None or tape.watch_accessed)
        return "frozen" if frozen else "outside-tape"
    if verdict in (UNRECORDED, ARGUMENT):
        return "outside-tape"
    if verdict == STATE:
        return "state-write"
    if operation.kind in STOPS or operation.kind == "CustomGradient":
        return "no-second-order-gradient" if _under_penalty(run, cut) else "stop-gradient"
    if operation.kind in PYTHON:
        return "no-second-order-gradient" if operation.gradient_call is not None else "left-tensorflow"
    if operation.gradient_call is not None and operation.gradient_call != cut.call.id:
        return "no-second-order-gradient"
    return "non-differentiable-op"


def _under_penalty(run: Run, cut: Gap | Term) -> bool:
    operation = run.flow.operation(cut.chain[-1])
    return operation.gradient_call is not None and operation.gradient_call != cut.call.id


def _cause_of_absence(run: Run, gap: Gap) -> str:
    if gap.net is None and gap.values[0] not in run.record.variables:
        reach = run.flow.behind(gap.call)
        reached = any(node in reach.differentiable for node in reach.by_value.get(gap.values[0], ()))
        return "outside-tape" if reached else "variable-unused"
    if twin(run, gap) is not None:
        return "unbuilt-variables"
    if gap.blind:
        return ""
    if departure(run, gap) is not None:
        return "left-tensorflow"
    return "variable-unused"


def departure(run: Run, gap: Gap) -> Left | None:
    """Where the value of a network that no way leads to left TensorFlow."""
    whole = gap.net is None or len(gap.values) >= sum(map(run.meant_to_train, gap.net.variables))
    found = [left for left in gap_departures(run, gap) if left.seen or whole]
    return min(found, key=lambda left: not left.seen, default=None)


def calls_in_round(run: Run, gap: Gap) -> list[LayerCall]:
    """The layer calls made while the tape of a gap recorded."""
    tape = run.record.tapes.get(gap.call.tape)
    began = tape.id if tape is not None else 0
    return [call for call in run.record.layer_calls.values() if began < call.id < gap.call.id]


def twin(run: Run, gap: Gap) -> tuple[Module, Module] | None:
    """The model a gap's variables belong to, and the one of the same build that was called in its place."""
    holders = run.holders(gap.values)
    if not holders or gap.net is None or len(gap.values) < 2:
        return None
    own = holders[0]
    if gap.blind:
        return _replaced(run, gap, own)
    called = {call.module for call in calls_in_round(run, gap)}
    if own.id in called or any(part in called for part in own.parts):
        return None
    shapes = _shapes(run, own)
    for module in run.record.modules.values():
        alike = module.id != own.id and module.kind == own.kind and _shapes(run, module) == shapes
        if (
            alike
            and module.id in called
            and _took_the_place(run, own, module)
            and not set(module.variables) & set(gap.call.sources)
        ):
            return own, module
    return None


def _took_the_place(run: Run, old: Module, new: Module) -> bool:
    """Whether the program gave a new model the name of an old one, or has let go of the old one."""
    if all(run.record.variables[value].dead for value in old.variables):
        return True
    name = assigned_name(run.record, old.stack)
    return old.id < new.id and bool(name) and name == assigned_name(run.record, new.stack)


def _replaced(run: Run, gap: Gap, own: Module) -> tuple[Module, Module] | None:
    """A model of the same build that was made after the one whose variables are asked for was last seen to train."""
    before = [call.id for call in run.record.gradient_calls.values() if call.id < gap.call.id]
    since = max((apply.id for value in gap.values for apply in run.applied.get(value, ())), default=0)
    shapes = _shapes(run, own)
    for module in run.record.modules.values():
        alike = module.id != own.id and module.kind == own.kind and _shapes(run, module) == shapes
        if before and alike and since < module.id < gap.call.id and not set(module.variables) & set(gap.call.sources):
            return own, module
    return None


def _shapes(run: Run, module: Module) -> list[tuple[int | None, ...]]:
    return [run.record.variables[value].shape for value in module.variables]


#: Endings by which TensorFlow tells a backward operation from its forward one.
_BACKWARD_ENDINGS = (
    "GradInput",
    "GradV3",
    "GradV2",
    "GradImage",
    "GradBoxes",
    "GradGrad",
    "GradWithArgmax",
    "GradA",
    "Grad",
    "BackpropInput",
    "BackpropFilter",
)


def backward_of(run: Run, operation: Operation) -> Operation | None:
    """The forward operation that a backward operation differentiates."""
    return forward_of(run, operation.kind, set(operation.inputs), operation.id)


def forward_of(run: Run, kind: str, touched: set[int], before: int) -> Operation | None:
    """The forward operation behind a kind of backward operation.

    Its type is the beginning of the backward one's (``SoftsignGrad`` of ``Softsign``); of several the last that shares a
    tensor with the backward operation, or the last of all where no tensors are known.
    """
    base = next((kind.removesuffix(ending) for ending in _BACKWARD_ENDINGS if kind.endswith(ending)), kind)
    alike = [
        forward
        for forward in run.record.operations.values()
        if forward.id < before
        and forward.gradient_call is None
        and forward.kind.startswith(base)
        and forward.kind != kind
    ]
    sharing = [one for one in alike if touched & set(one.inputs) or touched & set(one.outputs)]
    return next(reversed(sharing or alike), None)
