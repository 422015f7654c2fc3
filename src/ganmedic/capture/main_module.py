"""Takes the place of ``__main__`` in this process for as long as the user's program runs.

Pickle, multiprocessing, ``inspect`` and many a script look at ``sys.modules["__main__"]``, ``sys.argv`` and
``sys.path[0]``, so these are what they are under plain Python, and are put back afterwards.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType


@contextmanager
def main_restored() -> Iterator[None]:
    """Put back ``sys.argv``, ``sys.path`` and the module ``__main__`` when the block ends, however it ends."""
    argv, path, main = sys.argv, sys.path, sys.modules["__main__"]
    arguments, entries = list(argv), list(path)
    try:
        yield
    finally:
        sys.argv, sys.path, sys.modules["__main__"] = argv, path, main
        argv[:], path[:] = arguments, entries


def enter_main(argv: list[str], first_entry: str | None) -> ModuleType:
    """Make a fresh ``__main__`` and set ``sys.argv`` and ``sys.path`` as Python does before it runs a program.

    Args:
        argv: the new ``sys.argv``.
        first_entry: what Python puts in front of ``sys.path``; ``None`` where it puts nothing.

    Returns:
        The module, already in ``sys.modules``.
    """
    entries = _path_without_own_entry()
    sys.path[:] = entries if first_entry is None else [first_entry, *entries]
    sys.argv = argv
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main


def describe_file(main: ModuleType, path: str) -> None:
    """Set the attributes of a ``__main__`` that is a file."""
    main.__dict__.update(__file__=path, __cached__=None, __loader__=SourceFileLoader("__main__", path))


def describe_spec(main: ModuleType, spec: ModuleSpec) -> None:
    """Set the attributes of a ``__main__`` that the import system found."""
    main.__dict__.update(
        __file__=spec.origin,
        __cached__=spec.cached,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
    )


def _path_without_own_entry() -> list[str]:
    """``sys.path`` without the entry that Python put in front of it to start ganmedic itself."""
    if not sys.path or sys.flags.safe_path:
        return list(sys.path)
    own = {"", os.path.dirname(os.path.realpath(sys.argv[0]))}
    return sys.path[1:] if sys.path[0] in own else list(sys.path)
