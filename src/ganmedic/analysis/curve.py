"""What kind of loss it is, told from how it answers to a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganmedic.record.schema import Profile

Floats = NDArray[np.float64]

#: A derivative below this share of the steepest one counts as vanished.
VANISHED = 1e-3
#: Derivatives that differ by less than this share count as the same.
_SAME = 0.02


@dataclass(frozen=True)
class Curve:
    """The derivative of a loss over the range of a score.

    Attributes:
        grid: the scores, ascending.
        loss: the loss at each; not finite where it is not.
        low, high: the smallest and the largest derivative among the entries of the score.
    """

    grid: Floats
    loss: Floats
    low: Floats
    high: Floats

    @staticmethod
    def of(profile: Profile) -> Curve:
        """The curve of a profile."""
        return Curve(*(np.array(part, np.float64) for part in (profile.grid, profile.loss, profile.low, profile.high)))

    @property
    def steepness(self) -> Floats:
        """The largest absolute derivative at each score; NaN where it is not finite."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def top(self) -> float:
        """The steepest derivative of all, 0 where there is none."""
        known = self.steepness[np.isfinite(self.steepness)]
        return float(known.max()) if known.size else 0.0

    def at(self, score: float) -> float:
        """The steepness at a score of the grid, as a share of the steepest."""
        index = int(np.abs(self.grid - score).argmin())
        value = self.steepness[index]
        return float(value / self.top) if self.top > 0 and np.isfinite(value) else float("nan")

    @property
    def wants(self) -> int:
        """1 where the loss asks for a higher score, -1 for a lower one, 0 where it asks for both or nothing."""
        near = np.abs(self.grid) <= 1.0
        lows, highs = self.low[near], self.high[near]
        known = np.isfinite(lows) & np.isfinite(highs)
        if not known.any():
            return 0
        down, up = bool((lows[known] < 0).any()), bool((highs[known] > 0).any())
        return 0 if down == up else (1 if down else -1)

    @property
    def silent(self) -> bool:
        """Whether the loss does not answer to the score at all."""
        return self.top == 0.0

    @property
    def straight(self) -> bool:
        """Whether the derivative is the same everywhere."""
        slopes = self.steepness
        finite = np.isfinite(slopes).all()
        return bool(
            finite and self.top > 0 and np.ptp(self.low) <= _SAME * self.top and np.ptp(self.high) <= _SAME * self.top
        )

    @property
    def loss_is_finite(self) -> bool:
        """Whether the loss is finite at every score."""
        return bool(np.isfinite(self.loss).all())

    @property
    def bounded(self) -> bool:
        """Whether the loss ends flat on both sides, without being cut off at once."""
        flat = self.at(-50) < VANISHED and self.at(50) < VANISHED
        return flat and not self.clipped and self.top > 0 and self.loss_is_finite

    @property
    def clipped(self) -> bool:
        """Whether the derivative is exactly zero, or nothing at all, just outside [0, 1] on both sides and not inside."""
        outside = (self.grid < -0.05) | (self.grid > 1.05)
        inside = (self.grid > 0.05) & (self.grid < 0.95)
        dead = (self.steepness[outside] == 0) | ~np.isfinite(self.steepness[outside])
        return bool(dead.all() and (self.steepness[inside] > 0).any())

    @property
    def dead_below_zero(self) -> bool:
        """Whether the derivative is exactly zero for every score below zero and not for those above."""
        below, above = self.grid < 0, (self.grid > 0) & (self.grid <= 1.0)
        return bool((self.steepness[below] == 0).all() and (self.steepness[above] > 0).any())

    @property
    def gives_up(self) -> bool:
        """Whether the derivative vanishes on the side the loss wants to leave and stays on the side it wants to reach."""
        if self.wants == 0:
            return False
        lost = max(self.at(-10.0 * self.wants), self.at(-20.0 * self.wants))
        won = [self.at(score * self.wants) for score in (5.0, 10.0, 20.0)]
        # Beyond what a loss is defined for, or clips, there is nothing to be read.
        return lost < 10 * VANISHED and any(not np.isfinite(share) or share > 0.3 for share in won)
