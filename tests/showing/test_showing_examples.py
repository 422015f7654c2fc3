"""The examples in the docstrings run, and showing needs no TensorFlow."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest

from ganmedic.training.showing import progress

MODULES = ["envelope", "figure_words", "pictures", "progress", "replacing"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(f"{progress.__package__}.{name}")
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.attempted > 0
    assert result.failed == 0


def test_nothing_but_the_events_imports_tensorflow() -> None:
    names = [*MODULES, "curves", "history", "scatter", "run_readme"]
    lines = "; ".join(f"import {progress.__package__}.{name}" for name in names)
    code = f"{lines}; import sys; print([n for n in ('tensorflow', 'keras', 'matplotlib', 'PIL') if n in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
