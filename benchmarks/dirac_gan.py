#!/usr/bin/env python3
"""The smallest GAN: which losses and penalties converge on it, and is that what was proved?

    python benchmarks/dirac_gan.py
    python benchmarks/dirac_gan.py --only wasserstein hinge --json rows.json --figure trajectories.png

The Dirac-GAN (Mescheder, Geiger, Nowozin 2018, *Which Training Methods for GANs do actually Converge?*, arXiv 1801.04406): all
data lie at 0, the generator puts its samples at θ, the discriminator is linear with slope ψ. The equilibrium is (0, 0). From
(θ, ψ) = (1, 1), 500 steps of gradient descent with step size 0.2 are taken with ganmedic's losses, penalties and clip in float64:
simultaneously, and in turn, the generator first, as in the authors' `simulate.py`.

The paper's discriminator is positive on generated samples, ganmedic's on real ones; so D(x) = -ψx here, and (θ, ψ) moves as
in the paper. D(0) = 0 whatever ψ is.

|λ| is the largest modulus of an eigenvalue of the Jacobian of one step at the equilibrium, by automatic differentiation; `unit` is
the unit circle. `away` is the distance √(θ² + ψ²) after the last step. With the largest distance of the last fifth of the steps and
that of the fifth before: where it has at least halved, the row converges; where it has doubled, or the distance grew in every
single step, it diverges; where the last step moved nothing, it stops; else it circles. The exit status is 0 if every row of
which the paper says something agrees with it: in both verdicts, in |λ| < 1, and in the eigenvalues of the field.
"""

from __future__ import annotations

import argparse
import cmath
import dataclasses
import importlib.util
import json
import math
import os
import pathlib
import statistics
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from ganmedic import clipping, losses, penalties

STEP_SIZE, STEPS, START = 0.2, 500, (1.0, 1.0)
UPDATES = SIMULTANEOUS, ALTERNATING = "simultaneous", "alternating"
CONVERGES, CIRCLES, STOPS, DIVERGES = "converges", "circles", "stops", "diverges"

#: Defaults of the authors' `notebooks/diracgan/gans.py` (GAN_stability, commit d9bd7a9): weight of gradient penalties and of
#: consensus, bound of the clip, WGAN-GP's weight and target, σ of the instance noise. Their pictures are drawn with others.
GAMMA, BOUND, GP_GAMMA, GP_TARGET, NOISE = 0.3, 0.3, 1.0, 0.3, 1.0

#: Equal to a modulus of 1, and to a closed form. Penalties hold their weight in float32: 0.3 is 0.3 + 1.2e-8 there.
ON_THE_CIRCLE, CLOSED_FORM = 1e-9, 1e-6
#: A field that differs by this much at both sides of ψ = 0, this far away, has no derivative there.
JUMP, ASIDE = 1e-2, 1e-4
#: A last step shorter than this moves nothing.
STILL = 1e-9

#: f'(0) and f''(0) for f(t) = -log(1 + e^-t) of the cross-entropy.
SLOPE, CURVATURE = 0.5, -0.25


@dataclass(frozen=True)
class Method:
    """A loss with what is added to it, and what the paper says of the two.

    Args:
        name: for the table.
        loss: arguments of `losses.get`.
        penalties: arguments of `penalties.get`, each.
        bound: of weight clipping.
        noise: σ of instance noise.
        converges: whether it converges locally, in the paper; None where the paper is silent.
        paper: where.
        eigenvalues: of the gradient field at the equilibrium, in closed form.
        note: what the numbers do not say.
    """

    name: str
    loss: tuple[str, dict[str, float]]
    penalties: tuple[tuple[str, dict[str, float]], ...] = ()
    bound: float | None = None
    noise: float = 0.0
    converges: bool | None = None
    paper: str = ""
    eigenvalues: tuple[complex, complex] | None = None
    note: str = ""


def pair(middle: float, slope: float = SLOPE) -> tuple[complex, complex]:
    """middle ± √(middle² - slope²): eigenvalues of a rotation by `slope` whose discriminator is damped by 2·`middle`."""
    root = cmath.sqrt(middle**2 - slope**2)
    return middle + root, middle - root


def damped(gamma: float) -> tuple[complex, complex]:
    """-γ/2 ± √(γ²/4 - f'(0)²): a zero-centred gradient penalty γ/2 ψ² on a cross-entropy loss."""
    return pair(-gamma / 2)


