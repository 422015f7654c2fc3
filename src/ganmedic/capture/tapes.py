"""Follows gradient tapes: when they record, what they watch, what they are asked and what they answer."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import backprop, record
from tensorflow.python.ops import gradients_util

from ganmedic.capture.patches import Patches, untouched
from ganmedic.capture.places import called_by_user, is_users
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.variables import Variables, identity
from ganmedic.record.schema import NONE, ZERO, GradientCall, Operation, Place, Tape

#: Reads of a variable report themselves as well; they are operations already.
READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd"})


class Tapes:
    """Hooks on ``tf.GradientTape``.

    Args:
        answered: called after each ``gradient`` (``jacobian``, ``batch_jacobian``) with the finished row.
        measure: called before that with the row, the targets, the sources and their gradients.
    """

    def __init__(
        self,
        recorder: Recorder,
        variables: Variables,
        patches: Patches,
        answered: Callable[[GradientCall], None],
        measure: Callable[[GradientCall, list[Any], list[Any], list[Any]], None],
    ) -> None:
        self._recorder = recorder
        self._variables = variables
        self._patches = patches
        self._answered = answered
        self._measure = measure
        self._numbers: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def install(self) -> None:
        """Puts the hooks on."""
        cls = backprop.GradientTape
        self._patches.wrap(cls, "_push_tape", after=self._pushed, before=self._pushing)
        self._patches.wrap(cls, "_pop_tape", before=self._popping)
        self._patches.wrap(cls, "watch", before=self._watch)
        self._patches.wrap(cls, "reset", before=self._reset)
        for method in ("gradient", "jacobian", "batch_jacobian"):
            self._patches.wrap(cls, method, before=functools.partial(self._ask, method), after=self._answer)
        self._wrap_stop_recording(cls)
        self._wrap_record_operation()
        self._wrap_gradient_functions()

    # --- recording -------------------------------------------------------------------------------------------------

    def _row(self, tape: Any) -> Tape:
        number = self._numbers.get(tape)
        if number is None or number not in self._recorder.record.tapes:
            recorder = self._recorder
            number = recorder.now()
            self._numbers[tape] = number
            recorder.record.tapes[number] = Tape(
                id=number,
                stack=recorder.stack(),
                graph=recorder.graph_id(),
                persistent=bool(tape._persistent),
                watch_accessed=bool(tape._watch_accessed_variables),
            )
        return self._recorder.record.tapes[number]

    def _pushing(self, tape: Any) -> Tape:
        self._recorder.listen()
        return self._row(tape)

    def _pushed(self, row: Tape, result: Any, error: BaseException | None) -> None:
        if error is None and row is not None:
            here = self._recorder.here
            here.tapes = (*here.tapes, row.id)
            if row.ended:
                if not (row.pauses and row.pauses[-1][1] == 0):
                    row.pauses.append((row.ended, self._recorder.now(), self._recorder.stack()))
                row.ended = 0

    def _popping(self, tape: Any) -> None:
        row = self._row(tape)
        row.ended = self._recorder.now()
        here = self._recorder.here
        here.tapes = tuple(number for number in here.tapes if number != row.id)

    def _wrap_stop_recording(self, cls: Any) -> None:
        original = cls.stop_recording
        hooks = self

        @contextmanager
        @functools.wraps(original)
        def stop_recording(tape: Any) -> Iterator[None]:
            row = hooks._patches.guarded(hooks._row, tape)
            began, stack = hooks._recorder.now(), hooks._patches.guarded(hooks._recorder.stack)
            if row is not None:
                row.pauses.append((began, 0, stack or ()))
            try:
                with original(tape):
                    yield
            finally:
                if row is not None:
                    row.pauses[-1] = (began, hooks._recorder.now(), stack or ())

        untouched(stop_recording)
        self._patches.replace(cls, "stop_recording", stop_recording)

    def _watch(self, tape: Any, tensor: Any = None) -> None:
        row = self._row(tape)
        row.watching.append(self._recorder.stack())
        for value in tf.nest.flatten(tensor):
            found = identity(value)
            if found is not None:
                row.watched.append((found, self._recorder.now()))

    def _reset(self, tape: Any) -> None:
        self._row(tape).resets.append((self._recorder.now(), self._recorder.stack()))

    # --- gradients -------------------------------------------------------------------------------------------------

    def _ask(self, method: str, tape: Any, target: Any = None, *args: Any, **kwargs: Any) -> Any:
        sources = args[0] if args else kwargs.get("sources", kwargs.get("source"))
        recorder = self._recorder
        row = GradientCall(
            id=recorder.now(),
            tape=self._row(tape).id,
            stack=recorder.stack(),
            graph=recorder.graph_id(),
            method=method,
            targets=tuple(found for value in flat(target) if (found := identity(value)) is not None),
            sources=tuple(self._variables.know(value) for value in flat(sources)),
            by_framework=not called_by_user(),
        )
        recorder.record.gradient_calls[row.id] = row
        outer = recorder.here.gradient
        recorder.here.gradient = row.id
        return row, outer, target, sources

    def _answer(self, token: Any, result: Any, error: BaseException | None) -> None:
        if token is None:
            self._recorder.here.gradient = None
            return
        row, outer, target, sources = token
        self._recorder.here.gradient = outer
        row.ended = self._recorder.now()
        if error is not None:
            row.error = f"{type(error).__name__}: {error}"[:2000]
            row.results = tuple("error" for _ in row.sources)
            row.values = tuple(None for _ in row.sources)
        else:
            gradients = flat(result)
            row.results = tuple("none" if gradient is None else "tensor" for gradient in gradients)
            row.values = tuple(value_of(gradient) for gradient in gradients)
            if self._recorder.recording:
                row.results = tuple(
                    "zero" if all_zero(gradient) else told
                    for gradient, told in zip(gradients, row.results, strict=True)
                )
            self._patches.guarded(self._measure, row, flat(target), flat(sources), gradients)
        self._answered(row)

    # --- which operation a gradient belongs to -------------------------------------------------------------------------

    def _wrap_gradient_functions(self) -> None:
        """TensorFlow differentiates operation by operation: what is made meanwhile belongs to that operation."""
        original = backprop._gradient_function
        here, recorder = self._recorder.here, self._recorder

        def gradient_function(kind: Any, attributes: Any, count: Any, inputs: Any, outputs: Any, *rest: Any) -> Any:
            if here.deaf or not (recorder.recording or tf.inside_function()):
                return original(kind, attributes, count, inputs, outputs, *rest)
            outer, here.forward = here.forward, self._patches.guarded(self._made_by, kind, inputs, outputs) or 0
            try:
                return original(kind, attributes, count, inputs, outputs, *rest)
            finally:
                here.forward = outer

        pywrap_tfe.TFE_Py_RegisterGradientFunction(gradient_function)
        self._patches.on_undo(lambda: pywrap_tfe.TFE_Py_RegisterGradientFunction(original))
        self._patches.wrap(gradients_util, "_MaybeCompile", before=self._differentiating, after=self._differentiated)

    def _differentiating(self, scope: Any, op: Any, *rest: Any) -> int | None:
        """In the graph of a function, a branch or a loop it does so by itself, without a tape."""
        here = self._recorder.here
        if here.deaf:
            return None
        outer, here.forward = here.forward, self._made_by("", (), op.outputs)
        return outer

    def _differentiated(self, outer: int | None, result: Any, error: BaseException | None) -> None:
        if outer is not None:
            self._recorder.here.forward = outer

    def _made_by(self, kind: Any, inputs: Any, outputs: Any) -> int:
        """The operation that is differentiated; TensorFlow hands on only those of its values that the gradient needs."""
        made = next((made for value in outputs or () if (made := self._recorder.operation_of(value))), 0)
        return made or self._recorder.reader_of(kind.decode() if isinstance(kind, bytes) else str(kind), inputs or ())

    # --- gradients of the user's own making ------------------------------------------------------------------------

    def _wrap_record_operation(self) -> None:
        """Functions with a gradient of their own tell the tape about it here; so do captures of a function graph."""
        original = record.record_operation
        hooks = self

        @functools.wraps(original)
        def record_operation(op_type: Any, output_tensors: Any, input_tensors: Any, *args: Any, **kwargs: Any) -> Any:
            operation = None
            if hooks._wanted():
                operation = hooks._patches.guarded(hooks._own_gradient, op_type, output_tensors, input_tensors)
            if operation is not None:
                backward = args[0] if args else kwargs.get("backward_function")
                hooks._patches.guarded(hooks._describe, operation, backward)
                watched = hooks._watched(operation, backward)
                if args:
                    args = (watched, *args[1:])
                else:
                    kwargs["backward_function"] = watched
            return original(op_type, output_tensors, input_tensors, *args, **kwargs)

        untouched(record_operation)
        self._patches.replace(record, "record_operation", record_operation)

    def _wanted(self) -> bool:
        here = self._recorder.here
        return not here.deaf and not (tf.executing_eagerly() and (here.silent or not self._recorder.recording))

    def _own_gradient(self, op_type: Any, outputs: Any, inputs: Any) -> Operation | None:
        name = op_type.decode() if isinstance(op_type, bytes) else str(op_type)
        if name == "captured_value":
            self._recorder.add("Capture", inputs, outputs)
            return None
        if name.startswith("__") or "PartitionedCall" in name or name in READS:
            return None
        return self._recorder.add("CustomGradient", inputs, outputs, detail=name)

    def _describe(self, operation: Operation, backward: Any) -> None:
        function = gradient_function(backward)
        code = getattr(function, "__code__", None)
        if code is not None and is_users(code.co_filename):
            operation.detail_place = Place(code.co_filename, code.co_firstlineno, code.co_name)

    def _watched(self, operation: Operation, backward: Any) -> Any:
        if backward is None:
            return backward
        hooks = self
        check_zeros = operation.detail_place is not None

        @functools.wraps(backward)
        def told(*gradients: Any, **kwargs: Any) -> Any:
            result = backward(*gradients, **kwargs)
            hooks._patches.guarded(hooks._note_flows, operation, result, check_zeros)
            return result

        untouched(told)
        return told

    def _note_flows(self, operation: Operation, result: Any, check_zeros: bool) -> None:
        gradients = list(result) if isinstance(result, (list, tuple)) else [result]
        if len(gradients) == len(operation.inputs):
            operation.flows = tuple(
                NONE if gradient is None else ZERO if check_zeros and all_zero(gradient) else "flows"
                for gradient in gradients
            )


def gradient_function(backward: Any) -> Any:
    """The user's gradient function inside TensorFlow's wrapping of it."""
    for cell_name in ("grad_fn", "backward_function"):
        code = getattr(backward, "__code__", None)
        if code is None or cell_name not in code.co_freevars:
            continue
        found = backward.__closure__[code.co_freevars.index(cell_name)].cell_contents
        return getattr(found, "__wrapped__", found)
    return backward


def flat(values: Any) -> list[Any]:
    """The leaves of a nested structure; a sparse gradient counts as one."""
    return list(tf.nest.flatten(values))


def value_of(gradient: Any) -> int | None:
    """The value id of a gradient; of a sparse one that of its values."""
    if gradient is None:
        return None
    if isinstance(gradient, tf.IndexedSlices):
        gradient = gradient.values
    return getattr(gradient, "_id", None)


def all_zero(gradient: Any) -> bool:
    """Whether every entry of a gradient is exactly zero: looked up, or known from the graph without running it."""
    if gradient is None:
        return False
    if isinstance(gradient, tf.IndexedSlices):
        gradient = gradient.values
    if isinstance(gradient, tf.__internal__.EagerTensor):
        if not gradient.dtype.is_floating:
            return False
        return not bool(gradient._numpy().any())
    if isinstance(gradient, tf.Tensor):
        return gradient.op.type == "ZerosLike" or _constant_zero(gradient)
    return False


def _constant_zero(tensor: Any) -> bool:
    value = tf.get_static_value(tensor) if tensor.op.type in ("Const", "Fill", "Identity") else None
    return value is not None and value.dtype.kind == "f" and not value.any()
