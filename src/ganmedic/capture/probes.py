"""Runs a gradient call again in a sandbox and measures every value of its forward pass and the gradient at each.

Declared schedule and cost: the first step, then whenever the time spent so far has become a small share of the time that the
program ran, and once at the end; each costs about one step, eager. Presets say how small a share.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import imperative_grad, tape
from tensorflow.python.eager.record import stop_recording

from ganmedic.capture.exhibits import Exhibits
from ganmedic.capture.measuring import measured
from ganmedic.capture.presets import Budget
from ganmedic.capture.profiles import profiles
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.replay import Program, Replay
from ganmedic.record.schema import GradientCall, Operation, Probe, Summand
from ganmedic.record.summands import Part, parts_of

#: Operations whose result says nothing that its input does not.
_SAME = frozenset({"Const", "Identity", "Reshape", "Placeholder", "Fill", "Squeeze", "ExpandDims", "ReadVariableOp"})
#: So many values of one probe are measured at most, so many probes of one call are kept.
_VALUES, _PROBES = 600, 24
_SUMMANDS = 8
#: So many kinds of step of one call (real samples, generated ones; these targets, those) have their loss profiled.
_KINDS = 4
#: Where figures look wrong, a call is probed again after so many steps whatever was spent.
_URGENT_STEPS = 25


class Probes:
    """The probes of a session.

    Args:
        read: the value of a variable now, by its id.
    """

    def __init__(self, recorder: Recorder, read: Callable[[int], Any], budget: Budget, exhibits: Exhibits) -> None:
        self._recorder = recorder
        self._read = read
        self._budget = budget
        self._exhibits = exhibits
        self._began = time.monotonic()
        self._spent = 0.0
        self._made: dict[Any, int] = {}
        self._last: dict[Any, int] = {}
        self._profiled: dict[Any, set[Any]] = {}

    def due(self, key: Any, step: int, *, urgent: bool = False) -> bool:
        """Whether a call should be probed in this step; ``urgent`` where its figures look wrong."""
        made = self._made.get(key, 0)
        if made >= _PROBES or step <= self._last.get(key, -1):
            return False
        if made < self._budget.least or (urgent and step >= self._last.get(key, 0) + _URGENT_STEPS):
            return True
        # Odd and even steps in turn: a discriminator may be given real samples in one and generated ones in the other.
        grown = step >= 2 * self._last.get(key, 0) + 1 + (made + 1) % 2
        return grown and self._spent < self._budget.seconds + self._budget.share * (time.monotonic() - self._began)

    def probe(self, key: Any, call: GradientCall, step: int, given: dict[int, Any], state: dict[int, Any]) -> bool:
        """Probes a gradient call, and says whether that could be done.

        Args:
            key: what is counted as one call.
            given: value id -> tensor, what the call's step was given.
            state: values of variables, by id, where they are not those of this moment.
        """
        if not tf.executing_eagerly():
            return False
        began = time.monotonic()
        self._made[key] = self._made.get(key, 0) + 1
        self._last[key] = step
        self._recorder.here.deaf += 1
        try:
            with stop_recording():
                safe = {value: tf.identity(tensor) for value, tensor in given.items()}
            return self._run(key, call, step, safe, state)
        finally:
            self._recorder.here.deaf -= 1
            self._spent += time.monotonic() - began

    def _run(self, key: Any, call: GradientCall, step: int, given: dict[int, Any], state: dict[int, Any]) -> bool:
        recorder = self._recorder
        recorder.settle()
        program = Program(recorder.record.view(), recorder.signatures)
        since = recorder.record.tapes[call.tape].id if not call.graph and call.tape in recorder.record.tapes else 0
        if not call.graph:
            since = _outermost(recorder.record.operations, call, since)
        rows = program.behind(call.targets, call.graph, known=given, since=since, before=call.id)
        if not rows or not call.targets:
            return False
        own = tape.push_new_tape(persistent=True, watch_accessed_variables=False)
        weights: dict[int, Any] = {}

        def read(number: int) -> Any:
            with stop_recording():
                tensor = state[number] if number in state else self._read(number)
                tensor = None if tensor is None else tf.identity(tensor)
            if tensor is not None and tensor.dtype.is_floating:
                weights[number] = tensor
                tape.watch(own, tensor)
            return tensor

        made: list[tuple[Operation, int, Any]] = []

        def heard(operation: Operation, inputs: list[Any], outputs: list[Any]) -> None:
            for value, tensor in zip(operation.outputs, outputs, strict=False):
                if (
                    tensor is not None
                    and operation.kind not in _SAME
                    and getattr(tensor, "dtype", tf.int32).is_floating
                ):
                    made.append((operation, value, tensor))

        try:
            for tensor in given.values():
                if tensor.dtype.is_floating:
                    tape.watch(own, tensor)
            replay = Replay(program, given, read, heard)
            replay.run(rows)
        finally:
            tape.pop_tape(own)
        targets = [replay.values[value] for value in call.targets if replay.values.get(value) is not None]
        if not targets:
            self._give_up(call, replay)
            return False
        losses = tuple(_number(target) for target in targets)
        if not state and not np.isfinite(losses).all():
            return False
        probe = Probe(id=recorder.now(), call=call.id, step=step, losses=losses)
        recorder.record.probes[probe.id] = probe
        self._measure(probe, own, targets, made)
        self._weigh(probe, weights)
        self._take_apart(probe, call, own, program, replay, weights)
        recorder.patches.guarded(self._exhibits.keep, key, probe.id, program, rows, replay)
        kind = self._exhibits.kind(probe.id)
        told = self._profiled.setdefault(key, set())
        if kind not in told and len(told) < _KINDS:
            told.add(kind)
            cuts = self._exhibits.cuts(probe.id)
            for row in profiles(program, rows, replay, call.id, call.targets[0], recorder.now, probe.id, cuts):
                recorder.record.profiles[row.id] = row
        self._bound()
        return True

    def _give_up(self, call: GradientCall, replay: Replay) -> None:
        """Notes why a step could not be run again."""
        reason = "what it was given was not kept"
        if replay.failed:
            operation, fault = replay.failed[0]
            reason = f"{operation.kind}: {fault[:160]}"
        self._recorder.record.facts[f"not run again:{call.id}"] = reason

    def _measure(self, probe: Probe, own: Any, targets: list[Any], made: list[tuple[Operation, int, Any]]) -> None:
        made = made[:_VALUES]
        try:
            gradients = imperative_grad.imperative_grad(own, targets, [tensor for _, _, tensor in made])
        except (LookupError, ValueError, TypeError, RuntimeError, tf.errors.OpError):
            gradients = [None] * len(made)
        for (operation, value, tensor), gradient in zip(made, gradients, strict=True):
            if tensor.shape.num_elements():
                row = measured(self._recorder.now(), probe.id, operation, value, tensor, gradient)
                self._recorder.record.measures[row.id] = row

    def _weigh(self, probe: Probe, weights: dict[int, Any]) -> None:
        """Measures the weights themselves: one row each, of kind ``Variable``."""
        nothing = Operation(0, "Variable", 0, (), ())
        for number, tensor in weights.items():
            if tensor.shape.num_elements():
                row = measured(self._recorder.now(), probe.id, nothing, number, tensor, None)
                self._recorder.record.measures[row.id] = row

    def _take_apart(
        self, probe: Probe, call: GradientCall, own: Any, program: Program, replay: Replay, weights: dict[int, Any]
    ) -> None:
        constants = _constants(program, replay)
        for part in [one for target in call.targets[:4] for one in parts_of(target, program.maker.get, constants)][
            :_SUMMANDS
        ]:
            row = self._summand(probe, call, part, own, replay, weights)
            if row is not None:
                self._recorder.record.summands[row.id] = row

    def _summand(
        self, probe: Probe, call: GradientCall, part: Part, own: Any, replay: Replay, weights: dict[int, Any]
    ) -> Summand | None:
        tensor = replay.values.get(part.value)
        if tensor is None or not tensor.dtype.is_floating:
            return None
        sources = [weights.get(source) for source in call.sources]
        present = [source for source in sources if source is not None]
        try:
            found = imperative_grad.imperative_grad(own, [tensor], present) if present else []
        except (LookupError, ValueError, TypeError, RuntimeError, tf.errors.OpError):
            return None
        gradients = iter(found)
        norms = [next(gradients) if source is not None else None for source in sources]
        return Summand(
            id=self._recorder.now(),
            probe=probe.id,
            value=part.value,
            result=_number(tensor),
            weight=part.weight,
            weight_value=part.weighted,
            norms=tuple(-1.0 if one is None else abs(part.weight) * _norm(one) for one in norms),
        )

    def _bound(self) -> None:
        """Lets go of the measures in the middle of a call that was probed often."""
        record = self._recorder.record
        by_call: dict[int, list[int]] = {}
        for probe in record.probes.values():
            by_call.setdefault(probe.call, []).append(probe.id)
        for probes in by_call.values():
            for number in probes[2:-_PROBES]:
                del record.probes[number]
                record.measures = {key: row for key, row in record.measures.items() if row.probe != number}
                record.responses = {key: row for key, row in record.responses.items() if row.probe != number}
                record.batches = {key: row for key, row in record.batches.items() if row.owner != number}


def _outermost(operations: dict[int, Operation], call: GradientCall, since: int) -> int:
    """The beginning of the outermost tape under which the target of an eager call was made."""
    for target in call.targets:
        for operation in reversed(operations.values()):
            if target in operation.outputs:
                return min((since, *operation.tapes)) if operation.tapes else since
    return since


def _constants(program: Program, replay: Replay) -> Callable[[int], float | None]:
    """Tells the number of a value that no variable and no data goes into."""
    known: dict[int, bool] = {}

    def is_constant(value: int, depth: int = 0) -> bool:
        if value not in known:
            made = program.maker.get(value)
            known[value] = False
            if made is None or depth > 12:
                known[value] = made is None and value in replay.values and _is_scalar(replay.values[value])
            elif made.kind == "Const":
                known[value] = True
            elif made.inputs and made.kind not in ("ReadVariableOp", "Placeholder") and not made.bodies:
                known[value] = all(is_constant(one, depth + 1) for one in made.inputs)
        return known[value]

    def constant(value: int) -> float | None:
        tensor = replay.values.get(value)
        if tensor is None or not _is_scalar(tensor) or not is_constant(value):
            return None
        return _number(tensor)

    return constant


def _is_scalar(tensor: Any) -> bool:
    return bool(tensor.shape.num_elements() == 1)


def _number(tensor: Any) -> float:
    return float(np.asarray(tf.cast(tf.reduce_mean(tensor), tf.float64)))


def _norm(gradient: Any) -> float:
    if isinstance(gradient, tf.IndexedSlices):
        gradient = gradient.values
    return float(np.linalg.norm(np.asarray(tf.cast(gradient, tf.float64))))
