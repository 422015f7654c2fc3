"""Watches what networks are asked for in eager code and under no tape: samples to look at, scores of data held back.

Of each line the first call is kept and the last one; nothing is computed before the end of the run, or before a step asks
whether what it is given came out of a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ganmedic.capture.batches import array_of, batch_of, digests_of
from ganmedic.capture.patches import Patches
from ganmedic.capture.recorder import Recorder
from ganmedic.record.game import Showing
from ganmedic.record.schema import Stack

#: So many lines are followed; of one call so many samples, and tensors of at most so many entries are held as they are.
_LINES, _SAMPLES, _HELD = 64, 256, 2_000_000
#: So many tensors that went in are kept.
_INPUTS = 4


@dataclass
class _Seen:
    """One call, with what went in and what came out."""

    row: Showing
    inputs: list[Any]
    outputs: list[Any]


class Showings:
    """The showings of a session."""

    def __init__(self, recorder: Recorder, patches: Patches) -> None:
        self._recorder = recorder
        self._patches = patches
        self._first: dict[tuple[int, Stack], _Seen] = {}
        self._last: dict[tuple[int, Stack], _Seen] = {}
        self._digests: dict[int, frozenset[int]] = {}

    def seen(self, module: int, how: str, given: Any, result: Any) -> None:
        """A network answered.

        Args:
            module: its id.
            given: what it was called on, any structure of tensors and arrays.
            result: what it returned.
        """
        # Taking the first samples of a large tensor is an operation, and none of the program's.
        self._recorder.here.deaf += 1
        try:
            inputs, outputs = _arrays(given)[:_INPUTS], _arrays(result)
        finally:
            self._recorder.here.deaf -= 1
        if not outputs:
            return  # a network that is put together
        site = (module, self._recorder.stack())
        before = self._last.get(site) or self._first.get(site)
        if before is None and len(self._first) >= _LINES:
            return
        count = before.row.count + 1 if before is not None else 1
        row = Showing(self._recorder.now(), module, how, site[1], count)
        now = _Seen(row, inputs, outputs)
        if before is None:
            self._first[site] = now
        else:
            self._last[site] = now

    def digests(self) -> frozenset[int]:
        """The digests of the samples that came out last, of each line."""
        found: frozenset[int] = frozenset()
        known: dict[int, frozenset[int]] = {}
        for seen in {**self._first, **self._last}.values():
            if seen.row.id not in self._digests:
                entries = [array for one in seen.outputs if (array := array_of(one)) is not None and array.ndim > 1]
                self._digests[seen.row.id] = frozenset(one for array in entries for one in digests_of(array))
            known[seen.row.id] = self._digests[seen.row.id]
            found |= known[seen.row.id]
        self._digests = known
        return found

    def settle(self) -> None:
        """Writes what was seen into the record, anew each time."""
        record = self._recorder.record
        for seen in [*self._first.values(), *self._last.values()]:
            if seen.row.id not in record.showings:
                self._patches.guarded(self._write, seen)
        kept = {seen.row.id for seen in [*self._first.values(), *self._last.values()]}
        for number in record.showings.keys() - kept:
            del record.showings[number]
            for batch in [one.id for one in record.batches.values() if one.owner == number]:
                del record.batches[batch]

    def _write(self, seen: _Seen) -> None:
        record = self._recorder.record
        record.showings[seen.row.id] = seen.row
        for place, tensors in (("input", seen.inputs), ("output", seen.outputs)):
            for tensor in tensors:
                batch = batch_of(self._recorder.now(), seen.row.id, place, getattr(tensor, "_id", 0), tensor)
                if batch is not None:
                    record.batches[batch.id] = batch


def _arrays(structure: Any) -> list[Any]:
    """The tensors and arrays in a structure; of large ones the first samples, and of arrays a copy."""
    found: list[Any] = []
    for one in tf.nest.flatten(structure):
        if isinstance(one, tf.__internal__.EagerTensor) and one.shape.rank:
            found.append(one if one.shape.num_elements() <= _HELD else one[:_SAMPLES])
        elif isinstance(one, np.ndarray) and one.ndim and one.dtype.kind in "fiub":
            found.append(one[:_SAMPLES].copy())
    return found
