"""Follows calls of tf.functions: which graph was run on which tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.atomic_function import AtomicFunction
from tensorflow.python.eager.polymorphic_function.polymorphic_function import Function
from tensorflow.python.ops import script_ops

from ganmedic.capture.patches import Patches
from ganmedic.capture.recorder import Recorder
from ganmedic.record.schema import NONE, Operation


class Functions:
    """Hooks on the calls of traced functions, eager and inside other functions.

    Args:
        ran: called after a function ran eagerly, with the id of its graph.
        failed: called when a function that was called eagerly raised.
    """

    def __init__(
        self,
        recorder: Recorder,
        patches: Patches,
        ran: Callable[[int], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._recorder = recorder
        self._patches = patches
        self._ran = ran
        self._failed = failed

    def install(self) -> None:
        """Puts the hooks on."""
        self._patches.wrap(AtomicFunction, "call_flat", before=self._calling, after=self._called)
        self._patches.wrap(Function, "__call__", before=self._entering, after=self._left)
        self._patches.wrap(Function, "get_concrete_function", before=self._tracing, after=self._traced)
        self._patches.wrap(script_ops, "py_func_common", before=self._numpy, after=self._numpy_done)

    def _calling(self, function: Any, *inputs: Any) -> Any:
        here = self._recorder.here
        if here.deaf:
            return None
        outer = self._recorder.graph_id()
        if outer == 0:
            here.silent += 1
        return function._cached_graph, inputs, outer

    def _called(self, token: Any, outputs: Any, error: BaseException | None) -> None:
        if token is None:
            return
        graph, inputs, outer = token
        if outer == 0:
            self._recorder.here.silent -= 1
        if error is not None or graph is None:
            return
        number = self._recorder.graph_id(graph)
        if self._recorder.recording or outer:
            made = outputs if isinstance(outputs, (list, tuple)) else ()
            self._recorder.add("Call", inputs, made, bodies=(number,))
        if outer == 0:
            self._recorder.record.graphs[number].runs += 1
            self._ran(number)

    # --- a NumPy function that runs eagerly is no operation for TensorFlow -------------------------------------------

    def _numpy(self, function: Any, inputs: Any = (), *arguments: Any, **keywords: Any) -> Any:
        if self._recorder.here.deaf:
            return None
        return inputs, str(getattr(function, "__name__", ""))

    def _numpy_done(self, token: Any, result: Any, error: BaseException | None) -> None:
        if token is None or error is not None or not tf.executing_eagerly() or not self._recorder.recording:
            return
        inputs, name = token
        values = [value for value in tf.nest.flatten(inputs) if hasattr(value, "_id")]
        made = [value for value in tf.nest.flatten(result) if hasattr(value, "_id")]
        self._recorder.add("PyFunc", values, made, flows=tuple(NONE for _ in values), detail=name)

    # --- a function whose tracing fails never gets to its call; its arguments are known all the same -----------------

    def _entering(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        here = self._recorder.here
        if here.deaf:
            return None
        compiled = bool(getattr(function, "_jit_compile", False))
        here.xla += compiled
        return self._recorder.latest, str(getattr(function, "_name", "")), (arguments, keywords), compiled

    def _tracing(self, function: Any, *arguments: Any, **keywords: Any) -> bool:
        compiled = bool(getattr(function, "_jit_compile", False))
        self._recorder.here.xla += compiled
        return compiled

    def _traced(self, compiled: bool | None, result: Any, error: BaseException | None) -> None:
        self._recorder.here.xla -= bool(compiled)

    def _left(self, token: Any, result: Any, error: BaseException | None) -> None:
        if token is None:
            return
        *call, compiled = token
        self._recorder.here.xla -= compiled
        if error is None or not isinstance(error, Exception):
            return
        self._bind(*call)
        if tf.executing_eagerly():
            self._failed(error)

    def _bind(self, began: int, name: str, structure: Any) -> None:
        graphs = [row for row in self._recorder.record.graphs.values() if row.id > began and row.name == name]
        if not graphs or any(graphs[0].id in row.bodies for row in self._recorder.record.operations.values()):
            return
        tensors = [value for value in tf.nest.flatten(structure) if isinstance(value, tf.Tensor)]
        operation = Operation(
            id=self._recorder.now(),
            kind="Call",
            graph=self._recorder.graph_id(),
            inputs=tuple(value._id for value in tensors),
            outputs=(),
            stack=self._recorder.stack(),
            tapes=self._recorder.here.tapes,
            bodies=(graphs[0].id,),
        )
        self._recorder.record.operations[operation.id] = operation
