"""Prints a step that was run again: operation by operation, under the user's lines.

Marks, not colours, tell what is wrong: ``>>`` stands before the operation that made the first value which is not finite, ``!``
before every other one from which such a value came.
"""

from __future__ import annotations

from rich.console import Console

from ganmedic.finding import Location
from ganmedic.record.places import split_place
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation, Place
from ganmedic.report.printer import Printer
from ganmedic.report.words import enumeration, place, plural
from ganmedic.rerun import Figures, Ran, Rerun

#: So many operations are printed unless all are asked for.
MOST = 30
_FEW = 3
_BAD, _FIRST = "bold yellow", "bold red"
_KIND, _SHAPE, _NUMBER = 24, 18, 10


def render_rerun(console: Console, record: Record, rerun: Rerun, *, everything: bool = False) -> None:
    """Print a step.

    Args:
        console: where to print.
        record: the record that the step is from.
        rerun: what came out.
        everything: print every operation, not only what leads to the bad value.
    """
    out = Printer(console)
    where = rerun.call.stack[-1:]
    at = f" of the gradient call at {_at(where[0])}" if where else ""
    out.prose((f"step {rerun.step}{at}, run again", "bold"), " (steps are counted from 0)")
    _print_inputs(out, rerun)
    chosen = rerun.ran if everything else rerun.chosen(MOST)
    out.line()
    out.line((f"   {'operation':<{_KIND}} {'shape':<{_SHAPE}}{_columns('min', 'mean', 'max')}", "bold"))
    _print_operations(out, record, rerun, chosen)
    out.line()
    _print_outcome(out, record, rerun)
    if len(chosen) < len(rerun.ran):
        left = plural(len(rerun.ran) - len(chosen), "operation")
        out.prose(
            f"Only what leads to the {'bad value' if rerun.births else 'loss'} is shown: {left} left out, --all shows them."
        )


def _print_inputs(out: Printer, rerun: Rerun) -> None:
    for noun, values in (("variable", rerun.variables), ("input", rerun.given)):
        bad = [one for one in values if one.bad]
        if not bad:
            out.prose(f"{plural(len(values), noun)}: {'all finite' if values else 'none was kept'}", indent=2)
        for one in bad[:6]:
            out.prose(
                (f"! {noun} {one.name}".rstrip(), _BAD), f" {_shape(one)}: {_count(one)} before the step", indent=2
            )
        if len(bad) > 6:
            out.prose(f"and {plural(len(bad) - 6, noun)} more that held values which are not finite", indent=2)


def _print_operations(out: Printer, record: Record, rerun: Rerun, chosen: list[Ran]) -> None:
    shown = {one.operation.id for one in chosen}
    heading, skipped = "", 0
    for one in rerun.ran:
        if one.operation.id not in shown:
            skipped += 1
            continue
        _print_gap(out, skipped)
        title, code = _heading(record, one.operation)
        if title != heading:
            _print_heading(out, title, code)
        heading, skipped = title, 0
        _print_one(out, one, first=one.operation.id in rerun.births[:1])
    _print_gap(out, skipped)


def _print_gap(out: Printer, skipped: int) -> None:
    """Say how many operations are left out in a place; of a few, such as constants, only the end tells."""
    if skipped > _FEW:
        out.line(f"   {out.glyphs.ellipsis} {plural(skipped, 'operation')} left out")


def _print_heading(out: Printer, title: str, code: str) -> None:
    room = out.room - len(title) - 2
    if len(code) > room:
        code = code[: max(0, room - len(out.glyphs.ellipsis))] + out.glyphs.ellipsis if room > 16 else ""
    out.line((title, "bold"), f"  {code}".rstrip())


def _heading(record: Record, operation: Operation) -> tuple[str, str]:
    """Where an operation comes from, and the line of code."""
    if operation.gradient_call is not None:
        return backward_words(record, operation), ""
    if not operation.stack:
        return "outside the user's code", ""
    innermost = operation.stack[-1]
    return _at(innermost), record.line(innermost.file, innermost.line).strip()


