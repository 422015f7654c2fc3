"""An examination: watches a training run and says what is wrong with its gradients."""

from __future__ import annotations

import contextlib
import platform
import sys
import threading
import time
import types
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ganmedic
from ganmedic.capture.presets import check_preset
from ganmedic.finding import Diagnosis, Ending, Finding, OnFinding, Unchecked

if TYPE_CHECKING:
    from ganmedic.capture.program import Outcome
    from ganmedic.capture.session import Session
    from ganmedic.capture.target import Target
    from ganmedic.record.live import LiveRecord
    from ganmedic.record.record import Record


class ExaminationOver(BaseException):
    """Ends a program early, where ``--steps`` or ``--seconds`` ask for it; not an error."""


class Examination:
    """Watches TensorFlow from ``with`` to its end; :meth:`diagnosis` says what was seen.

    Args:
        on_finding: called with each finding the moment it is known.
        steps: after so many training steps the program is ended with :class:`ExaminationOver`; ``None`` for no limit.
        seconds: likewise after so many seconds.
        record_path: where to keep the record; ``None`` to drop it.
        preset: ``light`` or ``full``. Beside the gradients of every step, steps are run again now and then to measure all
            that lies between; ``light`` lets that take 1.5 seconds in all and 1 % of the time beyond, and looks at each
            gradient call at least once, ``full`` 4 seconds and 6 %, and at least three times.

    Example:
        with ganmedic.watch() as examination:
            train(generator, discriminator, dataset)
        examination.diagnosis()
    """

    def __init__(
        self,
        *,
        on_finding: OnFinding | None = None,
        steps: int | None = None,
        seconds: float | None = None,
        record_path: str | Path | None = None,
        preset: str = "light",
        script: str = "",
        own_folder: str = "",
    ) -> None:
        if steps is not None and steps < 1:
            raise ValueError(f"steps is {steps}; expected a whole number of 1 or more, or None for no limit.")
        if seconds is not None and not seconds > 0:
            raise ValueError(f"seconds is {seconds}; expected a number above 0, or None for no limit.")
        check_preset(preset)
        self._on_finding = on_finding
        self._steps = steps
        self._seconds = seconds
        self._record_path = record_path
        self._preset = preset
        self._live: LiveRecord | None = None
        self._script = script
        self._own_folder = own_folder
        self._session: Session | None = None
        self._waiting: Any = None
        self._shown: list[Finding] = []
        self._result: Diagnosis | None = None
        self._ended: Ending = "completed"
        self._faults: list[str] = []
        self._began = time.monotonic()
        self._timer: threading.Timer | None = None
        self._late = False
        self._closing = threading.Event()
        self._over: Ending | None = None
        self._thread_ends: list[BaseException] = []
        #: Whether an exception out of a traced function ends the examination: where nobody else would notice it.
        self.ends_on_error = False

    # --- from outside ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Examination:
        from ganmedic.capture.importing import when_imported

        self._began = time.monotonic()
        self._waiting = when_imported(self._install)
        if self._seconds is not None:
            self._timer = threading.Timer(self._seconds, self._time_is_up)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> bool:
        self.close(error)
        return self._is_ours(error)

    def close(self, error: BaseException | None = None) -> None:
        """Takes everything off and makes the diagnosis; ``error`` is what ended the program."""
        from ganmedic.capture.importing import stop_waiting

        if self._result is not None:
            return
        self._closing.set()
        if self._timer is not None:
            self._timer.cancel()
        stop_waiting(self._waiting)
        if self._is_ours(error):
            self._ended = "seconds" if self._late else "steps"
        elif isinstance(error, KeyboardInterrupt):
            self._ended = "interrupted"
        elif error is not None and not isinstance(error, SystemExit):
            self._ended = "failed"
        elif self._over is not None:
            # The training was ended all the same: in a thread, or inside a bare ``except`` of the program.
            self._ended = self._over
        session = self._session
        try:
            if session is not None and error is not None and self._ended == "failed":
                session.failed(error)
            self._result = self._conclude()
        except Exception as fault:
            self._note(fault)
            self._result = self._empty()
        finally:
            if self._live is not None:
                self._live.close()
            if session is not None:
                session.uninstall()

    @property
    def record(self) -> Record | None:
        """What happened so far; None where TensorFlow was not seen yet."""
        return None if self._session is None else self._session.record

    def diagnosis(self) -> Diagnosis:
        """What was seen so far; after the end of the examination, what it came to."""
        if self._result is not None:
            return self._result
        return self._conclude(complete=False)

    def adopt(self, model: object) -> None:
        """Makes a model known that was there before the examination began."""
        if self._session is not None:
            self._session.patches.guarded(self._session.modules.know, model)

    def _is_ours(self, error: BaseException | None) -> bool:
        """Whether an exception is there because the examination ended the program."""
        return (
            isinstance(error, ExaminationOver)
            or (isinstance(error, KeyboardInterrupt) and self._late)
            or any(error is end for end in self._thread_ends)
        )

    # --- inside --------------------------------------------------------------------------------------------------------

    def _install(self) -> None:
        try:
            from ganmedic.capture.session import Session

            if self._own_folder:
                from ganmedic.capture.places import claim

                claim(self._own_folder)
            collected = None
            if self._record_path is not None:
                from ganmedic.record.live import LiveRecord

                self._live = LiveRecord(self._record_path)
                collected = self._keep_up
            self._session = Session(
                known=self._look, stepped=self._step, failed=self._failed, preset=self._preset, collected=collected
            )
            self._session.install()
        except Exception as fault:
            self._note(fault)

    def _note(self, fault: BaseException) -> None:
        trace = fault.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace is not None else ""
        self._faults.append(f"{type(fault).__name__}: {fault}{where}")

    def _look(self) -> None:
        """A first diagnosis, as soon as the program's gradients are known."""
        for finding in self._conclude(complete=False).findings:
            if self._on_finding is not None and not self._is_shown(finding):
                self._shown.append(finding)
                self._on_finding(finding)
        if self._live is not None and self._session is not None:
            self._live.begin(self._session.record)

    def _keep_up(self) -> None:
        """The meters were read: the record on disk gets what is new."""
        if self._live is None or self._session is None:
            return
        if self._live.is_behind(self._session.record):
            self._session.complete()
            self._live.begin(self._session.record)
        else:
            self._live.collected(self._session.record)

    def _is_shown(self, finding: Finding) -> bool:
        return any(
            shown.cause == finding.cause and shown.locations[:1] == finding.locations[:1] for shown in self._shown
        )

    def _failed(self, error: BaseException) -> None:
        """A traced function that the program called raised."""
        if self.ends_on_error:
            self.close(error)

    def _step(self, count: int) -> None:
        if self._closing.is_set() or not (self._late or (self._steps is not None and count >= self._steps)):
            return
        self._over = "seconds" if self._late else "steps"
        if threading.current_thread() is threading.main_thread():
            raise ExaminationOver
        # The one exception that ends a thread without a word on stderr.
        self._thread_ends.append(SystemExit())
        raise self._thread_ends[-1]

    def _time_is_up(self) -> None:
        """Ends the program at its next step, or after two seconds wherever it is."""
        import _thread
        import signal

        self._late = True
        if self._closing.wait(2):
            return
        with contextlib.suppress(Exception):
            if hasattr(signal, "pthread_kill"):
                # A real signal: nothing else ends a sleep, a join or a read.
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            else:
                _thread.interrupt_main()

    def _conclude(self, complete: bool = True) -> Diagnosis:
        from ganmedic.diagnosis import diagnose

        if self._session is None:
            return self._empty()
        record = self._session.settle(complete)
        if complete:
            record.facts["ended"] = self._ended
            self._session.record.facts["ended"] = self._ended
        verdict = diagnose(record)
        if complete and self._record_path is not None:
            from ganmedic.record.store import save

            if self._live is not None:
                self._live.close()
            try:
                save(record, self._record_path)
                if self._live is not None and self._live.fault:
                    self._faults.append(self._live.fault)
            except Exception as fault:
                self._note(fault)
        return self._dressed(verdict)

    def _dressed(self, verdict: Diagnosis) -> Diagnosis:
        faults = [*self._faults, *(self._session.patches.faults if self._session is not None else ())]
        return replace(
            verdict,
            ended=self._ended,
            steps=self._session.steps if self._session is not None else 0,
            elapsed_seconds=time.monotonic() - self._began,
            script=self._script,
            versions=_versions(),
            tool_errors=(*faults, *verdict.tool_errors),
        )

    def _empty(self) -> Diagnosis:
        return self._dressed(Diagnosis())


