"""The examples in the docstrings of the corrections run, and every name is told in the docs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganmedic
from ganmedic import augmentation, balance, clipping, layers, losses, penalties

pytestmark = pytest.mark.tensorflow
PACKAGES = (augmentation, balance, clipping, layers, losses, penalties)
MODULES = ["accumulation", "averaging", "combination", "guard", "objectives", "scheduled", "updating"] + [
    f"{package.__name__.removeprefix('ganmedic.')}.{module.name}"
    for package in PACKAGES
    for module in pkgutil.iter_modules(package.__path__)
]
DOCS = Path(__file__).parents[1] / "docs" / "corrections.md"


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(f"ganmedic.{name}")
    names = {"tf": tf, "np": np, "keras": keras, "ganmedic": ganmedic}
    result = doctest.testmod(module, extraglobs=names, optionflags=doctest.REPORT_ONLY_FIRST_FAILURE)
    assert result.failed == 0


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_name_is_told(package: object) -> None:
    text = DOCS.read_text()
    names = package.names() if hasattr(package, "names") else package.__all__  # type: ignore[attr-defined]
    missing = [name for name in names if f"`{name}`" not in text]
    assert not missing


def test_the_programs_of_the_docs_run() -> None:
    parts = DOCS.read_text().split("```python\n")[1:]
    assert parts
    space: dict[str, object] = {}
    for part in parts:
        exec(compile(part.split("```")[0], "docs/corrections.md", "exec"), space)


@pytest.mark.parametrize("package", [losses, penalties, clipping, balance], ids=lambda package: package.__name__)
def test_every_member_says_what_it_takes_and_where_it_is_from(package: object) -> None:
    for name in package.names():  # type: ignore[attr-defined]
        member = package._CATALOGUE.members[name]  # type: ignore[attr-defined]
        assert member.__doc__
        if member._arguments():
            assert "Args" in member.__doc__, name
        if name not in ("norm", "value", "update_skipping"):
            assert "References:" in member.__doc__, name
