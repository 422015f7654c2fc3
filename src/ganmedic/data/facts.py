"""What follows from all that was measured, before anything is made of it: the findings are read from this."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.again import Again
from ganmedic.data.against import Against
from ganmedic.data.diversity import Diversity, Order, measure_diversity, measure_order
from ganmedic.data.duplicates import MOST_VERIFIED, Groups, candidates, exact, grouped, is_same
from ganmedic.data.features import PICTURES, ROWS, of_pictures, of_rows
from ganmedic.data.gathering import Gathered
from ganmedic.data.looks import looks
from ganmedic.data.moments import Moments
from ganmedic.data.picture import MODES, READ
from ganmedic.data.result import Channel
from ganmedic.data.sources.source import Source
from ganmedic.data.statistics import statistics

#: Fewer samples say nothing about diversity or order.
_FEWEST = 8


@dataclass(slots=True)
class Facts:
    """What is known of a data set.

    Attributes:
        source, gathered: where it comes from, and what was measured.
        against: what it is held against, if that is known.
        channels: statistics of the channels or columns.
        moments: the same, to normalise by.
        value_range: what values can be (bytes: 0 to 255), `None` if only what was measured is known.
        looks: indices of pictures that look odd, by the check that strikes.
        exact, near: duplicates.
        diversity, order: of a fair sample; `None` for fewer than 8 samples.
        indices: where the samples of the fair sample lie in the data.
        rows: the fair sample of a table, float array (n, columns); empty for pictures.
        thumbs: the fair sample of pictures, uint8 array (n, 32, 32, 3); empty for tables.
    """

    source: Source
    gathered: Gathered
    against: Against | None
    channels: tuple[Channel, ...] = ()
    moments: Moments | None = None
    value_range: tuple[float, float] | None = None
    looks: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    exact: Groups = field(default_factory=Groups)
    near: Groups = field(default_factory=Groups)
    diversity: Diversity | None = None
    order: Order | None = None
    indices: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    rows: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    thumbs: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 32, 32, 3), np.uint8))

    @property
    def pictures(self) -> bool:
        """Whether the data are pictures."""
        return self.source.content == "pictures"

    @property
    def read(self) -> int:
        """Samples that could be read."""
        return self.gathered.samples - self.unread

    @property
    def unread(self) -> int:
        """Pictures that could not be read; a damaged record of which there is no sample is not among them."""
        records = self.gathered.records
        return int((records["state"] != READ).sum()) if len(records) else 0

    @property
    def lowest(self) -> float:
        """The smallest finite value of all channels; NaN without any."""
        return min((channel.minimum for channel in self.channels if channel.count), default=float("nan"))

    @property
    def highest(self) -> float:
        """The largest finite value of all channels."""
        return max((channel.maximum for channel in self.channels if channel.count), default=float("nan"))

    @property
    def integers(self) -> bool:
        """Whether the values are whole numbers by their type."""
        return self.source.encoded or np.dtype(self.gathered.dtype or "float64").kind in "biu"

    def names(self, indices: NDArray[np.int64] | tuple[int, ...] | list[int], most: int = 20) -> tuple[str, ...]:
        """What the first of some samples are called."""
        return tuple(self.source.name(int(index)) for index in indices[:most])


def work_out(source: Source, gathered: Gathered, against: Against | None) -> Facts:
    """Work out everything that findings are read from."""
    facts = Facts(source, gathered, against)
    facts.channels, facts.moments = statistics(gathered)
    if source.encoded or gathered.dtype == "uint8":
        facts.value_range = (0.0, 255.0)
    records = gathered.records
    facts.exact = exact(gathered.digests, records["state"] == READ if len(records) else None)
    if facts.pictures and len(records):
        facts.looks = looks(records)
        facts.near = near_duplicates(facts)
    _sample(facts)
    return facts


def near_duplicates(facts: Facts) -> Groups:
    """Pictures that are almost the same. Candidates are read again and compared where that is possible."""
    pairs, complete = candidates(facts.gathered.records)
    if not len(pairs):
        return Groups()
    looked, rest = pairs[:MOST_VERIFIED], pairs[MOST_VERIFIED:]
    pictures = Again(facts.source, facts.gathered.starts).pictures(np.unique(looked).tolist())
    good = [
        (int(one), int(other))
        for one, other in looked
        if int(one) not in pictures or int(other) not in pictures or is_same(pictures[int(one)], pictures[int(other)])
    ]
    # Beyond those that are read again, thumbnails decide: by the share of the closer ones that were confirmed, or not at all.
    trusted = len(good) >= 0.9 * len(looked)
    more = [(int(one), int(other)) for one, other in rest] if trusted else []
    return grouped([*good, *more], complete and (trusted or not len(rest)))


def class_counts(facts: Facts) -> dict[str, int]:
    """Samples of each class, by its name, in the order of the labels."""
    names = facts.source.class_names
    counts = facts.gathered.class_counts
    return {
        names[label] if label < len(names) else f"class {label}": int(counts[label]) if label < len(counts) else 0
        for label in range(max(len(names), len(counts)))
        if label < len(names) or counts[label]
    }


def mode_counts(facts: Facts) -> dict[str, int]:
    """Pictures of each colour mode, the commonest first; empty for arrays and tables."""
    records = facts.gathered.records
    if not facts.source.encoded or not len(records):
        return {}
    counts = np.bincount(records["mode"][records["state"] == READ], minlength=len(MODES))
    return {MODES[place]: int(counts[place]) for place in np.argsort(-counts, kind="stable") if counts[place]}


def _sample(facts: Facts) -> None:
    indices, kept = facts.gathered.reservoir.samples()
    if len(indices) < _FEWEST:
        return
    labels = np.array([label for _, label in kept], np.int32)
    if facts.pictures:
        facts.thumbs = np.stack([thumb for thumb, _ in kept])
        features, description = of_pictures(facts.thumbs), PICTURES
    else:
        facts.rows = np.stack([row for row, _ in kept])
        features, description = of_rows(facts.rows), ROWS
        if not features.shape[1]:
            return
    facts.indices = indices
    facts.diversity = measure_diversity(features, description)
    facts.order = measure_order(features, labels)
