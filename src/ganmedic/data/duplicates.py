"""Which samples are the same, and which pictures almost.

Exact: equal digests of 128 bits. Almost: perceptual hashes that differ in few bits are only candidates, for plain pictures and
line drawings share them; a pair counts when its small grey thumbnails agree too, and then the pictures themselves, read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganmedic.data.hashing import close_pairs
from ganmedic.data.picture import READ

#: Bits of 64 that may differ. Recompressed, scaled or brightened pictures differ in 0 to 4 (benchmarks/data_faults.py).
MOST_BITS = 6
#: So many candidates are looked at, and so many pairs read again.
MOST_CANDIDATES, MOST_VERIFIED = 200_000, 600
#: How far two thumbnails may be apart, by their spread: a correlation of 0.97 at 8 x 8.
_SMALL_DISTANCE = 0.25
#: Correlation of the pictures at 32 x 32 pixels, from which on they are the same picture: strong JPEG compression keeps 0.98, of
#: unrelated photographs none reaches 0.95. Smaller pictures come as close by chance: digits of one kind reach 0.985.
_SAME, _SAME_TINY = 0.97, 0.99
_SIDE = 32
#: Pictures of less contrast are plain: their hash is noise.
PLAIN = 0.02


@dataclass(frozen=True, slots=True)
class Groups:
    """Samples that belong together.

    Attributes:
        groups: indices, each group in order, the largest group first; the first thousand groups.
        extra: how many samples there are beyond one of each group.
        group_count: how many groups there are.
        complete: whether all were looked at.
    """

    groups: tuple[tuple[int, ...], ...] = ()
    extra: int = 0
    group_count: int = 0
    complete: bool = True


def exact(digests: NDArray[np.uint64], usable: NDArray[np.bool_] | None = None) -> Groups:
    """Group equal digests, uint64 array (n, 2); only those that are usable."""
    places = np.arange(len(digests)) if usable is None else np.flatnonzero(usable)
    if len(places) < 2:
        return Groups()
    keys = digests[places]
    order = np.lexsort((places, keys[:, 1], keys[:, 0]))
    new = np.ones(len(order), bool)
    new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    begins = np.flatnonzero(new)
    sizes = np.diff(np.append(begins, len(order)))
    several = np.flatnonzero(sizes > 1)
    largest = several[np.argsort(-sizes[several], kind="stable")][:1000]
    groups = tuple(
        tuple(places[order[begins[one] : begins[one] + min(int(sizes[one]), 50)]].tolist()) for one in largest
    )
    return Groups(groups, int((sizes[several] - 1).sum()), len(several))


def candidates(records: NDArray[Any]) -> tuple[NDArray[np.int64], bool]:
    """Return pairs (n, 2) of pictures that may be almost the same, closest first, and whether all were looked at."""
    usable = (records["state"] == READ) & (records["contrast"] > PLAIN)
    # Of pictures that are exactly the same, one takes part.
    _, first = np.unique(records["digest"], axis=0, return_index=True)
    single = np.zeros(len(records), bool)
    single[first] = True
    places = np.flatnonzero(usable & single)
    pairs, distances, looked = [], [], 0
    for one, other in close_pairs(records["phash"][places], MOST_BITS, MOST_CANDIDATES):
        looked += len(one)
        difference = records["luma"][places[one]].astype(np.float32) - records["luma"][places[other]]
        apart = np.sqrt((difference**2).mean(axis=1)) / 30
        near = apart < _SMALL_DISTANCE
        pairs.append(np.stack([places[one[near]], places[other[near]]], axis=1))
        distances.append(apart[near])
    if not pairs:
        return np.zeros((0, 2), np.int64), True
    order = np.argsort(np.concatenate(distances), kind="stable")
    return np.concatenate(pairs)[order], looked < MOST_CANDIDATES


def correlation(one: Image.Image, other: Image.Image) -> float:
    """Return the correlation of two pictures, grey, at 32 x 32 pixels (or their own size where that is smaller)."""
    side = min(_SIDE, *one.size, *other.size)
    first, second = (
        np.asarray(image.convert("L").resize((side, side), Image.Resampling.BOX), np.float64) for image in (one, other)
    )
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else 0.0


def is_same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures are the same to the eye."""
    tiny = min(*one.size, *other.size) < _SIDE
    return correlation(one, other) >= (_SAME_TINY if tiny else _SAME)


def grouped(pairs: Iterable[tuple[int, int]], complete: bool) -> Groups:
    """Join pairs to groups."""
    parent: dict[int, int] = {}

    def root(place: int) -> int:
        while parent.setdefault(place, place) != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for one, other in pairs:
        parent[root(other)] = root(one)
    members: dict[int, list[int]] = {}
    for place in parent:
        members.setdefault(root(place), []).append(place)
    found = sorted((tuple(sorted(group)) for group in members.values()), key=lambda group: (-len(group), group))
    return Groups(tuple(found[:1000]), sum(len(group) - 1 for group in found), len(found), complete)
