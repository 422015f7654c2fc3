"""A program comes to the same with ganmedic as without, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ganmedic.examination import Examination

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

from capture import guest_programs as programs  # noqa: E402


def compare(program: Callable[[], programs.Result]) -> tuple[programs.Result, Any]:
    """Runs a program without and with ganmedic; all that it came to has to be the same."""
    plain = program()
    with Examination() as examination:
        watched = program()
    diagnosis = examination.diagnosis()
    for part, expected in plain.items():
        assert watched[part] == expected, f"{part} differ"
    assert diagnosis.tool_errors == ()
    return watched, diagnosis


@pytest.mark.parametrize("way", programs.WAYS)
def test_training_comes_to_the_same(way: str) -> None:
    result, diagnosis = compare(programs.WAYS[way])

    if "weights" in result:
        assert diagnosis.steps > 0
        assert diagnosis.ended == "completed"


@pytest.mark.parametrize("gradients", programs.GRADIENTS)
def test_unusual_gradients_come_to_the_same(gradients: str) -> None:
    compare(programs.GRADIENTS[gradients])


def test_many_variables() -> None:
    # What grows with their number more than in proportion shows in benchmarks/many_variables.py.
    result, _ = compare(lambda: programs.many_variables(number=400, rounds=2))

    assert len(result["scales"]) == 400


def test_many_variables_in_a_function() -> None:
    result, _ = compare(lambda: programs.many_variables(number=400, rounds=2, traced=True))

    assert len(result["scales"]) == 400


def test_two_examinations_inside_one_another() -> None:
    plain = programs.eager_loop()
    with Examination() as outer, Examination() as inner:
        watched = programs.eager_loop()

    assert watched == plain
    assert (outer.diagnosis().tool_errors, inner.diagnosis().tool_errors) == ((), ())
    assert outer.diagnosis().steps == inner.diagnosis().steps == 7


def test_a_function_is_traced_once_for_each_kind_of_input() -> None:
    with Examination():
        result = programs.function_loop()

    # AutoGraph traces the body of the loop, and the nested function, once a trace.
    assert result["count"] == 2
    assert result["traced"] == ["step (8, 4)", "smooth", "step (5, 4)", "smooth"]


def test_a_function_that_was_traced_before_is_not_traced_again() -> None:
    variable, optimizer = tf.Variable([1.0, 2.0]), programs.keras.optimizers.SGD(0.1)
    optimizer.build([variable])

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(variable**2)
        optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])
        return loss

    step()
    with Examination() as examination:
        for _ in range(3):
            step()
    step()

    assert step.experimental_get_tracing_count() == 1
    assert examination.diagnosis().tool_errors == ()
