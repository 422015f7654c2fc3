"""Writes the diagnosis as JSON, for programs.

The form is described in `schema/report-1.json`; within one schema number it changes only by new keys.
"""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
import os
from typing import Any

from ganmedic.finding import Diagnosis
from ganmedic.report.files import write_atomically

#: Number of the form of the report; it goes up when a key changes its meaning or goes away.
SCHEMA = 1


def to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as plain dictionaries, lists, strings and numbers, ready for `json.dumps`.

    A number that is not finite becomes `None`, since JSON has no word for it. Text is what the user's program said,
    with control characters in it: a program that prints it has to escape it.
    """
    report: dict[str, Any] = {"schema": SCHEMA, **_plain(diagnosis)}
    report["healthy"] = diagnosis.healthy
    return report


def write_json(diagnosis: Diagnosis, path: str | os.PathLike[str]) -> None:
    """Write the diagnosis as JSON to `path`, whole or not at all.

    Raises:
        ReportNotWrittenError: the folder does not exist or is not writable.
    """
    write_atomically(path, json.dumps(to_json(diagnosis), indent=2, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """Return `value` with dataclasses as dictionaries in the order of their fields, and numpy's numbers as Python's."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if math.isfinite(number) else None
    is_numpy_bool = type(value).__name__ in ("bool", "bool_")
    return bool(value) if is_numpy_bool else _text(str(value))


def _text(text: str) -> str:
    """Return `text` without lone surrogates (from undecodable file names), which strict JSON readers refuse."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
