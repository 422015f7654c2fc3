"""A step whose gradient is not finite is not taken, counted, and named."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ganmedic import replicas
from ganmedic.clipping.measured import measure
from ganmedic.correction import Correction
from ganmedic.gradients import matched, name_of
from ganmedic.variable_lists import ForVariables, counted, state_of


@dataclass(frozen=True)
class GuardReport:
    """What a guard has seen.

    Attributes:
        steps: steps that were looked at.
        skipped: steps with a gradient that was not finite.
        in_a_row: how many of the last ones were such, without a sound one between.
        non_finite: in how many steps it was that of each variable; only variables that had one.
    """

    steps: int
    skipped: int
    in_a_row: int
    non_finite: Mapping[str, int]

    def __str__(self) -> str:
        text = f"{self.skipped} of {self.steps} steps had a gradient that is not finite"
        if self.non_finite:
            worst = sorted(self.non_finite.items(), key=lambda entry: -entry[1])
            text += ": " + ", ".join(f"{name} ({count})" for name, count in worst[:5])
            text += f" and {len(worst) - 5} more" if len(worst) > 5 else ""
        return text + (f"; the last {self.in_a_row} in a row" if self.in_a_row > 1 else "")


class GradientGuard(Correction):
    """Says whether a step can be taken; handed to `ganmedic.update`, it keeps a step that cannot from being taken.

    One NaN in one gradient makes all of them NaN in a global norm, and the weights for good. A guard skips that step, weights and
    optimizer untouched, and `report()` names the variables. Gradients that are None are named once, in a warning; where all are,
    it is an error.

    Example:
        >>> guard, variable = GradientGuard(), tf.Variable([1.0], name="kernel")
        >>> bool(guard.sound([tf.constant([float("nan")])], [variable]))
        False
        >>> print(guard.report())
        1 of 1 steps had a gradient that is not finite: kernel:0 (1)
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts: list[Counts] = []

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def sound(self, gradients: Sequence[Any], variables: Sequence[Any], *, counts: Any = True) -> Any:
        """Whether all gradients are finite, over all replicas; boolean scalar. The step is counted.

        Args:
            gradients: as `tape.gradient` gives them, None among them.
            variables: one for each.
            counts: boolean scalar, whether the step is counted.

        Raises:
            ValueError: the numbers differ, or every gradient is None.
        """
        pairs = matched("GradientGuard", gradients, variables)
        state = state_of(self._counts, [variable for _, variable in pairs], Counts)
        missing = [name_of(variable) for gradient, variable in pairs if gradient is None]
        if len(missing) == len(pairs):
            raise ValueError(
                f"None of the {len(pairs)} variables has a gradient: {', '.join(missing[:5])}"
                f"{' ...' if len(missing) > 5 else ''}. The loss does not depend on them, or an operation without a gradient lies "
                "between: `ganmedic check` on the script names it."
            )
        if missing and not state.told:
            state.told = True
            warnings.warn(
                f"{len(missing)} of {len(pairs)} variables have no gradient and are not trained by this loss: "
                f"{', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}.",
                stacklevel=3,
            )
        finite = measure([gradient for gradient, _ in pairs if gradient is not None]).finite
        bad = replicas.total(tf.cast(tf.logical_not(finite), tf.int32))
        return state.add(bad, [gradient is not None for gradient, _ in pairs], tf.cast(counts, tf.int32))

    def build(self, variables: Sequence[Any]) -> None:
        """Makes room for the counts; needed only under a strategy, inside its scope, or to load what was saved, before the first step."""
        state_of(self._counts, list(variables), Counts)

    def report(self) -> GuardReport:
        """What was seen, over all networks; reads variables, so not inside a `tf.function`."""
        totals = [state.totals.numpy() for state in self._counts]
        return GuardReport(
            steps=int(sum(row[0] for row in totals)),
            skipped=int(sum(row[1] for row in totals)),
            in_a_row=int(max((row[2] for row in totals), default=0)),
            non_finite=counted((state.names, state.each.numpy()) for state in self._counts),
        )


class Counts(ForVariables):
    """Counts for one list of variables."""

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__(variables)
        self.told = False
        with tf.init_scope():
            # Steps, skipped, skipped in a row.
            self.totals = tf.Variable(
                np.zeros([3], np.int32), trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="guard_totals"
            )
            self.each = tf.Variable(
                np.zeros([len(self.names)], np.int32),
                trainable=False,
                aggregation=replicas.SAME_EVERYWHERE,
                name="guard_each",
            )

    def add(self, bad: Any, present: list[bool], counts: Any) -> Any:
        """Counts a step; `bad` is above 0 for each gradient that is not finite. Returns whether the step is sound."""
        bad = tf.minimum(bad, 1)
        skipped = tf.reduce_max(bad)
        old = self.totals.read_value()
        row = tf.stack([old[0] + 1, old[1] + skipped, skipped * (old[2] + 1)])
        self.totals.assign(tf.where(counts > 0, row, old))
        places = np.flatnonzero(present)[:, None]
        self.each.assign_add(counts * tf.scatter_nd(places, bad, [len(present)]))
        return tf.equal(skipped, 0)
