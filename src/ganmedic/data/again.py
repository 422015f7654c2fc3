"""Reads a few samples of a data set again: to compare them closely, and to show them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable

from PIL import Image

from ganmedic.data.batches import ArrayBatch, EncodedBatch
from ganmedic.data.image_reading import UnreadableError, decode, read_file
from ganmedic.data.picture import from_array
from ganmedic.data.sources.source import Source

#: Longest side of the pictures that are given back.
_SIDE = 256


class Again:
    """Pictures by their index.

    Args:
        source: where they lie.
        starts: index of the first sample of each block, in order.
    """

    def __init__(self, source: Source, starts: array[int]) -> None:
        self._source, self._starts = source, starts

    def pictures(self, indices: Iterable[int]) -> dict[int, Image.Image]:
        """Return the pictures that can be read again, at most 256 pixels wide and high; none where the data is gone."""
        if not self._source.rereadable or self._source.content != "pictures":
            return {}
        wanted: dict[int, set[int]] = {}
        for index in indices:
            wanted.setdefault(bisect_right(self._starts, index) - 1, set()).add(index)
        found: dict[int, Image.Image] = {}
        for number, block in enumerate(self._source.blocks()):
            if number > max(wanted, default=-1):
                break
            if number not in wanted:
                continue
            place = self._starts[number]
            for batch in block.read():
                if isinstance(batch, (EncodedBatch, ArrayBatch)):
                    for index in wanted[number] & set(range(place, place + len(batch.labels))):
                        image = _one(batch, index - place)
                        if image is not None:
                            found[index] = image
                    place += len(batch.labels)
        return found


def _one(batch: EncodedBatch | ArrayBatch, place: int) -> Image.Image | None:
    if isinstance(batch, ArrayBatch):
        image = from_array(batch.values[place], batch.unscaled)
    else:
        payload = batch.payloads[place]
        try:
            image = decode(payload if isinstance(payload, bytes) else read_file(payload, batch.folder))
        except UnreadableError:
            return None
    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return image