def gradient_penalty(name: str) -> tuple[str, dict[str, float]]:
    """γ/2 (|ψ| - k)²; the library's is λ/k² (|ψ| - k)²."""
    return name, {"weight": 0.5 * GP_GAMMA * GP_TARGET**2, "target": GP_TARGET}


MINIMAX, NON_SATURATING, WASSERSTEIN = ("minimax", {}), ("non_saturating", {}), ("wasserstein", {})
RELATIVISTIC, AVERAGE = ("relativistic", {}), ("relativistic_average", {})
R1, R2 = ("r1", {"weight": GAMMA}), ("r2", {"weight": GAMMA})
UNREGULARISED, REGULARISED, NUMERICS = "section 2", "section 3", "1705.10461"
KINK = "the penalty has a kink at ψ = 0 and pushes ψ away from it, so there is no Jacobian."
SAME = "on one sample, with D(0) = 0, it is the non-saturating game."
#: What the places say.
PAPER = {
    UNREGULARISED: "without a penalty the field has the eigenvalues ±f'(0)i. Simultaneously |λ| = √(1 + h² f'(0)²), and the distance of "
    "minimax grows with every step; in turn |λ| = 1 for small h. Neither converges.",
    REGULARISED: "WGAN and WGAN-GP with a fixed number of discriminator steps do not converge in general. Instance noise gives "
    "f''(0)σ² ± √(f''(0)²σ⁴ - f'(0)²), zero-centred gradient penalties -γ/2 ± √(γ²/4 - f'(0)²): both converge for small h.",
    NUMERICS: "*The Numerics of GANs*, section 4: consensus optimisation converges near an equilibrium for small h.",
}

