"""The ways a function can be run, and whether it is traced again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def arrays(result: Any) -> list[np.ndarray]:
    """Every tensor of a result, dense."""
    flat = tf.nest.flatten(result, expand_composites=False)
    return [tf.convert_to_tensor(part).numpy() for part in flat if part is not None]


def in_every_mode(make: Callable[[], Callable[..., Any]], *arguments: Any, calls: int = 1) -> list[list[np.ndarray]]:
    """What the function gives in its last call: eager, as a tf.function and under XLA, each made anew."""
    results = []
    for wrap in (lambda f: f, tf.function, lambda f: tf.function(f, jit_compile=True)):
        function = wrap(make())
        for _ in range(calls):
            result = function(*arguments)
        results.append(arrays(result))
    return results


def assert_same_in_every_mode(
    make: Callable[[], Callable[..., Any]], *arguments: Any, calls: int = 1, **close: float
) -> None:
    """Fails where a mode differs from eager."""
    eager, graph, compiled = in_every_mode(make, *arguments, calls=calls)
    assert len(eager) == len(graph) == len(compiled) > 0
    for one, two, three in zip(eager, graph, compiled, strict=True):
        np.testing.assert_allclose(two, one, **{"rtol": 1e-5, "atol": 1e-6, **close})
        np.testing.assert_allclose(three, one, **{"rtol": 1e-5, "atol": 1e-6, **close})


def retraces(function: Callable[..., Any], *arguments: Any, calls: int = 3) -> int:
    """How often it is traced after its first call, in which it may make variables."""
    traced = tf.function(function)
    traced(*arguments)
    first = traced.experimental_get_tracing_count()
    for _ in range(calls - 1):
        traced(*arguments)
    return int(traced.experimental_get_tracing_count() - first)


def numeric_error(function: Callable[..., Any], *arguments: Any, delta: float = 1e-5) -> float:
    """Largest difference of the gradient from central finite differences, in float64."""
    theory, numeric = tf.test.compute_gradient(function, [tf.constant(a, tf.float64) for a in arguments], delta)
    return max(float(np.abs(a - b).max()) for a, b in zip(theory, numeric, strict=True))
