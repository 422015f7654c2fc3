"""A run written by hand: what a script would have done, line by line, without TensorFlow.

The script is there as text, and a test walks through it: ``at`` names the line by a piece of it, the calls behind that are
what happened on this line. Networks, tapes and lists of variables are used as the script itself uses them, and what
TensorFlow answered is said by the test (``none=``, ``zero=``, ``error=``), not worked out.

Example:
    run = Script('''
        with tf.GradientTape() as tape:
            tokens = tf.argmax(generator(noise))
            loss = tf.reduce_mean(tokens)
        gradients = tape.gradient(loss, generator.trainable_variables)
    ''')
    generator = run.model("generator", (4, 8))
    with run.at("GradientTape").tape() as tape:
        tokens = run.at("tokens =").op("ArgMax", generator(run.noise()))
        loss = run.at("loss =").op("Mean", tokens)
    run.at("gradients =").gradient(tape, loss, generator.trainable_variables, none=generator.variables)
    findings = find(run.finish())
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ganmedic.record.record import Record
from ganmedic.record.schema import (
    Apply,
    Departure,
    Failure,
    Freeze,
    GradientCall,
    LayerCall,
    ListRead,
    Module,
    Optimizer,
    Tape,
    TrainCall,
)
from record.tracing import Shape, Trace


class Script(Trace):
    """A script that trains networks, and the record of its run."""

    def __init__(self, source: str = "", **more: Any) -> None:
        super().__init__(source, **more)
        self._moved: set[int] = set()

    # --- networks -----------------------------------------------------------------------------------------------------

    def model(self, name: str, *shapes: Shape, kind: str = "Sequential", built: bool = True, **more: Any) -> Network:
        """A network of matrices of these shapes, and of the ``parts`` that it calls before it uses its own."""
        network = Network(self, name, shapes, kind, **{"model": True, **more})
        if built:
            network.build()
        return network

    def layer(self, name: str, *shapes: Shape, kind: str = "Dense", **more: Any) -> Network:
        return self.model(name, *shapes, kind=kind, model=False, **more)

    # --- gradients ----------------------------------------------------------------------------------------------------

    def gradient(
        self,
        tape: Tape,
        target: int | Sequence[int],
        sources: Sequence[int],
        *,
        none: Iterable[int] = (),
        zero: Iterable[int] = (),
        error: str = "",
        **more: Any,
    ) -> list[int | None]:
        """``tape.gradient``: a gradient for every source, but for those that came back None or as zeros."""
        nothing, zeros = set(none), set(zero)
        with self.differentiate(tape, target, sources, error=error, **more) as call:
            call.values = tuple(
                None if source in nothing or error else self.op("Backward", *call.targets, shape=self._shape(source))
                for source in sources
            )
        call.results = tuple(
            "error" if error else "none" if source in nothing else "zero" if source in zeros else "tensor"
            for source in sources
        )
        return list(call.values)

    @contextmanager
    def differentiate(
        self, tape: Tape, target: int | Sequence[int], sources: Sequence[int], **more: Any
    ) -> Iterator[GradientCall]:
        """A gradient call whose backward operations are those made inside; set ``values`` of the call."""
        targets = (target,) if isinstance(target, int) else tuple(target)
        call = GradientCall(
            self.now(), tape.id, self.stack, self.graph, targets=targets, sources=tuple(sources), **more
        )
        self.record.gradient_calls[call.id] = call
        before, self.gradient_call = self.gradient_call, call.id
        yield call
        self.gradient_call = before
        call.results = tuple("none" if value is None else "tensor" for value in call.values)
        call.ended = self.now()

    @property
    def asked(self) -> GradientCall:
        """The gradient call made last."""
        return next(reversed(self.record.gradient_calls.values()))

    def _shape(self, source: int) -> Shape:
        row = self.record.variables.get(source)
        return row.shape if row is not None else (8, 4)

    # --- updates ------------------------------------------------------------------------------------------------------

    def optimizer(self, kind: str = "Adam", rates: tuple[float, ...] = (2e-4,)) -> Optimizer:
        row = Optimizer(self.now(), kind.lower(), kind, self.stack, rates)
        self.record.optimizers[row.id] = row
        return row

    def apply(
        self, optimizer: Optimizer, gradients: Sequence[int | None], variables: Sequence[int], *, error: str = ""
    ) -> None:
        """``optimizer.apply_gradients(zip(gradients, variables))``; what gets a gradient moves, unless the rate is 0."""
        pairs = list(zip(gradients, variables, strict=False))
        row = Apply(self.now(), optimizer.id, self.stack, self.graph, error=error)
        self.record.applies[row.id] = row
        row.gradients, row.variables = tuple(one for one, _ in pairs), tuple(one for _, one in pairs)
        if error:
            return
        optimizer.variables = optimizer.variables or row.variables
        for gradient, variable in pairs:
            if gradient is not None:
                self.assign(variable, gradient, "AssignSubVariableOp", apply=row.id)
                self._moved |= {variable} if any(optimizer.rates) else set()

    def train(self, optimizer: Optimizer, tape: Tape, loss: int, variables: Sequence[int]) -> None:
        """A sound step on one line: gradients and their application."""
        self.apply(optimizer, self.gradient(tape, loss, variables), variables)

    # --- other events -------------------------------------------------------------------------------------------------

    def leave(self, value: int, how: str = ".numpy()") -> None:
        row = Departure(self.now(), how, self.stack, value)
        self.record.departures[row.id] = row

    def fail(self, type: str, message: str) -> None:
        row = Failure(type, message, self.stack, id=self.now())
        self.record.failures[row.id] = row

    def finish(self, *, still: Iterable[int] = (), moved: Iterable[int] = ()) -> Record:
        """The record of the whole run: variables that were given a gradient have another value now than at first."""
        changed = (self._moved | set(moved)) - set(still)
        for row in self.record.variables.values():
            row.first, row.last = "before", "after" if row.id in changed else "before"
        self.record.facts["complete"] = "yes"
        return self.record.view()


class Network:
    """A layer or a model.

    Attributes:
        row: what the record says of it.
        parts: the networks inside it, called one after the other.
    """

    def __init__(
        self,
        run: Script,
        name: str,
        shapes: tuple[Shape, ...],
        kind: str,
        *,
        parts: Sequence[Network] = (),
        **more: Any,
    ) -> None:
        self.run, self.parts, self._shapes = run, list(parts), shapes
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
        with self.calling(value) as call:
            for part in self.parts:
                value = part(value)
            if self._shapes and not self._own:
                self.build()
            for variable in self._own:
                value = self.run.op("MatMul", value, self.run.read(variable))
            call.outputs = (value,)
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
