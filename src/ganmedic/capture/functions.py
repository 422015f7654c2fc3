"""Follows calls of tf.functions: which graph was run on which tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorflow.python.eager.polymorphic_function.atomic_function import AtomicFunction

from ganmedic.capture.patches import Patches
from ganmedic.capture.recorder import Recorder


class Functions:
    """Hooks on the calls of traced functions, eager and inside other functions.

    Args:
        ran: called after a function ran eagerly, with the id of its graph.
    """

    def __init__(self, recorder: Recorder, patches: Patches, ran: Callable[[int], None]) -> None:
        self._recorder = recorder
        self._patches = patches
        self._ran = ran
        self._seen: set[tuple[int, int]] = set()

    def install(self) -> None:
        """Puts the hooks on."""
        self._patches.wrap(AtomicFunction, "call_flat", before=self._calling, after=self._called)

    def _calling(self, function: Any, *inputs: Any) -> Any:
        here = self._recorder.here
        graph = function._cached_graph
        outer = self._recorder.graph_id()
        if outer == 0:
            here.silent += 1
        return graph, inputs, outer

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