METHODS = (
    Method("minimax", MINIMAX, converges=False, paper=UNREGULARISED, eigenvalues=damped(0.0)),
    Method(
        "non_saturating",
        NON_SATURATING,
        converges=False,
        paper=UNREGULARISED,
        eigenvalues=damped(0.0),
        note="beyond the Jacobian something draws inwards, the weaker the nearer: in turn it goes on creeping inwards, "
        "simultaneously it meets the growth of the step at a distance of about √(2h) = 0.63.",
    ),
    Method("wasserstein", WASSERSTEIN, converges=False, paper=REGULARISED, eigenvalues=pair(0.0, 1.0)),
    Method(
        "wasserstein + clip",
        WASSERSTEIN,
        bound=BOUND,
        converges=False,
        paper=REGULARISED,
        eigenvalues=pair(0.0, 1.0),
        note="the clip does not act at the equilibrium.",
    ),
    Method(
        "wasserstein + gradient_penalty",
        WASSERSTEIN,
        (gradient_penalty("gradient_penalty"),),
        converges=False,
        paper=REGULARISED,
        note=KINK,
    ),
    Method(
        "wasserstein + one_sided_gradient_penalty",
        WASSERSTEIN,
        (gradient_penalty("one_sided_gradient_penalty"),),
        eigenvalues=pair(0.0, 1.0),
        note="the penalty does not act at the equilibrium.",
    ),
    Method(
        "minimax + instance noise",
        MINIMAX,
        noise=NOISE,
        converges=True,
        paper=REGULARISED,
        eigenvalues=pair(CURVATURE * NOISE**2),
        note="the expectation over the noise is the mean over 1000 normal quantiles.",
    ),
    Method("minimax + r1", MINIMAX, (R1,), converges=True, paper=REGULARISED, eigenvalues=damped(GAMMA)),
    Method(
        "minimax + r1, critical",
        MINIMAX,
        (("r1", {"weight": 1.0}),),
        converges=True,
        paper=REGULARISED,
        eigenvalues=damped(1.0),
        note="γ = 1 = 2 f'(0).",
    ),
    Method("minimax + r2", MINIMAX, (R2,), converges=True, paper=REGULARISED, eigenvalues=damped(GAMMA)),
    Method(
        "minimax + r1 + r2",
        MINIMAX,
        (R1, R2),
        converges=True,
        paper=REGULARISED,
        eigenvalues=damped(2 * GAMMA),
        note="∇D is the same everywhere, so γ is the sum.",
    ),
    Method(
        "non_saturating + r1",
        NON_SATURATING,
        (R1,),
        converges=True,
        paper=REGULARISED,
        eigenvalues=damped(GAMMA),
    ),
    Method(
        "non_saturating + r2",
        NON_SATURATING,
        (R2,),
        converges=True,
        paper=REGULARISED,
        eigenvalues=damped(GAMMA),
    ),
    Method(
        "minimax + consensus",
        MINIMAX,
        (("consensus", {"weight": GAMMA}),),
        converges=True,
        paper=NUMERICS,
        eigenvalues=(complex(-GAMMA * SLOPE**2, SLOPE), complex(-GAMMA * SLOPE**2, -SLOPE)),
    ),
    Method(
        "minimax + roth",
        MINIMAX,
        (("roth", {"weight": GAMMA}),),
        converges=True,
        paper=REGULARISED,
        eigenvalues=damped(GAMMA / 2),
        note="σ(0)² = ¼ on real and on generated samples: R1 with γ/2 at the equilibrium.",
    ),
    Method(
        "minimax + dragan",
        MINIMAX,
        (("dragan", {"weight": 0.5 * GP_GAMMA, "target": GP_TARGET}),),
        note=KINK,
    ),
    Method(
        "non_saturating + lecam",
        NON_SATURATING,
        (("lecam", {"weight": GAMMA, "start": 0}),),
        eigenvalues=damped(0.0),
        note="real samples score 0, so it is γ relu(-D(θ))², which has no part in the Jacobian.",
    ),
    Method(
        "least_squares (0, 1, 1)",
        ("least_squares", {}),
        eigenvalues=(0j, 0j),
        note="a D with D(0) = 0 is never at the boundary ½: every (θ, 0) is an equilibrium, and the start decides which is met.",
    ),
    Method(
        "least_squares (-1, 1, 1)",
        ("least_squares", {"fake_target": -1.0, "real_target": 1.0, "generator_target": 1.0}),
        eigenvalues=pair(0.0, 1.0),
        note="the boundary is 0.",
    ),
    Method("hinge", ("hinge", {}), eigenvalues=pair(0.0, 1.0), note="the Wasserstein game up to |D| = 1."),
    Method("relativistic", RELATIVISTIC, eigenvalues=damped(0.0), note=SAME),
    Method("relativistic + r1", RELATIVISTIC, (R1,), eigenvalues=damped(GAMMA)),
    Method("relativistic + r1 + r2", RELATIVISTIC, (R1, R2), eigenvalues=damped(2 * GAMMA)),
    Method("relativistic_average", AVERAGE, eigenvalues=damped(0.0), note=SAME),
    Method("relativistic_average + r1", AVERAGE, (R1,), eigenvalues=damped(GAMMA)),
    Method(
        "relativistic_average_least_squares", ("relativistic_average_least_squares", {}), eigenvalues=pair(0.0, 2.0)
    ),
    Method(
        "relativistic_average_least_squares + r1",
        ("relativistic_average_least_squares", {}),
        (R1,),
        eigenvalues=pair(-GAMMA / 2, 2.0),
    ),
    Method("relativistic_average_hinge", ("relativistic_average_hinge", {}), eigenvalues=pair(0.0, 1.0)),
    Method(
        "relativistic_average_hinge + r1",
        ("relativistic_average_hinge", {}),
        (R1,),
        eigenvalues=pair(-GAMMA / 2, 1.0),
    ),
)


# --- the game ---------------------------------------------------------------------------------------------------------


class Generator(tf.Module):
    """G(z) = θ + z; z is 0, or the instance noise."""

    def __init__(self, theta: float) -> None:
        super().__init__()
        self.theta = tf.Variable(theta, dtype=tf.float64)

    def __call__(self, latents: Any) -> Any:
        return self.theta + latents


class Discriminator(tf.Module):
    """D(x) = -ψ x."""

    def __init__(self, psi: float) -> None:
        super().__init__()
        self.psi = tf.Variable(psi, dtype=tf.float64)

    def __call__(self, samples: Any) -> Any:
        return -self.psi * samples


