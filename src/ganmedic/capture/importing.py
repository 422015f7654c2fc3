"""Waits until the user's program has imported TensorFlow and Keras itself.

A program may set ``KERAS_BACKEND`` or ``TF_*`` variables before it imports TensorFlow; were ganmedic to import it first,
they would come too late.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

_AWAITED = ("tensorflow", "keras")


class _Announcing(importlib.abc.Loader):
    """Loads a module as its own loader does, then says so."""

    def __init__(self, loader: importlib.abc.Loader, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        self._finder.begun(module.__name__)
        try:
            self._loader.exec_module(module)
        finally:
            self._finder.ended(module.__name__)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, ready: Callable[[], None]) -> None:
        self._ready = ready
        self._under_way: list[str] = []
        self._asking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in _AWAITED or self._asking:
            return None
        self._asking = True
        try:
            for finder in sys.meta_path:
                if finder is not self and hasattr(finder, "find_spec"):
                    spec = finder.find_spec(name, path, target)
                    if spec is not None and spec.loader is not None:
                        spec.loader = _Announcing(spec.loader, self)
                        return spec
            return None
        finally:
            self._asking = False

    def begun(self, name: str) -> None:
        self._under_way.append(name)

    def ended(self, name: str) -> None:
        self._under_way.remove(name)
        if not self._under_way and "tensorflow" in sys.modules:
            stop_waiting(self)
            self._ready()


def when_imported(ready: Callable[[], None]) -> importlib.abc.MetaPathFinder | None:
    """Calls ``ready`` once TensorFlow is there: now, or as soon as the program has imported it.

    Returns:
        What to hand to :func:`stop_waiting`, ``None`` if TensorFlow was there already.
    """
    if "tensorflow" in sys.modules:
        ready()
        return None
    finder = _Finder(ready)
    sys.meta_path.insert(0, finder)
    return finder


def stop_waiting(finder: importlib.abc.MetaPathFinder | None) -> None:
    """Takes the waiting off again."""
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)
