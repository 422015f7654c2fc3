"""The Dirac-GAN of `benchmarks/dirac_gan.py`: ganmedic's losses and penalties against what is known of it in closed form."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

FILE = Path(__file__).parent.parent / "benchmarks" / "dirac_gan.py"
H, SLOPE = 0.2, 0.5


@pytest.fixture(scope="module")
def dirac() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dirac_gan", FILE)
    module = sys.modules["dirac_gan"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["dirac_gan"]


def method(dirac: ModuleType, name: str):
    return next(each for each in dirac.METHODS if each.name == name)


def moduli(jacobian: np.ndarray) -> np.ndarray:
    return np.abs(np.linalg.eigvals(jacobian))


@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "relativistic"])
@pytest.mark.parametrize("gamma", [0.25, 1.0, 2.0])
def test_r1_has_the_eigenvalues_of_the_paper(dirac, loss, gamma):
    """-γ/2 ± √(γ²/4 - f'(0)²): complex below γ = 1, double there, real above."""
    row = dirac.Method("", (loss, {}), (("r1", {"weight": gamma}),))
    root = np.sqrt(complex(gamma**2 / 4 - SLOPE**2))
    found = np.sort_complex(np.linalg.eigvals(dirac.field_jacobian(row)))
    np.testing.assert_allclose(found, np.sort_complex([-gamma / 2 + root, -gamma / 2 - root]), atol=1e-7)


def test_minimax_leaves_simultaneously_and_rotates_in_turn(dirac):
    field = dirac.field_jacobian(method(dirac, "minimax"))
    np.testing.assert_allclose(field, [[0, -SLOPE], [SLOPE, 0]], atol=1e-15)
    together = dirac.step_jacobian(field, dirac.SIMULTANEOUS)
    np.testing.assert_allclose(moduli(together), np.sqrt(1 + H**2 * SLOPE**2), rtol=1e-12)
    in_turn = dirac.step_jacobian(field, dirac.ALTERNATING)
    np.testing.assert_allclose(moduli(in_turn), 1, rtol=1e-12)
    # Both eigenvalues are cos φ ± i sin φ with cos φ = 1 - (h f'(0))²/2.
    assert np.trace(in_turn) == pytest.approx(2 - (H * SLOPE) ** 2, rel=1e-12)


@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
@pytest.mark.parametrize("name", ["minimax + r1", "minimax + consensus", "minimax + instance noise", "hinge"])
def test_the_jacobian_is_that_of_the_steps_taken(dirac, name, update):
    """Central differences of one real step, of an update that is not symmetric in the players."""
    row = method(dirac, name)
    columns = []
    for direction in np.eye(2):
        ends = []
        for sign in (1, -1):
            game = dirac.DiracGan(row, sign * 1e-5 * direction)
            game.step(update)
            ends.append([float(game.theta), float(game.psi)])
        columns.append((np.array(ends[0]) - ends[1]) / 2e-5)
    expected = dirac.step_jacobian(dirac.field_jacobian(row), update)
    np.testing.assert_allclose(np.transpose(columns), expected, atol=1e-8)


def fields(theta: float, psi: float) -> dict[str, tuple[float, float]]:
    """The authors' gradient fields, written out; f(t) = -log(1 + e^-t)."""
    first = 1 / (1 + np.exp(theta * psi))
    second = -first * (1 - first)
    shared = 0.3 * (psi**2 + theta**2) * first * second
    return {
        "minimax": (-psi * first, theta * first),
        "non_saturating": (-psi * (1 - first), theta * first),
        "wasserstein": (-psi, theta),
        "wasserstein + gradient_penalty": (-psi, theta - (abs(psi) - 0.3) * np.sign(psi)),
        "minimax + r1": (-psi * first, theta * first - 0.3 * psi),
        "non_saturating + r2": (-psi * (1 - first), theta * first - 0.3 * psi),
        "minimax + consensus": (
            -psi * first - 0.3 * theta * first**2 - psi * shared,
            theta * first - 0.3 * psi * first**2 - theta * shared,
        ),
    }


@pytest.mark.parametrize("point", [(1.0, 1.0), (-0.7, 0.4), (0.2, -1.3)])
def test_the_field_is_that_of_the_authors(dirac, point):
    for name, expected in fields(*point).items():
        found = [float(each) for each in dirac.DiracGan(method(dirac, name), point).field()]
        np.testing.assert_allclose(found, expected, atol=1e-7, err_msg=name)


def test_r1_converges_where_the_plain_game_does_not(dirac):
    damped = dirac.trajectory(method(dirac, "minimax + r1"), dirac.SIMULTANEOUS)
    plain = dirac.trajectory(method(dirac, "minimax"), dirac.SIMULTANEOUS)
    assert dirac.verdict(damped) == dirac.CONVERGES
    assert dirac.distances(damped)[-1] < 1e-5
    assert dirac.verdict(plain) == dirac.DIVERGES
    assert dirac.distances(plain)[-1] > 2 * dirac.distances(plain)[0]


def test_a_penalty_with_a_kink_has_no_jacobian(dirac):
    names = (
        "wasserstein + gradient_penalty",
        "wasserstein + one_sided_gradient_penalty",
        "minimax + dragan",
        "minimax + r1",
        "hinge",
    )
    found = [name for name in names if dirac.has_kink(method(dirac, name))]
    assert found == ["wasserstein + gradient_penalty", "minimax + dragan"]


def test_the_weights_stay_within_the_clip(dirac):
    game = dirac.DiracGan(method(dirac, "wasserstein + clip"))
    assert float(game.psi) == pytest.approx(0.3)
    for _ in range(3):
        game.step(dirac.ALTERNATING)
    # θ falls by hψ each time; unclipped, ψ would rise by hθ.
    assert (float(game.theta), float(game.psi)) == pytest.approx((1 - 3 * H * 0.3, 0.3))


def test_verdicts(dirac):
    steps = np.arange(501)
    turning = np.stack([np.cos(0.1 * steps), np.sin(0.1 * steps)], axis=1)
    assert dirac.verdict(turning) == dirac.CIRCLES
    assert dirac.verdict(turning * 0.99 ** steps[:, None]) == dirac.CONVERGES
    assert dirac.verdict(turning * 1.0001 ** steps[:, None]) == dirac.DIVERGES
    assert dirac.verdict(turning * (steps[:, None] + 1.0) ** -0.5) == dirac.CIRCLES
    assert dirac.verdict(np.ones([501, 2])) == dirac.STOPS


def test_a_row_that_contradicts_the_paper_is_told(dirac):
    def agrees(name: str, eigenvalues: tuple[complex, ...], *courses: tuple[float, str]) -> bool:
        each = {
            update: dirac.Course(course[0], 1.0, course[1])
            for update, course in zip(dirac.UPDATES, courses, strict=True)
        }
        return dirac.Row(method(dirac, name), each, eigenvalues).agrees

    r1, plain = dirac.damped(0.3), dirac.damped(0.0)
    sound = (0.97, dirac.CONVERGES)
    assert agrees("minimax + r1", r1, sound, sound)
    assert not agrees("minimax + r1", dirac.damped(0.6), sound, sound)
    assert not agrees("minimax + r1", r1, sound, (1.01, dirac.CIRCLES))
    assert not agrees("minimax + r1", r1, (1.01, dirac.CONVERGES), sound)
    leaving = (np.sqrt(1 + H**2 * SLOPE**2), dirac.DIVERGES)
    assert agrees("minimax", plain, leaving, (1.0, dirac.CIRCLES))
    assert not agrees("minimax", plain, leaving, (1.001, dirac.CIRCLES))
    assert not agrees("minimax", plain, (1.02, dirac.DIVERGES), (1.0, dirac.CIRCLES))