class DiracGan:
    """The game of one method, at a point (θ, ψ)."""

    def __init__(self, method: Method, point: Sequence[float] = START) -> None:
        self.generator, self.discriminator = Generator(point[0]), Discriminator(point[1])
        self.theta, self.psi = self.generator.theta, self.discriminator.psi
        self.loss = losses.get(method.loss[0], **method.loss[1])
        self.penalties = [penalties.get(name, **arguments) for name, arguments in method.penalties]
        self.clip = None if method.bound is None else clipping.get("weights", bound=method.bound)
        #: Real samples, and what is added to θ.
        self.real = tf.constant(normal_quantiles(1000, method.noise) if method.noise else [[0.0]], tf.float64)
        if self.clip is not None:
            self.clip.after_update([self.psi])

    def field(self) -> tuple[Any, Any]:
        """v = (-∂L_G/∂θ, -∂L_D/∂ψ), two scalars."""
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(self.real)
            real_scores, fake_scores = self.discriminator(self.real), self.discriminator(fake)
            d_loss = self.loss.discriminator(real_scores, fake_scores)
            g_loss = self.loss.generator(real_scores, fake_scores)
            for penalty in self.penalties:
                value = penalty(
                    self.discriminator,
                    self.real,
                    fake,
                    generator=self.generator,
                    latents=self.real,
                    loss=self.loss,
                )
                d_loss += value
                if penalty.player == "both":
                    g_loss += value
        by_theta = tape.gradient(g_loss, self.theta, unconnected_gradients="zero")
        by_psi = tape.gradient(d_loss, self.psi, unconnected_gradients="zero")
        return -by_theta, -by_psi

    def step(self, update: str) -> None:
        """Moves both players once."""
        towards_theta, towards_psi = self.field()
        self.theta.assign_add(STEP_SIZE * towards_theta)
        if update == ALTERNATING:
            towards_psi = self.field()[1]
        if self.clip is not None:
            (towards_psi,) = self.clip([towards_psi], [self.psi])
        self.psi.assign_add(STEP_SIZE * towards_psi)
        if self.clip is not None:
            self.clip.after_update([self.psi])


def normal_quantiles(count: int, sigma: float) -> np.ndarray:
    """`count` equally likely numbers with the mean 0 and the standard deviation of N(0, σ²), (count, 1)."""
    normal = statistics.NormalDist()
    values = np.array([normal.inv_cdf((place + 0.5) / count) for place in range(count)])
    return (sigma * values / values.std())[:, None]


def trajectory(method: Method, update: str, steps: int = STEPS) -> np.ndarray:
    """(θ, ψ) before the first and after each step, (steps + 1, 2)."""
    game = DiracGan(method)

    @tf.function
    def run() -> Any:
        points = tf.TensorArray(tf.float64, size=steps + 1, element_shape=(2,))
        points = points.write(0, tf.stack([game.theta.read_value(), game.psi.read_value()]))
        for place in tf.range(steps):
            game.step(update)
            points = points.write(place + 1, tf.stack([game.theta.read_value(), game.psi.read_value()]))
        return points.stack()

    return run().numpy()


# --- the Jacobian -----------------------------------------------------------------------------------------------------


def field_jacobian(method: Method, point: Sequence[float] = (0.0, 0.0)) -> np.ndarray:
    """Derivative of v = (v_θ, v_ψ) by (θ, ψ), (2, 2)."""
    game = DiracGan(method, point)
    with tf.GradientTape(persistent=True) as tape:
        field = game.field()
    rows = [tape.gradient(each, [game.theta, game.psi], unconnected_gradients="zero") for each in field]
    return np.array(rows, np.float64)


def step_jacobian(field: np.ndarray, update: str, step_size: float = STEP_SIZE) -> np.ndarray:
    """Derivative of one step at a point where the field is zero, from that of the field, (2, 2).

    The step of each player changes its own coordinate. In turn they are multiplied: the second starts where the first ended,
    which is the same point.
    """
    generator, discriminator = np.diag([1.0, 0.0]) @ field, np.diag([0.0, 1.0]) @ field
    if update == SIMULTANEOUS:
        return np.eye(2) + step_size * (generator + discriminator)
    return (np.eye(2) + step_size * discriminator) @ (np.eye(2) + step_size * generator)


def has_kink(method: Method) -> bool:
    """Whether the field jumps between both sides of ψ = 0."""
    sides = [np.array(DiracGan(method, (0.0, psi)).field()) for psi in (-ASIDE, ASIDE)]
    return bool(np.abs(sides[1] - sides[0]).max() > JUMP)


# --- judging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Course:
    """One method under one kind of update.

    Args:
        modulus: |λ|; None where there is no Jacobian.
        distance: after the last step.
        verdict: of the points passed.
    """

    modulus: float | None
    distance: float
    verdict: str

    @property
    def consistent(self) -> bool:
        """Whether the steps taken converge where |λ| < 1, and only there."""
        return self.modulus is None or (self.modulus < 1 - ON_THE_CIRCLE) == (self.verdict == CONVERGES)


