"""The game between the two networks: what the discriminator was given as real and as fake, and what it said of it.

A trial is one look at one kind of sample: the batch, the scores it got, and what the loss asks of them. The batch is real
where no generator lies behind it and none had put it out shortly before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ganmedic.analysis.curve import Curve
from ganmedic.analysis.run import Run
from ganmedic.analysis.vitals import Look, Player, Score, Vitals
from ganmedic.record.game import Batch, Response, kind_of
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation, Profile

#: A loss whose values over the scores differ by less than this share of them does not ask for a score.
_INDIFFERENT = 1e-6

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trial:
    """One kind of sample before the discriminator in one look.

    Attributes:
        fake: whether a generator made them.
        batch: the row of the samples; ``None`` where they were not kept.
        samples: float32 array (samples, ...), at most 64; ``scores``: float32 array (samples, ...).
        ideal: the score that the loss of this player asks for, -50 to 50; NaN where it asks for none.
    """

    player: Player
    look: Look
    score: Score
    profile: Profile | None
    fake: bool
    batch: Batch | None
    samples: Floats
    scores: Floats
    ideal: float

    @property
    def step(self) -> int:
        """The step it was taken in."""
        return self.look.probe.step

    @property
    def width(self) -> int:
        """Entries of one sample."""
        return int(np.prod(self.samples.shape[1:])) if self.samples.size else 0


class Game:
    """The trials of a run."""

    def __init__(self, vitals: Vitals) -> None:
        self.vitals = vitals
        self.run: Run = vitals.run
        self.record: Record = vitals.record
        #: What reaches the discriminator as real, worked out when first asked for.
        self.reals: object = None

    @staticmethod
    def of(record: Record) -> Game:
        """The game of a record, worked out once."""
        vitals = Vitals.of(record)
        if not isinstance(vitals.game, Game):
            vitals.game = Game(vitals)
        return vitals.game

    @cached_property
    def batches(self) -> dict[int, list[Batch]]:
        """Probe or showing -> its batches."""
        found: dict[int, list[Batch]] = {}
        for batch in self.record.batches.values():
            found.setdefault(batch.owner, []).append(batch)
        return found

    @cached_property
    def operations_of(self) -> dict[int, list[Operation]]:
        """Layer call -> the operations in it."""
        found: dict[int, list[Operation]] = {}
        for operation in self.record.operations.values():
            if operation.layer_call is not None:
                found.setdefault(operation.layer_call, []).append(operation)
        return found

    @cached_property
    def responses(self) -> dict[int, list[Response]]:
        """Probe -> what became of its batches when a leaf was dealt out anew."""
        found: dict[int, list[Response]] = {}
        for row in self.record.responses.values():
            found.setdefault(row.probe, []).append(row)
        return found

    def batch(self, look: Look, value: int, place: str = "") -> Batch | None:
        """The batch of a value in a look, but for those that were followed."""
        return next(
            (
                one
                for one in self.batches.get(look.probe.id, ())
                if one.value == value and (one.place == place if place else one.place != "fixed")
            ),
            None,
        )

    # --- who judges -----------------------------------------------------------------------------------------------------

    @cached_property
    def judges(self) -> list[Player]:
        """The players that train a discriminator."""
        return self.vitals.role("discriminator")

    @cached_property
    def makers(self) -> list[Player]:
        """The players that train a generator."""
        return self.vitals.role("generator")

    @cached_property
    def verdict_weights(self) -> set[int]:
        """The variables of the last layers of the discriminators: what makes a verdict, and not a feature."""
        found: set[int] = set()
        for player in self.judges:
            for score in player.scores:
                variable = self.vitals.weight_of(score.operation)
                if variable is not None and score.judges and not score.curve.silent:
                    found.add(variable)
        return found

    # --- trials ---------------------------------------------------------------------------------------------------------

    @cached_property
    def trials(self) -> list[Trial]:
        """All trials of all players, in order of time."""
        found = [
            trial
            for player in (*self.judges, *self.makers)
            for look in player.looks
            for score in {one.key: one for one in reversed(player.scores)}.values()
            if score.judges
            for trial in self._trials(player, look, score)
        ]
        return sorted(found, key=lambda one: one.look.probe.id)

    def of_judges(self, *, fake: bool) -> list[Trial]:
        """The trials in which discriminators were trained."""
        return [one for one in self.trials if one.player.net.role == "discriminator" and one.fake == fake]

    def of_makers(self) -> list[Trial]:
        """The trials of generated samples in which generators were trained."""
        return [one for one in self.trials if one.player.net.role == "generator" and one.fake]

    def _profiles(self, player: Player, look: Look, score: Score) -> list[Profile]:
        """The profiles that fit a look: those of the same kind of step, parts before the whole."""
        kind = kind_of(self.batches.get(look.probe.id, ()))
        site = {one.call.id for one in player.looks} | {player.call.id}
        rows = [
            one for one in self.record.profiles.values() if one.call in site and self._key(player, one) == score.key
        ]
        fitting = [one for one in rows if kind_of(self.batches.get(one.probe, ())) == kind] or rows
        if not fitting:
            return []
        first = fitting[0].probe
        fitting = [one for one in fitting if one.probe == first]
        return [one for one in fitting if one.end] or fitting

    def _key(self, player: Player, profile: Profile) -> object:
        """What stays the same of a score from round to round."""
        look = next((one for one in player.looks if one.probe.id == profile.probe), None)
        return next((key for key, one in look.keys.items() if one.value == profile.value), None) if look else None

    def _trials(self, player: Player, look: Look, score: Score) -> list[Trial]:
        row = self._score_row(look, score)
        if row is None:
            return []
        found = []
        for profile in self._profiles(player, look, score):
            curve = Curve.of(profile)
            if curve.silent:
                continue
            scores = row.array()
            if profile.end:
                scores = scores[profile.begin : profile.end]
            batch, samples, fake = self._samples(look, row, profile)
            if batch is not None and 0 < len(batch.made) < len(batch.digests) and not profile.end:
                found.extend(self._mixed(player, look, score, batch, scores))
                continue
            found.append(Trial(player, look, score, profile, fake, batch, samples, scores, ideal_of(curve)))
        return found

    def _mixed(self, player: Player, look: Look, score: Score, batch: Batch, scores: Floats) -> list[Trial]:
        """Real and generated samples that the program shuffled into one batch; what the loss asks of each is not known."""
        kept = batch.array()
        fakes = np.zeros(len(scores), bool)
        fakes[[one for one in batch.made if one < len(scores)]] = True
        parts = ((False, ~fakes), (True, fakes))
        return [
            Trial(
                player,
                look,
                score,
                None,
                fake,
                cut(batch, np.flatnonzero(which).tolist()),
                kept[which[: len(kept)]],
                scores[which],
                float("nan"),
            )
            for fake, which in parts
        ]

    def _score_row(self, look: Look, score: Score) -> Batch | None:
        direct = self.batch(look, score.profile.value, "score")
        if direct is not None:
            return direct
        measure = look.keys.get(score.key)
        return self.batch(look, measure.value, "score") if measure is not None else None

    def _samples(self, look: Look, row: Batch, profile: Profile) -> tuple[Batch | None, Floats, bool]:
        """What went into a score: the row, the samples and whether a generator made them."""
        behind = self.behind(row.value)
        candidates = [
            one
            for one in self.batches.get(look.probe.id, ())
            if one.place in ("given", "input", "output", "part")
            and one.value in behind
            and one.shape[0] == row.shape[0]
            and one.dtype.startswith(("float", "bfloat"))
            and not self.judged(one.value)
        ]
        if not candidates:
            return None, np.zeros((0,), np.float32), self.is_made(row.value)
        nearest = [one for one in candidates if not any(self._leads(one.value, other.value) for other in candidates)]
        batch = max(nearest or candidates, key=lambda one: (_width(one), one.id))
        if not profile.end:
            fake = self.is_made(batch.value) or batch.generated > 0.5
            return batch, batch.array(), fake
        part = self._part(look, batch, profile)
        if part is not None:
            return part, part.array(), self.is_made(part.value) or part.generated > 0.5
        samples = batch.array()[profile.begin : profile.end]
        inside = batch.end and batch.begin <= profile.begin < batch.end
        return cut(batch, range(profile.begin, profile.end)), samples, bool(inside)

    def _part(self, look: Look, batch: Batch, profile: Profile) -> Batch | None:
        """The part of a concatenated batch that lies where a profile was taken."""
        queue, seen = [batch.value], {batch.value}
        while queue and len(seen) < 200:
            made = self.record.producers.get(self.record.resolve(queue.pop(0)))
            if made is None:
                continue
            rows = [self.batch(look, value) for value in made[0].inputs[:-1]]
            if made[0].kind == "ConcatV2" and len(rows) > 1 and all(rows):
                begin = 0
                for one in rows:
                    if one is not None and begin == profile.begin and one.shape[0] == profile.end - profile.begin:
                        return one
                    begin += one.shape[0] if one is not None else 0
            fresh = [value for value in made[0].inputs if value not in seen]
            seen.update(fresh)
            queue.extend(fresh)
        return None

    @cached_property
    def _behind(self) -> dict[int, frozenset[int]]:
        return {}

    def behind(self, value: int) -> frozenset[int]:
        """The values that a value was made of, itself among them."""
        if value not in self._behind:
            made = self.record.producers.get(value)
            before = made[0].id + 1 if made is not None else 1 << 62
            self._behind[value] = frozenset(self.run.flow.behind_values((value,), None, before).by_value)
        return self._behind[value]

    def _leads(self, value: int, other: int) -> bool:
        """Whether a value goes into another one."""
        return value != other and value in self.behind(other)

    def _roles(self, value: int) -> set[str]:
        """The parts of the networks whose weights go into a value."""
        return {self.run.net_of[one].role for one in self.behind(value) if one in self.run.net_of}

    def is_made(self, value: int) -> bool:
        """Whether a generator's weights go into a value."""
        return "generator" in self._roles(value)

    def judged(self, value: int) -> bool:
        """Whether a discriminator's weights go into a value."""
        return "discriminator" in self._roles(value)

    def is_output(self, value: int) -> bool:
        """Whether a generator made a value that no discriminator has seen yet."""
        return self.is_made(value) and not self.judged(value)

    def stream(self, value: int) -> list[Batch]:
        """What a leaf was in the steps between the looks."""
        return [one for one in self.record.batches.values() if one.value == value and one.place == "stream"]

    def rows_of(self, value: int) -> list[Batch]:
        """The batches of a value, look by look."""
        return [
            one for one in self.record.batches.values() if one.value == value and one.place not in ("fixed", "stream")
        ]

    # --- real and fake, side by side --------------------------------------------------------------------------------------

    def last(self, *, fake: bool) -> Trial | None:
        """The last trial of one kind whose samples were kept."""
        kept = [one for one in self.trials if one.fake == fake and one.samples.size]
        return kept[-1] if kept else None

    def pairs(self) -> list[tuple[Trial, Trial]]:
        """Trials of real samples with the next one of fakes that the same discriminator was given."""
        found = []
        reals, fakes = self.of_judges(fake=False), self.of_judges(fake=True)
        for real in reals:
            near = [one for one in fakes if one.player.net is real.player.net]
            if near:
                found.append((real, min(near, key=lambda one: abs(one.step - real.step))))
        return found

    def updates(self, role: str) -> int:
        """How often the networks of a part were trained."""
        return sum(player.series.seen for player in self.vitals.role(role))


