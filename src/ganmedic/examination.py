"""An examination: watches a training run and says what is wrong with its gradients."""

from __future__ import annotations

import contextlib
import platform
import sys
import threading
import time
import types
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ganmedic
from ganmedic.finding import Diagnosis, Ending, Finding, OnFinding

if TYPE_CHECKING:
    from ganmedic.capture.program import Outcome
    from ganmedic.capture.session import Session
    from ganmedic.capture.target import Target


class ExaminationOver(BaseException):
    """Ends a program early, where ``--steps`` or ``--seconds`` ask for it; not an error."""


class Examination:
    """Watches TensorFlow from ``with`` to its end; :meth:`diagnosis` says what was seen.

    Args:
        on_finding: called with each finding the moment it is known.
        steps: after so many training steps the program is ended with :class:`ExaminationOver`; ``None`` for no limit.
        seconds: likewise after so many seconds.
        record_path: where to keep the record; ``None`` to drop it.

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
        script: str = "",
    ) -> None:
        if steps is not None and steps < 1:
            raise ValueError(f"steps is {steps}; expected a whole number of 1 or more, or None for no limit.")
        if seconds is not None and not seconds > 0:
            raise ValueError(f"seconds is {seconds}; expected a number above 0, or None for no limit.")
        self._on_finding = on_finding
        self._steps = steps
        self._seconds = seconds
        self._record_path = record_path
        self._script = script
        self._session: Session | None = None
        self._waiting: Any = None
        self._shown: list[Finding] = []
        self._result: Diagnosis | None = None
        self._ended: Ending = "completed"
        self._faults: list[str] = []
        self._began = time.monotonic()
        self._timer: threading.Timer | None = None
        self._late = False
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
        return isinstance(error, ExaminationOver)

    def close(self, error: BaseException | None = None) -> None:
        """Takes everything off and makes the diagnosis; ``error`` is what ended the program."""
        from ganmedic.capture.importing import stop_waiting

        if self._result is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        stop_waiting(self._waiting)
        if isinstance(error, ExaminationOver):
            self._ended = "seconds" if self._late else "steps"
        elif isinstance(error, KeyboardInterrupt):
            self._ended = "seconds" if self._late else "interrupted"
        elif error is not None and not isinstance(error, SystemExit):
            self._ended = "failed"
        session = self._session
        try:
            if session is not None and error is not None and self._ended == "failed":
                session.failed(error)
            self._result = self._conclude()
        except Exception as fault:
            self._note(fault)
            self._result = self._empty()
        finally:
            if session is not None:
                session.uninstall()

    def diagnosis(self) -> Diagnosis:
        """What was seen so far; after the end of the examination, what it came to."""
        if self._result is not None:
            return self._result
        return self._conclude(complete=False)

    def adopt(self, model: object) -> None:
        """Makes a model known that was there before the examination began."""
        if self._session is not None:
            self._session.patches.guarded(self._session.modules.know, model)

    # --- inside --------------------------------------------------------------------------------------------------------

    def _install(self) -> None:
        try:
            from ganmedic.capture.session import Session

            self._session = Session(known=self._look, stepped=self._step, failed=self._failed)
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

    def _is_shown(self, finding: Finding) -> bool:
        return any(
            shown.cause == finding.cause and shown.locations[:1] == finding.locations[:1] for shown in self._shown
        )

    def _failed(self, error: BaseException) -> None:
        """A traced function that the program called raised."""
        if self.ends_on_error:
            self.close(error)

    def _step(self, count: int) -> None:
        if self._late or (self._steps is not None and count >= self._steps):
            raise ExaminationOver

    def _time_is_up(self) -> None:
        """Ends the program at its next step, or after two seconds wherever it is."""
        import _thread

        self._late = True
        time.sleep(2)
        if self._result is None:
            with contextlib.suppress(Exception):
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

            save(record, self._record_path)
        return self._dressed(verdict)

    def _dressed(self, verdict: Diagnosis) -> Diagnosis:
        from dataclasses import replace

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
    on_finding: OnFinding | None = None,
) -> tuple[Diagnosis, Outcome]:
    """Runs a program under examination.

    Args:
        target: what to run.
        steps: end it after so many training steps.
        seconds: end it after so many seconds.
        record_path: where to keep the record.
        on_finding: called with each finding the moment it is known.

    Returns:
        The diagnosis, and how the program ended.
    """
    from ganmedic.capture.program import Outcome, run

    examination = Examination(
        on_finding=on_finding, steps=steps, seconds=seconds, record_path=record_path, script=target.name
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
    return examination.diagnosis(), outcome
