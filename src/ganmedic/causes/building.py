"""Puts findings together in one form."""

from __future__ import annotations

from ganmedic.analysis.run import Gap, Run, Term
from ganmedic.analysis.source import made_at
from ganmedic.analysis.story import gap_path, innermost, locations, variable_names
from ganmedic.finding import Finding, Location, Remedy, Severity
from ganmedic.record.schema import Failure, Operation, Place


def finding_of(
    run: Run,
    gap: Gap,
    cause: str,
    summary: str,
    places: tuple[Location, ...],
    *,
    remedies: tuple[Remedy, ...],
    evidence: tuple[str, ...] = (),
    confidence: float = 0.9,
    severity: Severity | None = None,
    variables: tuple[str, ...] | None = None,
) -> Finding:
    """A finding about a gap: an error where a whole network suffers or the script ended, else a warning."""
    names = variable_names(run, gap.values) if variables is None else variables
    total = sum(map(run.meant_to_train, gap.net.variables)) if gap.net is not None else 0
    whole = gap.net is None or len(gap.values) >= total
    return Finding(
        cause=cause,
        severity=severity or ("error" if whole or gap.failed else "warning"),
        confidence=confidence,
        network=network_of(run, gap),
        summary=summary,
        evidence=evidence,
        locations=places,
        variables=names,
        remedies=remedies,
        path=gap_path(run, gap),
        network_name=gap.net.name if gap.net is not None else "",
        variables_total=total,
    )


def network_of(run: Run, gap: Gap) -> str:
    """The part of the network that suffers; behind a plain tensor that of the network the loss comes from."""
    if gap.net is not None:
        return gap.net.role
    reach = run.flow.behind(gap.call)
    reached = tuple(sorted({node.value for node in reach.edges if node.value in run.net_of}))
    return run.role_of(reached) if reached else "other"


def call_evidence(run: Run, gap: Gap) -> tuple[str, ...]:
    """What the gradient call answered."""
    place = innermost(gap.call.stack)
    where = f" at line {place.line}" if place is not None else ""
    call = gap.call
    if call.error:
        return (f"tape.{call.method}{where} raised {call.error.splitlines()[0]}",)
    none, zero = call.results.count("none"), call.results.count("zero")
    facts = [f"tape.{call.method}{where} was asked for {len(call.sources)} gradients: {none} came back None"]
    if zero:
        facts[0] += f", {zero} exactly zero"
    failure = run.record.failure
    if failure is not None:
        facts.append(f"the script ended with {failure.type}: {failure.message.strip().splitlines()[-1][:160]}")
    return tuple(facts)


def cut_place(run: Run, cut: Gap | Term) -> Place | None:
    """The line of the operation that cuts: of a gradient of the user's own the function that computes it."""
    operation = run.flow.operation(cut.chain[-1])
    if operation.detail_place is not None:
        return returned(run, operation.detail_place)
    return operation_place(run, operation)


def operation_place(run: Run, operation: Operation) -> Place | None:
    """The line that brought an operation in: inside a layer of Keras the one that made the layer."""
    call = run.record.layer_calls.get(operation.layer_call) if operation.layer_call is not None else None
    if call is not None and call.parent is not None and operation.stack == call.stack:
        module = run.record.modules[call.module]
        outer = run.record.layer_calls.get(call.parent)
        inside = outer is not None and run.record.modules[outer.module].custom
        if not module.custom and module.stack and not inside:
            return made_at(run.record, module.stack)[-1]
    return innermost(operation.stack)


def returned(run: Run, place: Place) -> Place:
    """The line on which a function hands back its result."""
    import ast

    from ganmedic.analysis.source import tree

    root = tree(run.record, place.file)
    if root is None:
        return place
    for node in ast.walk(root):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)) and node.lineno == place.line:
            if isinstance(node, ast.Lambda):
                return place
            last = [inner for inner in ast.walk(node) if isinstance(inner, ast.Return)]
            if last:
                return Place(place.file, last[-1].lineno, place.function)
    return place


def term_finding(
    run: Run,
    term: Term,
    cause: str,
    summary: str,
    *,
    remedies: tuple[Remedy, ...],
    evidence: tuple[str, ...] = (),
    place: Place | None = None,
    mark: tuple[str, ...] = (),
) -> Finding:
    """A finding about one term of a summed loss."""
    net = run.net_of.get(term.values[0])
    gap = Gap(term.call, net, term.values, term.chain)
    made = run.record.producers.get(term.node.value)
    return finding_of(
        run,
        gap,
        cause,
        summary,
        locations(
            run,
            (place or cut_place(run, term), "fault"),
            (innermost(made[0].stack) if made is not None else None, "term"),
            (run.loss_place(term.call), "loss"),
            (innermost(term.call.stack), "gradient"),
            mark=mark,
        ),
        remedies=remedies,
        evidence=evidence,
        confidence=0.85,
        severity="error" if term.between else "warning",
        variables=(),
    )


def failure_finding(
    run: Run,
    failure: Failure,
    cause: str,
    summary: str,
    *,
    remedies: tuple[Remedy, ...],
    confidence: float,
    place: Place | None = None,
    more: tuple[tuple[Place | None, str], ...] = (),
    values: tuple[int, ...] = (),
) -> Finding:
    """A finding about the exception that ended the script."""
    net = run.net_of.get(values[0]) if values else None
    return Finding(
        cause=cause,
        severity="error",
        confidence=confidence,
        network=run.role_of(values) if values else "other",
        summary=summary,
        evidence=(
            f"the script ended with {failure.type}: {failure.message.strip().splitlines()[0][:200] if failure.message.strip() else ''}",
        ),
        locations=locations(run, (place or innermost(failure.stack), "fault"), *more),
        variables=variable_names(run, values),
        remedies=remedies,
        network_name=net.name if net is not None else "",
        variables_total=len(net.variables) if net is not None else 0,
    )
