"""The examples in the docstrings run, and give what is written there."""

from __future__ import annotations

import doctest
import importlib

import keras
import numpy as np
import pytest

from ganmedic import layers

pytestmark = pytest.mark.tensorflow

MODULES = sorted({getattr(layers, name).__module__ for name in layers.__all__})


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str):
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"np": np, "keras": keras})
    assert result.attempted > 0
    assert result.failed == 0
