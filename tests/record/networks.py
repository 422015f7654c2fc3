"""Layers and models of a hand-built run: they are called, frozen and asked for their variables as in a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ganmedic.record.schema import Departure, Freeze, LayerCall, ListRead, Module, TrainCall
from record.tracing import Shape

if TYPE_CHECKING:
    from record.building import Script


class Network:
    """A layer or a model.

    Attributes:
        row: what the record says of it.
        parts: the networks inside it, called one after the other, unless ``forward`` says what a call does.
    """

    def __init__(
        self,
        run: Script,
        name: str,
        shapes: tuple[Shape, ...],
        kind: str,
        *,
        parts: Sequence[Network] = (),
        forward: Callable[[int], int] | None = None,
        **more: Any,
    ) -> None:
        self.run, self.parts, self._shapes, self._forward = run, list(parts), shapes, forward
        self._own: tuple[int, ...] = ()
        self.row = Module(run.now(), name, kind, stack=run.stack, **more)
        run.record.modules[self.row.id] = self.row
        self._settle()

    def build(self) -> None:
        """Make the variables."""
        self._own = tuple(
            self.run.variable(f"{self.row.name}/kernel{f'_{number}' if number else ''}", shape, keras=True)
            for number, shape in enumerate(self._shapes)
        )
        self._settle()

    def _settle(self) -> None:
        parts = [variable for part in self.parts for variable in part.variables]
        self.row.parts = tuple(part.row.id for part in self.parts)
        self.row.variables = (*parts, *self._own)
        rows = self.run.record.variables
        weights = [one for one in self.row.variables if rows[one].trainable]
        self.row.trainable_variables = tuple(weights) if self.row.trainable else ()

    @property
    def variables(self) -> tuple[int, ...]:
        """The variables, without the script reading a list."""
        return self.row.variables

    @property
    def trainable_variables(self) -> list[int]:
        """The script reads the list of trainable variables."""
        self._settle()
        found = self.row.trainable_variables
        read = ListRead(self.run.now(), self.row.id, "trainable_variables", found, self.run.stack, graph=self.run.graph)
        self.run.record.list_reads[read.id] = read
        return list(found)

    def freeze(self, value: bool = False) -> None:
        """The script sets ``trainable``."""
        row = Freeze(self.run.now(), self.row.id, value, self.run.stack)
        self.run.record.freezes[row.id] = row
        self.row.trainable = value
        self._settle()

    @contextmanager
    def calling(self, *inputs: int) -> Iterator[LayerCall]:
        """A call of the network whose operations are those made inside; set ``outputs`` of the call."""
        layers, graph = self.run.layers, self.run.graph
        parent = layers[-1] if layers else None
        self.row.used = self.row.used or parent is None
        call = LayerCall(self.run.now(), self.row.id, parent, graph, self.run.stack, inputs)
        self.run.record.layer_calls[call.id] = call
        layers.append(call.id)
        yield call
        layers.pop()
        call.ended = self.run.now()

    def __call__(self, value: int) -> int:
        stack = self.run.stack
        with self.calling(value) as call:
            if self._shapes and not self._own:
                self.build()
            value = self._forward(value) if self._forward is not None else self._chain(value)
            call.outputs = (value,)
        self.run.stack = stack
        return value

    def _chain(self, value: int) -> int:
        for part in self.parts:
            value = part(value)
        for variable in self._own:
            value = self.run.op("MatMul", value, self.run.read(variable))
        return value

    def predict(self) -> int:
        """``model.predict``: an array, which is no value of TensorFlow's."""
        row = Departure(self.run.now(), "predict", self.run.stack, module=self.row.id)
        self.run.record.departures[row.id] = row
        return self.run.data()

    def train_on_batch(self) -> None:
        self._settle()
        counts = {"trainable": len(self.row.trainable_variables), "total": len(self.row.variables)}
        row = TrainCall(self.run.now(), self.row.id, "train_on_batch", self.run.stack, **counts)
        self.run.record.train_calls[row.id] = row
