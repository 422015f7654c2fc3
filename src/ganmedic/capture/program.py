"""Runs the user's program exactly as Python itself would run it.

The program finds its own ``__main__``, ``sys.argv`` and ``sys.path``; it may fork, spawn, start threads, change the
working directory or end with ``sys.exit``; and an error of it prints what Python would print.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pkgutil
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType, TracebackType

from ganmedic.capture import main_module, notebook
from ganmedic.capture.target import Target, TargetError, is_importable_path, parse_target
from ganmedic.record.places import split_place

__all__ = ["Outcome", "Target", "TargetError", "parse_target", "print_exception", "run", "split_place"]

_OWN_FOLDER = os.path.dirname(__file__) + os.sep


@dataclass(frozen=True)
class Outcome:
    """How the program ended.

    Attributes:
        error: the exception that ended it, without the frames of ganmedic; ``None`` if it came to its end or called
            ``sys.exit``.
        exit_code: what it gave to ``sys.exit`` (``None`` counts as 0, a text as 1); ``None`` if it did not.
        interrupted: whether a ``KeyboardInterrupt`` ended it.
        skipped: what of a notebook was not run, e.g. ``cell 3, line 1: %matplotlib inline``.
    """

    error: BaseException | None = None
    exit_code: int | None = None
    interrupted: bool = False
    skipped: tuple[str, ...] = ()


def run(target: Target) -> Outcome:
    """Run a program to its end, and wait for the threads that Python would wait for.

    ``sys.argv``, ``sys.path`` and ``sys.modules["__main__"]`` are put back afterwards. A process that the program forks
    ends here, at the end of its program, and never returns to the caller.

    Args:
        target: what to run.

    Returns:
        How it ended. No exception of the program leaves this function.
    """
    process = os.getpid()
    before = frozenset(threading.enumerate())
    error: BaseException | None = None
    exit_code: int | None = None
    skipped: list[str] = []
    with main_module.main_restored():
        try:
            try:
                _KINDS[target.kind](target, skipped)
            except SystemExit as stop:
                exit_code = _exit_code(stop)
            _wait_for_threads(before)
        except BaseException as raised:
            error = raised
            _drop_own_frames(error)
        if os.getpid() != process:
            _end_forked_process(error, exit_code)
    return Outcome(error, exit_code, isinstance(error, KeyboardInterrupt), tuple(skipped))


def print_exception(error: BaseException) -> None:
    """Write to ``sys.stderr`` what Python writes when this exception ends a program.

    A hook that the program set in ``sys.excepthook`` is asked, as Python would. Before Python 3.13 the built-in hook
    reads source from files only and knows nothing of a notebook's cells, so their tracebacks are printed by
    ``traceback``.

    Args:
        error: as it stands in :class:`Outcome`.
    """
    trace = error.__traceback__
    hook = sys.excepthook
    if (
        hook is sys.__excepthook__
        and trace is not None
        and split_place(trace.tb_frame.f_code.co_filename)[1] is not None
    ):
        traceback.print_exception(error)
        return
    try:
        hook(type(error), error, trace)
    except Exception:
        sys.__excepthook__(type(error), error, trace)


def _run_script(target: Target, skipped: list[str]) -> None:
    if is_importable_path(target.name):
        _run_folder(target)
        return
    # Python joins, and does not normalise: ./train.py gives a __file__ with /./ in it.
    path = os.path.join(os.getcwd(), target.name)
    folder = os.path.dirname(os.path.realpath(target.name))
    main = main_module.enter_main([target.name, *target.arguments], None if sys.flags.safe_path else folder)
    main_module.describe_file(main, path)
    with open(path, "rb") as file:
        source = file.read()
    exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)


def _run_folder(target: Target) -> None:
    """Run the ``__main__.py`` of a folder or zip file."""
    path = os.path.join(os.getcwd(), target.name)
    main = main_module.enter_main([target.name, *target.arguments], path)
    finder = pkgutil.get_importer(path)
    spec = finder.find_spec("__main__") if finder is not None else None
    if spec is None:
        sys.exit(f"{sys.executable}: can't find '__main__' module in {path!r}")
    _run_spec(main, spec, "__main__")


def _run_module(target: Target, skipped: list[str]) -> None:
    # While Python looks for the module, and so runs the packages it is in, argv[0] is the option itself.
    main = main_module.enter_main(["-m", *target.arguments], None if sys.flags.safe_path else os.getcwd())
    spec = _module_spec(target.name)
    sys.argv[0] = spec.origin or target.name
    _run_spec(main, spec, spec.name)


def _run_notebook(target: Target, skipped: list[str]) -> None:
    book = notebook.read_notebook(target.name)
    skipped.extend(book.skipped)
    folder = os.path.dirname(book.path)
    main = main_module.enter_main([target.name, *target.arguments], folder)
    with _as_in_jupyter(folder):
        notebook.run_cells(book, main.__dict__)


_KINDS: dict[str, Callable[[Target, list[str]], None]] = {
    "script": _run_script,
    "module": _run_module,
    "notebook": _run_notebook,
}


@contextmanager
def _as_in_jupyter(folder: str) -> Iterator[None]:
    """Run with what a notebook finds in Jupyter: its own folder as working directory, and plots that open no window."""
    working_directory = os.getcwd()
    has_backend = "MPLBACKEND" in os.environ
    os.environ.setdefault("MPLBACKEND", "agg")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(working_directory)
        if not has_backend:
            os.environ.pop("MPLBACKEND", None)


def _module_spec(name: str) -> ModuleSpec:
    """Find a module as ``python -m`` does; the failures end in ``sys.exit`` with Python's words, as they do there."""
    package = name.rpartition(".")[0]
    if package:
        try:
            __import__(package)
        except ImportError as error:
            # That a package is missing is said below; what goes wrong inside one is the program's own error.
            if error.name is None or not f"{package}.".startswith(f"{error.name}."):
                raise
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        kind = type(error).__name__
        sys.exit(f"{sys.executable}: Error while finding module specification for {name!r} ({kind}: {error})")
    if spec is None:
        sys.exit(f"{sys.executable}: No module named {name}")
    if spec.submodule_search_locations is None:
        return spec
    inner = importlib.util.find_spec(f"{name}.__main__")
    if inner is None:
        sys.exit(
            f"{sys.executable}: No module named {name}.__main__; {name!r} is a package and cannot be directly executed"
        )
    return inner