@dataclass(frozen=True)
class Row:
    """What was found for one method.

    Args:
        method: the method.
        courses: of each kind of update.
        eigenvalues: of the field at the equilibrium; None where it has no Jacobian there.
    """

    method: Method
    courses: dict[str, Course]
    eigenvalues: tuple[complex, ...] | None

    @property
    def off(self) -> float | None:
        """How far the eigenvalues are from their closed form; None where there is none."""
        if self.eigenvalues is None or self.method.eigenvalues is None:
            return None
        first, second = self.eigenvalues
        expected = self.method.eigenvalues
        return min(max(abs(first - one), abs(second - other)) for one, other in (expected, expected[::-1]))

    @property
    def agrees(self) -> bool | None:
        """Whether it is as the paper says; None where the paper is silent."""
        if self.method.converges is None:
            return None
        in_steps = all((course.verdict == CONVERGES) == self.method.converges for course in self.courses.values())
        consistent = all(course.consistent for course in self.courses.values())
        return in_steps and consistent and self.rotates and (self.off or 0.0) < CLOSED_FORM

    @property
    def rotates(self) -> bool:
        """Whether |λ| is √(1 + h²c²) simultaneously and 1 in turn, if the field's eigenvalues are to be ±ci."""
        expected = self.method.eigenvalues
        if expected is None or any(each.real for each in expected) or not any(expected):
            return True
        moduli = {SIMULTANEOUS: abs(1 + STEP_SIZE * expected[0]), ALTERNATING: 1.0}
        return all(abs(course.modulus - moduli[update]) < ON_THE_CIRCLE for update, course in self.courses.items())


def distances(points: np.ndarray) -> np.ndarray:
    """√(θ² + ψ²) of each point."""
    return np.hypot(points[:, 0], points[:, 1])


def verdict(points: np.ndarray) -> str:
    """Where a trajectory (steps + 1, 2) leads, in a word."""
    away = distances(points)
    if not np.isfinite(away).all() or (np.diff(away) > 0).all():
        return DIVERGES
    fifth = len(away) // 5
    before, last = away[-2 * fifth : -fifth].max(), away[-fifth:].max()
    if last <= before / 2:
        return CONVERGES
    if last >= 2 * before:
        return DIVERGES
    return STOPS if np.hypot(*(points[-1] - points[-2])) < STILL else CIRCLES


def examine(method: Method) -> tuple[Row, dict[str, np.ndarray]]:
    """The row of a method, and its trajectories."""
    jacobian = None if has_kink(method) else field_jacobian(method)
    courses, paths = {}, {}
    for update in UPDATES:
        modulus = None
        if jacobian is not None:
            modulus = float(np.abs(np.linalg.eigvals(step_jacobian(jacobian, update))).max())
        points = paths[update] = trajectory(method, update)
        courses[update] = Course(modulus, float(distances(points)[-1]), verdict(points))
    eigenvalues = None if jacobian is None else tuple(complex(each) for each in np.linalg.eigvals(jacobian))
    return Row(method, courses, eigenvalues), paths


# --- showing ----------------------------------------------------------------------------------------------------------


def line_of(row: Row) -> str:
    """The row of the table."""
    cells = [f"{row.method.name:40}"]
    for course in row.courses.values():
        modulus = "kink" if course.modulus is None else f"{course.modulus:.4f}"
        if course.modulus is not None and abs(course.modulus - 1) < ON_THE_CIRCLE:
            modulus = "unit"
        cells.append(f"{modulus:>6} {course.distance:7.1e} {course.verdict:9}")
    if row.agrees is not None:
        cells.append(
            f"{'yes' if row.method.converges else 'no':3} {row.method.paper:10} {'ok' if row.agrees else 'FAIL'}"
        )
    return " ".join(cells).rstrip()


def in_words(number: complex) -> str:
    """A complex number in few places."""
    return f"{round(number.real, 4) + 0.0:.4f}{round(number.imag, 4) + 0.0:+.4f}i"


