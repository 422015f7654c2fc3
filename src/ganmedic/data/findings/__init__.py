"""What the facts mean for a GAN: one file a kind of fault. Each `find` takes the facts and answers findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ganmedic.data.facts import Facts
from ganmedic.data.findings import balance, cells, copies, files, forms, order, ranges, scaling, variety
from ganmedic.data.result import GRAVITY, DataFinding

#: Asked in this order; findings of the same severity stay in it.
_FINDERS: tuple[Callable[[Facts], Iterable[DataFinding]], ...] = (
    cells.find,
    ranges.find,
    scaling.find,
    variety.find,
    copies.find,
    balance.find,
    order.find,
    forms.find,
)


def find(facts: Facts, unreadable: list[tuple[str, str]]) -> tuple[DataFinding, ...]:
    """Return all findings, gravest first.

    Args:
        facts: what was worked out.
        unreadable: name and reason of what could not be read.
    """
    found = [*files.find(facts, unreadable), *(one for finder in _FINDERS for one in finder(facts))]
    return tuple(sorted(found, key=lambda one: GRAVITY.index(one.severity)))
