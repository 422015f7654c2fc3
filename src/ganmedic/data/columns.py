"""What is counted of a table's columns beside their moments: words, empty cells, and the value that most rows share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: So many different words of a column are told apart; a column of more is a text or a key, not a class.
MOST_WORDS = 1000
#: So many candidates for the commonest number are kept: one that more than a quarter of the rows have is among them.
_CANDIDATES = 4


class Words:
    """How often each word of a column occurs.

    Attributes:
        counts: the first `MOST_WORDS` different words; what came later is only counted as `others`.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.others = 0
        self.empty = 0

    def update(self, cells: Iterable[str | None]) -> None:
        """Count cells."""
        for word, count in Counter(cells).items():
            if word is None:
                self.empty += count
            else:
                self._add(word[:80], count)

    def merge(self, other: Words) -> None:
        """Add the counts of another one."""
        for word, count in other.counts.items():
            self._add(word, count)
        self.others += other.others
        self.empty += other.empty

    def _add(self, word: str, count: int) -> None:
        if word in self.counts or len(self.counts) < MOST_WORDS:
            self.counts[word] += count
        else:
            self.others += count

    @property
    def total(self) -> int:
        """Cells that are not empty."""
        return self.counts.total() + self.others


class Commonest:
    """The value that most rows of a column share (Misra and Gries, *Finding repeated elements*, 1982).

    The count is a lower bound; it is short by a fifth of the rows at most, and exact where blocks agree on the candidates.
    """

    def __init__(self) -> None:
        self.counts: dict[float, int] = {}
        self.total = 0

    def update(self, values: NDArray[Any]) -> None:
        """Count the finite values of an array (n,)."""
        found, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        best = np.argsort(-counts, kind="stable")[: 4 * _CANDIDATES]
        self._add({float(found[place]): int(counts[place]) for place in best}, int(counts.sum()))

    def merge(self, other: Commonest) -> None:
        """Add the counts of another one."""
        self._add(other.counts, other.total)

    def _add(self, counts: dict[float, int], total: int) -> None:
        merged = dict(self.counts)
        for value, count in counts.items():
            merged[value] = merged.get(value, 0) + count
        best = sorted(merged, key=lambda value: (-merged[value], value))[:_CANDIDATES]
        self.counts, self.total = {value: merged[value] for value in best}, self.total + total

    @property
    def best(self) -> tuple[float, float]:
        """The value and the share of the rows that have it, at least."""
        if not self.counts:
            return float("nan"), 0.0
        value = max(self.counts, key=lambda one: self.counts[one])
        return value, self.counts[value] / max(1, self.total)
