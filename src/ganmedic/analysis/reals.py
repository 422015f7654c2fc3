"""What reaches the discriminator as real, all looks together."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

import numpy as np

from ganmedic.analysis.game import Game, Trial
from ganmedic.record.game import Batch
from ganmedic.record.record import Record

#: A table has at most so many columns, each of which has figures of its own.
_COLUMNS = 64
#: A sample whose entries spread by less than this share of the spread of all is constant.
_CONSTANT = 0.02


class Reals:
    """The real samples of a run."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.run = game.run
        # The generator's own step is asked only where the discriminator's was not seen.
        judged = [one for one in game.of_judges(fake=False) if one.batch is not None]
        seen = judged or [one for one in game.trials if not one.fake and one.batch is not None]
        self.trials: list[Trial] = _of_one_kind(seen)
        self.rows: list[Batch] = [one.batch for one in self.trials if one.batch is not None]

    @staticmethod
    def of(record: Record) -> Reals:
        """The real samples of a record, worked out once."""
        game = Game.of(record)
        if not isinstance(game.reals, Reals):
            game.reals = Reals(game)
        return game.reals

    @property
    def known(self) -> bool:
        """Whether any were seen, with finite figures."""
        return bool(self.rows) and all(np.isfinite(one.low + one.high).all() for one in self.rows)

    @property
    def low(self) -> float:
        """The smallest value."""
        return float(min(min(one.low) for one in self.rows))

    @property
    def high(self) -> float:
        """The greatest value."""
        return float(max(max(one.high) for one in self.rows))

    @property
    def mean(self) -> float:
        """The mean of all values."""
        return float(np.mean([np.mean(one.mean) for one in self.rows]))

    @property
    def spread(self) -> float:
        """The standard deviation of all values."""
        squares = [np.mean(np.square(one.spread) + np.square(np.array(one.mean) - self.mean)) for one in self.rows]
        return float(np.sqrt(np.mean(squares)))

    @property
    def scale(self) -> float:
        """Mean and spread together, of the channel or column where that is largest."""
        return float(max(np.max(np.abs(one.mean) + np.array(one.spread)) for one in self.rows))

    @cached_property
    def spreads(self) -> tuple[float, ...]:
        """Of a table the standard deviation of each column; else one number."""
        tables = [one for one in self.rows if len(one.shape) == 2 and 1 < len(one.spread) <= _COLUMNS]
        if not tables:
            return (self.spread,)
        pooled = np.sqrt(np.mean([np.square(one.spread) for one in tables], axis=0))
        return tuple(map(float, pooled))

    @property
    def unequal(self) -> float:
        """The largest spread of a column over that of the median column; 1 where there are no columns."""
        known = np.array([one for one in self.spreads if one > 0])
        return float(known.max() / np.median(known)) if len(known) > 2 else 1.0

    @property
    def one_column_off(self) -> bool:
        """Whether most columns are of order one and a single one is far out."""
        known = np.array([one for one in self.spreads if one > 0])
        return bool(len(known) > 2 and 0.1 < np.median(known) < 5 and self.unequal > 50)

    @property
    def standard(self) -> bool:
        """Whether the values have zero mean and unit variance."""
        return abs(self.mean) < 0.25 and 0.6 < self.spread < 1.5

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return all(one.whole == 1.0 for one in self.rows)

    @property
    def levels(self) -> int:
        """How many different values a batch holds at most."""
        return max(one.levels for one in self.rows)

    @property
    def binary(self) -> bool:
        """Whether there are two values only."""
        return self.levels <= 2

    @property
    def categorical(self) -> bool:
        """Whether samples are made of so few values that equal ones are no wonder."""
        width = int(np.prod(self.rows[0].shape[1:])) if self.rows else 0
        return self.levels <= 4 and width <= 64

    @property
    def varied(self) -> bool:
        """Whether the values of a sample are so many that equal samples are no accident."""
        return self.levels > 4 or int(np.prod(self.rows[0].shape[1:])) > 64

    @property
    def share_constant(self) -> float:
        """The share of samples that are nearly the same everywhere and like each other; 0 for samples of few entries."""
        kept = [
            one.samples.reshape(len(one.samples), -1) for one in self.trials if len(one.samples) and one.width >= 16
        ]
        if not kept:
            return 0.0
        flat = np.concatenate(kept)
        whole = float(flat.std())
        return float((flat.std(axis=1) < _CONSTANT * max(whole, 1e-12)).mean()) if whole > 0 else 0.0

    def share_outside(self, low: float, high: float, tolerance: float) -> float:
        """The share of real values below ``low`` or above ``high``, of those that were kept."""
        kept = [one.samples.ravel() for one in self.trials if one.samples.size]
        if not kept:
            return 0.0
        values = np.concatenate(kept)
        return float(((values < low - tolerance) | (values > high + tolerance)).mean())


def _of_one_kind(trials: list[Trial]) -> list[Trial]:
    """Of the samples that several discriminators are given those of the kind seen most often."""
    kinds = Counter(_kind(one) for one in trials)
    if len(kinds) < 2:
        return trials
    most = kinds.most_common(1)[0][0]
    return [one for one in trials if _kind(one) == most]


def _kind(trial: Trial) -> tuple[object, ...]:
    return trial.player.net.name, trial.score.key, trial.samples.shape[1:]


def output_ends(reals: Reals) -> Batch | None:
    """The row of what a generator puts out, where its last activation bounds that."""
    game = reals.game
    for player in game.makers:
        for trial in reversed([one for one in game.trials if one.fake and one.player is player]):
            if trial.batch is None:
                continue
            rows = [trial.batch, *game.batches.get(trial.look.probe.id, ())]
            behind = game.behind(trial.batch.value)
            ended = [one for one in rows if one.ends and one.value in behind and game.is_output(one.value)]
            if ended:
                own = [one for one in ended if one.value == trial.batch.value]
                chosen: Batch = own[0] if own else ended[0]
                return chosen
    return None
