"""Two compiled steps that take turns: so many of the one player, then so many of the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


class TurnTaking:
    """What stands for `train_function` where players have steps of their own.

    The choice is Python's: no branch of a graph may hold what replicas bring together.

    Args:
        turns: `balance.Turns`.
        steps: variable, batches so far.
        functions: the compiled step of the discriminator and of the generator, by whether it is the discriminator's.
    """

    def __init__(self, turns: Any, steps: Any, functions: dict[bool, Callable[[Any], Any]]) -> None:
        self._turns, self._steps, self._functions = turns, steps, functions
        self._turn: int | None = None

    def begin(self) -> None:
        """To be called when the number of steps was set from outside: it is read anew."""
        self._turn = None

    def __call__(self, iterator: Any) -> Any:
        """The next step."""
        if self._turn is None:
            self._turn = int(self._steps.numpy())
        logs = self._functions[bool(self._turns.player(self._turn))](iterator)
        self._turn += 1
        return logs


@contextlib.contextmanager
def in_the_place_of_train_step(model: Any, step: Callable[[Any], Any]) -> Iterator[None]:
    """Keras compiles what it finds under `train_step`."""
    own: Any = vars(model)
    own["train_step"] = step
    try:
        yield
    finally:
        own.pop("train_step", None)
