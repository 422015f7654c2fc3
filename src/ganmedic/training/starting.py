"""From a command to a run: a new one, or one that goes on."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console

import ganmedic
from ganmedic.settings import Settings, SettingsError
from ganmedic.training.run_folder import RunError, RunFolder, RunState, default_folder
from ganmedic.training.showing.needs import need


def begin(settings: Settings, console: Console) -> Any:
    """Begins a run, and trains it to its end; TensorFlow is imported on the way.

    Raises:
        RunError, SettingsError, DataError: it cannot be begun.
    """
    check_data(settings)
    check_packages()
    if settings.distribute.strategy == "multi_worker" and settings.run.folder is None:
        raise SettingsError("run.folder is not set, and several workers share one folder. Name it, the same for all.")
    folder = Path(settings.run.folder) if settings.run.folder else default_folder(settings.data.path)
    strategy, chief = _strategy(settings)
    known = RunState(command=shlex.join(["ganmedic", *sys.argv[1:]]), versions=versions())
    run = RunFolder.begin(folder, settings, known) if chief else RunFolder(folder)
    console.print(f"Run: {folder}", markup=False, highlight=False)
    with run.locked() if chief else contextlib.nullcontext():
        return _train(run, settings, known, console, strategy, chief)


def go_on(folder: Path, console: Console, changes: dict[str, Any] | None = None) -> Any:
    """Takes a run up where it stopped, bit for bit as if it never had.

    Args:
        folder: of the run.
        console: where it is shown.
        changes: settings that may be changed on the way, by dotted key; not kept.

    Raises:
        RunError, SettingsError, DataError: it cannot be gone on with.
    """
    check_packages()
    # Looked at before TensorFlow is imported, and again when nobody else can write.
    _, settings, _ = RunFolder.open(folder)
    if changes:
        settings = ganmedic.settings.changed(settings, changes)
    strategy, chief = _strategy(settings)
    run = RunFolder(folder)
    with run.locked() if chief else contextlib.nullcontext():
        return _gone_on(run, changes, console, strategy, chief)


def _gone_on(run: RunFolder, changes: dict[str, Any] | None, console: Console, strategy: Any, chief: bool) -> Any:
    run, settings, known = RunFolder.open(run.path)
    if changes:
        settings = ganmedic.settings.changed(settings, changes)
    here = versions()
    other = {name: each for name, each in known.versions.items() if here.get(name) != each}
    if other:
        told = ", ".join(f"{name} {each} (now {here.get(name, 'none')})" for name, each in other.items())
        console.print(
            f"This run was begun with {told}: what follows may differ in the last bits.", markup=False, highlight=False
        )
    known.state = "running"
    return _train(run, settings, known, console, strategy, chief)


def check_data(settings: Settings) -> None:
    """Refuses, before TensorFlow is imported, data that are not there.

    Raises:
        SettingsError: there is nothing at data.path.
    """
    if not os.path.exists(settings.data.path):
        raise SettingsError(
            f"data.path is {settings.data.path!r}, and there is nothing. A folder of images or a file of data is expected. Check the path."
        )
    for key in ("generator", "discriminator"):
        place = getattr(settings.networks, key)
        if place is not None and not os.path.isfile(place.rpartition(":")[0]):
            raise SettingsError(
                f"networks.{key} is {place!r}, and there is no such file. A Python file and a function in it are expected: 'nets.py:make'."
            )


def check_packages() -> None:
    """Refuses to begin what could not be drawn.

    Raises:
        RunError: a package is missing; the message says how to install it.
    """
    try:
        need("PIL", "ganmedic train")
        need("matplotlib", "ganmedic train")
    except ImportError as missing:
        raise RunError(str(missing)) from missing


def versions() -> dict[str, str]:
    """What a run depends on."""
    found = {"ganmedic": ganmedic.__version__, "python": platform.python_version()}
    for name in ("tensorflow", "tensorflow-cpu", "keras", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _train(run: RunFolder, settings: Settings, known: RunState, console: Console, strategy: Any, chief: bool) -> Any:
    from ganmedic.training.trainer import Trainer

    trainer = Trainer(run, settings, known, console, strategy)
    try:
        return trainer.train()
    except BaseException as error:
        known.state = "failed"
        with contextlib.suppress(OSError):
            if chief:
                run.write(known)
        if isinstance(error, OSError):
            raise RunError(
                f"{run.path} cannot be written or the data not be read ({error}). Make room, and go on: ganmedic train --resume {run.path}"
            ) from error
        raise


def _strategy(settings: Settings) -> tuple[Any, bool]:
    """The strategy of `tf.distribute`, made before anything else of TensorFlow, and whether this process writes the run."""
    chosen = settings.distribute
    if chosen.strategy == "none":
        return None, True
    if chosen.strategy == "multi_worker":
        if chosen.workers is not None and "TF_CONFIG" not in os.environ:
            cluster = {"worker": list(chosen.workers)}
            os.environ["TF_CONFIG"] = json.dumps(
                {"cluster": cluster, "task": {"type": "worker", "index": chosen.index}}
            )
        if "TF_CONFIG" not in os.environ:
            raise SettingsError(
                "distribute.strategy is 'multi_worker', and neither distribute.workers and distribute.index nor the environment variable "
                "TF_CONFIG say which workers there are. Set one of them."
            )
    import tensorflow as tf

    if chosen.strategy == "mirrored":
        try:
            return tf.distribute.MirroredStrategy(
                devices=None if chosen.devices is None else list(chosen.devices)
            ), True
        except (ValueError, RuntimeError) as error:
            raise SettingsError(f"distribute.devices is {chosen.devices}: {error}") from error
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return strategy, strategy.cluster_resolver.task_id in (0, None)