def cut(batch: Batch, chosen: Sequence[int]) -> Batch | None:
    """A row of some of the samples of a batch, with the figures of those that were kept; ``None`` where none were."""
    kept = batch.array()
    samples = kept[[one for one in chosen if one < len(kept)]]
    if not len(samples):
        return None
    flat = samples.reshape(-1, len(batch.mean)).astype(np.float64)
    with np.errstate(all="ignore"):
        mean, spread = flat.mean(axis=0), flat.std(axis=0)
        low, high = flat.min(axis=0), flat.max(axis=0)
    return replace(
        batch,
        place="part",
        shape=(len(chosen), *batch.shape[1:]),
        mean=tuple(map(float, mean)),
        spread=tuple(map(float, spread)),
        low=tuple(map(float, low)),
        high=tuple(map(float, high)),
        whole=float((flat == np.round(flat)).mean()),
        levels=int(np.unique(flat).size),
        digests=tuple(batch.digests[one] for one in chosen if one < len(batch.digests)),
        generated=0.0,
        made=(),
        begin=0,
        end=0,
        form=(),
        entries=b"",
    )


def _width(batch: Batch) -> int:
    return int(np.prod(batch.shape[1:])) if len(batch.shape) > 1 else 1


def ideal_of(curve: Curve) -> float:
    """The score at which a loss is least, -50 to 50; NaN where it asks for none."""
    known = np.isfinite(curve.loss)
    if known.sum() < 3 or curve.silent:
        return float("nan")
    loss, grid = curve.loss[known], curve.grid[known]
    least, most = float(loss.min()), float(loss.max())
    if most - least <= _INDIFFERENT * max(1.0, abs(most), abs(least)):
        return float("nan")
    near = grid[loss <= least + 1e-6 * (most - least)]
    return float(near.mean())


def separation(real: Floats, fake: Floats) -> float:
    """The chance that a real sample is scored above a fake one (area under the ROC curve), 0 to 1; 0.5 is a guess."""
    one, other = np.ravel(real).astype(np.float64), np.ravel(fake).astype(np.float64)
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if not one.size or not other.size:
        return float("nan")
    order = np.sort(other)
    below = np.searchsorted(order, one, side="left")
    ties = np.searchsorted(order, one, side="right") - below
    return float((below + 0.5 * ties).mean() / other.size)
