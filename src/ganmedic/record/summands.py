"""Takes a summed loss apart: its terms, and the constant each is weighted with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ganmedic.record.schema import Operation

_PASS = frozenset({"Identity", "Cast", "Squeeze", "Reshape", "EnsureShape", "Snapshot"})
_SUMS = frozenset({"AddV2", "Add", "AddN"})
_MOST = 24


@dataclass(frozen=True)
class Part:
    """A term of a loss.

    Attributes:
        value: value id of the term; ``weighted`` that of its product with the last constant on the way.
        weight: product of the constants on the way from the loss.
    """

    value: int
    weighted: int
    weight: float


def parts_of(
    target: int, maker: Callable[[int], Operation | None], constant: Callable[[int], float | None]
) -> list[Part]:
    """The terms of a loss, in the order in which they are added up; just the loss itself where it is no sum.

    Args:
        target: value id of the loss.
        maker: the operation that made a value.
        constant: the number that a value is whatever the networks do, ``None`` where it depends on them.
    """
    found: list[Part] = []
    queue = [Part(target, target, 1.0)]
    while queue and len(found) < _MOST:
        part = queue.pop(0)
        queue = _opened(part, maker, constant, found) + queue
    return found


def _opened(
    part: Part,
    maker: Callable[[int], Operation | None],
    constant: Callable[[int], float | None],
    found: list[Part],
) -> list[Part]:
    made = maker(part.value)
    if made is None or constant(part.value) is not None:
        if constant(part.value) is None:
            found.append(part)
        return []
    inputs = made.inputs
    if made.kind in _PASS and inputs:
        return [Part(inputs[0], part.weighted, part.weight)]
    if made.kind in _SUMS:
        return [Part(value, value, part.weight) for value in inputs]
    if made.kind == "Sub":
        return [Part(inputs[0], inputs[0], part.weight), Part(inputs[1], inputs[1], -part.weight)]
    if made.kind == "Neg":
        return [Part(inputs[0], part.weighted, -part.weight)]
    if made.kind in ("Mul", "RealDiv") and len(inputs) == 2:
        numbers = [constant(value) for value in inputs]
        if made.kind == "RealDiv" and numbers[1]:
            return [Part(inputs[0], made.outputs[0], part.weight / numbers[1])]
        if made.kind == "Mul" and (numbers[0] is None) != (numbers[1] is None):
            inner, factor = (inputs[1], numbers[0]) if numbers[0] is not None else (inputs[0], numbers[1])
            return [Part(inner, made.outputs[0], part.weight * float(factor or 0.0))]
    found.append(part)
    return []
