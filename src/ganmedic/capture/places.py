"""Which lines of a stack are the user's own."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import Any

from tensorflow.python.util import tf_stack

from ganmedic.record.schema import Place, Stack

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep

#: Files of generated code whose lines TensorFlow maps back to the user's.
GENERATED = "__autograph_generated_file"


def _library_folders() -> tuple[str, ...]:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")}
    paths.update(site.getsitepackages())
    paths.add(site.getusersitepackages())
    import keras
    import numpy
    import tensorflow

    paths.update(str(Path(str(module.__file__)).parent) for module in (keras, numpy, tensorflow))
    return tuple(os.path.realpath(path) + os.sep for path in paths if path) + tuple(
        path + os.sep for path in paths if path
    )


_LIBRARIES = _library_folders()
_OWN_PACKAGES: set[str] = set()


def claim(folder: str) -> None:
    """Counts a folder as the user's code even where it lies among installed packages (``-m package.module``)."""
    _OWN_PACKAGES.add(folder.rstrip(os.sep) + os.sep)
    is_users.cache_clear()


@lru_cache(maxsize=4096)
def is_users(filename: str) -> bool:
    """Whether a file belongs to the user's program: not to Python, an installed package, or ganmedic."""
    if not filename or filename.startswith("<") or filename.startswith(_PACKAGE):
        return False
    if any(filename.startswith(folder) for folder in _OWN_PACKAGES):
        return True
    return not filename.startswith(_LIBRARIES) and GENERATED not in filename


@lru_cache(maxsize=65536)
def _place(filename: str, line: int, function: str) -> Place:
    return Place(os.path.abspath(filename) if "#cell-" not in filename else filename, line, function)


def user_stack() -> Stack:
    """The user's frames on the current stack, innermost last; lines of AutoGraph's code are mapped back."""
    return tuple(
        _place(frame.filename, frame.lineno, _plain_name(frame.name))
        for frame in tf_stack.extract_stack().get_user_frames()
        if is_users(frame.filename)
    )


def _plain_name(function: str) -> str:
    return function.removeprefix("tf__")


def called_by_user() -> bool:
    """Whether the function that is being watched was called from the user's code, not from inside a framework."""
    frame = sys._getframe(1)
    while frame is not None and (_is_plumbing(frame.f_code.co_filename) or frame.f_code.co_name == "__setattr__"):
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and (is_users(frame.f_code.co_filename) or GENERATED in frame.f_code.co_filename)


@lru_cache(maxsize=4096)
def _is_plumbing(filename: str) -> bool:
    """Frames that stand between a caller and what it calls: ganmedic's own, AutoGraph's, traceback filters."""
    return filename.startswith(_PACKAGE) or any(part in filename for part in _PLUMBING)


_PLUMBING = (
    os.path.join("tensorflow", "python", "autograph"),
    "traceback_utils.py",
    "tf_contextlib.py",
    "contextlib.py",
    "functools.py",
)


def error_stack(error: BaseException) -> tuple[Stack, tuple[str, ...]]:
    """The user's frames of a traceback, and what of the framework lies behind the last of them.

    Where AutoGraph has run the code, its map from generated to written lines is used.
    """
    places: list[Place] = []
    behind: list[str] = []
    metadata = getattr(error, "ag_error_metadata", None)
    translated = list(reversed(getattr(metadata, "translated_stack", ()) or ())) if metadata is not None else []
    traceback: Any = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_users(code.co_filename):
            places.append(_place(code.co_filename, traceback.tb_lineno, code.co_name))
            behind.clear()
        elif not code.co_filename.startswith(_PACKAGE):
            module = traceback.tb_frame.f_globals.get("__name__", "?")
            behind.append(f"{module}:{code.co_name}")
        traceback = traceback.tb_next
    for frame in translated:
        if is_users(frame.filename):
            places.append(_place(frame.filename, frame.lineno, _plain_name(frame.function_name)))
    return tuple(places), tuple(behind)
