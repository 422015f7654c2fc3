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
    GradientCall,
    Optimizer,
    Tape,
)
from record.networks import Network
from record.tracing import Shape, Trace


class Script(Trace):
    """A script that trains networks, and the record of its run.

    Attributes:
        moved: the variables that were given another value by an optimizer.
    """

    def __init__(self, source: str = "", **more: Any) -> None:
        super().__init__(source, **more)
        self.moved: set[int] = set()

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
                self.moved |= {variable} if any(optimizer.rates) else set()

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
        changed = (self.moved | set(moved)) - set(still)
        for row in self.record.variables.values():
            row.first, row.last = "before", "after" if row.id in changed else "before"
        self.record.facts["complete"] = "yes"
        return self.record.view()
