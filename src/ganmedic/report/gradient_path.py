"""Shortens the way from the loss to the variables to the stations worth reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganmedic.finding import PathStep
from ganmedic.report.words import plural

#: A way with more stations than this is shortened.
_MOST_STATIONS = 12
#: So many stations stay at either end, and on either side of a cut.
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Station:
    """One line of the drawing.

    Attributes:
        label: name of the station, with how often it is repeated.
        step: the step it stands for; `None` for a gap left by shortening.
        past_cut: no gradient arrives here, because the way is cut before.
        last: the end of the way.
    """

    label: str
    step: PathStep | None
    past_cut: bool
    last: bool

    @property
    def is_cut(self) -> bool:
        return self.step is not None and self.step.kind == "cut"


def stations(path: Sequence[PathStep]) -> list[Station]:
    """Return the stations of `path`, long stretches replaced by a gap that says how much was left out."""
    shown: list[Station] = []
    past_cut, skipped = False, 0
    kept = _kept(path)
    for index, step in enumerate(path):
        if index not in kept:
            skipped += 1
            continue
        if skipped:
            shown.append(Station(f"{skipped} more", None, past_cut, False))
            skipped = 0
        shown.append(Station(_label(step), step, past_cut, index == len(path) - 1))
        past_cut = past_cut or step.kind == "cut"
    return shown


def _label(step: PathStep) -> str:
    return step.label if step.repeated <= 1 else f"{step.label}, {plural(step.repeated, 'time')}"


def _kept(path: Sequence[PathStep]) -> set[int]:
    every = set(range(len(path)))
    if len(path) <= _MOST_STATIONS:
        return every
    anchors = [0, len(path) - 1, *(index for index, step in enumerate(path) if step.kind == "cut")]
    kept = {index for index in every if any(abs(index - anchor) <= _KEPT for anchor in anchors)}
    # A gap of one station would take as much room as the station.
    return kept | {index for index in every if {index - 1, index + 1} <= kept}
