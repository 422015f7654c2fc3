"""docs/metrics.md names what there is, and its example and those of the docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

from ganmedic import metrics

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (metrics, metrics.extractors)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_docstrings_run(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0


def test_the_page_names_every_metric_score_and_extractor():
    page = PAGE.read_text()
    rows = np.random.default_rng(0).normal(size=(30, 2))
    images = np.random.default_rng(1).integers(0, 256, (12, 12, 12), dtype=np.uint8)
    modes = metrics.get("mode_coverage", centres=rows[:3], radius=1.0)
    scores = [*metrics.measure(images, images, intervals=False), *modes(rows, rows)]
    for name in (*metrics.names(), *(score.name for score in scores)):
        assert f"`{name}`" in page, name
    for name in ("random-conv-64, seed 0", "random-relu-256, seed 0", metrics.extractors.Inception.name, "pixels"):
        assert name in page, name


def test_the_example_of_the_page_runs():
    parts = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert parts
    for part in parts:
        exec(compile(part, str(PAGE), "exec"), {})


@pytest.mark.parametrize("name", metrics.names())
def test_every_metric_says_what_it_takes_and_where_it_is_from(name):
    text = type(
        metrics.get(name, centres=[[0.0]], radius=1.0) if name == "mode_coverage" else metrics.get(name)
    ).__doc__
    for heading in ("Args:", "Raises:", "Example:", "References:"):
        assert heading in text, heading
