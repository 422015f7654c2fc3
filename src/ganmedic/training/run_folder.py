"""The folder of a run: what lies where, and what is known of the run beside its checkpoints."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ganmedic.settings import Settings, SettingsError, changed, dumps, load
from ganmedic.training.showing.replacing import replaced

FORMAT = 1


class RunError(ValueError):
    """A run cannot be begun, or gone on with; the message says why."""


@dataclass
class RunState:
    """What is known of a run beside its checkpoints.

    Attributes:
        command: the line that began it.
        versions: of what it was begun with.
        interventions: what was changed, in order; each with `number`, `step`, `back_to`, `trouble`, `name`, `text`, `values`.
        network: the kind of networks that was chosen; empty before that.
        jit_compile, jit_reason: whether the step is compiled with XLA, and why; None while that is open.
        seconds: spent on training so far.
        state: `running`, `finished`, `stopped` or `failed`.
        findings: what was found, with the causes; and how many of them are more than notes.
    """

    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    interventions: list[dict[str, Any]] = field(default_factory=list)
    network: str = ""
    jit_compile: bool | None = None
    jit_reason: str = ""
    seconds: float = 0.0
    state: str = "running"
    findings: list[str] = field(default_factory=list)
    serious: int = 0
    parts: int = 0

    @property
    def leg(self) -> int:
        """How many times the run has gone back."""
        return len(self.interventions)


class RunFolder:
    """A run's folder.

    Args:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.toml"
        self.history = path / "history.csv"
        self.curves = path / "curves.png"
        self.samples = path / "samples"
        self.checkpoints = path / "checkpoints"
        self.records = path / "records"
        self.data = path / "data"
        self.audit = path / "audit.html"
        self.report = path / "report.json"
        self.metrics = path / "metrics.json"
        self.normalisation = path / "normalisation.json"
        self.tensorboard = path / "tensorboard"
        self._state = path / "run.json"

    @classmethod
    def begin(cls, path: Path, settings: Settings, state: RunState) -> RunFolder:
        """Makes the folder of a new run.

        Raises:
            RunError: there is something already, or it cannot be made.
        """
        run = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not _is_free(path):
                what = (
                    f"a run already. Go on with it: ganmedic train --resume {path}; or give another folder"
                    if run._state.exists()
                    else "something already. Give a folder that is new or empty"
                )
                raise RunError(f"{path} holds {what}.")
            for folder in (run.samples, run.checkpoints, run.records):
                folder.mkdir(exist_ok=True)
            with replaced(run.config) as temporary:
                temporary.write_text(dumps(settings), encoding="utf-8")
            run.write(state)
        except OSError as error:
            raise RunError(
                f"{path} cannot be written ({error.strerror or error}). Give a folder that can: --out FOLDER."
            ) from error
        return run

    @classmethod
    def open(cls, path: Path) -> tuple[RunFolder, Settings, RunState]:
        """A run that is there, with its settings as they are by now.

        Raises:
            RunError: it is no run, or of another version of ganmedic.
        """
        run = cls(path)
        if not run._state.is_file():
            raise RunError(
                f"{path} is no folder of a run: it has no {run._state.name}. Give a folder that `ganmedic train` made."
            )
        try:
            content = json.loads(run._state.read_text(encoding="utf-8"))
            if content.pop("format") != FORMAT:
                raise RunError(
                    f"{path} was made by another version of ganmedic, in a format that this one does not read."
                )
            state = RunState(**content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, RunError):
                raise
            raise RunError(f"{run._state} cannot be read ({error}). Put it back as it was, or begin anew.") from error
        try:
            settings = load(run.config)
            for each in state.interventions:
                settings = changed(settings, each["values"])
        except SettingsError as error:
            raise RunError(f"{run.config} does not hold the configuration of this run any more: {error}") from error
        return run, settings, state

    def write(self, state: RunState) -> None:
        """Keeps what is known of the run, all of it or what was there before."""
        with replaced(self._state) as temporary:
            temporary.write_text(json.dumps({"format": FORMAT, **asdict(state)}, indent=1), encoding="utf-8")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else trains in this folder inside the block.

        Raises:
            RunError: somebody does.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such lock.
            yield
            return
        with open(self.path / ".lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RunError(f"Another process trains in {self.path} already. Wait for it, or end it.") from error
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield


def _is_free(path: Path) -> bool:
    """Whether nothing lies there but what a run that was killed in its first moment leaves."""
    for entry in path.iterdir():
        own = entry.name in ("samples", "checkpoints", "records") and entry.is_dir() and not any(entry.iterdir())
        if not (
            own or entry.name in ("config.toml", ".lock") or entry.name.startswith((".config.toml.", ".run.json."))
        ):
            return False
    return True


def default_folder(data_path: str) -> Path:
    """runs/<name of the data>-<date>-<time>, below the working folder."""
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(data_path).stem) or "data"
    return Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
