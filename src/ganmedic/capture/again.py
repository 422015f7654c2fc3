"""Runs a step of a record again, in a process in which nothing is watched."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from ganmedic.capture.origins import Again, argument_of, births, run_again
from ganmedic.capture.replay import Program, finite
from ganmedic.capture.snapshots import decode, tensor_of
from ganmedic.record.record import Record
from ganmedic.record.snapshots import Snapshot
from ganmedic.rerun import Figures, Ran, Rerun

_READS = ("ReadVariableOp", "ResourceGather")


def rerun(record: Record, snapshot: Snapshot) -> Rerun:
    """Runs a step again, forward and backward.

    Raises:
        LookupError: the record lacks the gradient call of the step.
    """
    call = record.gradient_calls.get(snapshot.program)
    if call is None:
        raise LookupError(f"the record has no gradient call {snapshot.program}")
    signatures = {number: (decode(text), ()) for number, text in record.attributes.items()}
    given = {value: tensor_of(kept) for value, kept in snapshot.given.items()}
    state = {number: tensor_of(kept) for number, kept in snapshot.state.items()}
    again = run_again(Program(record, signatures), call, given, state.get)
    return _told(record, snapshot, again)


def _told(record: Record, snapshot: Snapshot, again: Again) -> Rerun:
    # What reads a variable that is not finite has made nothing.
    born = tuple(number for number in sorted(births(again)) if again.heard[number][0].kind not in _READS)
    heard = [again.heard[number] for number in sorted(again.heard)]
    ran = [Ran(operation, tuple(figures(one) for one in outputs if one is not None)) for operation, _, outputs in heard]
    for one in ran:
        if one.operation.id in born:
            operation, inputs, _ = again.heard[one.operation.id]
            pairs = zip(operation.inputs, inputs, strict=False)
            one.inputs = tuple(figures(tensor, _name(again, value)) for value, tensor in pairs if tensor is not None)
    values = again.replay.values
    gradients = [values[value] for value in again.call.values if value is not None and value in values]
    names = {number: row.name for number, row in record.variables.items()}
    return Rerun(
        call=again.call,
        step=snapshot.step,
        ran=[one for one in ran if one.outputs],
        births=born,
        leading=tuple(_behind(again, born[:1] or _makers(again, again.call.targets))),
        following=tuple(_onward(again, born[0])) if born else (),
        variables=tuple(
            figures(tensor, names.get(number, "")) for number, tensor in again.variables.items() if tensor is not None
        ),
        given=tuple(figures(tensor) for tensor in again.given.values()),
        losses=tuple(figures(values[target]) for target in again.call.targets if target in values),
        gradients=(len(gradients), sum(not finite(one) for one in gradients)),
        failed=[(operation.kind, reason) for operation, reason in again.replay.failed],
    )


def figures(tensor: Any, name: str = "") -> Figures:
    """Measures a tensor."""
    kind = tensor.dtype.base_dtype
    if kind in (tf.string, tf.resource, tf.variant) or kind.is_complex:
        bad = 0 if kind.is_complex is False else int(np.size(tensor) - np.isfinite(np.asarray(tensor)).sum())
        return Figures(tuple(tensor.shape), kind.name, size=int(np.prod(tensor.shape)), nan=bad, name=name)
    entries = np.asarray(tf.cast(tensor, tf.float64)).reshape(-1)
    nan, infinite = int(np.isnan(entries).sum()), int(np.isinf(entries).sum())
    sound = entries[np.isfinite(entries)]
    low, mean, high = (float(sound.min()), float(sound.mean()), float(sound.max())) if sound.size else (None,) * 3
    return Figures(tuple(tensor.shape), kind.name, entries.size, low, mean, high, nan, infinite, name)


def _name(again: Again, value: int) -> str:
    """What a value is: a variable, an input, or what an operation made."""
    record = again.program.record
    for _ in range(32):
        made = again.program.maker.get(value)
        if made is not None and made.kind == "ReadVariableOp":
            number = record.resolve(made.inputs[0])
            return record.variables[number].name if number in record.variables else "a variable"
        if value in again.given:
            return "an input"
        if made is not None and made.kind != "Placeholder":
            return made.kind
        outer = record.outside.get(value) or argument_of(again.program, value)
        if outer is None:
            break
        value = outer
    return "a value from outside"


def _makers(again: Again, values: Iterable[int]) -> tuple[int, ...]:
    found = []
    for value in values:
        made = again.program.maker.get(value)
        if made is not None and made.id in again.heard:
            found.append(made.id)
    return tuple(found)


def _sources(again: Again, value: int) -> list[int]:
    """The operations behind a value: the one that made it, in a body or around it."""
    program, found, seen, queue = again.program, list[int](), set[int](), [value]
    while queue:
        one = queue.pop()
        made = program.maker.get(one)
        if one in seen or one in again.given:
            continue
        seen.add(one)
        if made is not None and made.id in again.heard:
            found.append(made.id)
            if made.bodies:
                index = made.outputs.index(one)
                bodies = [program.record.graphs[body].outputs for body in made.bodies if body in program.record.graphs]
                queue.extend(outputs[index] for outputs in bodies if index < len(outputs))
            continue
        outer = program.record.outside.get(one) or argument_of(program, one)
        if outer is not None:
            queue.append(outer)
    return found


def _behind(again: Again, starts: Iterable[int]) -> list[int]:
    """The operations that lead to some, nearest first; the first ones themselves, where they are several or a loss."""
    found = dict.fromkeys(starts)
    queue = deque(found)
    while queue:
        operation, inputs, _ = again.heard[queue.popleft()]
        for value, tensor in zip(operation.inputs, inputs, strict=False):
            for number in _sources(again, value) if tensor is not None else ():
                if number not in found:
                    found[number] = None
                    queue.append(number)
    return list(found)


def _onward(again: Again, start: int) -> list[int]:
    """The operations that carry a value which is not finite on to the losses and gradients, in order."""
    after: dict[int, set[int]] = {}
    carrying = [number for number, (_, _, outputs) in again.heard.items() if not all(map(finite, outputs))]
    for number in carrying:
        operation, inputs, _ = again.heard[number]
        for value, tensor in zip(operation.inputs, inputs, strict=False):
            if tensor is not None and not finite(tensor):
                for source in _sources(again, value):
                    after.setdefault(source, set()).add(number)
    found, queue = set[int](), [start]
    while queue:
        for number in after.get(queue.pop(), ()):
            if number not in found:
                found.add(number)
                queue.append(number)
    return sorted(found)
