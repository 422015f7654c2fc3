"""Keeps, of each step that is run again, the batches at the faces of the networks: what goes in, what comes out.

Which of them is real, generated or noise is worked out later, from the record; here every face is treated alike. Two more
things are measured in the same sandbox: what a network puts out for what it was given at the first look (so that samples at
fixed noise can be followed through the run), and how far each batch moves when what the step was given is dealt out anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.record import stop_recording

from ganmedic.capture.batches import KEPT, array_of, batch_of
from ganmedic.capture.ends import ends_of
from ganmedic.capture.profiles import after, scores
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.replay import Program, Replay
from ganmedic.record.game import Response, kind_of
from ganmedic.record.schema import Operation

#: So many bytes of samples a run keeps at most; beyond it figures alone.
_BYTES = 24_000_000
#: So many faces of one step are kept, so many leaves are dealt out anew, so many samples are followed,
#: so many scores are kept.
_FACES, _LEAVES, _FOLLOWED, _SCORES = 32, 4, 16, 1024
#: So many batches between the looks, and so many samples of each.
_STREAM, _STREAMED = 16, 32
#: Whole numbers of at most so many entries are taken for a shape.
_SHAPES = 5
_PRODUCTS = ("MatMul", "Conv2D", "Conv2DBackpropInput", "BatchMatMulV2")


class Exhibits:
    """The batches of a session.

    Args:
        shown: the digests of what networks put out last in eager code.
    """

    def __init__(self, recorder: Recorder, shown: Callable[[], frozenset[int]]) -> None:
        self._recorder = recorder
        self._shown = shown
        self._first: dict[Any, list[Any]] = {}
        self._bytes = 0
        self._streamed: dict[int, int] = {}

    def kind(self, probe: int) -> tuple[int, ...]:
        """What tells the steps of one call apart."""
        return kind_of(one for one in self._recorder.record.batches.values() if one.owner == probe)

    def cuts(self, probe: int) -> dict[int, int]:
        """Number of samples -> where a batch of that size goes over from real samples to generated ones, or the other way."""
        return {
            one.shape[0]: one.end if one.begin == 0 else one.begin
            for one in self._recorder.record.batches.values()
            if one.owner == probe and one.end
        }

    def keep(self, key: Any, probe: int, program: Program, rows: list[Operation], replay: Replay) -> None:
        """Keeps the faces of one step.

        Args:
            key: what counts as one gradient call.
            replay: one in which the step was run.
        """
        with stop_recording():
            shown = self._shown()
            faces = self._faces(program, rows, replay)
            for value, place in faces.items():
                self._add(probe, place, value, replay.values[value], shown, _SCORES if place == "score" else KEPT)
            outputs = [value for value, place in faces.items() if place != "given"]
            for row in [one for one in self._recorder.record.batches.values() if one.owner == probe]:
                found = ends_of(program, rows, replay, row.value) if row.place in ("output", "input", "part") else None
                if found is not None:
                    row.activation, row.activated, row.ends = found[0].kind, found[0].id, found[1:]
            self._follow(key, probe, program, rows, replay, outputs)
            self._deal(probe, program, rows, replay, outputs)

    def _add(self, probe: int, place: str, value: int, tensor: Any, shown: frozenset[int], kept: int) -> None:
        record = self._recorder.record
        row = batch_of(self._recorder.now(), probe, place, value, tensor, kept=kept if self._bytes < _BYTES else 0)
        if row is None:
            return
        if shown and row.digests:
            found = [index for index, one in enumerate(row.digests) if one in shown]
            row.generated, row.made = len(found) / len(row.digests), tuple(found)
            if 0 < len(found) < len(row.digests) == row.shape[0] and found[-1] - found[0] + 1 == len(found):
                row.begin, row.end = found[0], found[-1] + 1
        self._bytes += len(row.entries)
        record.batches[row.id] = row

    def stream(self, call: int, given: dict[int, Any]) -> None:
        """Keeps what one step was given, and no more: a few small batches over the run tell whether they come sorted."""
        self._streamed[call] = self._streamed.get(call, 0) + 1
        if self._streamed[call] > _STREAM or self._bytes > _BYTES:
            return
        for value, tensor in given.items():
            if _is_batch(tensor) and tensor.dtype.is_floating and tensor.shape.rank > 1 and tensor.shape[0] > 1:
                row = batch_of(self._recorder.now(), call, "stream", value, tensor[:_STREAMED])
                if row is not None:
                    self._bytes += len(row.entries)
                    self._recorder.record.batches[row.id] = row

    # --- which values ---------------------------------------------------------------------------------------------------

    def _faces(self, program: Program, rows: list[Operation], replay: Replay) -> dict[int, str]:
        """Value id -> its place, of those that the step computed or was given."""
        record, values = self._recorder.record, replay.values
        used = {value for row in rows for value in row.inputs}
        found = {value: "given" for value in replay.given if value in used}
        for call in record.layer_calls.values():
            module = record.modules.get(call.module)
            if module is None or not (module.model or (module.custom and call.parent is None)):
                continue
            # A loss may take what lies before a network's last activation, and so leave its output aside.
            if not any(value in values for value in (*call.inputs, *call.outputs)):
                continue
            found.update((value, "input") for value in call.inputs if value not in found)
            found.update((value, "output") for value in call.outputs)
        for row in rows:
            if row.kind in _PRODUCTS and row.layer_call is None and row.gradient_call is None:
                found.setdefault(row.inputs[0], "input")
        for row in scores(program, rows, replay.given):
            found[row.outputs[0]] = "score"
        for row in rows:
            if row.kind == "ConcatV2" and found.get(row.outputs[0]) == "input":
                for value in row.inputs[:-1]:
                    found.setdefault(value, "part")
        known = [(value, place) for value, place in found.items() if _is_batch(values.get(value))]
        return dict(known[:_FACES])

    # --- the same noise, later ------------------------------------------------------------------------------------------

    def _follow(
        self, key: Any, probe: int, program: Program, rows: list[Operation], replay: Replay, outputs: list[int]
    ) -> None:
        leaves = sorted(value for value in replay.given if any(value in row.inputs for row in rows))
        first = self._first.setdefault(key, [replay.values[value] for value in leaves])
        if len(first) != len(leaves) or any(
            one.shape != replay.values[value].shape for one, value in zip(first, leaves, strict=True)
        ):
            return
        again = Replay(program, dict(zip(leaves, first, strict=True)), replay.read)
        again.run(rows)
        for value in outputs:
            if _is_batch(again.values.get(value)):
                self._add(probe, "fixed", value, again.values[value], frozenset(), _FOLLOWED)

    # --- dealt out anew -------------------------------------------------------------------------------------------------

    def _deal(self, probe: int, program: Program, rows: list[Operation], replay: Replay, outputs: list[int]) -> None:
        leaves = [
            value
            for value in replay.given
            if _is_batch(replay.values[value]) and any(value in row.inputs for row in rows)
        ]
        # Of the leaves the smaller ones: noise, labels, conditions.
        leaves.sort(key=lambda value: int(np.prod(replay.values[value].shape.as_list())))
        for leaf in leaves[:_LEAVES]:
            depending = after(rows, leaf)
            redone = {value for row in depending for value in row.outputs}
            watched = [value for value in outputs if value in redone]
            if not watched:
                continue
            given = replay.beside(redone)
            given[leaf] = _dealt(replay.values[leaf])
            again = Replay(program, given, replay.read)
            again.run(depending)
            for value in watched:
                self._respond(probe, leaf, value, replay.values[value], again.values.get(value))

    def _respond(self, probe: int, leaf: int, value: int, before: Any, now: Any) -> None:
        if now is None or now.shape != before.shape or not before.dtype.is_floating:
            return
        one, other = array_of(before), array_of(now)
        if one is None or other is None or not (np.isfinite(one).all() and np.isfinite(other).all()):
            return
        row = Response(
            id=self._recorder.now(),
            probe=probe,
            leaf=leaf,
            value=value,
            moved=float(np.sqrt(np.square(other - one, dtype=np.float64).mean())),
            spread=float(np.sqrt(np.square(one - one.mean(axis=0, keepdims=True), dtype=np.float64).mean())),
        )
        self._recorder.record.responses[row.id] = row


def _is_batch(tensor: Any) -> bool:
    """Whether it holds numbers, with an axis of samples."""
    if tensor is None or not hasattr(tensor, "dtype") or tensor.shape.rank is None or tensor.shape.rank == 0:
        return False
    kind = tensor.dtype
    if kind.is_integer and tensor.shape.rank == 1 and tensor.shape[0] <= _SHAPES:
        return False  # a shape, an axis
    return bool((kind.is_floating or kind.is_integer or kind.is_bool) and tensor.shape.num_elements())


def _dealt(tensor: Any) -> Any:
    if tensor.shape[0] > 1:
        return tf.roll(tensor, 1, axis=0)
    flat = tf.reshape(tensor, (-1,))
    return tf.reshape(tf.roll(flat, 1, axis=0), tensor.shape)