def _run_spec(main: ModuleType, spec: ModuleSpec, name: str) -> None:
    get_code: Callable[[str], CodeType | None] | None = getattr(spec.loader, "get_code", None)
    code = get_code(name) if get_code is not None else None
    if code is None:
        sys.exit(f"{sys.executable}: No code object available for {name}")
    main_module.describe_spec(main, spec)
    exec(code, main.__dict__)


def _exit_code(stop: SystemExit) -> int:
    """The status of a ``sys.exit``; any value but a number is printed, as Python does."""
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return int(stop.code)
    print(stop.code, file=sys.stderr, flush=True)
    return 1


def _wait_for_threads(before: frozenset[threading.Thread]) -> None:
    """Wait for the threads that the program started and that keep a Python process alive.

    The workers of ``concurrent.futures`` are left out: they end only when the interpreter tells them to.
    """
    while True:
        workers = getattr(sys.modules.get("concurrent.futures.thread"), "_threads_queues", ())
        running = [
            thread
            for thread in threading.enumerate()
            if thread not in before and not thread.daemon and thread not in workers
        ]
        if not running:
            return
        for thread in running:
            thread.join()


def _drop_own_frames(error: BaseException) -> None:
    """Take the frames of ``ganmedic.capture`` out of the tracebacks of an exception and of those it came from.

    They stand at the top, where the program was started, and wherever the program called something that is observed.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = _without_own_frames(current.__traceback__)
        waiting += [current.__cause__, current.__context__]


def _without_own_frames(trace: TracebackType | None) -> TracebackType | None:
    """The same traceback, its own frames unlinked."""
    while trace is not None and _is_own(trace, at_top=True):
        trace = trace.tb_next
    current = trace
    while current is not None:
        while current.tb_next is not None and _is_own(current.tb_next, at_top=False):
            current.tb_next = current.tb_next.tb_next
        current = current.tb_next
    return trace


def _is_own(trace: TracebackType, *, at_top: bool) -> bool:
    """Whether a frame is ganmedic's, or at the top the import system's that was asked to find the program."""
    filename = trace.tb_frame.f_code.co_filename
    return filename.startswith(_OWN_FOLDER) or (
        at_top and filename.startswith(("<frozen importlib", "<frozen zipimport"))
    )


def _end_forked_process(error: BaseException | None, exit_code: int | None) -> None:
    """End a process that the program forked: what follows ``run`` belongs to the first process alone."""
    if error is not None:
        print_exception(error)
    # Private, but the only way to run what Python runs at its end without unwinding ganmedic's own frames.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit((exit_code or 0) if error is None else 1)
