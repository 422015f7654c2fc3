"""One watched run: puts all hooks on, decides when to look closely, and takes everything off again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganmedic.capture.conversions import Conversions
from ganmedic.capture.differentiability import Differentiability
from ganmedic.capture.functions import Functions
from ganmedic.capture.health import Health
from ganmedic.capture.modules import Modules
from ganmedic.capture.notebook import split_place
from ganmedic.capture.optimizers import Optimizers
from ganmedic.capture.patches import Patches
from ganmedic.capture.places import error_stack
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.tapes import Tapes
from ganmedic.capture.variables import Variables
from ganmedic.record.record import Record
from ganmedic.record.schema import Apply, Failure, GradientCall, Stack

#: An eager gradient call has to be seen so often before its surroundings count as known.
ENOUGH_ROUNDS = 3
#: Once another one has been seen so often, those that come more rarely are no longer waited for.
PLENTY_ROUNDS = 12


class Session:
    """Watches TensorFlow while a program trains.

    Eager operations are recorded for the first rounds only, until every gradient call in the program has been seen
    :data:`ENOUGH_ROUNDS` times, and again whenever one appears that is new or answers otherwise than before. What is
    traced into function graphs is recorded always: that happens once and costs nothing afterwards.

    Args:
        known: called when the surroundings of all gradient calls are known, for a first diagnosis.
        stepped: called after each training step with the number of steps so far.
        failed: called when a traced function that was called eagerly raised.
        preset: ``light`` or ``full``: how much time may go into looking closely.
        collected: called whenever there are new measurements, where the record is kept; steps that go wrong are then kept too.
    """

    def __init__(
        self,
        known: Callable[[], None],
        stepped: Callable[[int], None],
        failed: Callable[[BaseException], None] = lambda error: None,
        preset: str = "light",
        collected: Callable[[], None] | None = None,
    ) -> None:
        self.record = Record()
        self.patches = Patches()
        self.recorder = Recorder(self.record, self.patches)
        self.variables = Variables(self.recorder)
        self.health = Health(self.recorder, self.variables, self.patches, preset, collected)
        self.tapes = Tapes(self.recorder, self.variables, self.patches, self._answered, self.health.answered)
        self.functions = Functions(self.recorder, self.patches, self._ran, failed)
        self.modules = Modules(self.recorder, self.variables, self.patches, self.health.showings)
        self.optimizers = Optimizers(self.recorder, self.variables, self.patches, self._applied, self.health.applying)
        self.conversions = Conversions(self.recorder, self.patches)
        self.differentiability = Differentiability()
        self._known = known
        self._stepped = stepped
        self._rounds: Counter[tuple[Stack, int]] = Counter()
        self._answers: dict[tuple[Stack, int], tuple[str, ...]] = {}
        self._runs: Counter[int] = Counter()
        self._traced_applies = 0
        self._training_graphs: set[int] = set()
        self._updates: Counter[Any] = Counter()
        self._told = False
        self._flowed: set[int] = set()
        self._extra = 0
        self.steps = 0
        self.installed = False
        self.recorder.born = self._born

    # --- on and off -------------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Puts the hooks on."""
        if self.installed:
            return
        self.installed = True
        for part in (self.tapes, self.functions, self.modules, self.optimizers, self.conversions):
            self.patches.guarded(part.install)
        self.patches.guarded(self.variables.install, self.patches)
        self.recorder.start()

    def uninstall(self) -> None:
        """Takes every hook off."""
        self.recorder.stop()
        self.patches.undo()
        self.installed = False

    def failed(self, error: BaseException) -> None:
        """Notes the exception that ended the program."""
        stack, behind = error_stack(error)
        number = self.recorder.now()
        self.record.failures.clear()
        self.record.failures[number] = Failure(
            id=number, type=type(error).__name__, message=str(error)[:20_000], stack=stack, framework=behind
        )

    def settle(self, complete: bool) -> Record:
        """Completes the record as far as the run has come and returns it for reading."""
        self.patches.guarded(self.recorder.settle)
        if self.installed:
            self.patches.guarded(self.modules.settle)
            self.patches.guarded(self.optimizers.settle)
        self.patches.guarded(self._flows)
        if self.installed:
            self.patches.guarded(self.health.settle, complete)
        if complete and self.installed:
            self.patches.guarded(self.variables.compare)
            self.record.facts["complete"] = "yes"
        self.patches.guarded(self._read_sources)
        return self.record.view()

    def complete(self) -> None:
        """Completes the rows of operations and reads the sources that they lead to, without looking at anything else."""
        for part in (self.recorder.settle, self._flows, self._read_sources):
            self.patches.guarded(part)

    def _flows(self) -> None:
        if "tensorflow" not in sys.modules:
            return
        silent = self.recorder.here
        silent.deaf += 1
        try:
            for number, (attributes, shapes) in self.recorder.signatures.items():
                operation = self.record.operations.get(number)
                if operation is not None and not operation.flows and number not in self._flowed:
                    operation.flows = self.differentiability.flows(operation, attributes, shapes)
                    self._flowed.add(number)
        finally:
            silent.deaf -= 1

    def _read_sources(self) -> None:
        files = {
            place.file
            for rows in (
                self.record.gradient_calls,
                self.record.applies,
                self.record.tapes,
                self.record.modules,
                self.record.optimizers,
                self.record.list_reads,
                self.record.freezes,
                self.record.failures,
                self.record.layer_calls,
            )
            for row in rows.values()
            for place in row.stack
        }
        files.update(place.file for stack in self.recorder.stacks() for place in stack)
        for file in files - self.record.sources.keys():
            text = _source(file)
            if text is not None:
                self.record.sources[file] = text

    # --- what happens in the program ----------------------------------------------------------------------------------

    def _answered(self, row: GradientCall) -> None:
        site = (row.stack, len(row.sources))
        self._rounds[site] += 1
        changed = self._answers.get(site) != _pattern(row)
        self._answers[site] = _pattern(row)
        if not row.graph:
            self._look_closely(row)
        if row.graph:
            self._runs.clear()
            self._told = False
            return
        if changed and not self.recorder.recording:
            self._rounds[site] = 0
            self.recorder.recording = True
            self._told = False
        elif changed:
            self._rounds[site] = 1
        elif not self.recorder.recording:
            self._forget(row)
        self._check()

    def _look_closely(self, row: GradientCall) -> None:
        """Probes an eager gradient call whose operations were recorded, or has those of the next rounds recorded."""
        if self.recorder.recording:
            self.patches.guarded(self.health.probe_eager, row)
            self._extra = max(0, self._extra - 1)
            if self._told and not self._extra:
                self.recorder.recording = False
        elif self._told and self.patches.guarded(self.health.wants_round, row):
            self.recorder.recording = True
            self._extra = 2 * len(self._answers)

    def _born(self) -> None:
        """A new variable may mean a new network: the next rounds are looked at again."""
        if self.installed:
            self.recorder.recording = True
            self._rounds.clear()
            self._told = False

    def _forget(self, row: GradientCall) -> None:
        """Drops the row of a call that only repeats what is known, so that the record stays small."""
        self.record.gradient_calls.pop(row.id, None)
        tape = self.record.tapes.get(row.tape)
        if tape is not None and not tape.persistent and tape.ended:
            del self.record.tapes[row.tape]

    def _applied(self, row: Apply) -> None:
        if row.graph:
            self._traced_applies += 1
            return
        if not self.recorder.recording and not row.error:
            self.record.applies.pop(row.id, None)
        self._count((row.stack, row.optimizer))

    def _ran(self, graph: int) -> None:
        if self._traced_applies:
            self._training_graphs.add(graph)
            self._traced_applies = 0
        self._runs[graph] += 1
        self.patches.guarded(self.health.ran, self._runs[graph])
        self._check()
        if graph in self._training_graphs:
            self._count(graph)

    def _count(self, site: Any) -> None:
        self._updates[site] += 1
        self.steps = max(self.steps, self._updates[site])
        self._stepped(self.steps)

    def _check(self) -> None:
        """Says so, once, when all gradient calls that there are have been seen often enough."""
        if self._told or not self._rounds:
            return
        eager = [count for (stack, _), count in self._rounds.items() if self._is_eager(stack)]
        traced = len(eager) < len(self._rounds)
        often = max(eager, default=0) >= PLENTY_ROUNDS
        if (often or all(count >= ENOUGH_ROUNDS for count in eager)) and (
            not traced or max(self._runs.values(), default=0) >= 2
        ):
            self._told = True
            try:
                self._known()
            finally:
                self.recorder.recording = False

    def _is_eager(self, stack: Stack) -> bool:
        return any(row.stack == stack and not row.graph for row in self.record.gradient_calls.values())


def _pattern(row: GradientCall) -> tuple[str, ...]:
    return tuple("none" if result == "none" else "some" for result in row.results)


def _source(file: str) -> str | None:
    path, cell = split_place(file)
    if cell is not None:
        import linecache

        return "".join(linecache.getlines(file)) or None
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
