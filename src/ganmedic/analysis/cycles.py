"""Whether losses and samples go round in circles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganmedic.analysis.game import Game
from ganmedic.analysis.vitals import Player

Floats = NDArray[np.float64]

#: A cycle is one that came round so often, is so like itself a period later, and has kept this share of its swing.
_ROUNDS, _LIKE, _KEPT = 2.5, 0.8, 0.6
#: A swing of a loss below this share of its size is nothing to speak of.
_SWING = 0.1
#: Centres of generated samples that lie on both sides of the real ones by so many spreads.
_SIDES = 0.25


@dataclass(frozen=True)
class Cycle:
    """The cycle of a loss.

    Attributes:
        period: in steps; ``rounds``: how often it came round.
        strength: correlation of the loss with itself a period later.
        kept: swing of the second half over that of the first.
    """

    player: Player
    period: int
    rounds: float
    strength: float
    kept: float


def of_losses(game: Game) -> Cycle | None:
    """The strongest cycle in the losses, ``None`` where there is none that lasts."""
    found = [one for player in (*game.makers, *game.judges) if (one := _cycle(player)) is not None]
    return max(found, key=lambda one: one.strength, default=None)


def _cycle(player: Player) -> Cycle | None:
    steps = np.array(player.series.steps)
    losses = player.losses()
    if len(losses) < 60 or not np.isfinite(losses).all():
        return None
    # Rows lie a step apart at the beginning and at the end; of a long run the end is looked at.
    together = np.flatnonzero(np.diff(steps) > 1)
    losses = losses[together[-1] + 1 :] if together.size else losses
    if len(losses) < 60:
        return None
    tail = losses[len(losses) // 5 :]
    smooth = np.convolve(tail, np.ones(3) / 3, mode="valid")
    trend = np.polyval(np.polyfit(np.arange(len(smooth)), smooth, 1), np.arange(len(smooth)))
    swing = smooth - trend
    size = float(np.square(swing).sum())
    if not size > 0 or swing.std() < _SWING * max(1e-6, float(np.abs(smooth).mean())):
        return None
    lags = np.arange(1, len(swing) // 2)
    like = np.array([np.corrcoef(swing[:-lag], swing[lag:])[0, 1] for lag in lags])
    below = np.flatnonzero(like < 0)
    if not below.size:
        return None
    begin = int(below[0])
    if like[begin:].max() <= 0:
        return None
    # Every multiple of a period fits as well: the first peak that is nearly the highest is taken.
    high = np.flatnonzero(like[begin:] >= 0.9 * like[begin:].max()) + begin
    ends = np.flatnonzero(np.diff(high) > max(1, begin))
    first = high[: ends[0] + 1] if ends.size else high
    lag = int(first[like[first].argmax()])
    period, strength = int(lags[lag]), float(like[lag])
    half = len(swing) // 2
    kept = float(swing[half:].std() / max(1e-12, swing[:half].std()))
    rounds = len(tail) / period
    good = rounds >= _ROUNDS and strength >= _LIKE and kept >= _KEPT and period >= 4
    return Cycle(player, period, rounds, strength, kept) if good else None


def of_centres(game: Game) -> list[tuple[int, float]] | None:
    """Where the centre of the generated samples lay against the real ones, look by look, if it was on both sides.

    Returns:
        Step and distance of the centres along the axis on which they moved most, in spreads of the real samples.
    """
    fakes = [one for one in game.trials if one.fake and len(one.samples) >= 8]
    reals = [one for one in game.trials if not one.fake and len(one.samples) >= 8]
    fakes = [one for one in fakes if np.isfinite(one.samples).all()]
    # Networks that grow, and several at once, have samples of several forms.
    form = fakes[-1].samples.shape[1:] if fakes else ()
    fakes = [one for one in fakes if one.samples.shape[1:] == form]
    reals = [one for one in reals if np.isfinite(one.samples).all() and one.samples.shape[1:] == form]
    if len(fakes) < 5 or not reals or fakes[0].samples.shape[1:] != reals[0].samples.shape[1:]:
        return None
    real = np.concatenate([one.samples.reshape(len(one.samples), -1) for one in reals]).astype(np.float64)
    centres = np.stack([one.samples.reshape(len(one.samples), -1).mean(axis=0) for one in fakes]) - real.mean(axis=0)
    axis = np.linalg.svd(centres - centres.mean(axis=0), full_matrices=False)[2][0]
    along = centres @ axis / max(1e-12, float((real @ axis).std()))
    late = along[len(along) // 3 :]
    both = late.max() > _SIDES and late.min() < -_SIDES
    turned = int((np.diff(np.sign(along)) != 0).sum())
    if not both or turned < 2:
        return None
    return [(one.step, float(value)) for one, value in zip(fakes, along, strict=True)]
