"""Findings about the first value that is not finite."""

from __future__ import annotations

from ganmedic.analysis.births import Birth
from ganmedic.analysis.source import argument, call_named, called_name, text_of
from ganmedic.analysis.vitals import Vitals
from ganmedic.causes.building import operation_place
from ganmedic.causes.measuring import measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place


def birth_finding(
    record: Record,
    cause: str,
    birth: Birth,
    summary: str,
    *,
    remedies: tuple[Remedy, ...],
    more: tuple[str, ...] = (),
    place: Place | None = None,
) -> Finding:
    """A finding about the operation at which a value that is not finite was born.

    Args:
        place: the line that a fix edits, where that is not the line of the operation.
    """
    vitals = Vitals.of(record)
    origin = birth.origin
    order = ("in the forward pass", "in the gradient", "in the gradient of a gradient")[min(origin.order, 2)]
    went_in = "; ".join(
        f"between {number(low)} and {number(high)}" + (f", {zeros:.0%} of them zero" if zeros else "")
        for low, high, zeros in zip(origin.lows, origin.highs, origin.zeros, strict=True)
    )
    came_out = "infinite" if origin.infinite else "NaN"
    return measured_finding(
        vitals,
        cause,
        birth.player,
        summary,
        place=place or operation_place(vitals.run, birth.root),
        more=((operation_place(vitals.run, birth.root), "operation"),),
        evidence=(
            f"the step was run again from what it was given: {birth.name}, {order}, is the first operation that makes a value "
            "which is not finite out of finite ones",
            f"what went in: {went_in or 'nothing that was kept'}",
            f"what came out: {origin.share:.1%} {came_out} ({origin.dtype})",
            *more,
        ),
        remedies=remedies,
        confidence=0.97,
        step=origin.step,
    )


def rewritten(record: Record, birth: Birth, names: tuple[str, ...], form: str, default: str) -> str:
    """The call on the line of the operation in a form that stays finite.

    Args:
        names: names of the call that is looked for.
        form: the code to write, with ``{x}`` for its first argument and ``{axis}`` for its axis.
        default: the code where there is no such call on the line.
    """
    run = Vitals.of(record).run
    place = operation_place(run, birth.root)
    call = call_named(record, place, *names) if place is not None else None
    inner = argument(call, 0, "x", "tensor", "input_tensor")
    if call is None or inner is None:
        return default
    axis = argument(call, 2 if called_name(call) == "norm" else 1, "axis")
    return form.format(x=text_of(inner), axis=text_of(axis) or "None", call=text_of(call.func))