def backward_words(record: Record, operation: Operation) -> str:
    """Return which operation a backward one differentiates: `gradient of Log, train.py:12`."""
    forward = record.operations.get(operation.forward)
    if forward is None:
        return f"backward pass{_of(operation)}"
    if forward.gradient_call is not None:
        inner = backward_words(record, forward) if forward.forward and forward.id != operation.id else forward.kind
        return f"gradient of {inner}" if inner.startswith("gradient") else f"gradient of {forward.kind}, {inner}"
    return f"gradient of {forward.kind}{_of(forward)}"


def _of(operation: Operation) -> str:
    return f", {_at(operation.stack[-1])}" if operation.stack else ""


def _print_one(out: Printer, one: Ran, *, first: bool) -> None:
    mark, style = (">>", _FIRST) if first else ("! ", _BAD) if one.bad else ("  ", "")
    for index, figures in enumerate(one.outputs):
        if index and not figures.bad:
            continue
        kind = one.operation.kind if not index else f"  output {index + 1}"
        shape = _shape(figures)
        if len(kind) > _KIND or len(shape) > _SHAPE - 1:
            out.line((f"{mark} {kind}", style))
            kind = mark = ""
        if len(shape) > _SHAPE - 1:
            # The shape reaches into the columns of the numbers: these get a line of their own.
            out.line((f"   {shape}", style))
            shape = ""
        out.line((f"{mark:<2} {kind:<{_KIND}} {shape:<{_SHAPE}}{_numbers(figures)}".rstrip(), style))
        mark = "  "
    if first:
        out.line("     the first value that is not finite, made out of:")
        for number, figures in enumerate(one.inputs, 1):
            low, mean, high = (_number(value) for value in (figures.low, figures.mean, figures.high))
            out.prose(f"{number}. {figures.name} {_shape(figures)}: min {low}, mean {mean}, max {high}", indent=7)


def _print_outcome(out: Printer, record: Record, rerun: Rerun) -> None:
    losses = [_count(one) if one.bad else _number(one.mean) for one in rerun.losses]
    made, bad = rerun.gradients
    out.prose(f"{'losses' if len(losses) > 1 else 'loss'}: {', '.join(losses) or 'unknown'}")
    out.prose(f"gradients: {bad} of {made} not finite" if bad else f"gradients: all {made} finite")
    first = next((one for one in rerun.ran if one.operation.id in rerun.births[:1]), None)
    if first is not None:
        title, _ = _heading(record, first.operation)
        what = enumeration([_count(figures) for figures in first.outputs if figures.bad])
        out.prose((f"born in {first.operation.kind}", _FIRST), f" ({title}): {what}")
    elif not bad and not any(one.bad for one in rerun.losses):
        out.prose("Run again, the step came out finite: what it depends on was not all kept.")
    elif any(one.bad for one in (*rerun.variables, *rerun.given)):
        out.prose("It was there before the step: see the variables and inputs above.")
    for kind, reason in rerun.failed[:4]:
        out.prose(f"{kind} could not be run again: {reason[:160]}", indent=2)


def _at(innermost: Place) -> str:
    path, cell = split_place(innermost.file)
    return place(Location(path, innermost.line, cell=cell))


def _shape(figures: Figures) -> str:
    return f"[{','.join(map(str, figures.shape))}]"


def _numbers(figures: Figures) -> str:
    if figures.bad:
        return f" {_count(figures)}"
    if figures.low is None:
        return f" {figures.dtype}"
    return _columns(*(_number(value) for value in (figures.low, figures.mean, figures.high)))


def _columns(*texts: str) -> str:
    return "".join(f" {text:>{_NUMBER}}" for text in texts)


def _count(figures: Figures) -> str:
    """Return `3 NaN, 1 infinite of 64`."""
    parts = [f"{figures.nan} NaN"] * bool(figures.nan) + [f"{figures.infinite} infinite"] * bool(figures.infinite)
    return f"{', '.join(parts)} of {figures.size}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
