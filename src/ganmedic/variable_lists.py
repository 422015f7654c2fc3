"""State that belongs to a list of variables: counts, histories, buffers, one a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import tensorflow as tf

from ganmedic.gradients import name_of


class ForVariables(tf.Module):  # type: ignore[misc]
    """Base of what is kept for a list of variables.

    Args:
        variables: the variables, of TensorFlow or Keras; held by identity and not part of a checkpoint of this.

    Attributes:
        names: what a user calls each; where two are called alike, their places in the list are said.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__()
        self._served = _Held(variables)
        names = [name_of(variable) for variable in variables]
        common = Counter(names)
        self.names = tuple(
            name if common[name] == 1 else f"{name} (number {place + 1})" for place, name in enumerate(names)
        )

    def serves(self, variables: Sequence[Any]) -> bool:
        """Whether it belongs to exactly these variables, in this order."""
        held = self._served.variables
        return len(held) == len(variables) and all(a is b for a, b in zip(held, variables, strict=True))


def counted(lists: Iterable[tuple[Sequence[str], Iterable[int]]]) -> dict[str, int]:
    """Counts by name over several lists of variables; equal names of two networks are added up, and zeros left out."""
    total: Counter[str] = Counter()
    for names, counts in lists:
        total.update(dict(zip(names, (int(count) for count in counts), strict=True)))
    return {name: count for name, count in total.items() if count}


State = TypeVar("State", bound=ForVariables)


def state_of(states: list[State], variables: Sequence[Any], make: Callable[[Sequence[Any]], State]) -> State:
    """The state of these variables; made, and added to the list, where there is none yet."""
    for state in states:
        if state.serves(variables):
            return state
    made = make(variables)
    states.append(made)
    return made


class _Held:
    """Hides variables from TensorFlow's tracking."""

    def __init__(self, variables: Sequence[Any]) -> None:
        self.variables = tuple(variables)
