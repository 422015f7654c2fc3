"""Notebooks: cells in order, places that name the cell, source that can be found."""

from __future__ import annotations

import inspect
import json
import linecache
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from ganmedic.capture.program import Outcome, parse_target, print_exception, run, split_place


def write(path: Path, *cells: str, **metadata: Any) -> Path:
    """Write a notebook as Jupyter does, a Markdown cell before each code cell."""
    notebook = nbformat.v4.new_notebook(metadata=metadata)
    for cell in cells:
        notebook.cells += [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell(cell)]
    nbformat.write(notebook, path)
    return path


def run_notebook(path: Path, *arguments: str) -> Outcome:
    return run(parse_target(str(path), arguments))


def test_cells_share_one_main_and_run_in_the_folder_of_the_notebook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path / "my gän.ipynb",
        "from __future__ import annotations\nimport os, pickle, sys\nx = 1\nx",
        "",
        "class Job: ...\ndef f(a: undefined): ...\nassert type(pickle.loads(pickle.dumps(Job()))) is Job",
        "display(x)\nassert get_ipython() is None\nprint(__name__, '__file__' in globals(), x, sys.argv[1:])",
        "print(os.getcwd(), sys.path[0], os.environ['MPLBACKEND'])\nimport sys; sys.exit(4)",
        "print('never')",
        kernelspec={"name": "python3", "language": "python", "display_name": "Python 3"},
    )
    home, main = os.getcwd(), sys.modules["__main__"]

    assert run_notebook(path, "a") == Outcome(exit_code=4)

    assert capsys.readouterr().out == f"__main__ False 1 ['a']\n{tmp_path} {tmp_path} agg\n"
    assert (os.getcwd(), sys.modules["__main__"]) == (home, main)
    assert "MPLBACKEND" not in os.environ


def test_magics_are_skipped_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        tmp_path / "gan.ipynb",
        "%matplotlib inline\n!pip install x\nprint(1)",
        "%matplotlib inline\n%%bash",
        "%%bash\nexit 1",
        "%%time\nprint(2)",
    )

    outcome = run_notebook(path)

    assert outcome.error is None
    assert capsys.readouterr().out == "1\n2\n"
    assert outcome.skipped == (
        "cell 1, line 1: %matplotlib inline",
        "cell 1, line 2: !pip install x",
        "cell 2, line 2: %%bash",
        "cell 3, line 1: %%bash (the whole cell)",
    )


def test_an_error_names_the_cell_and_shows_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "gan.ipynb", "def f():\n    return {}['loss']", "%pwd\nf()  # here")

    error = run_notebook(path).error
    assert isinstance(error, KeyError)
    print_exception(error)

    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{path}#cell-2", line 2, in <module>'
    assert lines[2] == "    f()  # here"
    assert f'  File "{path}#cell-1", line 2, in f' in lines
    assert lines[-1] == "KeyError: 'loss'"


def test_a_syntax_error_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "gan.ipynb", "x = 1", "y = (\n")

    error = run_notebook(path).error
    assert isinstance(error, SyntaxError)
    print_exception(error)

    assert capsys.readouterr().err == (
        f"  File \"{path}#cell-2\", line 1\n    y = (\n        ^\nSyntaxError: '(' was never closed\n"
    )


def test_source_of_a_cell_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "gan.ipynb", "", "x = 1\ndef f():\n    return 3\n\nimport builtins\nbuiltins.probe = f")
    import builtins

    try:
        assert run_notebook(path).error is None
        function = builtins.probe  # type: ignore[attr-defined]
    finally:
        del builtins.probe  # type: ignore[attr-defined]
    linecache.checkcache()

    assert inspect.getsource(function) == "def f():\n    return 3\n"
    assert split_place(inspect.getfile(function)) == (str(path), 2)


@pytest.mark.parametrize(
    "name", ["/a/train.py", "/a/gan.ipynb", "<string>", "/a/b#cell-", "/a/b#cell-0", "#cell-1", ""]
)
def test_other_places_are_left_alone(name: str) -> None:
    assert split_place(name) == (name, None)


def test_a_list_of_lines_and_a_byte_order_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gan.ipynb"
    cells = [
        {"cell_type": "raw", "source": ["1/0"]},
        {"cell_type": "code", "source": ["if True:\n", "    print(1)"]},
        {"cell_type": "code", "source": "print(2)\r\nprint(3)"},
    ]
    path.write_text(json.dumps({"nbformat": 4, "cells": cells}), encoding="utf-8-sig")

    assert run_notebook(path) == Outcome()
    assert capsys.readouterr().out == "1\n2\n3\n"


@pytest.mark.tensorflow
def test_autograph_reads_the_functions_of_a_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        tmp_path / "gan.ipynb",
        "%matplotlib inline\nimport tensorflow as tf",
        "!ls\n\ndef sign(x):\n    if x > 0:\n        return x * 2.0\n    return -x",
        "@tf.function\ndef step(x):\n    return sign(x)",
        "print(float(step(tf.constant(3.0))), float(step(tf.constant(-3.0))))",
    )

    outcome = run_notebook(path)

    assert outcome.error is None
    assert capsys.readouterr().out == "6.0 3.0\n"
