"""Samples that are there more than once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganmedic.data.duplicates import Groups
from ganmedic.data.facts import Facts
from ganmedic.data.result import DataFinding

#: From this share on copies weigh in the training. A few are in nearly every set that was collected from the web.
_WEIGHS = 0.005
#: From this share on, the data are much smaller than they look.
_MOST = 0.3
_REMEDY = (
    "Keep one of each group. Split into training and test data after that, or test pictures are among those trained on."
)
_MEANING = (
    "Each copy is trained on as often as a sample of its own: the discriminator learns it by heart, and the generator is drawn to it. "
    "Measures such as FID look better than they are where copies lie in both training and test data."
)


def find(facts: Facts) -> Iterator[DataFinding]:
    if facts.pictures or _continuous(facts):
        yield from _copies(
            facts, facts.exact, "exact-duplicates", "are copies, equal to the last bit, of other samples"
        )
    elif facts.exact.extra >= _MOST * facts.read:
        yield DataFinding(
            "repeated-rows",
            "note",
            f"{facts.exact.extra:,} of {facts.read:,} rows are there more than once.",
            "Columns of few different values repeat by nature; copies that a join made look the same.",
            "Look whether rows were joined or appended twice.",
            numbers={"copies": facts.exact.extra},
            samples=_examples(facts, facts.exact),
        )
    yield from _copies(
        facts,
        facts.near,
        "near-duplicates",
        "are nearly the same as another picture (scaled, recompressed, brightened)",
    )


def _copies(facts: Facts, groups: Groups, slug: str, what: str) -> Iterator[DataFinding]:
    if not groups.extra:
        return
    share = groups.extra / max(1, facts.read)
    yield DataFinding(
        slug,
        "warning" if share >= _WEIGHS else "note",
        f"{'' if groups.complete else 'At least '}{groups.extra:,} of {facts.read:,} samples ({100 * share:.2g} %) {what} "
        f"(groups: {groups.group_count:,}).",
        _MEANING,
        _REMEDY,
        numbers={"copies": groups.extra, "groups": groups.group_count, "share": share},
        samples=_examples(facts, groups),
    )


def _examples(facts: Facts, groups: Groups) -> tuple[str, ...]:
    return tuple(
        " = ".join(facts.names(group, 3)) + (" = ..." if len(group) > 3 else "") for group in groups.groups[:10]
    )


def _continuous(facts: Facts) -> bool:
    """Whether rows have so many fractions that equal rows are no accident."""
    if not len(facts.rows):
        return False
    finite = np.where(np.isfinite(facts.rows), facts.rows, 0.0)
    different = sum(len(np.unique(column)) > 0.5 * len(column) for column in finite.T)
    return different >= 1
