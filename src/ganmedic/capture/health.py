"""Meters, probes and the search for what is not finite, held together: what is measured of a run, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tensorflow.python.eager.record import stop_recording

from ganmedic.capture.blackbox import BlackBox, Box
from ganmedic.capture.exhibits import Exhibits
from ganmedic.capture.meters import Meters, Site
from ganmedic.capture.origins import Again, Origins
from ganmedic.capture.patches import Patches
from ganmedic.capture.presets import PRESETS
from ganmedic.capture.probes import Probes
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.showings import Showings
from ganmedic.capture.snapshots import keep
from ganmedic.capture.variables import Variables
from ganmedic.record.schema import Apply, GradientCall, Origin, Stack
from ganmedic.record.series import looks_wrong

#: A step that went wrong is looked into so often; a loss scale that looks for its limit makes such steps on purpose.
_SEARCHES = 3


class Health:
    """What is measured while a program trains.

    Args:
        preset: a name in :data:`PRESETS`.
        collected: called when there are new measurements, where a record is kept; steps that go wrong are then kept in it.
    """

    def __init__(
        self,
        recorder: Recorder,
        variables: Variables,
        patches: Patches,
        preset: str = "light",
        collected: Callable[[], None] | None = None,
    ) -> None:
        self._recorder = recorder
        self._variables = variables
        self._patches = patches
        self.blackbox = BlackBox(recorder)
        self.meters = Meters(recorder, self.blackbox.arm, self._went_wrong, self._tell)
        self.showings = Showings(recorder, patches)
        self._exhibits = Exhibits(recorder, self.showings.digests)
        self._streamed: dict[int, set[int]] = {}
        self.probes = Probes(recorder, variables.value, PRESETS[preset], self._exhibits)
        self._collected = collected
        self.origins = Origins(recorder, variables.value, self._keep if collected is not None else None)
        self._searched: dict[Any, int] = {}
        #: Gradient calls that went wrong in operations that were not recorded, with the step and the weights they had.
        self._pending: dict[tuple[Stack, tuple[int, ...]], tuple[int, dict[int, Any]]] = {}
        self._programs: dict[tuple[Stack, tuple[int, ...]], GradientCall] = {}

    def answered(self, row: GradientCall, targets: list[Any], sources: list[Any], gradients: list[Any]) -> None:
        """A tape answered."""
        if self._recorder.here.deaf:
            return
        self.meters.answered(row, targets, sources, gradients)

    def applying(self, row: Apply, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """An optimizer was given gradients."""
        if not self._recorder.here.deaf:
            self.meters.applying(row, gradients, variables)

    def _tell(self) -> None:
        """There are new measurements."""
        if self._collected is not None:
            self._patches.guarded(self._collected)

    def _keep(self, origin: Origin, again: Again) -> None:
        self._patches.guarded(keep, self._recorder.record, origin, again)

    # --- graphs -------------------------------------------------------------------------------------------------------

    def ran(self, runs: int) -> None:
        """A traced function ran for the given time."""
        if _is_milestone(runs):
            self._patches.guarded(self._stream)
        read = self.meters.stepped()
        if read or runs <= 1 or (self.blackbox.fleeting and self.blackbox.taken() is not None):
            self._look(final=False)
            self._tell()

    def _stream(self) -> None:
        """Keeps what the steps were given, at distances that grow; its own operations are none of the program's."""
        self._recorder.here.deaf += 1
        try:
            with stop_recording():
                for number, box in self.blackbox.boxes.items():
                    step = int(np.asarray(box.site.count.get()))
                    if step and step not in self._streamed.setdefault(number, set()):
                        self._streamed[number].add(step)
                        self._exhibits.stream(number, box.given())
        finally:
            self._recorder.here.deaf -= 1

    def _look(self, *, final: bool) -> None:
        wrong = self.blackbox.taken()
        if wrong is not None:
            self._search(wrong)
        # A loop that was unrolled into a graph is one line of code many times: one look at it is enough.
        looked: set[Any] = set()
        for number, box in list(self.blackbox.boxes.items()):
            step = int(np.asarray(box.site.count.get())) - 1
            call = self._recorder.record.gradient_calls.get(number)
            if call is None or step < 0 or _key(call) in looked:
                continue
            looked.add(_key(call))
            if final or self.probes.due(number, step, urgent=looks_wrong(box.site.series)):
                self._patches.guarded(self.probes.probe, number, call, step, box.given(), {})

    def _search(self, box: Box) -> None:
        number = box.site.series.id
        call = self._recorder.record.gradient_calls.get(number)
        tries = self._searched[number] = self._searched.get(number, 0) + 1
        if call is not None and box.step is not None and tries <= _SEARCHES:
            step = int(np.asarray(box.step.get()))
            given, state = box.given(at_fault=True), box.state()
            self._patches.guarded(self.origins.search, call, step, given, state, call)
            self._patches.guarded(self.probes.probe, number, call, step, given, state)
            if tries < _SEARCHES:
                self.blackbox.forget()

    # --- eager loops --------------------------------------------------------------------------------------------------

    def wants_round(self, row: GradientCall) -> bool:
        """Whether the operations of the next rounds should be recorded, for another look at an eager gradient call."""
        return bool(row.sources) and (_key(row) in self._pending or self.probes.due(_key(row), self._step(row)))

    def probe_eager(self, row: GradientCall) -> None:
        """Probes an eager gradient call whose operations were recorded, if it is time."""
        if row.error or not any(value is not None for value in row.values) or not self._has_weights(row):
            return
        self._programs[_key(row)] = row
        self._search_again(row)
        step = self._step(row)
        if self.probes.due(_key(row), step):
            given = {value: tensor for value, (_, tensor) in self._recorder.leaves.items()}
            self.probes.probe(_key(row), row, step, given, {})
        calls = sorted(program.tape for program in self._programs.values())
        self._recorder.forget_leaves(before=min(calls) - 5000 if calls else 0)

    def _has_weights(self, row: GradientCall) -> bool:
        return any(source in self._recorder.record.variables for source in row.sources)

    def _step(self, row: GradientCall) -> int:
        return self.meters.steps_of(row)

    def _went_wrong(self, site: Site, row: GradientCall) -> None:
        """A gradient of an eager loop is not finite; its weights are still those of the forward pass."""
        key = _key(row)
        if self._pending:
            return
        tries = self._searched[key] = self._searched.get(key, 0) + 1
        if tries > _SEARCHES:
            return
        given = {value: tensor for value, (_, tensor) in self._recorder.leaves.items()}
        program = row if self._recorder.recording else self._programs.get(key)
        if program is None:
            return
        if program is not row:
            given.update(self._recorder.inputs_now(program, row))
        found = self.origins.search(row, self._step(row), given, {}, program)
        if found is not None and not found.reproduced and program is not row:
            self._pending[key] = (found.id, self._variables.snapshot())

    def _search_again(self, row: GradientCall) -> None:
        """The step that went wrong did other than those recorded before: its weights are put to the operations of now."""
        for key, (number, state) in list(self._pending.items()):
            if key != _key(row):
                continue
            del self._pending[key]
            before = self._recorder.record.origins.pop(number, None)
            given = {value: tensor for value, (_, tensor) in self._recorder.leaves.items()}
            found = self.origins.search(row, before.step if before is not None else 0, given, state, row)
            if before is not None and (found is None or not found.reproduced):
                self._recorder.record.origins[number] = before

    def settle(self, complete: bool) -> None:
        """Reads what was measured so far; at the end of the run with a last look at every gradient call."""
        self.meters.collect()
        if self._recorder.here.deaf == 0:
            self._look(final=complete)
            if complete:
                self._look_back()
        self.showings.settle()

    def _look_back(self) -> None:
        """A last look at the eager gradient calls: the operations and the batch of the last recorded round, the weights of now."""
        given = {value: tensor for value, (_, tensor) in self._recorder.leaves.items()}
        for key, row in self._programs.items():
            step = self._step(row)
            if step > 0:
                self._patches.guarded(self.probes.probe, key, row, step, given, {})


def _is_milestone(count: int) -> bool:
    """Whether a number is a power of two, or once and a half one."""
    return count > 1 and (count & (count - 1) == 0 or (count % 3 == 0 and (count // 3) & (count // 3 - 1) == 0))


def _key(row: GradientCall) -> tuple[Stack, tuple[int, ...]]:
    return row.stack, row.sources
