"""A summed loss falls into its terms, each with the constants in front of it."""

from __future__ import annotations

from ganmedic.record.schema import Operation
from ganmedic.record.summands import Part, parts_of


def taken_apart(
    target: int, operations: list[tuple[str, tuple[int, ...], int]], numbers: dict[int, float]
) -> list[Part]:
    """The parts of a loss given as (kind, inputs, output), with some values known numbers."""
    made = {
        output: Operation(id=number, kind=kind, graph=0, inputs=inputs, outputs=(output,))
        for number, (kind, inputs, output) in enumerate(operations, 1)
    }
    return parts_of(target, made.get, numbers.get)


def test_a_loss_that_is_no_sum_is_its_only_term() -> None:
    assert taken_apart(9, [("Mean", (1,), 9)], {}) == [Part(9, 9, 1.0)]


def test_terms_with_their_weights_and_signs() -> None:
    # 9 = a - 10 * b + c / 4, written as ((a - 10b) + c/4)
    operations = [
        ("Mean", (1,), 2),
        ("Mean", (3,), 4),
        ("Mean", (5,), 6),
        ("Mul", (20, 4), 7),
        ("Sub", (2, 7), 8),
        ("RealDiv", (6, 21), 10),
        ("AddV2", (8, 10), 9),
    ]
    found = taken_apart(9, operations, {20: 10.0, 21: 4.0})
    assert [(part.value, part.weight) for part in found] == [(2, 1.0), (4, -10.0), (6, 0.25)]
    assert found[1].weighted == 7
    assert found[2].weighted == 10


def test_a_weight_in_front_of_a_sum_is_that_of_each_term() -> None:
    operations = [
        ("Mean", (1,), 2),
        ("Mean", (3,), 4),
        ("AddN", (2, 4), 5),
        ("Neg", (5,), 6),
        ("Identity", (6,), 7),
        ("Mul", (7, 20), 8),
    ]
    found = taken_apart(8, operations, {20: 0.5})
    assert [(part.value, part.weight) for part in found] == [(2, -0.5), (4, -0.5)]


def test_constants_are_no_terms() -> None:
    assert [part.value for part in taken_apart(9, [("Mean", (1,), 2), ("AddV2", (2, 20), 9)], {20: 3.0})] == [2]


def test_a_product_of_two_computed_values_is_one_term() -> None:
    operations = [("Mean", (1,), 2), ("Mean", (3,), 4), ("Mul", (2, 4), 9)]
    assert taken_apart(9, operations, {}) == [Part(9, 9, 1.0)]
