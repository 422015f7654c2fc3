"""What happens beside the steps of a run: figures are written, samples drawn, checkpoints made, and troubles seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ganmedic.training import state
from ganmedic.training.healing import Trouble, Vigilance

#: Rows stay on the device until so many have come together, or so many seconds have gone by.
_ROWS, _SECONDS = 100, 0.5


@dataclass
class Duties:
    """What is to be done, and when.

    Attributes:
        rows: called with the first step of some rows, the rows (steps, figures), and images a second.
        samples: called with the step when samples are due.
        checkpoint: called with the step and the state when a checkpoint is due.
        metrics: called with the step when the samples are to be measured.
        variety: called when the samples' variety is to be looked at; None for never.
        samples_every, checkpoints_every, metrics_every: in steps; None for never.
        batch_size: samples in a step.
        stop_asked: whether the run is to stop behind this step.
        tell: called with a trouble where training goes on all the same; None where it ends the training.
        by_the_clock: whether figures are also collected when some time has gone by; several workers must not, for they have to see the
            same at the same step.
    """

    rows: Callable[[int, Any, float], None]
    samples: Callable[[int], None]
    checkpoint: Callable[[int, dict[str, Any]], None]
    metrics: Callable[[int], None]
    variety: Callable[[], float] | None
    samples_every: int
    checkpoints_every: int
    metrics_every: int | None
    batch_size: int
    stop_asked: Callable[[], bool]
    tell: Callable[[Trouble], None] | None = None
    by_the_clock: bool = True


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Does the duties of a run while `fit` trains.

    Args:
        duties: what is to be done.
        vigilance: what looks at figures and samples.
        step: steps done before.
        total: steps of the whole run.

    Attributes:
        step: steps done.
        trouble: what ended the training early; None if nothing did.
        told: the first trouble in spite of which it went on.
        stopped: whether it was asked to stop.
    """

    def __init__(self, duties: Duties, vigilance: Vigilance, step: int, total: int) -> None:
        super().__init__()
        self.duties, self.vigilance, self.step, self.total = duties, vigilance, step, total
        self.trouble: Trouble | None = None
        self.told: Trouble | None = None
        self.stopped = False
        self._waiting: list[Any] = []
        self._since = time.perf_counter()

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins to measure the time."""
        self._since = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Looks at what is due."""
        self.step += 1
        self._waiting.append(self.model.last_row)
        duties = self.duties
        last = self.step == self.total
        due = {
            "samples": last or self.step % duties.samples_every == 0,
            "checkpoint": last or self.step % duties.checkpoints_every == 0,
            "metrics": duties.metrics_every is not None and self.step % duties.metrics_every == 0,
        }
        stop = duties.stop_asked()
        waited = time.perf_counter() - self._since
        if len(self._waiting) >= _ROWS or (duties.by_the_clock and waited >= _SECONDS) or stop or any(due.values()):
            self._collect(waited)
        if self.trouble is None and (due["checkpoint"] or due["samples"]) and duties.variety is not None:
            self._met(self.vigilance.samples(self.step, duties.variety()))
        if due["samples"]:
            duties.samples(self.step)
        if self.trouble is not None:
            self.model.stop_training = True
            return
        if due["checkpoint"] or stop:
            duties.checkpoint(self.step, state.snapshot(self.model))
        if due["metrics"]:
            duties.metrics(self.step)
        if stop:
            self.stopped = True
            self.model.stop_training = True
        if any(due.values()):
            # What was done here is no time of the training.
            self._since = time.perf_counter()

    def on_train_end(self, logs: Any = None) -> None:
        """Takes up the last figures."""
        self._collect(time.perf_counter() - self._since)

    def _collect(self, seconds: float) -> None:
        if not self._waiting:
            return
        rows = np.stack([np.asarray(row) for row in self._waiting])
        first = self.step - len(rows) + 1
        self._waiting.clear()
        self._since = time.perf_counter()
        self.duties.rows(first, rows, len(rows) * self.duties.batch_size / max(seconds, 1e-9))
        self._met(self.vigilance.rows(first, rows))

    def _met(self, trouble: Trouble | None) -> None:
        if trouble is None or self.trouble is not None:
            return
        if self.duties.tell is None:
            self.trouble = trouble
        elif self.told is None:
            self.told = trouble
            self.duties.tell(trouble)
