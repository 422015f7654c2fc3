"""The course of a run in a few figures: losses and gradients of each network, the scores, how different the samples are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganmedic.analysis.game import Game, separation
from ganmedic.analysis.samples import spread
from ganmedic.analysis.vitals import Player
from ganmedic.finding import Course, Judgement

#: So many points of a curve are handed on.
_POINTS = 60
#: Updates of the generator that it takes to judge whether samples collapse, losses cycle or a small set is learnt by heart.
ENOUGH = 150


def courses(game: Game) -> tuple[Course, ...]:
    """One row a player, generators first."""
    order = {"generator": 0, "encoder": 1, "discriminator": 2}
    players = sorted(game.vitals.players, key=lambda one: (order.get(one.net.role, 3), one.series.id))
    return tuple(_course(one) for one in players)


def _course(player: Player) -> Course:
    losses, norms = player.losses(), player.norms()
    moved = player.movement()
    last = moved[len(moved) // 2 :]
    layers = player.series.of("norm").astype(np.float64)
    typical = np.median(layers, axis=0) if len(layers) else np.zeros(0)
    return Course(
        network=player.net.name,
        role=player.net.role,
        steps=player.series.seen,
        losses=_thinned(losses),
        gradients=_thinned(norms),
        layers=tuple(map(float, typical)),
        movement=float(np.nanmedian(last)) if last.size and np.isfinite(last).any() else float("nan"),
    )


def judgements(game: Game) -> tuple[Judgement, ...]:
    """What discriminators said of real and generated samples, look by look."""
    found = []
    for real, fake in game.pairs():
        same = real.samples.shape[1:] == fake.samples.shape[1:] and len(real.samples) > 1 and len(fake.samples) > 1
        own = spread(real.samples) if same else 0.0
        found.append(
            Judgement(
                step=real.step,
                real=float(real.scores.mean()),
                fake=float(fake.scores.mean()),
                separation=separation(real.scores, fake.scores),
                diversity=spread(fake.samples) / own if own > 0 else float("nan"),
            )
        )
    return tuple(found)


def too_short(game: Game) -> str:
    """Says so where a run had too few updates to judge what takes time; empty where it had enough, or trains no GAN."""
    if not game.makers or not game.judges or not game.record.complete:
        return ""
    updates = game.updates("generator")
    if updates >= ENOUGH:
        return ""
    return (
        f"collapse, cycles and overfitting take time to show: the generator had {updates} updates, {ENOUGH} are needed to "
        "judge them"
    )


def _thinned(values: NDArray[np.float64]) -> tuple[float, ...]:
    if len(values) > _POINTS:
        values = values[np.linspace(0, len(values) - 1, _POINTS).round().astype(int)]
    return tuple(map(float, values))
