"""Imports packages that only training needs, and says what to install where one is missing."""

from __future__ import annotations

import importlib
from typing import Any

_PACKAGES = {"PIL": "pillow"}


def need(module: str, what: str, extra: str = "train") -> Any:
    """The module.

    Args:
        module: its name, such as `matplotlib.figure`.
        what: what cannot be done without it, the beginning of a sentence.
        extra: the extra of ganmedic that brings it.

    Raises:
        ImportError: it is not installed; the message names the extra.
    """
    top = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{what} needs {_PACKAGES.get(top, top)}, which is not installed: pip install "ganmedic[{extra}]"'
        ) from error
