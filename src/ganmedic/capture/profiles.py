"""How a loss answers to a score: the score is set, the rest of the loss is computed again.

Whatever a loss is called and however it is written, its derivative over the range of a score tells what it is: constant for a
Wasserstein loss, falling to zero on the losing side for the zero-sum one, zero beyond [0, 1] where scores are clipped as
probabilities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import imperative_grad, tape

from ganmedic.capture.replay import Program, Replay
from ganmedic.record.flow import SHAPE_ONLY
from ganmedic.record.schema import Operation, Profile

#: The values a score is set to.
GRID = (
    -50.0,
    -20.0,
    -10.0,
    -5.0,
    -2.0,
    -1.0,
    -0.5,
    -0.1,
    0.0,
    0.1,
    0.3,
    0.5,
    0.7,
    0.9,
    1.1,
    1.5,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
)
#: Of so many scores of one loss a profile is taken.
_MOST = 4
#: A score holds at most so many numbers a sample.
_WIDTH = 4096
#: So many values behind a score are looked at for a batch that was put together.
_SEARCHED = 3000


def scores(program: Program, rows: list[Operation], leaves: Iterable[int]) -> list[Operation]:
    """The operations that make the scores of a loss: they work with weights, and none after them does."""
    data = set(leaves)
    weights: set[int] = set()
    constant: set[int] = set()
    with_weights: list[Operation] = []
    for row in rows:
        if row.kind == "Const":
            constant.update(row.outputs)
        elif row.kind in ("ReadVariableOp", "ResourceGather"):
            (weights if _is_weight(program, row) else data).update(row.outputs)
        elif row.kind == "Placeholder" or row.kind in SHAPE_ONLY:
            constant.update(row.outputs) if row.kind in SHAPE_ONLY else data.update(row.outputs)
        else:
            handles = any(kind == "resource" for kind in row.input_types)
            from_data = any(value in data for value in row.inputs)
            from_weights = handles or any(value in weights for value in row.inputs)
            if from_data or not row.inputs:
                data.update(row.outputs)
                if from_weights and row.gradient_call is None and row.outputs:
                    with_weights.append(row)
            elif from_weights:
                weights.update(row.outputs)
            elif all(value in constant for value in row.inputs):
                constant.update(row.outputs)
            else:
                data.update(row.outputs)
    last = {row.id for row in with_weights}
    users: dict[int, list[Operation]] = {}
    for row in rows:
        for value in row.inputs:
            users.setdefault(value, []).append(row)
    blocked: dict[int, bool] = {}
    for row in reversed(rows):
        onward = [user for value in row.outputs for user in users.get(value, ())]
        blocked[row.id] = any(user.id in last or blocked.get(user.id, False) for user in onward)
    return [row for row in with_weights if not blocked[row.id]]


def _is_weight(program: Program, row: Operation) -> bool:
    """Whether a variable that is read is there to be trained: a pool of samples or a moving statistic is data."""
    variable = program.record.variables.get(program.record.resolve(row.inputs[0]))
    return variable is not None and variable.trainable


def profiles(
    program: Program,
    rows: list[Operation],
    replay: Replay,
    call: int,
    target: int,
    number: Any,
    probe: int,
    cuts: Mapping[int, int] | None = None,
) -> list[Profile]:
    """The profiles of a loss.

    Args:
        rows: the operations that make the loss, in order.
        replay: one in which they were run.
        call: the gradient call; ``target`` value id of the loss.
        number: hands out ids.
        probe: the probe that it is done in.
        cuts: number of samples -> where batches of that size that were put together outside TensorFlow are to be cut.
    """
    found: list[Profile] = []
    for row in scores(program, rows, replay.given):
        score = replay.values.get(row.outputs[0])
        if (
            score is None
            or not score.dtype.is_floating
            or score.shape.rank is None
            or len({one.value for one in found}) >= _MOST
        ):
            continue
        if not score.shape.rank or not 0 < score.shape.num_elements() <= _WIDTH:
            continue
        behind = after(rows, row.outputs[0])
        if not behind or target not in {value for one in behind for value in one.outputs}:
            continue
        parts = _parts(program, replay, row, score)
        cut = (cuts or {}).get(score.shape[0], 0)
        if cut and not parts:
            parts = [(0, cut), (cut, score.shape[0])]
        for begin, end in ((0, 0), *parts):
            profile = Profile(number(), call, row.outputs[0], row.id, begin, end, probe)
            for point in GRID:
                _measure(profile, program, replay, behind, target, score, point)
            found.append(profile)
    return found


def _parts(program: Program, replay: Replay, row: Operation, score: Any) -> list[tuple[int, int]]:
    """Where the samples of a score begin and end that were put together into one batch on the way to it."""
    queue, seen = list(row.inputs), set(row.inputs)
    while queue:
        made = program.maker.get(queue.pop(0))
        if made is None or len(seen) > _SEARCHED:
            continue
        parts = [replay.values.get(value) for value in made.inputs[:-1]]
        if made.kind == "ConcatV2" and len(parts) > 1 and all(part is not None and part.shape.rank for part in parts):
            lengths = [int(part.shape[0]) for part in parts if part is not None]
            axis = replay.values.get(made.inputs[-1])
            if axis is not None and int(axis) == 0 and sum(lengths) == score.shape[0]:
                ends = [sum(lengths[: index + 1]) for index in range(len(lengths))]
                return [(end - length, end) for end, length in zip(ends, lengths, strict=True)]
        fresh = [value for value in made.inputs if value not in seen]
        seen.update(fresh)
        queue.extend(fresh)
    return []


def after(rows: list[Operation], value: int) -> list[Operation]:
    """The operations that depend on a value."""
    changed, found = {value}, []
    for row in rows:
        if any(one in changed for one in row.inputs):
            changed.update(row.outputs)
            found.append(row)
    return found


def _measure(
    profile: Profile,
    program: Program,
    replay: Replay,
    behind: list[Operation],
    target: int,
    score: Any,
    point: float,
) -> None:
    value, part = profile.value, slice(profile.begin, profile.end or None)
    redone = {one for row in behind for one in row.outputs}
    given = replay.beside(redone)
    given[value] = tf.fill(score.shape, tf.cast(point, score.dtype))
    if profile.end:
        given[value] = tf.concat([score[: profile.begin], given[value][part], score[profile.end :]], axis=0)
    own = tape.push_new_tape(persistent=True, watch_accessed_variables=False)
    try:
        tape.watch(own, given[value])
        again = Replay(program, given, replay.read)
        again.run(behind)
    finally:
        tape.pop_tape(own)
    loss = again.values.get(target)
    if loss is None:
        low = high = result = float("nan")
    else:
        try:
            slope = imperative_grad.imperative_grad(own, [loss], [given[value]])[0]
        except (LookupError, ValueError, TypeError, RuntimeError, tf.errors.OpError):
            slope = tf.fill(score.shape, tf.cast(float("nan"), score.dtype))
        slopes = np.zeros(1) if slope is None else np.asarray(tf.cast(slope, tf.float64))[part]
        entries = slopes * score.shape.num_elements()
        result = float(np.asarray(tf.cast(loss, tf.float64)).mean())
        low, high = float(entries.min()), float(entries.max())
    profile.grid = (*profile.grid, point)
    profile.loss = (*profile.loss, result)
    profile.low = (*profile.low, low)
    profile.high = (*profile.high, high)
