"""Samples that could not be read."""

from __future__ import annotations

from collections.abc import Iterator

from ganmedic.data.facts import Facts
from ganmedic.data.result import DataFinding

#: From this share of the data on it is no accident of single files.
_MANY = 0.05


def find(facts: Facts, unreadable: list[tuple[str, str]]) -> Iterator[DataFinding]:
    count = facts.gathered.broken_count + len(facts.source.broken)
    if not count:
        return
    total = max(facts.gathered.samples, count)
    share = count / total
    nothing = not facts.read
    reasons = "; ".join(dict.fromkeys(reason for _, reason in unreadable[:20]))
    yield DataFinding(
        "unreadable-files",
        "error" if nothing or share >= _MANY else "warning",
        f"{count:,} of {total:,} samples could not be read: {reasons[:300]}.",
        "An input pipeline stops at such a sample, in the middle of the training, or fills what is missing with grey, which the "
        "discriminator learns as a sign of real data.",
        "Take these files out, or fetch them again, before training.",
        numbers={"unreadable": count, "share": share},
        samples=tuple(f"{name} ({reason})" for name, reason in unreadable[:20]),
    )
