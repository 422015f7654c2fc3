"""Checkpoints: one file each, there or not there, and looked over before it is believed."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NAME = re.compile(r"step-(\d{9,})-leg-(\d+)\.npz")
_ABOUT = "about"
#: What NumPy and zipfile raise on files that were cut, damaged, or are something else; a NotImplementedError is a RuntimeError.
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, RuntimeError)


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""


@dataclass(frozen=True, order=True)
class Checkpoint:
    """Where a checkpoint lies.

    Attributes:
        leg: how many times the run had gone back before it.
        step: batches so far.
        path: the file.
    """

    leg: int
    step: int
    path: Path


class Checkpoints:
    """The checkpoints of a run.

    A file is written aside, brought to the disk, and given its name: a process that is killed leaves the old ones whole. Each array
    carries its checksum (CRC-32, as every zip file does), so that a file that was cut or damaged later is found out.

    Args:
        folder: where they lie; made where it is not there.
        keep: how many of the newest stay, beside those that are held.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, step: int, leg: int, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> Checkpoint:
        """Writes a checkpoint.

        Args:
            step, leg: as in `Checkpoint`.
            arrays: by name.
            about: what else belongs to it, as JSON can hold it.

        Raises:
            OSError: it cannot be written; what was there before still is.
        """
        path = self.folder / f"step-{step:09d}-leg-{leg}.npz"
        partial = path.with_suffix(".partial")
        # The directory of a zip file has no checksum: damaged, it may list fewer arrays than there are.
        text = np.frombuffer(json.dumps({"arrays": len(arrays), "about": dict(about)}).encode(), np.uint8)
        try:
            with open(partial, "wb") as file:
                named: dict[str, Any] = {_escaped(name): array for name, array in arrays.items()}
                np.savez(file, **{_ABOUT: text, **named})
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
            _sync(self.folder)
        finally:
            partial.unlink(missing_ok=True)
        return Checkpoint(leg, step, path)

    def all(self) -> list[Checkpoint]:
        """All that lie there, the newest last; whether they are whole is seen when they are loaded."""
        found = []
        for path in self.folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match:
                found.append(Checkpoint(int(match[2]), int(match[1]), path))
        return sorted(found)

    def newest_first(self, leg: int) -> Iterator[Checkpoint]:
        """Those of a leg."""
        yield from (each for each in reversed(self.all()) if each.leg == leg)

    def prune(self, held: set[Path]) -> None:
        """Takes away all but the newest `keep`, and those that are held; what was left half-written goes as well."""
        for each in self.all()[: -self.keep]:
            if each.path not in held:
                each.path.unlink(missing_ok=True)
        for path in self.folder.glob("*.partial"):
            path.unlink(missing_ok=True)


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays, and what else belongs to a checkpoint.

    Raises:
        CheckpointError: the file is cut, damaged or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {_plain(name): file[name] for name in file.files if name != _ABOUT}
            content = json.loads(file[_ABOUT].tobytes().decode())
            about, count = content["about"], content["arrays"]
        if count != len(arrays):
            raise CheckpointError(f"{path} is damaged: it was written with {count} arrays, and lists {len(arrays)}.")
    except CheckpointError:
        raise
    except _UNREADABLE as error:
        raise CheckpointError(f"{path} is no whole checkpoint ({error or type(error).__name__}).") from error
    return arrays, about


def about_of(path: Path) -> dict[str, Any]:
    """What else belongs to a checkpoint, without its arrays.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about: dict[str, Any] = json.loads(file[_ABOUT].tobytes().decode())["about"]
            return about
    except _UNREADABLE as error:
        raise CheckpointError(f"{path} is no whole checkpoint ({error or type(error).__name__}).") from error


def _escaped(name: str) -> str:
    return "=" + name.replace("/", "|")


def _plain(name: str) -> str:
    return name[1:].replace("|", "/")


def _sync(folder: Path) -> None:
    """A new name in a folder is on the disk only when the folder is."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
