"""The examination as a Keras callback and as a context manager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganmedic.capture.presets import check_preset
from ganmedic.examination import Examination
from ganmedic.finding import Diagnosis, Finding, OnFinding

try:
    from keras.callbacks import Callback
except ImportError as missing:
    raise ImportError(
        "ganmedic.Monitor is a Keras callback, and Keras is not installed. "
        'Install it with: pip install "ganmedic[tensorflow]"'
    ) from missing


def show(finding: Finding) -> None:
    """Prints a finding to stderr, as ``ganmedic check`` does."""
    from rich.console import Console

    from ganmedic.report.terminal import render_finding

    render_finding(Console(stderr=True), finding)


class Monitor(Callback):  # type: ignore[misc]
    """Watches ``fit`` and tells, while it runs, which variables get no gradient and why.

    Args:
        on_finding: called with each finding the moment it is known; by default it is printed to stderr.
        record_path: where to keep the record; ``None`` to drop it.
        preset: ``light`` or ``full``. Beside the gradients of every step, steps are run again now and then to measure all
            that lies between; ``light`` lets that take 1.5 seconds in all and 1 % of the time beyond, and looks at each
            gradient call at least once, ``full`` 4 seconds and 6 %, and at least three times.

    Raises:
        ValueError: there is no such ``preset``.

    Example:
        monitor = ganmedic.Monitor()
        gan.fit(dataset, epochs=5, callbacks=[monitor])
        monitor.diagnosis()
    """

    def __init__(
        self,
        on_finding: OnFinding | None = show,
        record_path: str | Path | None = None,
        preset: str = "light",
    ) -> None:
        super().__init__()
        check_preset(preset)
        self._on_finding = on_finding
        self._record_path = record_path
        self._preset = preset
        self._examination: Examination | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begins to watch."""
        self._examination = Examination(
            on_finding=self._on_finding, record_path=self._record_path, preset=self._preset, script="fit"
        )
        self._examination.ends_on_error = True
        self._examination.__enter__()
        self._examination.adopt(self.model)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends the watching and takes everything off."""
        if self._examination is not None:
            self._examination.close()

    def diagnosis(self) -> Diagnosis:
        """What was seen so far; after the training, what it came to.

        Raises:
            RuntimeError: the training has not begun.
        """
        if self._examination is None:
            raise RuntimeError(
                "This Monitor has seen no training. Hand it to fit first: gan.fit(dataset, callbacks=[monitor])."
            )
        return self._examination.diagnosis()
