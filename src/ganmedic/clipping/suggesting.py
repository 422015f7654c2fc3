"""Which bounds are worth trying: read off the gradients that were observed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic.analysis.vitals import Player, Vitals
from ganmedic.record.record import Record
from ganmedic.record.store import load

#: A bound is chosen by the share of steps it would have acted in: half, a quarter, a tenth, one in a hundred.
_SHARES = (0.5, 0.25, 0.1, 0.01)
#: From fewer steps no share of one in a hundred, nor even a tenth, can be read.
_FEWEST = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suggestion:
    """Bounds of one way to clip, for one network.

    Attributes:
        network: whose gradients.
        method: name for `clipping.get`.
        bounds: values to try, from hard to mild; of `auto` percentiles.
        acts: the share of the observed steps in which each would have acted.
        why: what was observed.
    """

    network: str
    method: str
    bounds: tuple[float, ...]
    acts: tuple[float, ...]
    why: str

    def __str__(self) -> str:
        tried = ", ".join(f"{bound:g} ({share:.0%})" for bound, share in zip(self.bounds, self.acts, strict=True))
        return f"{self.network}: {self.method}: {tried}; {self.why}"


def suggest(observed: Any) -> list[Suggestion]:
    """Bounds worth trying, from hard to mild.

    Args:
        observed: what was seen of the gradients: a record of a run or the path of its file, an examination
            (`ganmedic.watch()`), a history of global norms (steps,), or such a history for each network by its name. Only a
            record knows single variables, and so `value`, `norm` and `adaptive`.

    Returns:
        Suggestions, network by network.

    Raises:
        ValueError: fewer than 20 steps with a finite norm were observed, or norms are negative.
        TypeError: something else came.

    Example:
        >>> print(suggest({"generator": np.arange(1.0, 101.0)})[0])
        generator: global_norm: 50 (50%), 75 (25%), 90 (10%), 99 (1%); median norm 50.5, largest 100
    """
    if isinstance(observed, str | Path):
        observed = load(observed)
    if hasattr(observed, "record") and isinstance(observed.record, Record):
        observed = observed.record
    if isinstance(observed, Record):
        found = [one for player in Vitals.of(observed).players for one in _of_player(player, observed)]
        if not found:
            raise ValueError(
                f"The record holds no gradient call with {_FEWEST} measured steps. Let the run go on longer: "
                "ganmedic check --record run.ganmedic train.py"
            )
        return found
    if isinstance(observed, Mapping):
        return [one for name, norms in observed.items() for one in _of_norms(str(name), _finite(str(name), norms))]
    return _of_norms("network", _finite("network", observed))


def _of_norms(network: str, norms: Floats) -> list[Suggestion]:
    why = f"median norm {np.median(norms):.3g}, largest {norms.max():.3g}"
    return [
        _read_off(network, "global_norm", norms, why),
        Suggestion(network, "auto", (10.0, 50.0, 90.0), (0.9, 0.5, 0.1), why),
    ]


def _of_player(player: Player, record: Record) -> Iterator[Suggestion]:
    table = player.series.of("norm").astype(np.float64)
    sound: NDArray[np.bool_] = np.asarray(np.isfinite(table).all(axis=1))
    if sound.sum() < _FEWEST:
        return
    network = player.net.name
    norms = table[sound]
    yield from _of_norms(network, np.sqrt(np.square(norms).sum(axis=1)))
    longest = norms.max(axis=1)
    yield _read_off(
        network, "norm", longest, f"the longest gradient of one variable has a median norm of {np.median(longest):.3g}"
    )
    largest = player.series.of("largest").astype(np.float64)[sound].max(axis=1)
    yield _read_off(network, "value", largest, f"the largest entry has a median of {np.median(largest):.3g}")
    ratios = _ratios(player, record, sound)
    if len(ratios) >= _FEWEST:
        why = f"the median of the largest ‖G‖/‖W‖ of a variable is {np.median(ratios):.3g}"
        yield _read_off(network, "adaptive", ratios, why)


def _ratios(player: Player, record: Record, sound: NDArray[np.bool_]) -> Floats:
    """Largest ‖G‖ / ‖W‖ over the variables with weights, for each step: of whole kernels, a unit's may be larger."""
    shapes = [record.variables[variable].shape for variable in player.series.variables]
    sizes = np.array([math.prod(axis or 1 for axis in shape) for shape in shapes], np.float64)
    weights = player.series.of("weight").astype(np.float64)[sound] * np.sqrt(sizes)
    norms = player.series.of("norm").astype(np.float64)[sound]
    with np.errstate(all="ignore"):
        ratios = np.where(weights > 1e-3, norms / weights, np.nan)
    known = np.isfinite(ratios).any(axis=1)
    return np.asarray(np.nanmax(ratios[known], axis=1)) if known.any() else np.zeros(0)


def _read_off(network: str, method: str, seen: Floats, why: str) -> Suggestion:
    bounds = []
    for share in _SHARES:
        bound = float(f"{np.quantile(seen, 1.0 - share):.2g}")
        if bound > 0 and bound not in bounds:
            bounds.append(bound)
    acts = tuple(float(np.mean(seen > bound)) for bound in bounds)
    return Suggestion(network, method, tuple(bounds), acts, why)


def _finite(name: str, norms: ArrayLike) -> Floats:
    try:
        values = np.asarray(norms, np.float64).ravel()
    except (TypeError, ValueError):
        raise TypeError(
            f"suggest: {type(norms).__name__} came; a record, the path of one, or global norms of the gradients, one a step, "
            "are expected, alone or by the name of their network."
        ) from None
    finite = values[np.isfinite(values)]
    if len(finite) < _FEWEST:
        raise ValueError(
            f"suggest: {len(finite)} finite norms came for {name}; {_FEWEST} steps at least are expected. Train on, or hand over "
            "every step's norm."
        )
    if (finite < 0).any():
        raise ValueError(f"suggest: a norm of {name} is {finite.min():g}; norms are 0 or more. Was a loss handed over?")
    return finite
