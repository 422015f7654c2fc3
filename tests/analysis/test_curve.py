"""A loss is told by how it answers to a score, whatever it is called."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ganmedic.analysis.curve import Curve
from ganmedic.record.schema import Profile

#: The scores that the capture sets.
GRID = (
    -50.0,
    -20.0,
    -10.0,
    -5.0,
    -2.0,
    -1.0,
    -0.5,
    -0.1,
    0.0,
    0.1,
    0.3,
    0.5,
    0.7,
    0.9,
    1.1,
    1.5,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
)


def sigmoid(t: float) -> float:
    return float(1.0 / (1.0 + np.exp(-t)))


def softplus(t: float) -> float:
    return float(np.logaddexp(0.0, t))


def clipped(t: float) -> float:
    return float(np.clip(t, 1e-7, 1 - 1e-7))


#: Loss and derivative of one entry.
LOSSES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "non-saturating": (lambda t: softplus(-t), lambda t: -sigmoid(-t)),
    "zero-sum": (lambda t: -softplus(t), lambda t: -sigmoid(t)),
    "fake side": (softplus, sigmoid),
    "least squares": (lambda t: (t - 1) ** 2, lambda t: 2 * (t - 1)),
    "Wasserstein": (lambda t: -t, lambda t: -1.0),
    "hinge": (lambda t: max(0.0, 1 - t), lambda t: -1.0 if t < 1 else 0.0),
    "sigmoid twice": (
        lambda t: softplus(-sigmoid(t)),
        lambda t: -sigmoid(-sigmoid(t)) * sigmoid(t) * sigmoid(-t),
    ),
    "sigmoid under squares": (
        lambda t: (sigmoid(t) - 1) ** 2,
        lambda t: 2 * (sigmoid(t) - 1) * sigmoid(t) * sigmoid(-t),
    ),
    "raw scores as probabilities": (
        lambda t: -np.log(clipped(t)),
        lambda t: -1 / t if 1e-7 < t < 1 - 1e-7 else 0.0,
    ),
    "raw scores in a bare logarithm": (
        lambda t: -np.log(t) if t > 0 else float("nan"),
        lambda t: -1 / t if 0 < t < 1 else float("nan"),
    ),
    "a rectifier before the loss": (
        lambda t: softplus(-max(t, 0.0)),
        lambda t: -sigmoid(-t) if t > 0 else 0.0,
    ),
    "nothing": (lambda t: 0.0, lambda t: 0.0),
}


def curve(name: str) -> Curve:
    loss, slope = LOSSES[name]
    slopes = tuple(slope(t) for t in GRID)
    return Curve.of(Profile(1, 2, 3, 4, grid=GRID, loss=tuple(loss(t) for t in GRID), low=slopes, high=slopes))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("non-saturating", set()),
        ("zero-sum", {"gives_up"}),
        ("fake side", set()),
        ("least squares", set()),
        ("Wasserstein", {"straight"}),
        ("hinge", set()),
        ("sigmoid twice", {"bounded"}),
        ("sigmoid under squares", {"bounded"}),
        ("raw scores as probabilities", {"clipped", "dead_below_zero"}),
        ("raw scores in a bare logarithm", {"clipped"}),
        ("a rectifier before the loss", {"bounded", "dead_below_zero"}),
        ("nothing", {"silent"}),
    ],
)
def test_kinds_of_losses_are_told_apart(name: str, told: set[str]) -> None:
    found = curve(name)
    properties = ("gives_up", "straight", "bounded", "clipped", "dead_below_zero", "silent")
    assert {one for one in properties if getattr(found, one)} == told


@pytest.mark.parametrize(("name", "wants"), [("non-saturating", 1), ("fake side", -1), ("zero-sum", 1), ("nothing", 0)])
def test_what_a_loss_asks_of_the_score(name: str, wants: int) -> None:
    assert curve(name).wants == wants


def test_labels_of_both_kinds_in_one_batch_want_both() -> None:
    up, down = (curve(name) for name in ("non-saturating", "fake side"))
    both = Curve(up.grid, up.loss + down.loss, np.minimum(up.low, down.low), np.maximum(up.high, down.high))
    assert both.wants == 0
    assert not both.straight


def test_steepness_is_a_share_of_the_steepest() -> None:
    found = curve("least squares")
    assert found.top == pytest.approx(102.0)
    assert found.at(-50) == pytest.approx(1.0)
    assert found.at(0) == pytest.approx(2 / 102)


def test_a_loss_that_is_not_finite_everywhere_says_so() -> None:
    assert not curve("raw scores in a bare logarithm").loss_is_finite
    assert curve("hinge").loss_is_finite
