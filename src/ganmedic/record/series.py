"""What the meters of one gradient call measured, step by step, in bounded space.

The first rows and the last are kept whole, and so is every row that a caller marks as an event; between them every second,
fourth, eighth ... row is kept, so that a run of any length fits. The series of one run share a budget of bytes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: What is measured of each variable, in the order of the columns of a row, after the losses.
QUANTITIES = ("norm", "largest", "nonfinite", "zeros", "update", "weight")
#: So many bytes the rows of all series of a run take at most.
BUDGET_BYTES = 12_000_000
#: So many rows at the beginning and at the end are kept whole, and so many in all, where the budget allows it.
FIRST, LAST, MOST = 128, 256, 4096
_LEAST = 64
_EVENTS = 64

Rows = NDArray[np.float32]


@dataclass
class Series:
    """The rows of one site.

    Attributes:
        id: number of the site, and its time.
        call: the gradient call.
        variables: value ids of the variables, in the order of their columns.
        losses: how many losses a row begins with.
        applied: these are gradients as an optimizer was given them, where they are others than the tape answered; ``call``
            is then the application. Only ``norm``, ``largest``, ``nonfinite`` and ``zeros`` are measured of them.
        seen: how many rows were measured, kept or not.
        steps: number of each kept row, 0-based, growing.
        events: numbers of rows that are kept whatever becomes of those around them.
        stride: of the rows in the middle every so manieth is kept, a power of two.
        budget: so many bytes its rows take at most (see :func:`share`).
    """

    id: int
    call: int
    variables: tuple[int, ...]
    losses: int
    applied: bool = False
    seen: int = 0
    steps: list[int] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    events: set[int] = field(default_factory=set)
    stride: int = 1
    budget: int = BUDGET_BYTES

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return self.losses + len(QUANTITIES) * len(self.variables)

    @property
    def capacity(self) -> int:
        """So many rows are kept at most."""
        return max(_LEAST, min(MOST, self.budget // (4 * max(1, self.width))))

    def add(self, steps: list[int], rows: Rows) -> None:
        """Adds rows in order.

        A row is an event where a loss or the norm of a gradient is not finite; of these the first ones are kept.

        Args:
            steps: number of each row, growing.
            rows: float array (rows, width).
        """
        if not steps:
            return
        rows = np.array(rows, dtype=np.float32)
        self.steps.extend(steps)
        self.rows.extend(rows)
        self.seen = max(self.seen, steps[-1] + 1)
        finite = np.isfinite(rows[:, : self.losses + len(self.variables)]).all(axis=1)
        for index in np.flatnonzero(~finite):
            if len(self.events) < min(_EVENTS, self.capacity // 4):
                self.events.add(steps[index])
        self.fit()

    def fit(self) -> None:
        """Drops rows from the middle where there are more than :attr:`capacity`, and then enough to have room again."""
        if len(self.steps) <= self.capacity:
            return
        steps = np.array(self.steps)
        first, last = min(FIRST, self.capacity // 4), min(LAST, self.capacity // 3)
        ends = (steps < first) | (steps > steps[-1] - last) | np.isin(steps, list(self.events))
        kept = ends | (steps % self.stride == 0)
        while kept.sum() > self.capacity * 7 // 8 and self.stride < self.seen:
            self.stride *= 2
            kept = ends | (steps % self.stride == 0)
        chosen = np.flatnonzero(kept)
        self.steps = [self.steps[index] for index in chosen]
        self.rows = [self.rows[index].copy() for index in chosen]

    # --- reading ------------------------------------------------------------------------------------------------------

    def table(self) -> Rows:
        """All kept rows, float array (kept rows, width)."""
        return np.stack(self.rows) if self.rows else np.zeros((0, self.width), np.float32)

    def loss(self) -> Rows:
        """The losses, float array (kept rows, losses)."""
        return self.table()[:, : self.losses]

    def of(self, quantity: str) -> Rows:
        """One quantity of every variable, float array (kept rows, variables).

        Args:
            quantity: ``norm`` (L2 norm of the gradient), ``largest`` (largest absolute entry), ``nonfinite`` and ``zeros``
                (shares of the entries, 0 to 1), ``update`` (root mean square of what the weights moved since the row
                before, NaN in the first row), ``weight`` (root mean square of the weights); the last two over a fixed
                sample of the entries.
        """
        count = len(self.variables)
        begin = self.losses + QUANTITIES.index(quantity) * count
        return self.table()[:, begin : begin + count]


def share(series: Collection[Series]) -> None:
    """Gives each series of a run the same part of the budget, and makes those smaller that now have too much."""
    for one in series:
        one.budget = BUDGET_BYTES // max(1, len(series))
        one.fit()


#: A gradient that is so many times what it used to be, or so small a part of it, looks wrong.
_UNUSUAL = 1e3


def looks_wrong(series: Series) -> bool:
    """Whether the last gradients of a series are far from what its gradients used to be, or not finite."""
    if len(series.steps) < 8:
        return False
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(np.nan_to_num(series.of("norm").astype(np.float64), nan=np.inf), axis=1)
    usual, last = float(np.median(norms)), float(norms[-1])
    return not np.isfinite(last) or last > _UNUSUAL * usual or last * _UNUSUAL < usual
