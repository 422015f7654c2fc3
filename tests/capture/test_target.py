"""What cannot be run is said before anything runs: what came, what was expected, what to do."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ganmedic.capture.target import Target, TargetError, parse_target


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("")
    (tmp_path / "run").write_text("")
    (tmp_path / "weights.h5").write_bytes(b"\x89HDF")
    (tmp_path / "old.pyc").write_bytes(b"")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text("")
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("x.npy", b"")
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", b"")
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    (tmp_path / "gan.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "text.ipynb").write_text("import tensorflow\n")
    (tmp_path / "list.ipynb").write_text("[]")
    (tmp_path / "old.ipynb").write_text(json.dumps({"nbformat": 3, "worksheets": []}))
    julia = {**notebook, "metadata": {"kernelspec": {"language": "julia"}}}
    (tmp_path / "julia.ipynb").write_text(json.dumps(julia))
    broken = {**notebook, "cells": [{"cell_type": "code", "source": 3}]}
    (tmp_path / "broken.ipynb").write_text(json.dumps(broken))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("train.py", "script"),
        ("run", "script"),
        ("package", "script"),
        ("app.pyz", "script"),
        ("gan.ipynb", "notebook"),
    ],
)
def test_what_can_be_run(folder: Path, name: str, kind: str) -> None:
    assert parse_target(name, ["--help"]) == Target(kind, name, ("--help",))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["train", "package", "json.tool", "ganmedic"])
def test_modules(folder: Path, name: str) -> None:
    assert parse_target(name, module=True) == Target("module", name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tarin.py", r"There is no file tarin.py .* Did you mean train.py\? Expected a Python script.* Give the path"),
        ("json.tool", r"There is no file json.tool .* For a module, put -m before its name."),
        ("", r"There is no file ''"),
        ("empty", r"empty is a folder without a __main__.py. Expected .* Name the script inside it."),
        ("weights.h5", r"weights.h5 ends in .h5. Expected a Python script .* Give the program"),
        ("old.pyc", r"old.pyc is compiled Python. Expected the source.* Give the .py file"),
        ("data.npz", r"data.npz is a zip file without a __main__.py. Expected .* Name the script"),
        ("text.ipynb", r"text.ipynb .* does not hold the JSON of a notebook .* Expected .* Open it in Jupyter"),
        ("list.ipynb", r"list.ipynb holds JSON without a notebook's cells. Expected .* Convert it"),
        ("old.ipynb", r"old.ipynb holds nbformat 3. Expected a notebook of nbformat 4. Convert it"),
        ("julia.ipynb", r"julia.ipynb is a notebook in julia. Expected a notebook in Python. Give"),
        (
            "broken.ipynb",
            r"broken.ipynb: the source of cell 1 is neither text nor a list of lines. Expected .* Open it",
        ),
    ],
)
def test_what_cannot_be_run(folder: Path, name: str, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        parse_target(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("package/train.py", r"-m was given with package/train.py, which is a path. .* Write `-m package.train`"),
        ("a-b", r"-m was given with a-b, which is no name of a module. Expected .* Leave -m out"),
        ("not_there.train", r"There is no module not_there in .* Expected .* Run ganmedic from the folder"),
    ],
)
def test_what_is_no_module(folder: Path, name: str, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        parse_target(name, module=True)