def _versions() -> dict[str, str]:
    found = {"ganmedic": ganmedic.__version__, "python": platform.python_version()}
    for name in ("tensorflow", "keras"):
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(getattr(module, "__version__", "") or metadata.version(name))
    return found


def check(
    target: Target,
    *,
    steps: int | None = None,
    seconds: float | None = None,
    record_path: str | Path | None = None,
    preset: str = "light",
    on_finding: OnFinding | None = None,
) -> tuple[Diagnosis, Outcome]:
    """Runs a program under examination.

    Args:
        target: what to run.
        steps: end it after so many training steps.
        seconds: end it after so many seconds.
        record_path: where to keep the record.
        preset: how much time may go into looking closely (see :class:`Examination`).
        on_finding: called with each finding the moment it is known.

    Returns:
        The diagnosis, and how the program ended.
    """
    from ganmedic.capture.program import Outcome, run

    examination = Examination(
        on_finding=on_finding,
        steps=steps,
        seconds=seconds,
        record_path=record_path,
        preset=preset,
        script=target.name,
        own_folder=_folder_of(target),
    )
    with examination:
        outcome = run(target)
        early = isinstance(outcome.error, ExaminationOver) or (outcome.interrupted and examination._late)
        error = ExaminationOver() if early else outcome.error
        if outcome.interrupted and not early:
            error = KeyboardInterrupt()
        examination.close(error)
    if early:
        outcome = Outcome(skipped=outcome.skipped)
    diagnosis = examination.diagnosis()
    if outcome.skipped:
        left_out = tuple(Unchecked(text, "it is no Python and was not run") for text in outcome.skipped)
        diagnosis = replace(diagnosis, unchecked=(*diagnosis.unchecked, *left_out))
    return diagnosis, outcome


def _folder_of(target: Target) -> str:
    """The folder of the package that ``-m`` names: the user's own code, even where it is an installed package."""
    if target.kind != "module":
        return ""
    from importlib.util import find_spec

    with contextlib.suppress(ImportError, ValueError):
        spec = find_spec(target.name.split(".")[0])
        if spec is not None and spec.origin:
            return str(Path(spec.origin).parent) if spec.submodule_search_locations else ""
    return ""
