"""Finds the operation at which a value that is not finite was born.

The step that went wrong is run again in a sandbox, forward and backward. From the loss or gradient that came out not finite the
search goes back through inputs that are not finite to the first operation that made such a value out of finite ones. What is
masked on its way, and so reaches no loss and no gradient, is never met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.record import stop_recording

from ganmedic.capture.recorder import Recorder
from ganmedic.capture.replay import Program, Replay, finite
from ganmedic.record.schema import GradientCall, Operation, Origin

_MOST = 8

#: Operation id -> the operation, its inputs and its outputs; of one in a loop the first round that was not finite.
Heard = dict[int, tuple[Operation, list[Any], list[Any]]]


@dataclass
class Again:
    """A step that was run again.

    Attributes:
        call: the recorded gradient call whose operations were run; ``rows`` these operations.
        wanted: value ids of its losses and gradients.
        given: value id -> tensor, what the step was given.
        variables: variable id -> what was read.
        heard: the operations that could be run.
    """

    program: Program
    call: GradientCall
    rows: list[Operation]
    wanted: list[int]
    given: dict[int, Any]
    variables: dict[int, Any]
    replay: Replay
    heard: Heard

    @property
    def bad(self) -> list[int]:
        """Losses and gradients that came out not finite."""
        return [value for value in self.wanted if not finite(self.replay.values.get(value))]

    @property
    def spoilt(self) -> list[int]:
        """Variables that were not finite before the step."""
        return [number for number, tensor in self.variables.items() if not finite(tensor)]

    @property
    def dirty(self) -> list[int]:
        """Values that the step was given and that are not finite."""
        return [value for value, tensor in self.given.items() if not finite(tensor)]


def run_again(program: Program, call: GradientCall, given: dict[int, Any], read: Callable[[int], Any]) -> Again:
    """Runs the operations of a gradient call again, forward and backward.

    Args:
        given: value id -> tensor, what the step was given.
        read: the value of a variable in that step, by its id.
    """
    since = 0
    if not call.graph:
        tapes = [number for number in _tapes_of(program, call) if number]
        since = min(tapes, default=0)
    wanted = [*call.targets, *(value for value in call.values if value is not None)]
    rows = program.behind(wanted, call.graph, known=given, since=since, before=call.ended)
    variables: dict[int, Any] = {}

    def remembered(number: int) -> Any:
        if number not in variables:
            variables[number] = read(number)
        return variables[number]

    heard: Heard = {}

    def listener(operation: Operation, inputs: list[Any], outputs: list[Any]) -> None:
        kept = heard.get(operation.id)
        if kept is None or _is_clean(kept[1], kept[2]):
            heard[operation.id] = (operation, inputs, outputs)

    replay = Replay(program, given, remembered, listener)
    replay.run(rows)
    return Again(program, call, rows, wanted, given, variables, replay, heard)


class Origins:
    """The searches of a session.

    Args:
        read: the value of a variable now, by its id.
        keep: called with each origin and the step in which it was searched.
    """

    def __init__(
        self,
        recorder: Recorder,
        read: Callable[[int], Any],
        keep: Callable[[Origin, Again], None] | None = None,
    ) -> None:
        self._recorder = recorder
        self._read = read
        self._keep = keep

    def search(
        self, call: GradientCall, step: int, given: dict[int, Any], state: dict[int, Any], program_of: GradientCall
    ) -> Origin | None:
        """Runs a step again and notes where its first value that is not finite was born.

        Args:
            call: the call in which it was seen.
            step: how often the call had been answered before.
            given: value id -> tensor, what the step was given.
            state: values of variables as they were, by id.
            program_of: the recorded call whose operations are run: ``call`` itself, or one of the same line.
        """
        found = self._recorder.record.origins.values()
        if len(found) >= _MOST or any(one.source == "variable" for one in found):
            return None
        self._recorder.here.deaf += 1
        try:
            with tf.init_scope(), stop_recording():
                row, again = self._search(call, step, given, state, program_of)
                self._recorder.record.origins[row.id] = row
                if self._keep is not None:
                    self._keep(row, again)
        finally:
            self._recorder.here.deaf -= 1
        return row

    def _search(
        self, call: GradientCall, step: int, given: dict[int, Any], state: dict[int, Any], program_of: GradientCall
    ) -> tuple[Origin, Again]:
        recorder = self._recorder
        recorder.settle()
        program = Program(recorder.record.view(), recorder.signatures)
        row = Origin(id=recorder.now(), call=call.id, step=step)
        again = run_again(
            program, program_of, given, lambda number: state[number] if number in state else self._read(number)
        )
        values = again.replay.values
        row.losses = tuple(
            float(np.asarray(tf.cast(tf.reduce_mean(values[value]), tf.float64)))
            for value in program_of.targets
            if values.get(value) is not None
        )
        row.weights = sum(not finite(values.get(value)) for value in program_of.values if value is not None)
        if again.spoilt:
            row.source, row.value = "variable", again.spoilt[0]
        elif again.bad:
            _born(row, again)
        elif again.dirty:
            row.source, row.value = "input", again.dirty[0]
        else:
            row.reproduced = False
            row.note = _why_not(again.replay)
        return row, again


def _tapes_of(program: Program, call: GradientCall) -> tuple[int, ...]:
    found: tuple[int, ...] = (call.tape,)
    for target in call.targets:
        made = program.maker.get(target)
        if made is not None:
            found = (*found, *made.tapes)
    return found


def births(again: Again) -> dict[int, int]:
    """The operations that made a value which is not finite out of finite ones, on the way to a loss or gradient.

    An infinity that the program itself wrote down is none; a NaN that comes of it is one.

    Returns:
        Operation id -> id of the value.
    """
    return _Ways(again).births


class _Ways:
    """The ways back from losses and gradients that are not finite.

    Attributes:
        births: operation id -> value id; where only constants lie at the ends of the ways, what made NaN out of them.
        given: values that the step was given, not finite, met on the way; without infinite scalars.
    """

    def __init__(self, again: Again) -> None:
        self._again = again
        self._out_of_infinities = dict[int, int]()
        self._constants = dict[int, int]()
        self.births = dict[int, int]()
        self.given: list[int] = []
        seen, queue = set[int](), list(again.bad)
        while queue:
            value = queue.pop()
            if value not in seen:
                seen.add(value)
                queue.extend(self._behind(value))
        if not self.births:
            self.births = self._out_of_infinities or self._constants

    def _behind(self, value: int) -> list[int]:
        again = self._again
        program = again.program
        made = program.maker.get(value)
        entry = again.heard.get(made.id) if made is not None else None
        if entry is None:
            tensor = again.given.get(value)
            if tensor is not None and not finite(tensor) and (tensor.shape.num_elements() != 1 or _has_nan(tensor)):
                self.given.append(value)
            outer = program.record.outside.get(value) or argument_of(program, value)
            return [] if outer is None else [outer]
        operation, inputs, outputs = entry
        pairs = list(zip(operation.inputs, inputs, strict=False))
        worse = [source for source, tensor in pairs if tensor is not None and not finite(tensor)]
        # What a list of tensors holds cannot be seen: it is followed where nothing else explains the outcome.
        lists = [source for source, tensor in pairs if tensor is not None and tensor.dtype == tf.variant]
        is_list = any(tensor is not None and tensor.dtype == tf.variant for tensor in outputs)
        if operation.bodies:
            index = operation.outputs.index(value) if value in operation.outputs else 0
            bodies = [program.record.graphs[body].outputs for body in operation.bodies]
            return [*worse, *lists, *(ends[index] for ends in bodies if index < len(ends))]
        if is_list:
            return [*worse, *lists]
        if all(map(finite, outputs)):
            return []
        if not worse and not lists:
            (self.births if operation.inputs else self._constants)[operation.id] = value
        if worse and any(map(_has_nan, outputs)) and not any(map(_has_nan, inputs)):
            self._out_of_infinities[operation.id] = value
        return worse or lists


def _is_clean(inputs: list[Any], outputs: list[Any]) -> bool:
    """Whether nothing that an operation made is known not to be finite; a list of tensors shows only what was put in."""
    lists = any(tensor is not None and tensor.dtype == tf.variant for tensor in outputs)
    return all(map(finite, outputs)) and (not lists or all(map(finite, inputs)))


def _has_nan(tensor: Any) -> bool:
    return not finite(tensor) and bool(tf.reduce_any(tf.math.is_nan(tf.abs(tensor))))


def _born(row: Origin, again: Again) -> None:
    ways = _Ways(again)
    found = ways.births
    if ways.given and (not found or any(_has_nan(again.given[value]) for value in ways.given)):
        row.source, row.value = "input", ways.given[0]
        return
    if not found:
        row.note = _why_not(again.replay)
        return
    number = min(found)
    operation, inputs, outcome = again.heard[number]
    row.source, row.operation, row.forward, row.value = "operation", number, operation.forward, found[number]
    row.order = _order(again.program, operation)
    tensors = [tensor for tensor in inputs if tensor is not None and tensor.dtype.is_floating]
    extremes = [_extremes(tensor) for tensor in tensors]
    row.lows = tuple(low for low, _, _ in extremes)
    row.highs = tuple(high for _, high, _ in extremes)
    row.zeros = tuple(zeros for _, _, zeros in extremes)
    out = next(tensor for tensor in outcome if not finite(tensor))
    entries = np.asarray(tf.cast(out, tf.float64))
    row.dtype = out.dtype.name
    row.share = float(1.0 - np.isfinite(entries).mean())
    row.infinite = not bool(np.isnan(entries).any())


def argument_of(program: Program, value: int) -> int | None:
    """The value handed into a body, by the last call of it."""
    known = program.record.graph_inputs.get(value)
    if known is None:
        return None
    graph, position = known
    for call in program.record.calls_of.get(graph, ()):
        index = position + 1 if call.kind in ("If", "StatelessIf", "Case", "StatelessCase") else position
        if index < len(call.inputs):
            return call.inputs[index]
    return None


def _order(program: Program, operation: Operation) -> int:
    """How many gradients deep an operation was made."""
    if operation.gradient_call is None and not operation.forward:
        return 0
    forward = program.record.operations.get(operation.forward)
    if forward is not None and forward.gradient_call is not None and forward.gradient_call != operation.gradient_call:
        return 2
    return 1


def _extremes(tensor: Any) -> tuple[float, float, float]:
    entries = np.asarray(tf.cast(tensor, tf.float64)).reshape(-1)
    if not entries.size:
        return 0.0, 0.0, 0.0
    return float(entries.min()), float(entries.max()), float((entries == 0).mean())


def _why_not(replay: Replay) -> str:
    if replay.failed:
        operation, reason = replay.failed[0]
        return f"{operation.kind} could not be run again: {reason[:160]}"
    return "the step came out finite when it was run again"
