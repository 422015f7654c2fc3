"""Is there enough in the data, and enough that differs?"""

from __future__ import annotations

from collections.abc import Iterator

from ganmedic.data.diversity import Diversity
from ganmedic.data.facts import Facts
from ganmedic.data.looks import share_is_nature
from ganmedic.data.result import DataFinding

_FEW, _VERY_FEW = 1000, 100
#: A Vendi score below it: as varied as two samples. Sound sets have 5 (digits) and more (benchmarks/data_faults.py).
_LOW_VENDI = 2.5
_ALMOST_ALL_SAME = 0.5
#: A sample further from its nearest neighbour than so many times the usual distance.
_OUTLIER = 5.0
#: A picture of less contrast (of 1) is empty; a piece of blue sky has ten times as much.
_EMPTY = 0.001


def find(facts: Facts) -> Iterator[DataFinding]:
    yield from _few(facts)
    yield from _constant(facts)
    if facts.diversity is not None:
        yield from _low(facts, facts.diversity)
        yield from _outliers(facts, facts.diversity)


def _few(facts: Facts) -> Iterator[DataFinding]:
    if facts.read and facts.read < _FEW and facts.source.rereadable:
        yield DataFinding(
            "few-samples",
            "warning" if facts.read < _VERY_FEW else "note",
            f"There are {facts.read:,} samples.",
            "The discriminator knows so few by heart after some epochs; from then on it tells the generator nothing of what real data "
            "have in common.",
            "Augment real and generated samples alike, with transformations that a gradient passes, or gather more.",
            numbers={"samples": facts.read},
        )


def _constant(facts: Facts) -> Iterator[DataFinding]:
    struck = facts.looks.get("constant", ())
    if not len(struck):
        return
    share = len(struck) / max(1, facts.read)
    empty = int((facts.gathered.records["contrast"][struck] < _EMPTY).sum())
    yield DataFinding(
        "constant-images",
        "warning" if empty else "note",
        f"{len(struck):,} of {facts.read:,} pictures are of one colour, or nearly; {empty:,} of them are entirely empty.",
        "A plain picture is what a generator learns first; where real ones are plain, staying there is rewarded.",
        "Look at them, and take them out unless they belong to the data.",
        numbers={"pictures": len(struck), "share": share, "empty": empty},
        samples=facts.names(struck),
    )


def _low(facts: Facts, diversity: Diversity) -> Iterator[DataFinding]:
    # A table of few columns, or of columns that go together, is narrow by nature.
    if not facts.pictures or (diversity.vendi >= _LOW_VENDI and diversity.almost_same < _ALMOST_ALL_SAME):
        return
    same = f"{100 * diversity.almost_same:.0f} % of them have a neighbour that is as good as the same"
    yield DataFinding(
        "low-diversity",
        "warning",
        f"{diversity.samples:,} samples drawn by lot are as varied as {diversity.vendi:.1f} that differ entirely (Vendi score); {same}.",
        "A generator cannot become more varied than its data: what looks like a mode collapse may be a faithful copy.",
        "Look for copies, for frames of one film, or for a loader that gives the same sample again; draw from more sources.",
        numbers={"vendi": diversity.vendi, "vendi_half": diversity.vendi_half, "almost_same": diversity.almost_same},
    )


def _outliers(facts: Facts, diversity: Diversity) -> Iterator[DataFinding]:
    far = [(place, distance) for place, distance in diversity.outliers if distance > _OUTLIER]
    if not far or share_is_nature(len(far), len(diversity.outliers)):
        return
    yield DataFinding(
        "outliers",
        "note",
        f"{len(far)} of {diversity.samples:,} samples drawn by lot lie more than {_OUTLIER:g} times as far from their nearest neighbour "
        f"as is usual (the furthest {far[0][1]:.1f} times).",
        "A generator leaves out what is rare; a large network learns it by heart.",
        "Look at them: they are errors, or a kind of sample of which there are too few.",
        numbers={"samples": len(far), "furthest": far[0][1]},
        samples=facts.names([int(facts.indices[place]) for place, _ in far]),
    )
