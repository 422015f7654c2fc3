"""Puts what was found into words: places, paths, names of operations and variables."""

from __future__ import annotations

from collections.abc import Iterable

from ganmedic.analysis.networks import Net
from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.source import span
from ganmedic.finding import Location, PathStep
from ganmedic.record.flow import Edge
from ganmedic.record.places import split_place
from ganmedic.record.schema import Operation, Place, Stack

#: Plain words for operations whose type says little.
_WORDS = {
    "ReadVariableOp": "read of the variable",
    "PyFunc": "numpy_function",
    "EagerPyFunc": "py_function",
    "PyFuncStateless": "numpy_function",
    "AddV2": "Add",
    "StopGradient": "stop_gradient",
    "PreventGradient": "PreventGradient",
    "OneHot": "OneHot",
}
_REASONS = {
    "none": "TensorFlow defines no gradient for it",
    "zero": "its gradient is zero by definition",
    "unregistered": "no gradient is registered for it",
    "unrecorded": "made while the tape did not record",
    "argument": "handed into the traced function from outside the tape",
    "state": "the value went through a variable",
    "unwatched": "the tape does not watch it",
}


def location(run: Run, place: Place, role: str, *calls: str) -> Location:
    """A place as a finding shows it, with the call of one of these names marked on the line."""
    column, end = span(run.record, place, *calls) if calls else (None, None)
    file, cell = split_place(place.file)
    return Location(
        file=file,
        line=place.line,
        role=role,
        function=place.function,
        text=run.record.line(place.file, place.line),
        column=column,
        end_column=end,
        cell=cell,
    )


#: What is marked on a line, by the part the line plays.
_MARKED = {
    "gradient": ("gradient", "jacobian", "batch_jacobian"),
    "apply": ("apply_gradients", "apply"),
    "tape": ("GradientTape",),
}


def locations(run: Run, *pairs: tuple[Place | None, str], mark: tuple[str, ...] = ()) -> tuple[Location, ...]:
    """Places with their parts, each line once, the first mention deciding.

    Args:
        mark: names of the calls to be marked on the line of the fault; the whole line where there is none of them.
    """
    found: list[Location] = []
    seen: set[tuple[str, int]] = set()
    for place, role in pairs:
        if place is not None and (place.file, place.line) not in seen:
            seen.add((place.file, place.line))
            found.append(location(run, place, role, *(mark if role == "fault" else _MARKED.get(role, ()))))
    return tuple(found)


def operation_name(operation: Operation) -> str:
    """What a person calls an operation."""
    if operation.kind == "CustomGradient":
        return f"custom gradient {operation.detail}" if operation.detail else "custom gradient"
    return _WORDS.get(operation.kind, operation.kind)


def reason(edge: Edge) -> str:
    """Why no gradient passes an edge, in a few words."""
    return _REASONS.get(edge.verdict, "")


def variable_names(run: Run, values: Iterable[int]) -> tuple[str, ...]:
    """The names of variables, each with its network where its own name does not say."""
    names = []
    for value in values:
        net = run.net_of.get(value)
        name = run.name(value)
        if net is not None and net.name and not name.startswith(net.name):
            name = f"{net.name}/{name}"
        names.append(name)
    return tuple(names)


def portion(run: Run, net: Net | None, values: tuple[int, ...]) -> str:
    """``all 8 variables of generator`` or ``2 of the 8 variables of discriminator``."""
    if net is None:
        return f"{len(values)} tensor" + ("s" if len(values) != 1 else "")
    total = sum(1 for variable in net.variables if run.meant_to_train(variable)) or len(net.variables)
    if len(values) >= total:
        return f"all {total} variables of {net.name}" if total > 1 else f"the only variable of {net.name}"
    return f"{len(values)} of the {total} variables of {net.name}"


def capital(text: str) -> str:
    """A text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def innermost(stack: Stack) -> Place | None:
    """The innermost line of the user's code on a stack."""
    return stack[-1] if stack else None


# --- the way from the loss to the variable -----------------------------------------------------------------------------


def gap_path(run: Run, gap: Gap) -> tuple[PathStep, ...]:
    """The way from the loss to the variables of a gap, with the cut in it."""
    reach = run.flow.behind(gap.call)
    steps = [PathStep("loss", "loss", _at(run, run.loss_place(gap.call), "loss"))]
    last = PathStep(_end_label(run, gap), "variable")
    if not gap.chain:
        return ()
    upper = run.flow.path(reach, reach.targets, gap.chain[0].output, reach.differentiable)
    steps.extend(_stations(run, upper))
    for edge in gap.chain:
        operation = run.flow.operation(edge)
        steps.append(
            PathStep(operation_name(operation), "cut", _at(run, innermost(operation.stack), "cut"), reason(edge))
        )
    below = reach.downstream(gap.values)
    goal = next((node for node in reach.by_value.get(gap.values[0], ()) if node in below), None)
    if goal is not None:
        lower = run.flow.path(reach, [gap.chain[-1].input], goal, below)
        steps.extend(_stations(run, lower))
    return (*steps, last)


def _end_label(run: Run, gap: Gap) -> str:
    if gap.net is None:
        return "the tensor"
    count = len(gap.values)
    return f"{gap.net.name}: {count} variable" + ("s" if count != 1 else "")


def _at(run: Run, place: Place | None, role: str) -> Location | None:
    return location(run, place, role) if place is not None else None


def _stations(run: Run, edges: list[Edge]) -> list[PathStep]:
    """Edges as stations: what runs inside one layer, or on one line, is one station."""
    stations: list[tuple[object, str, Place | None, int]] = []
    for edge in edges:
        operation = run.flow.operation(edge)
        if operation.kind in ("Call", "Capture", "ReadVariableOp", "Identity", "Cast"):
            continue
        key, label = _station(run, operation)
        place = innermost(operation.stack)
        if stations and stations[-1][0] == key:
            stations[-1] = (key, stations[-1][1], stations[-1][2], stations[-1][3] + 1)
        else:
            stations.append((key, label, place, 1))
    return [PathStep(label, "operation", _at(run, place, "path"), repeated=1) for _, label, place, _ in stations]


def _station(run: Run, operation: Operation) -> tuple[object, str]:
    call = run.record.layer_calls.get(operation.layer_call) if operation.layer_call is not None else None
    if call is not None:
        module = run.record.modules[call.module]
        net = next((run.net_of[value].name for value in module.variables if value in run.net_of), "")
        label = f"{net} / {module.name}" if net and net != module.name else module.name or module.kind
        return ("layer", call.id), f"{label} ({module.kind})" if module.kind.lower() not in label.lower() else label
    return ("line", operation.stack[-1:]), operation_name(operation)
