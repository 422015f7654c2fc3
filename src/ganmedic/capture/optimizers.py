"""Follows optimizers: which gradient they are given for which variable."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.eager.record import stop_recording

from ganmedic.capture.patches import Patches
from ganmedic.capture.places import called_by_user
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.tapes import value_of
from ganmedic.capture.variables import Variables, inner
from ganmedic.record.schema import Apply, Optimizer

#: At so many points of the run a schedule is asked for its learning rate.
SAMPLES = 20


class Optimizers:
    """Hooks on Keras optimizers.

    Args:
        applied: called after each application with the finished row.
        measure: called before it with the row, the gradients and the variables.
    """

    def __init__(
        self,
        recorder: Recorder,
        variables: Variables,
        patches: Patches,
        applied: Callable[[Apply], None],
        measure: Callable[[Apply, Sequence[Any], Sequence[Any]], None],
    ) -> None:
        self._recorder = recorder
        self._variables = variables
        self._patches = patches
        self._applied = applied
        self._measure = measure
        self._known: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def install(self) -> None:
        """Puts the hooks on."""
        base = next(cls for cls in keras.optimizers.Optimizer.__mro__ if "apply" in cls.__dict__)
        self._patches.wrap(base, "__init__", after=self._made, before=self._making)
        self._patches.wrap(base, "apply_gradients", before=self._given, after=self._done)
        self._patches.wrap(base, "apply", before=self._given_lists, after=self._done)
        scaling = keras.optimizers.LossScaleOptimizer
        if "scale_loss" in scaling.__dict__:
            self._patches.wrap(scaling, "scale_loss", before=self._scaled)

    def _making(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        return optimizer

    def _made(self, optimizer: Any, result: Any, error: BaseException | None) -> None:
        if error is None:
            self.know(optimizer)

    def know(self, optimizer: Any) -> int:
        """Makes an optimizer known and returns its id."""
        number = self._known.get(optimizer)
        if number is None:
            number = self._recorder.now()
            self._known[optimizer] = number
            self._recorder.record.optimizers[number] = Optimizer(
                id=number,
                name=str(getattr(optimizer, "name", "optimizer")),
                kind=type(optimizer).__name__,
                stack=self._recorder.stack(),
            )
        return number

    def _given(self, optimizer: Any, grads_and_vars: Any = (), *args: Any, **kwargs: Any) -> Any:
        pairs = grads_and_vars if isinstance(grads_and_vars, (list, tuple)) else None
        return self._begin(optimizer, pairs)

    def _given_lists(self, optimizer: Any, grads: Any = (), trainable_variables: Any = None) -> Any:
        if self._recorder.here.apply is not None:
            row = self._recorder.record.applies.get(self._recorder.here.apply)
            if row is not None and not row.variables:
                self._fill(row, optimizer, grads, trainable_variables)
            return None
        token = self._begin(optimizer, None)
        self._fill(token[0], optimizer, grads, trainable_variables)
        return token

    def _begin(self, optimizer: Any, pairs: Any) -> Any:
        recorder = self._recorder
        row = Apply(
            id=recorder.now(),
            optimizer=self.know(optimizer),
            stack=recorder.stack(),
            graph=recorder.graph_id(),
            by_framework=not called_by_user(),
        )
        if pairs is not None:
            self._fill(row, optimizer, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
        recorder.record.applies[row.id] = row
        outer, recorder.here.apply = recorder.here.apply, row.id
        return row, outer

    def _fill(self, row: Apply, optimizer: Any, grads: Any, variables: Any) -> None:
        if not isinstance(grads, (list, tuple)):
            return
        if variables is None:
            variables = getattr(optimizer, "_trainable_variables", ())
        if not isinstance(variables, (list, tuple)):
            return
        row.gradients = tuple(value_of(gradient) for gradient in grads)
        row.variables = tuple(self._variables.know(variable) for variable in variables)
        self._patches.guarded(self._measure, row, grads, variables)

    def _done(self, token: Any, result: Any, error: BaseException | None) -> None:
        if token is None:
            return
        row, outer = token
        self._recorder.here.apply = outer
        if error is not None:
            row.error = f"{type(error).__name__}: {error}"[:2000]
        self._applied(row)

    def settle(self) -> None:
        """Reads learning rates and variables of the optimizers as they are now."""
        for optimizer, number in list(self._known.items()):
            row = self._recorder.record.optimizers[number]
            row.kind = type(optimizer).__name__
            self._describe(optimizer, row)
            rates = self._rates(optimizer)
            if len(rates) > 1:
                row.rates = rates
            elif rates and row.rates[-1:] != rates:
                row.rates = (*row.rates[:7], *rates)
            row.variables = tuple(
                found
                for variable in getattr(optimizer, "_trainable_variables", ())
                if (found := self._variables.know(variable))
            )

    def _describe(self, optimizer: Any, row: Optimizer) -> None:
        """Reads what the optimizer does to gradients before it applies them."""
        for name, kind in (("clipvalue", "value"), ("clipnorm", "norm"), ("global_clipnorm", "global_norm")):
            threshold = getattr(optimizer, name, None)
            if isinstance(threshold, (int, float)):
                row.clip, row.clip_at = kind, float(threshold)
        scale = getattr(optimizer, "dynamic_scale", None)
        if scale is not None and tf.executing_eagerly():
            row.loss_scale = float(inner(scale).numpy())
        within = getattr(optimizer, "inner_optimizer", None)
        if within is not None:
            row.inner = self.know(within)

    def _scaled(self, optimizer: Any, *args: Any, **kwargs: Any) -> None:
        self._recorder.record.optimizers[self.know(optimizer)].scales += 1

    def _rates(self, optimizer: Any) -> tuple[float, ...]:
        """The learning rate as it is now; of a schedule what it was over the updates so far, at equal distances."""
        if not tf.executing_eagerly():
            return ()
        self._recorder.here.silent += 1
        try:
            with stop_recording():
                schedule = getattr(optimizer, "_learning_rate", None)
                if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
                    updates = int(inner(optimizer.iterations).numpy())
                    steps = sorted({updates * part // SAMPLES for part in range(SAMPLES)})
                    return tuple(float(schedule(float(step))) for step in steps)
                return (self._read_rate(optimizer),)
        except (TypeError, ValueError, AttributeError):
            return ()
        finally:
            self._recorder.here.silent -= 1

    def _read_rate(self, optimizer: Any) -> float:
        rate = inner(optimizer.learning_rate)
        return float(rate.numpy()) if hasattr(rate, "numpy") else float(rate)
