"""A normalisation as JSON, checked where it is read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganmedic.data.output_range import pair
from ganmedic.report.files import ReportNotWrittenError, write_atomically

FORMAT, VERSION = "ganmedic-normalisation", 1
_PER_CHANNEL = ("offset", "scale", "mean", "spread", "minimum", "maximum")


def with_header(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a normalisation as JSON holds them, behind the name and version of the format."""
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in entries.items()}
    return {"format": FORMAT, "version": VERSION, **lists}


def checked_entries(content: object) -> dict[str, Any]:
    """The entries of a normalisation from what JSON held.

    Raises:
        ValueError: this is no normalisation, one of another version, or an entry is missing or cannot be.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise ValueError(
            f'This is no normalisation: an object with "format": "{FORMAT}" is expected. Give a file that '
            "Normalisation.save wrote."
        )
    if content.get("version") != VERSION:
        raise ValueError(
            f"A normalisation of version {content.get('version')!r} came; version {VERSION} is read here. "
            "Fit the normalisation again, or use the ganmedic that wrote it."
        )
    lists = {name: _numbers(content, name) for name in _PER_CHANNEL}
    lengths = {name: len(numbers) for name, numbers in lists.items()}
    if len(set(lengths.values())) > 1 or not lists["offset"] or min(lists["scale"]) <= 0:
        raise ValueError(
            f"A normalisation has one number a channel in every list, and scales above 0; lengths {lengths} and scale "
            f"{content['scale']} came. Fit the normalisation again."
        )
    axis, dtype = content.get("axis"), content.get("dtype")
    if not isinstance(axis, int) or not isinstance(dtype, str | None):
        raise ValueError(
            f"'axis' {axis!r} and 'dtype' {dtype!r} came; a whole number and a name or null are expected. "
            "Fit the normalisation again."
        )
    ends = {name: content.get(name) for name in ("target", "source_range")}
    pairs = {name: None if value is None else pair(value, name) for name, value in ends.items()}
    return {**lists, **pairs, "axis": axis, "dtype": dtype}


def save(entries: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes the entries, all of the file or nothing.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        write_atomically(path, json.dumps(with_header(entries), indent=2, allow_nan=False) + "\n")
    except ReportNotWrittenError as error:
        raise OSError(str(error).replace("the report", "the normalisation", 1)) from error


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The entries that `save` wrote.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds something else; the message names the file.
    """
    try:
        return checked_entries(json.loads(Path(path).read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{os.fspath(path)}, line {error.lineno}: this is no JSON ({error.msg}). A file that Normalisation.save wrote "
            "is expected; write it again."
        ) from error
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error


def _numbers(content: Mapping[str, Any], name: str) -> tuple[float, ...]:
    numbers = content.get(name)
    if not isinstance(numbers, list) or not all(
        isinstance(number, int | float) and math.isfinite(number) for number in numbers
    ):
        raise ValueError(
            f"'{name}' of a normalisation must be a list of finite numbers, one a channel; {numbers!r} came. "
            "Fit the normalisation again."
        )
    return tuple(float(number) for number in numbers)
