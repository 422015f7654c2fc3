"""Replaces functions of TensorFlow and Keras by wrappers, and puts every one of them back.

A wrapper calls the original exactly once, with the arguments it was given, and hands on its result or its exception.
What ganmedic does before and after runs guarded: a fault of ours is kept for the report and never reaches the program.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import traceback
from collections.abc import Callable
from typing import Any

Before = Callable[..., Any]
After = Callable[[Any, Any, BaseException | None], None]

_MISSING = object()


class Patches:
    """A set of replaced attributes, and the faults of ganmedic's own code met in them.

    Args:
        tolerance: after how many faults the watching is switched off for good.
    """

    def __init__(self, tolerance: int = 3) -> None:
        self.faults: list[str] = []
        self.broken = False
        self._tolerance = tolerance
        self._replaced: list[tuple[Any, str, Any, Any]] = []
        self._to_undo: list[Callable[[], Any]] = []

    def guarded(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs a piece of ganmedic; a fault in it is noted and ``None`` comes back."""
        if self.broken:
            return None
        try:
            return function(*args)
        except Exception as fault:
            self.note(fault)
            return None

    def note(self, fault: BaseException) -> None:
        """Keeps a fault of ganmedic's own code for the report."""
        last = traceback.extract_tb(fault.__traceback__)[-1:]
        where = f" ({last[0].filename.rsplit('/', 1)[-1]}:{last[0].lineno})" if last else ""
        text = f"{type(fault).__name__}: {fault}{where}"
        if text not in self.faults:
            self.faults.append(text)
        if len(self.faults) >= self._tolerance:
            self.broken = True

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Sets an attribute of a class or module until :meth:`undo`."""
        self._replaced.append((owner, name, owner.__dict__.get(name, _MISSING), value))
        setattr(owner, name, value)

    def wrap(self, owner: Any, name: str, before: Before | None = None, after: After | None = None) -> None:
        """Wraps a function of a class or module.

        Args:
            before: called with the function's arguments; what it returns is handed to ``after``.
            after: called with that, the result (``None`` on an error) and the error (``None`` if there was none).
        """
        original = getattr(owner, name)
        guarded = self.guarded

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            token = guarded(functools.partial(before, *args, **kwargs)) if before is not None else None
            if after is None:
                return original(*args, **kwargs)
            try:
                result = original(*args, **kwargs)
            except BaseException as error:
                guarded(after, token, None, error)
                raise
            guarded(after, token, result, None)
            return result

        # What is a wrapper already is left to answer as the wrapper it is; Keras asks for the signature of the rest.
        with contextlib.suppress(TypeError, ValueError):
            if not hasattr(original, "__wrapped__"):
                wrapper.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
        untouched(wrapper)
        self.replace(owner, name, wrapper)

    def on_undo(self, put_back: Callable[[], Any]) -> None:
        """Has something done at the end that is no attribute to be set back."""
        self._to_undo.append(put_back)

    def undo(self) -> None:
        """Puts everything back, last first; what the program has replaced since stays, and what it kept goes quiet."""
        self.broken = True
        while self._to_undo:
            self._to_undo.pop()()
        while self._replaced:
            owner, name, value, ours = self._replaced.pop()
            if owner.__dict__.get(name) is not ours:
                continue
            if value is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def untouched(function: Callable[..., Any]) -> None:
    """Tells AutoGraph to call a function as it is, without converting it and without changing how it treats others."""
    function.autograph_info__ = {}  # type: ignore[attr-defined]
