"""Measures every gradient that a tape answers: its norm, its largest entry, what is not finite, and how far weights move.

The figures stay inside TensorFlow. In a function graph a few operations are added behind ``tape.gradient``, which write one
row into a ring; in eager code one small traced function does the same. The ring is read now and then. Of how far the weights
move a fixed sample of their entries is compared from row to row, so that no update is made to copy a buffer.

Declared schedule and cost: every gradient call; per variable about four passes over its gradient (large ones) or a share of
ten operations (small ones); one read of a ring in half a second.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.record import stop_recording
from tensorflow.python.ops import gen_resource_variable_ops as raw

from ganmedic.capture.branches import rarely
from ganmedic.capture.cells import Cell
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.variables import handle_of, inner
from ganmedic.record.schema import Apply, GradientCall, Stack
from ganmedic.record.series import QUANTITIES, Series, share

#: Rows of a ring.
RING = 64
#: Gradients of at most so many entries are put together and measured at once.
SMALL = 4096
#: So many entries of a variable are compared from step to step.
SAMPLE = 256
#: Of a line that asks for the gradients of other variables each time, so many sets of them are measured.
_SITES_OF_A_LINE = 16
#: A ring is read after so many seconds, or when it is half full.
READ_SECONDS = 0.5


@dataclass
class Site:
    """One place at which gradients are asked for, and the rings behind it.

    Attributes:
        measure: the traced function of an eager site.
        traced: what it was first traced to, and the shapes and types that takes.
    """

    series: Series
    ring: Cell
    count: Cell
    previous: Cell
    graph: int
    read: int = 0
    measure: Any = None
    traced: tuple[Any, list[Any]] | None = None


class Meters:
    """The rings of a session.

    Args:
        arm: called in a graph with the site and a boolean scalar, true where a row is not finite; keeps what led to it.
        failed: called in eager code with the gradient call whose row was not finite.
        collected: called in eager code after the rings were read.
    """

    def __init__(
        self,
        recorder: Recorder,
        arm: Callable[[Site, Any], None] = lambda site, bad: None,
        failed: Callable[[Site, GradientCall], None] = lambda site, row: None,
        collected: Callable[[], None] = lambda: None,
    ) -> None:
        self._recorder = recorder
        self._arm = arm
        self._failed = failed
        self._collected = collected
        self.sites: list[Site] = []
        self._eager: dict[tuple[Stack, tuple[int, ...]], Site | None] = {}
        #: Graph -> value ids of the gradients that tapes answered in it.
        self._answered: dict[int, set[int]] = {}
        self._counts: Counter[tuple[Stack, tuple[int, ...]]] = Counter()
        self._last = time.monotonic()
        self._since = 0

    def answered(self, row: GradientCall, targets: list[Any], sources: list[Any], gradients: list[Any]) -> None:
        """A tape answered: measures what it answered, or adds the operations that will."""
        chosen = [
            index
            for index, (source, gradient) in enumerate(zip(sources, gradients, strict=False))
            if gradient is not None and _is_weight(source) and _values(gradient).dtype.is_floating
        ]
        losses = [_values(target) for target in targets if target is not None]
        losses = [loss for loss in losses if loss.dtype.is_floating]
        if not chosen or not losses or row.method != "gradient":
            return
        self._counts[row.stack, row.sources] += 1
        told = self._answered.setdefault(row.graph, set())
        if not row.graph and len(told) > 20_000:
            told.clear()
        told.update(value._id for gradient in gradients if hasattr(value := _given(gradient), "_id"))
        weights = [inner(sources[index]) for index in chosen]
        values = [_values(gradients[index]) for index in chosen]
        ids = tuple(row.sources[index] for index in chosen)
        self._recorder.here.deaf += 1
        try:
            with stop_recording():
                if row.graph:
                    site = self._site(row, ids, len(losses), weights)
                    self._measure(site, losses, values, weights, whole_run=False)
                else:
                    self._eagerly(row, ids, losses, values, weights)
        finally:
            self._recorder.here.deaf -= 1

    def applying(self, row: Apply, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """An optimizer was given gradients: measures those that are others than a tape answered."""
        known = self._answered.get(row.graph, set())
        chosen = [
            index
            for index, (gradient, variable) in enumerate(zip(gradients, variables, strict=False))
            if gradient is not None
            and _is_weight(variable)
            and hasattr(_values(gradient), "_id")
            and _values(gradient).dtype.is_floating
        ]
        if not chosen or all(_values(gradients[index])._id in known for index in chosen):
            return
        values = [_values(gradients[index]) for index in chosen]
        ids = tuple(row.variables[index] for index in chosen)
        self._recorder.here.deaf += 1
        try:
            with stop_recording():
                if row.graph:
                    self._measure(self._site(row, ids, 0, [], applied=True), [], values, [], whole_run=True)
                else:
                    self._eagerly(row, ids, [], values, [], applied=True)
        finally:
            self._recorder.here.deaf -= 1

    def _site(
        self, row: GradientCall | Apply, ids: tuple[int, ...], losses: int, weights: list[Any], *, applied: bool = False
    ) -> Site:
        series = Series(id=row.id, call=row.id, variables=ids, losses=losses, applied=applied)
        samples = sum(_sample_size(weight) for weight in weights)
        site = Site(
            series,
            ring=Cell(tf.float32, (RING, series.width), np.zeros((RING, series.width), np.float32)),
            count=Cell(tf.int64, (), 0),
            previous=Cell(tf.float32, (samples,), np.full((samples,), np.nan, np.float32)),
            graph=row.graph,
        )
        self.sites.append(site)
        return site

    def _eagerly(
        self,
        row: GradientCall | Apply,
        ids: tuple[int, ...],
        losses: list[Any],
        values: list[Any],
        weights: list[Any],
        *,
        applied: bool = False,
    ) -> None:
        key = (row.stack, ids)
        if key not in self._eager:
            self._eager[key] = None
            if sum(stack == row.stack for stack, _ in self._eager) > _SITES_OF_A_LINE:
                return
            site = self._site(row, ids, len(losses), weights, applied=applied)
            count = len(losses)

            def measure(*tensors: Any) -> Any:
                self._recorder.here.deaf += 1
                try:
                    return self._measure(site, list(tensors[:count]), list(tensors[count:]), weights, whole_run=True)
                finally:
                    self._recorder.here.deaf -= 1

            site.measure = tf.function(measure, autograph=False, reduce_retracing=True)
            site.traced = site.measure.get_concrete_function(*losses, *values), _signature([*losses, *values])
            self._eager[key] = site
        known = self._eager[key]
        if known is None or len(losses) != known.series.losses:
            return
        bad = _run(known, [*losses, *values])
        read = self.stepped()
        if isinstance(row, GradientCall) and bool(bad):
            self._failed(known, row)
            read = True
        if read:
            self._collected()

    def steps_of(self, row: GradientCall) -> int:
        """How often a gradient call was answered before this time."""
        return max(0, self._counts.get((row.stack, row.sources), 0) - 1)

    # --- the operations -----------------------------------------------------------------------------------------------

    def _measure(
        self, site: Site, losses: list[Any], gradients: list[Any], weights: list[Any], *, whole_run: bool
    ) -> Any:
        values = [tf.cast(gradient, tf.float32) for gradient in gradients]
        norms, largest, zeros, sizes, count_bad = _figures(values)
        heads = [tf.reduce_mean(tf.cast(loss, tf.float32)) for loss in losses]
        heads = tf.stack(heads) if heads else tf.zeros((0,))
        bad = tf.logical_not(tf.logical_and(tf.reduce_all(tf.math.is_finite(norms)), _all_finite(heads)))
        nonfinite = count_bad(bad)
        moved, weight = self._movement(site, weights)
        row = tf.concat([heads, norms, largest, nonfinite / sizes, zeros / sizes, moved, weight], 0)
        number = site.count.read()
        site.ring.put_row(tf.cast(number % RING, tf.int32), row)
        site.count.add(1)
        if not whole_run:
            self._arm(site, bad)
        return bad

    def _movement(self, site: Site, weights: list[Any]) -> tuple[Any, Any]:
        """How far each weight moved since the last row, and how large it is: root mean squares over a sample."""
        if not weights:
            nothing = tf.fill((len(site.series.variables),), np.float32(np.nan))
            return nothing, nothing
        now = tf.concat([_sample(weight, compiled=self._recorder.here.xla > 0) for weight in weights], 0)
        before = site.previous.read()
        segments = np.repeat(np.arange(len(weights), dtype=np.int32), [_sample_size(weight) for weight in weights])
        counts = np.maximum(np.bincount(segments, minlength=len(weights)), 1).astype(np.float32)
        moved = tf.math.unsorted_segment_sum(tf.square(now - before), segments, len(weights)) / counts
        weight = tf.math.unsorted_segment_sum(tf.square(now), segments, len(weights)) / counts
        site.previous.put(now)
        return tf.sqrt(moved), tf.sqrt(weight)

    # --- reading --------------------------------------------------------------------------------------------------------

    def stepped(self) -> bool:
        """A step is over: reads the rings if it is time, and says whether it did."""
        self._since += 1
        if self._since < RING // 4 and time.monotonic() - self._last < READ_SECONDS:
            return False
        self.collect()
        return True

    def collect(self) -> None:
        """Reads what the rings hold beyond what was read before."""
        self._last, self._since = time.monotonic(), 0
        self._recorder.here.silent += 1
        try:
            with stop_recording(), tf.init_scope():
                for site in self.sites:
                    self._read(site)
        finally:
            self._recorder.here.silent -= 1

    def _read(self, site: Site) -> None:
        count = int(site.count.get())
        fresh = range(max(site.read, count - RING), count)
        site.read = count
        if not fresh:
            return
        ring = np.asarray(site.ring.get())
        # A function that makes variables is traced twice, and its first graph is never run: no series without a row.
        series = self._recorder.record.series
        if site.series.id not in series:
            series[site.series.id] = site.series
            share(series.values())
        site.series.add(list(fresh), ring[[step % RING for step in fresh]])


def _signature(tensors: list[Any]) -> list[Any]:
    return [(tensor._shape_tuple(), tensor._datatype_enum()) for tensor in tensors]


def _run(site: Site, tensors: list[Any]) -> Any:
    """Runs the function of an eager site; tensors that fit go straight to its graph, which takes an eighth of the time."""
    if site.traced is not None and site.traced[1] == _signature(tensors):
        graph = site.traced[0]
        return graph._call_flat(tensors, graph.captured_inputs)
    return site.measure(*tensors)


def _values(tensor: Any) -> Any:
    """The numbers of a tensor; of a sparse gradient the rows that it has."""
    if isinstance(tensor, tf.IndexedSlices):
        return tensor.values
    if isinstance(tensor, tf.__internal__.EagerTensor) and tf.executing_eagerly():
        return tensor
    return tf.convert_to_tensor(tensor)


def _given(gradient: Any) -> Any:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _is_weight(source: Any) -> bool:
    value = inner(source)
    return isinstance(value, tf.Variable) and handle_of(value) is not None and value.dtype.is_floating


def _all_finite(values: Any) -> Any:
    return tf.reduce_all(tf.math.is_finite(values))


def _figures(gradients: list[Any]) -> tuple[Any, Any, Any, Any, Callable[[Any], Any]]:
    """L2 norm, largest absolute entry, number of zeros and number of entries of each gradient.

    The last is a function that counts what is not finite in each; of large gradients only where its argument is true.
    """
    counts = [one.shape.num_elements() for one in gradients]
    small = [index for index, count in enumerate(counts) if (count or SMALL + 1) <= SMALL]
    large = [index for index, count in enumerate(counts) if (count or SMALL + 1) > SMALL]
    columns: list[tuple[Any, Any, Any]] = []
    flawed: list[Callable[[Any], Any]] = []
    if small:
        flat = tf.concat([tf.reshape(gradients[index], (-1,)) for index in small], 0)
        segments = np.repeat(np.arange(len(small), dtype=np.int32), [counts[index] for index in small])
        norms = tf.sqrt(tf.math.unsorted_segment_sum(tf.square(flat), segments, len(small)))
        highest = tf.math.unsorted_segment_max(tf.abs(flat), segments, len(small))
        zeros = tf.math.unsorted_segment_sum(tf.cast(tf.equal(flat, 0.0), tf.float32), segments, len(small))
        columns.append((norms, highest, zeros))
        not_finite = tf.cast(tf.logical_not(tf.math.is_finite(flat)), tf.float32)
        of_small = tf.math.unsorted_segment_sum(not_finite, segments, len(small))
        flawed.append(lambda bad: of_small)
    if large:
        values = [gradients[index] for index in large]
        columns.append(
            (
                tf.sqrt(2.0 * tf.stack([tf.nn.l2_loss(one) for one in values])),
                tf.stack([tf.maximum(tf.reduce_max(one), -tf.reduce_min(one)) for one in values]),
                tf.stack([tf.reduce_sum(tf.cast(tf.equal(one, 0.0), tf.float32)) for one in values]),
            )
        )
        nothing = np.zeros((len(large),), np.float32)
        flawed.append(lambda bad: rarely(bad, lambda: _nonfinite(values), lambda: tf.constant(nothing)))
    order = np.argsort([*small, *large])

    def count_bad(bad: Any) -> Any:
        return _ordered([one(bad) for one in flawed], order)

    norms, highest, zeros = (_ordered(column, order) for column in zip(*columns, strict=True))
    if None not in counts:
        return norms, highest, zeros, np.maximum(np.array(counts, np.float32), 1), count_bad
    sizes = tf.stack([tf.cast(tf.maximum(tf.size(one), 1), tf.float32) for one in gradients])
    return norms, highest, zeros, sizes, count_bad


def _ordered(parts: Sequence[Any], order: Any) -> Any:
    """Columns of the small and of the large gradients, put together in the order of the gradients."""
    if len(parts) == 1:
        return parts[0]
    return tf.gather(tf.concat(parts, 0), order.astype(np.int32))


def _nonfinite(gradients: list[Any]) -> Any:
    return tf.stack([tf.reduce_sum(tf.cast(tf.logical_not(tf.math.is_finite(one)), tf.float32)) for one in gradients])


def _sample_size(weight: Any) -> int:
    return min(SAMPLE, int(np.prod(weight.shape.as_list(), dtype=np.int64)))


def _sample(weight: Any, *, compiled: bool) -> Any:
    """A fixed sample of a variable's entries, spread over it, read without holding its buffer.

    XLA, which knows no such read, plans its buffers itself.
    """
    shape = weight.shape.as_list()
    size = int(np.prod(shape, dtype=np.int64))
    handle, dtype = handle_of(weight), weight.dtype.base_dtype
    if size <= SAMPLE:
        return tf.reshape(tf.cast(raw.read_variable_op(handle, dtype), tf.float32), (-1,))
    chosen = np.linspace(0, size - 1, _sample_size(weight)).round().astype(np.int64)
    if compiled:
        flat = tf.reshape(raw.read_variable_op(handle, dtype), (-1,))
        return tf.cast(tf.gather(flat, chosen.astype(np.int32)), tf.float32)
    indices = np.stack(np.unravel_index(chosen, shape), axis=1).astype(np.int32)
    return tf.cast(raw.resource_gather_nd(handle, indices, dtype=dtype), tf.float32)


assert QUANTITIES == ("norm", "largest", "nonfinite", "zeros", "update", "weight")
