"""The examples in the docstrings and in the manual of the networks run, and give what is written there."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ganmedic import networks

pytestmark = pytest.mark.tensorflow

MODULES = [f"ganmedic.networks.{module.name}" for module in pkgutil.iter_modules(networks.__path__)]
MANUAL = Path(__file__).parents[2] / "docs" / "networks.md"


def test_examples_in_the_docstrings():
    attempted = 0
    for name in MODULES:
        result = doctest.testmod(importlib.import_module(name), extraglobs={"np": np, "tf": tf})
        assert result.failed == 0, name
        attempted += result.attempted
    assert attempted >= 10


def test_every_public_function_has_an_example_and_a_place_in_the_manual():
    manual = MANUAL.read_text()
    for name in networks.names():
        assert ">>>" in str(getattr(networks, name).__doc__)
        assert f"`{name}`" in manual


def test_programs_in_the_manual_run():
    programs = re.findall(r"```python\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    assert programs
    for program in programs:
        exec(compile(program, str(MANUAL), "exec"), {})
