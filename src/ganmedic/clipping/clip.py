"""What every clip does: look at the gradients, change them, count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.clipping.measured import Measured, measure
from ganmedic.clipping.report import ClipReport
from ganmedic.correction import Correction
from ganmedic.gradients import matched, merged, scaled, with_values
from ganmedic.variable_lists import ForVariables, counted, state_of

#: Columns of what is counted, per step.
_STEPS, _CLIPPED, _LEFT, _LEAST, _NON_FINITE, _THRESHOLD = range(6)


class Clip(Correction):
    """Changes gradients before an optimizer is given them.

    None stays None, `tf.IndexedSlices` stay sparse, each gradient keeps its type. A gradient that is not finite is left as it is
    (`keep`, so that a LossScaleOptimizer or a guard can see it) or made zero (`zero`); the others are clipped as if it were not
    there. It is counted and named in `report()`.

    One object may serve several networks: what it remembers is kept for each list of variables.

    Under `strategy.run` gradients are summed over the replicas, as a Keras optimizer does, before they are clipped; each replica
    gets its part of the result, so that the optimizer's own sum is the clipped gradient.
    """

    def __init__(self, non_finite: str = "keep") -> None:
        super().__init__()
        self.non_finite = checking.choice(type(self).__name__, "non_finite", non_finite, ("keep", "zero"))
        self._ledgers: list[Ledger] = []

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def __call__(self, gradients: Any, variables: Any) -> Any:
        """Clips the gradients of one step.

        Args:
            gradients: a list, tuple or other structure of gradients as `tape.gradient` gives them: tensors,
                `tf.IndexedSlices`, None.
            variables: the variables, in the same structure.

        Returns:
            The gradients, in the same structure.

        Raises:
            ValueError: gradients and variables do not fit each other.
        """
        count = replicas.count()
        if count == 1:
            return self.clipped(gradients, variables)
        flat = tf.nest.flatten(gradients)
        totals = [None if gradient is None else replicas.total(gradient) for gradient in flat]
        clipped = self.clipped(totals, tf.nest.flatten(variables))
        return tf.nest.pack_sequence_as(
            gradients, [None if each is None else scaled(each, 1.0 / count) for each in clipped]
        )

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def clipped(self, gradients: Any, variables: Any, *, counts: Any = True) -> Any:
        """The same for gradients that are alike on every replica, brought together already.

        Args:
            gradients, variables: as for a call.
            counts: boolean scalar, whether the step is counted and remembered.
        """
        flat = matched(type(self).__name__, tf.nest.flatten(gradients), tf.nest.flatten(variables))
        present = [(gradient, variable) for gradient, variable in flat if gradient is not None]
        ledger = self._ledger([variable for _, variable in flat])
        ledger.counts = counts
        if not present:
            return gradients
        before = [gradient for gradient, _ in present]
        measured = measure(before)
        clipped = self._clipped(before, measured, [variable for _, variable in present], ledger)
        ledger.add(clipped, measured, [gradient is not None for gradient, _ in flat])
        kept = iter(self._kept(before, clipped.gradients, measured))
        return tf.nest.pack_sequence_as(gradients, [None if gradient is None else next(kept) for gradient, _ in flat])

    def build(self, variables: Any) -> None:
        """Makes room for what is counted; needed only under a strategy, inside its scope, before the first step."""
        self._ledger(tf.nest.flatten(variables))

    def after_update(self, variables: Any) -> None:
        """To be called after the optimizer's step; only `weights` has something to do there."""

    def report(self) -> ClipReport:
        """How often it acted and how hard, over all networks it served; reads variables, so not inside a `tf.function`."""
        rows = [ledger.totals.numpy() for ledger in self._ledgers]
        steps, clipped, left, _, bad, _ = np.sum(rows, axis=0) if rows else np.zeros(6)
        return ClipReport(
            steps=int(steps),
            clipped=int(clipped),
            mean_left=float(left / clipped) if clipped else 1.0,
            least_left=min((float(row[_LEAST]) for row in rows), default=1.0),
            non_finite_steps=int(bad),
            non_finite=counted((ledger.names, ledger.non_finite.numpy()) for ledger in self._ledgers),
            threshold=float(rows[0][_THRESHOLD]) if len(rows) == 1 and 0 < rows[0][_THRESHOLD] < np.inf else None,
        )

    def _clipped(self, gradients: list[Any], measured: Measured, variables: list[Any], ledger: Ledger) -> Clipped:
        """The clipped gradients; what a subclass defines. All gradients are there, some may not be finite."""
        raise TypeError(f"{type(self).__name__} does not say how it clips: define _clipped.")

    def _history(self) -> int:
        """How many norms are remembered for each network."""
        return 0

    def _kept(self, before: list[Any], after: list[Any], measured: Measured) -> list[Any]:
        """A gradient that is not finite comes back untouched, or zero: what a bound makes of infinity looks sound."""

        def careful() -> list[Any]:
            return [
                tf.where(measured.finite[index], _raw(new), self._instead(old, new))
                for index, (old, new) in enumerate(zip(before, after, strict=True))
            ]

        if after is before and self.non_finite == "keep":
            return after
        # In nearly every step all are finite, and nothing has to be chosen entry by entry.
        values = tf.cond(measured.plainly, lambda: [tf.identity(_raw(new)) for new in after], careful)
        values = [values] if len(after) == 1 and not isinstance(values, list | tuple) else list(values)
        kinds = (new if isinstance(new, tf.IndexedSlices) else old for old, new in zip(before, after, strict=True))
        return [with_values(kind, value) for kind, value in zip(kinds, values, strict=True)]

    def _instead(self, before: Any, after: Any) -> Any:
        values = _raw(before)
        if isinstance(before, tf.IndexedSlices) and after.indices is not before.indices:
            # Rows were merged, and so are those of what is left as it is.
            values = merged(before).values
        return tf.zeros_like(_raw(after)) if self.non_finite == "zero" else tf.cast(values, _raw(after).dtype)

    def _ledger(self, variables: Sequence[Any]) -> Ledger:
        return state_of(self._ledgers, variables, lambda each: Ledger(each, self._history()))


