"""Runs of `ganmedic train` that take a second, and how two of them are compared."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from ganmedic.settings import Settings, for_data
from ganmedic.training import starting
from ganmedic.training.checkpoints import Checkpoints, load
from ganmedic.training.keeping import Keeper


def points_file(folder: Path, count: int = 64) -> Path:
    """A file of points."""
    path = folder / "points.npy"
    np.save(path, np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32))
    return path


def small(data: Path, folder: Path, **changes: Any) -> Settings:
    """A small run without an examination; further settings with `__` in place of the dot."""
    values = {
        "run.folder": str(folder),
        "data.audit": False,
        "networks.width": 8,
        "networks.latent_size": 4,
        "training.steps": 60,
        "training.batch_size": 8,
        "training.jit_compile": False,
        "checkpoints.every": 20,
        "samples.every": 60,
        "samples.count": 4,
        "watch.enabled": False,
    }
    return for_data(str(data), **(values | {name.replace("__", "."): value for name, value in changes.items()}))


def begun(settings: Settings) -> tuple[Any, str]:
    """The outcome of a new run, and what it said."""
    console = Console(file=io.StringIO(), width=200)
    outcome = starting.begin(settings, console)
    return outcome, console.file.getvalue()  # type: ignore[attr-defined]


def gone_on(folder: Path, **changes: Any) -> tuple[Any, str]:
    """The outcome of a run that was taken up, and what it said."""
    console = Console(file=io.StringIO(), width=200)
    outcome = starting.go_on(folder, console, {name.replace("__", "."): value for name, value in changes.items()})
    return outcome, console.file.getvalue()  # type: ignore[attr-defined]


def figures(folder: Path) -> list[list[str]]:
    """The history without the images a second."""
    with open(folder / "history.csv", encoding="utf-8", newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


def arrays(folder: Path) -> dict[str, Any]:
    """What the last checkpoint holds."""
    return load(Checkpoints(folder / "checkpoints").all()[-1].path)[0]


def assert_same_run(one: Path, other: Path) -> None:
    """Two runs came to the same, bit for bit."""
    assert figures(one) == figures(other)
    left, right = arrays(one), arrays(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.dtype == right[name].dtype
        assert array.tobytes() == right[name].tobytes(), name


@contextlib.contextmanager
def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> Iterator[None]:
    """Inside the block, a step of a run does something more at its end, before its duties."""
    original = Keeper.on_train_batch_end

    def acting(self: Any, batch: int, logs: Any = None) -> None:
        if self.step + 1 == step:
            act()
        original(self, batch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "on_train_batch_end", acting)
        yield
