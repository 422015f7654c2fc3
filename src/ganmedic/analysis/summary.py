"""The networks of a run in figures, the exception that ended it, and what could not be checked."""

from __future__ import annotations

import math

from ganmedic.analysis.networks import Net
from ganmedic.analysis.run import Run
from ganmedic.analysis.story import location
from ganmedic.analysis.vitals import Vitals
from ganmedic.finding import Finding, Network, ScriptError, Unchecked
from ganmedic.record.schema import GradientCall


def networks_of(run: Run) -> tuple[Network, ...]:
    """One row a network."""
    order = {"generator": 0, "encoder": 1, "discriminator": 2}
    nets = sorted(run.nets, key=lambda net: order.get(net.role, 3))
    return tuple(_row(run, net) for net in nets)


def _row(run: Run, net: Net) -> Network:
    weights = [value for value in net.variables if run.meant_to_train(value)]
    moved = [run.moved(value) for value in weights]
    optimizers = {
        apply.optimizer
        for value in weights
        for apply in run.applied.get(value, ())
        if apply.optimizer in run.record.optimizers
    }
    frozen = bool(weights) and not any(
        value in module.trainable_variables for value in weights for module in run.record.owners.get(value, ())
    )
    trained = any(run.trained(value) or value in run.asked for value in weights)
    return Network(
        name=net.name,
        role=net.role,
        variables=len(weights),
        parameters=sum(math.prod(size or 0 for size in run.record.variables[value].shape) for value in weights),
        with_gradient=sum(value in run.applied or value in run.assigned for value in weights),
        moved=sum(bool(one) for one in moved) if moved and all(one is not None for one in moved) else None,
        optimizers=tuple(_optimizer(run, number) for number in sorted(optimizers)),
        reads=tuple(sorted(net.reads)),
        trained=trained,
        note="frozen" if frozen and net.module is not None else "" if trained else "not trained",
    )


def _optimizer(run: Run, number: int) -> str:
    row = run.record.optimizers[number]
    rate = f"learning_rate={row.rates[-1]:.4g}" if row.rates else ""
    return f"{row.kind}({rate})"


def error_of(run: Run, findings: tuple[Finding, ...]) -> ScriptError | None:
    """The exception that ended the script, with the finding that explains it."""
    failure = run.record.failure
    if failure is None:
        return None
    explaining = next((finding.cause for finding in findings if finding.severity == "error"), "")
    return ScriptError(
        type=failure.type,
        message=failure.message,
        explained_by=explaining or next((finding.cause for finding in findings), ""),
        location=location(run, failure.stack[-1], "error") if failure.stack else None,
    )


def unchecked_of(run: Run, findings: tuple[Finding, ...]) -> tuple[Unchecked, ...]:
    """What could not be examined, and why."""
    found = []
    if not run.record.gradient_calls:
        found.append(Unchecked("gradients", "the program asked no gradient tape for any"))
    for gap in run.gaps:
        if gap.blind and not any(finding.cause == "unbuilt-variables" for finding in findings):
            place = gap.call.stack[-1] if gap.call.stack else None
            where = f" at line {place.line}" if place is not None else ""
            found.append(
                Unchecked(
                    f"{len(gap.values)} gradients that came back None{where}",
                    "this began after the first rounds, when operations were no longer recorded, and did not happen again",
                )
            )
    found.extend(_not_run_again(run))
    return tuple(found)


def _not_run_again(run: Run) -> list[Unchecked]:
    """Gradient calls of which no step could be run again, and steps that went wrong without a known reason."""
    found = []
    for player in Vitals.of(run.record).players:
        reason = run.record.facts.get(f"not run again:{player.call.id}")
        if reason and not player.looks and run.record.complete:
            found.append(
                Unchecked(
                    f"layers, scores and terms of the loss behind the gradients{_line(player.call)}",
                    f"the step could not be run again outside the program ({reason})",
                )
            )
    for origin in run.record.origins.values():
        call = run.record.gradient_calls.get(origin.call)
        if origin.source == "unknown" and call is not None:
            found.append(
                Unchecked(
                    f"where the value that is not finite in step {origin.step}{_line(call)} was born",
                    origin.note or "the step came out finite when it was run again",
                )
            )
    return found


def _line(call: GradientCall) -> str:
    return f" at line {call.stack[-1].line}" if call.stack else ""
