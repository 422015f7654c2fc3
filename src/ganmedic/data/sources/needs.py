"""Imports packages that only some kinds of data need, and says what to install where one is missing."""

from __future__ import annotations

import importlib
from typing import Any

from ganmedic.data.sources.source import DataError

_PACKAGES = {"PIL": "pillow", "google.protobuf": "protobuf", "google_crc32c": "google-crc32c"}


def need(module: str, what: str) -> Any:
    """Return the module.

    Args:
        module: its name, such as ``pyarrow.parquet``.
        what: what cannot be done without it.

    Raises:
        DataError: it is not installed.
    """
    package = _PACKAGES.get(module, module.split(".")[0])
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(f"{what} needs {package}, which is not installed: pip install 'ganmedic[data]'") from error