def closed_forms(rows: Sequence[Row]) -> list[str]:
    """Eigenvalues of the gradient field beside their closed form."""
    lines = [f"{'eigenvalues of the field at (0, 0)':40} {'by differentiation':33} {'closed form':33} off by"]
    for row in rows:
        if row.off is None:
            continue
        found, expected = (
            ", ".join(in_words(each) for each in sorted(numbers, key=lambda each: (round(each.imag, 6), each.real)))
            for numbers in (row.eigenvalues, row.method.eigenvalues)
        )
        lines.append(f"{row.method.name:40} {found:33} {expected:33} {row.off:.0e}")
    return lines


def as_data(row: Row) -> dict[str, Any]:
    """The row for JSON; a complex number is [real part, imaginary part]."""

    def plain(numbers: Sequence[complex] | None) -> list[list[float]] | None:
        return None if numbers is None else [[each.real, each.imag] for each in numbers]

    return {
        **dataclasses.asdict(row.method),
        "eigenvalues": plain(row.eigenvalues),
        "closed_form": plain(row.method.eigenvalues),
        "closed_form_off": row.off,
        "courses": {update: dataclasses.asdict(course) for update, course in row.courses.items()},
        "agrees": row.agrees,
    }


def draw(paths: dict[str, dict[str, np.ndarray]], file: pathlib.Path) -> None:
    """The trajectories of all rows, one picture each."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = min(5, len(paths))
    lines = math.ceil(len(paths) / columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(3 * columns, 3 * lines), squeeze=False)
    for axis in axes.flat[len(paths) :]:
        axis.axis("off")
    for axis, (name, courses) in zip(axes.flat, paths.items(), strict=False):
        for (update, points), colour in zip(courses.items(), ("tab:red", "tab:blue"), strict=True):
            axis.plot(points[:, 0], points[:, 1], ".-", color=colour, linewidth=0.4, markersize=1.5, label=update)
        axis.plot(0, 0, "k+")
        axis.set_title(name, fontsize=7)
        axis.set_xlim(-3, 3)
        axis.set_ylim(-3, 3)
        axis.tick_params(labelsize=6)
    axes[0, 0].set(xlabel="θ", ylabel="ψ")
    axes[0, 0].legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="rows whose names are or begin with these")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes the rows there, too")
    parser.add_argument(
        "--figure", type=pathlib.Path, metavar="FILE.png", help="draws the trajectories, with matplotlib"
    )
    args = parser.parse_args()
    tf.get_logger().setLevel("ERROR")  # each row is a graph of its own, and TensorFlow would warn of that
    began = time.monotonic()
    methods = [each for each in METHODS if not args.only or each.name.startswith(tuple(args.only))]
    print(f"h = {STEP_SIZE}, {STEPS} steps from {START}; γ = {GAMMA}, clip {BOUND}, k = {GP_TARGET}, σ = {NOISE}\n")
    print(f"{'':40} {SIMULTANEOUS:24} {ALTERNATING:24} does it converge?")
    print(f"{'method':40} {'|λ|':>6} {'away':7} {'verdict':9} {'|λ|':>6} {'away':7} {'verdict':9} paper")
    rows, paths = [], {}
    for method in methods:
        row, paths[method.name] = examine(method)
        rows.append(row)
        print(line_of(row), flush=True)
    print("", *closed_forms(rows), "", sep="\n")
    notes = [f"{row.method.name}: {row.method.note}" for row in rows if row.method.note]
    said = [f"{place}: {PAPER[place]}" for place in PAPER if any(row.method.paper == place for row in rows)]
    for text in [*notes, *said]:
        print(textwrap.fill(text, 110, subsequent_indent="    "))
    courses = [course for row in rows for course in row.courses.values() if course.modulus is not None]
    told = [row for row in rows if row.agrees is not None]
    wrong = [row.method.name for row in told if not row.agrees]
    print(
        f"\n{sum(each.consistent for each in courses)} of {len(courses)} trajectories converge if |λ| < 1, and only if"
    )
    print(
        f"{len(told) - len(wrong)} of {len(told)} rows agree with the paper{': not ' if wrong else ''}{', '.join(wrong)}"
    )
    if args.json:
        args.json.write_text(json.dumps([as_data(row) for row in rows], indent=1, ensure_ascii=False) + "\n", "utf-8")
    if args.figure and importlib.util.find_spec("matplotlib") is None:
        print(f"{args.figure} was not drawn: matplotlib is not installed.")
    elif args.figure:
        draw(paths, args.figure)
    print(f"{len(rows)} rows, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
