"""When a run is lost, and what is changed when it goes back to where it was well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.settings import Settings

#: Losses that are not finite in so many steps in a row do not come back.
LOST_STEPS = 3
#: Loss scaling halves from 32768 to 1 in 15 steps; gradients that are still not finite then have another reason.
LOST_GRADIENTS = 20
#: A float32 of this size tells no sixteenth apart; losses that stay beyond it are lost as those that are not finite.
LARGEST_LOSS = 1e6
#: Of fewer healthy steps nothing is usual.
ENOUGH = 20
#: Variety below this share of the best so far, at two looks in a row, is a collapse.
_COLLAPSED = 0.25
#: A generator whose variety never came up to this share of the data's has nothing to collapse from.
_VARIED = 0.3


@dataclass(frozen=True)
class Trouble:
    """Why a run cannot go on as it is.

    Attributes:
        kind: `nan` or `collapse`.
        step: at which it was seen.
        text: what was seen, with numbers.
    """

    kind: str
    step: int
    text: str


@dataclass(frozen=True)
class Change:
    """What is changed.

    Attributes:
        name: of the change; a run makes each at most once.
        text: the change in a sentence.
        values: settings by dotted key.
    """

    name: str
    text: str
    values: Mapping[str, Any]


class Vigilance:
    """Looks at every step's figures and, now and then, at samples.

    Args:
        names: of the figures of a row.
        first: the first step by which both players have had one; with n_critic a figure is NaN before.
        remembered: what `remembered` gave, for a run that goes on.

    Attributes:
        best: variety at its best so far.
        variety: at the last look; None before the first.
    """

    def __init__(self, names: Sequence[str], remembered: Mapping[str, Any] | None = None, first: int = 1) -> None:
        self._first = first
        self._losses = [names.index(name) for name in ("d_loss", "g_loss")]
        self._norms = [names.index(name) for name in ("d_gradient_norm", "g_gradient_norm")]
        known = dict(remembered or {})
        self._lost = int(known.get("lost", 0))
        self._without_gradient = int(known.get("without_gradient", 0))
        self._huge = int(known.get("huge", 0))
        self._low = int(known.get("low", 0))
        self.best = float(known.get("best", 0.0))
        self.variety: float | None = known.get("variety")

    def rows(self, first_step: int, rows: NDArray[np.float32]) -> Trouble | None:
        """Looks at the figures of some steps, (steps, figures)."""
        for place, row in enumerate(rows):
            losses, norms = row[self._losses], row[self._norms]
            seen = first_step + place >= self._first
            self._lost = self._lost + 1 if not np.isfinite(losses).all() and seen else 0
            self._without_gradient = self._without_gradient + 1 if not np.isfinite(norms).all() and seen else 0
            self._huge = self._huge + 1 if bool((np.abs(losses) > LARGEST_LOSS).any()) else 0
            if self._lost >= LOST_STEPS or max(self._without_gradient, self._huge) >= LOST_GRADIENTS:
                how = "beyond a million" if self._huge >= LOST_GRADIENTS else "not finite"
                return Trouble(
                    "nan",
                    first_step + place,
                    f"d_loss {losses[0]:.4g}, g_loss {losses[1]:.4g}, gradient norms {norms[0]:.4g} and {norms[1]:.4g}; {how} for "
                    f"{max(self._lost, self._without_gradient, self._huge)} steps in a row",
                )
        return None

    def samples(self, step: int, variety: float) -> Trouble | None:
        """Takes up the variety of the samples at a step, see `variety_of`."""
        self.variety = variety
        if not np.isfinite(variety):
            return Trouble("nan", step, "generated samples are not finite")
        self.best = max(self.best, variety)
        low = self.best >= _VARIED and variety < _COLLAPSED * self.best
        self._low = self._low + 1 if low else 0
        if self._low >= 2:
            return Trouble(
                "collapse",
                step,
                f"generated samples lie {variety:.2f} times as far from one another as real ones, and lay {self.best:.2f} "
                "times as far before",
            )
        return None

    def remembered(self) -> dict[str, Any]:
        """What a run that goes on must know, as JSON can hold it."""
        return {
            "lost": self._lost,
            "without_gradient": self._without_gradient,
            "huge": self._huge,
            "low": self._low,
            "best": self.best,
            "variety": self.variety,
        }

    @property
    def is_well(self) -> bool:
        """Whether a checkpoint made now is one to go back to."""
        if self._lost or self._without_gradient or self._huge:
            return False
        return self.variety is None or self._low == 0


def variety_of(
    generated: NDArray[Any],
    real: NDArray[Any],
    labels: NDArray[Any] | None = None,
    real_labels: NDArray[Any] | None = None,
) -> float:
    """How far samples lie from their nearest neighbours, as a share of how far real ones do; NaN where some are not finite.

    The median over the samples of the distance to the nearest other one of the same kind, and of the same class where there are
    classes: a generator that gives one sample for each class has collapsed as well. A collapsed generator repeats itself, so its
    samples have near neighbours; one that has not learnt yet repeats itself, too.

    Args:
        generated, real: arrays (n, ...), about as many of both, in the same units.
        labels, real_labels: their classes; None without.
    """
    own, others = (np.asarray(each, np.float64).reshape(len(each), -1) for each in (generated, real))
    if not np.isfinite(own).all():
        return float("nan")
    between = _nearest(others, real_labels)
    return float(_nearest(own, labels) / between) if between > 0 else 1.0


def changes_for(
    trouble: Trouble,
    settings: Settings,
    *,
    norms: Mapping[str, float],
    weight: float,
    images: bool,
    batch_normalised: bool,
) -> Iterator[Change]:
    """What may help, the likeliest first.

    Args:
        trouble: what was seen.
        settings: as they are.
        norms: of each player, the gradient norm that nine of ten healthy steps stayed below; empty where there were too few.
        weight: γ of R1 and R2 where none is given.
        images: whether the samples are images.
        batch_normalised: whether the discriminator normalises by the batch, so that no gradient penalty goes with it.
    """
    yield from _against_nan(settings, norms) if trouble.kind == "nan" else ()
    yield from _penalised(trouble, settings, weight, batch_normalised)
    if trouble.kind == "collapse" and settings.balance.instance_noise is None:
        yield Change(
            "instance-noise",
            "instance noise of 0.1, annealed over a quarter of the run, so that the discriminator cannot be perfect",
            {"balance.instance_noise": {"spread": 0.1, "steps": max(1, settings.training.steps // 4)}},
        )
    if trouble.kind == "collapse" and images and settings.augmentation.name == "none":
        yield Change(
            "diff-augment",
            "differentiable augmentation of real and generated images alike",
            {"augmentation.name": "diff_augment"},
        )
    slower = {"halved": ("half", 2.0), "tenth": ("a tenth of", 10.0), "hundredth": ("a hundredth of", 100.0)}
    # What overflows is rarely a factor of two away from what does not.
    for name in ("tenth", "hundredth") if trouble.kind == "nan" else ("halved", "tenth"):
        words, factor = slower[name]
        yield Change(
            f"learning-rates-{name}",
            f"{words} the learning rates",
            _slower(settings, factor),
        )


def _against_nan(settings: Settings, norms: Mapping[str, float]) -> Iterator[Change]:
    if settings.training.precision == "mixed_float16":
        yield Change(
            "bfloat16",
            "bfloat16 in place of float16, whose numbers end at 65504",
            {"training.precision": "mixed_bfloat16"},
        )
    unclipped = [player for player in ("generator", "discriminator") if getattr(settings.clip, player) is None]
    if unclipped:
        bounds = {player: float(f"{2 * norms[player]:.2g}") if player in norms else 1.0 for player in unclipped}
        yield Change(
            "clip-global-norm",
            "gradients clipped by their global norm, "
            + " and ".join(f"{bound:g} for the {player}" for player, bound in bounds.items())
            + (", twice what nine of ten healthy steps had" if norms else ""),
            {f"clip.{player}": {"name": "global_norm", "bound": bound} for player, bound in bounds.items()},
        )
    small = {
        f"optimizers.{player}.epsilon": 1e-6
        for player in ("generator", "discriminator")
        if getattr(settings.optimizers, player).arguments.get("epsilon", 1.0) < 1e-6
    }
    if small:
        yield Change(
            "larger-epsilon", "Adam's epsilon 1e-6, so that steps stay bounded where second moments vanish", small
        )


def _penalised(trouble: Trouble, settings: Settings, weight: float, batch_normalised: bool) -> Iterator[Change]:
    if batch_normalised:
        return
    if settings.loss.name != "relativistic" or settings.penalties == ():
        yield Change(
            "default-loss",
            "the relativistic loss with R1 and R2 in place of "
            f"{settings.loss.name}{' without penalties' if settings.penalties == () else ''}",
            {"loss.name": "relativistic", "penalties": None},
        )
    elif settings.penalties is None and trouble.kind == "collapse":
        yield Change(
            "penalties-tenfold",
            "R1 and R2 ten times as strong, so that the discriminator is smoother",
            {"penalties": [{"name": "r1", "weight": 10.0 * weight}, {"name": "r2", "weight": 10.0 * weight}]},
        )


def _slower(settings: Settings, factor: float) -> dict[str, Any]:
    """Both learning rates, and where they end, divided by a factor."""
    values: dict[str, Any] = {}
    for player in ("generator", "discriminator"):
        chosen = getattr(settings.optimizers, player)
        if chosen.final_learning_rate is not None:
            values[f"optimizers.{player}.final_learning_rate"] = chosen.final_learning_rate / factor
        values[f"optimizers.{player}.learning_rate"] = chosen.learning_rate / factor
    return values


def _nearest(points: NDArray[np.float64], labels: NDArray[Any] | None) -> float:
    """Median distance to the nearest other point, of the same class; 0 where there is none."""
    squared = (points**2).sum(axis=1)
    distances = squared[:, None] + squared[None, :] - 2.0 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    if labels is not None:
        distances[labels[:, None] != labels[None, :]] = np.inf
    nearest = distances.min(axis=1)
    nearest = nearest[np.isfinite(nearest)]
    return float(np.median(np.sqrt(np.maximum(nearest, 0.0)))) if nearest.size else 0.0
