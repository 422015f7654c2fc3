"""What the user asked to run: a script, a module or a notebook.

Everything that can be wrong with it is said here, before any of it runs.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ganmedic.capture.notebook import NotebookError, read_notebook

Kind = Literal["script", "module", "notebook"]

_SCRIPT_ENDINGS = ("", ".py", ".pyw")


class TargetError(ValueError):
    """The target cannot be run; the message says what came, what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """The program to run.

    Attributes:
        kind: ``script`` stands for a file, and for a folder or zip file with a ``__main__.py`` too.
        name: path or module name as the user gave it.
        arguments: what the program finds in ``sys.argv[1:]``.
    """

    kind: Kind
    name: str
    arguments: tuple[str, ...] = ()


def parse_target(name: str, arguments: Iterable[str] = (), *, module: bool = False) -> Target:
    """Find out what a name on the command line stands for.

    Args:
        name: path of a script, folder, zip file or notebook; name of a module if ``module``.
        arguments: the program's own arguments, passed on untouched.
        module: whether the name is one for ``python -m``.

    Returns:
        The target, ready for :func:`ganmedic.capture.program.run`.

    Raises:
        TargetError: nothing of that name can be run.
    """
    kind: Kind
    if module:
        _check_module(name)
        kind = "module"
    else:
        _check_exists(name)
        if os.path.isdir(name):
            _check_folder(name)
            kind = "script"
        else:
            kind = _kind_of_file(name)
    return Target(kind, name, tuple(arguments))


def is_importable_path(path: str) -> bool:
    """Whether Python runs the ``__main__.py`` inside a path: a folder or a zip file."""
    return os.path.isdir(path) or (os.path.isfile(path) and zipfile.is_zipfile(path))


def _check_exists(name: str) -> None:
    if os.path.exists(name):
        return
    folder, base = os.path.split(name)
    try:
        neighbours = os.listdir(folder or ".")
    except OSError:
        neighbours = []
    close = difflib.get_close_matches(base, neighbours, n=1)
    hint = f" Did you mean {os.path.join(folder, close[0])}?" if close else ""
    as_module = "" if os.sep in name or name.endswith((".py", ".ipynb")) else " For a module, put -m before its name."
    raise TargetError(
        f"There is no file {name or repr(name)} (the working directory is {os.getcwd()}).{hint} "
        "Expected a Python script, a notebook, or a folder with a __main__.py. "
        f"Give the path of one that exists.{as_module}"
    )


def _check_folder(name: str) -> None:
    if not os.path.isfile(os.path.join(name, "__main__.py")):
        raise TargetError(
            f"{name} is a folder without a __main__.py. Expected a script, a notebook, or a folder that Python can "
            "run. Name the script inside it."
        )


def _kind_of_file(name: str) -> Kind:
    if not os.access(name, os.R_OK):
        raise TargetError(
            f"{name} may not be read by this user. Expected a script or notebook that can be read. "
            "Change its permissions or run ganmedic as its owner."
        )
    if is_importable_path(name):
        with zipfile.ZipFile(name) as archive:
            if "__main__.py" in archive.namelist():
                return "script"
        raise TargetError(
            f"{name} is a zip file without a __main__.py. Expected a script, a notebook, or a zip file that Python can "
            "run. Name the script that uses it."
        )
    ending = os.path.splitext(name)[1].lower()
    if ending == ".ipynb":
        try:
            read_notebook(name)
        except NotebookError as error:
            raise TargetError(str(error)) from error
        return "notebook"
    if ending == ".pyc":
        raise TargetError(
            f"{name} is compiled Python. Expected the source, because findings point to its lines. "
            "Give the .py file it was made from."
        )
    if ending not in _SCRIPT_ENDINGS:
        raise TargetError(
            f"{name} ends in {ending}. Expected a Python script (.py) or a notebook (.ipynb). "
            "Give the program that does the training."
        )
    return "script"


def _check_module(name: str) -> None:
    """Check the first part of a module's name; finding the rest would already run the user's package."""
    if name.endswith(".py") or os.sep in name:
        dotted = name.removesuffix(".py").replace(os.sep, ".").strip(".")
        raise TargetError(
            f"-m was given with {name}, which is a path. Expected the name of a module, such as {dotted}. "
            f"Write `-m {dotted}`, or leave -m out."
        )
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise TargetError(
            f"-m was given with {name or repr(name)}, which is no name of a module. Expected names joined by dots, "
            "such as package.train. Leave -m out to run a file."
        )
    if not _is_known(parts[0]):
        raise TargetError(
            f"There is no module {parts[0]} in {os.getcwd()} nor among the installed packages. "
            f"Expected -m with a module that `python -m {name}` runs. "
            "Run ganmedic from the folder you start the training from, with the same Python."
        )


def _is_known(package: str) -> bool:
    """Whether a top-level module can be found from the working directory. Nothing is imported."""
    sys.path.insert(0, os.getcwd())
    try:
        return package in sys.modules or importlib.util.find_spec(package) is not None
    finally:
        del sys.path[0]