class BoundedClip(Clip):
    """A clip with one bound, c, above 0.

    Args:
        bound: c.
        non_finite: `keep` or `zero`, see `Clip`.
    """

    def __init__(self, bound: float = 1.0, non_finite: str = "keep") -> None:
        super().__init__(non_finite)
        self.bound = checking.number(type(self).__name__, "bound", bound, above=0.0)


class Clipped:
    """What a subclass of `Clip` made of the gradients.

    Args:
        gradients: the clipped gradients, each of the kind it was.
        left: norm after divided by norm before, over the finite ones, scalar from 0 to 1.
        acted: whether anything was changed, boolean scalar.
        threshold: the bound that was used, where it moves; scalar.
    """

    def __init__(self, gradients: list[Any], left: Any, acted: Any, threshold: Any = None) -> None:
        self.gradients, self.left, self.acted, self.threshold = gradients, left, acted, threshold


class Ledger(ForVariables):
    """What is counted and remembered for one list of variables."""

    def __init__(self, variables: Sequence[Any], history: int) -> None:
        super().__init__(variables)
        #: Whether the step at hand is counted; set anew for each.
        self.counts: Any = True
        with tf.init_scope():
            self.totals = _variable(np.array([0, 0, 0, 1, 0, 0], np.float32), "clip_totals")
            self.non_finite = _variable(np.zeros([len(self.names)], np.int32), "clip_non_finite")
            # Norms of the last steps, infinite where there was none yet, and how many were written in all.
            self.history = _variable(np.full([history], np.inf, np.float32), "clip_history")
            self.written = _variable(np.zeros([], np.int32), "clip_written")

    def add(self, clipped: Clipped, measured: Measured, present: list[bool]) -> None:
        """Counts one step."""
        old = self.totals.read_value()
        acted = tf.cast(clipped.acted, tf.float32)
        left = tf.where(clipped.acted, tf.cast(clipped.left, tf.float32), 1.0)
        bad = tf.logical_not(measured.finite)
        threshold = old[_THRESHOLD] if clipped.threshold is None else tf.cast(clipped.threshold, tf.float32)
        row = [
            old[_STEPS] + 1.0,
            old[_CLIPPED] + acted,
            old[_LEFT] + acted * left,
            tf.minimum(old[_LEAST], left),
            old[_NON_FINITE] + tf.cast(tf.reduce_any(bad), tf.float32),
            threshold,
        ]
        self.totals.assign(tf.where(self.counts, tf.stack(row), old))
        places = np.flatnonzero(present)[:, None]
        counted_now = tf.cast(tf.logical_and(bad, self.counts), tf.int32)
        self.non_finite.assign_add(tf.scatter_nd(places, counted_now, [len(present)]))


def _variable(value: Any, name: str) -> tf.Variable:
    return tf.Variable(value, trainable=False, aggregation=replicas.SAME_EVERYWHERE, name=name)


def _raw(gradient: Any) -> Any:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
