"""Reads a Jupyter notebook and runs its code cells as one program.

The notebook is read as the JSON it is (nbformat 4), so neither Jupyter nor nbformat is needed. Each cell is compiled
under a file name of its own, ``{absolute path}#cell-{n}``, and its source is put where tracebacks, ``inspect`` and
TensorFlow's AutoGraph look for source; :func:`split_place` turns such a name back into notebook and cell.
"""

from __future__ import annotations
import __future__

import json
import linecache
import os
from dataclasses import dataclass
from types import CodeType
from typing import Any

from ganmedic.capture.magics import python_of
from ganmedic.record.places import split_place as split_place


class NotebookError(ValueError):
    """The file is no notebook that can be run; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell.

    Attributes:
        number: 1-based number among the code cells.
        filename: the name it is compiled under.
        source: its Python, magics taken out.
    """

    number: int
    filename: str
    source: str


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code of a notebook.

    Attributes:
        path: absolute path.
        cells: the code cells in their order.
        skipped: what is not run, one text for each different magic: ``cell 3, line 1: %matplotlib inline``.
    """

    path: str
    cells: tuple[Cell, ...]
    skipped: tuple[str, ...]


def cell_filename(path: str, number: int) -> str:
    """The name that a cell is compiled under."""
    return f"{path}#cell-{number}"


def read_notebook(path: str) -> Notebook:
    """Read the code cells of a notebook.

    Args:
        path: the ``.ipynb`` file.

    Returns:
        Its cells with the magics taken out.

    Raises:
        NotebookError: the file is no notebook of format 4, or its language is not Python.
        OSError: the file cannot be read.
    """
    absolute = os.path.abspath(path)
    cells: list[Cell] = []
    skipped: dict[str, str] = {}
    for number, source in enumerate(_code_of(_document(path), path), start=1):
        python, left_out = python_of(source)
        cells.append(Cell(number, cell_filename(absolute, number), python))
        for skip in left_out:
            skipped.setdefault(skip.text, f"cell {number}, line {skip.line}: {skip.text}")
    return Notebook(absolute, tuple(cells), tuple(skipped.values()))


def run_cells(notebook: Notebook, namespace: dict[str, Any]) -> None:
    """Run the cells one after the other in one namespace; the value of a last expression is not shown.

    Args:
        notebook: the cells.
        namespace: dictionary of the module ``__main__``.

    Raises:
        BaseException: whatever a cell raises; the cells behind it do not run.
    """
    # What IPython puts into every namespace. Nothing is displayed here, and there is no shell to ask for.
    namespace.setdefault("display", _display)
    namespace.setdefault("get_ipython", _get_ipython)
    features = 0
    for cell in notebook.cells:
        register_source(cell)
        code = compile(cell.source, cell.filename, "exec", flags=features, dont_inherit=True)
        features |= _features(code)
        exec(code, namespace)


def register_source(cell: Cell) -> None:
    """Put the source of a cell where tracebacks, ``inspect.getsource`` and AutoGraph look for it.

    An entry without a modification time is never dropped by ``linecache.checkcache``.
    """
    lines = [line + "\n" for line in cell.source.split("\n")]
    linecache.cache[cell.filename] = (len(cell.source), None, lines, cell.filename)


def _features(code: CodeType) -> int:
    """Compiler flags of the ``from __future__`` imports in a cell: in a notebook they hold for the later cells too."""
    flags = (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
    return sum(flag for flag in flags if code.co_flags & flag)


def _document(path: str) -> dict[str, Any]:
    """The JSON of a notebook, checked as far as the kind of notebook."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            document = json.load(file)
    except ValueError as error:
        raise NotebookError(
            f"{path} ends in .ipynb, but it does not hold the JSON of a notebook ({error}). "
            "Expected a notebook as Jupyter saves it. Open it in Jupyter and save it again, or export it as a script."
        ) from error
    version = document.get("nbformat") if isinstance(document, dict) else None
    if not isinstance(document, dict) or version != 4 or not isinstance(document.get("cells"), list):
        came = f"nbformat {version}" if isinstance(version, int) else "JSON without a notebook's cells"
        raise NotebookError(
            f"{path} holds {came}. Expected a notebook of nbformat 4. "
            "Convert it with `jupyter nbconvert --to notebook --nbformat 4`, or export it as a script."
        )
    language = _language(document)
    if language not in ("", "python", "ipython"):
        raise NotebookError(
            f"{path} is a notebook in {language}. Expected a notebook in Python. "
            "Give a notebook whose kernel is a Python one."
        )
    return document


def _language(document: dict[str, Any]) -> str:
    """The language of a notebook in small letters; empty where it does not say."""
    metadata = document.get("metadata")
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(section) if isinstance(metadata, dict) else None
        name = part.get(key) if isinstance(part, dict) else None
        if isinstance(name, str) and name:
            return name.lower()
    return ""


def _code_of(document: dict[str, Any], path: str) -> list[str]:
    """The sources of the code cells, empty ones too, so that numbers are those a person counts."""
    sources = []
    for index, cell in enumerate(document["cells"], start=1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise NotebookError(
                f"{path}: the source of cell {index} is neither text nor a list of lines. "
                "Expected a notebook as Jupyter saves it. Open it in Jupyter and save it again."
            )
        sources.append(source.replace("\r\n", "\n"))
    return sources


def _display(*objects: object, **options: object) -> None:
    """Stands in for IPython's ``display``: shows nothing."""


def _get_ipython() -> None:
    """Stands in for IPython's ``get_ipython``: there is no shell."""
