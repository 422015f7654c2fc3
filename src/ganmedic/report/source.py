"""Finds the lines of code around a place, in scripts, in notebooks on disk and in cells that live in memory only."""

from __future__ import annotations

import json
import linecache
from dataclasses import dataclass

from ganmedic.finding import Location


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A few lines of code with one part marked.

    Attributes:
        first: 1-based number of the first line.
        lines: the lines, without line breaks.
        at: index in `lines` of the marked one.
        start: 0-based column in it where the marked part begins.
        end: 0-based column behind the marked part, greater than `start`.
    """

    first: int
    lines: tuple[str, ...]
    at: int
    start: int
    end: int


def excerpt(location: Location, context: int = 1) -> Excerpt | None:
    """Return the line at `location` with `context` lines on either side, or `None` where no code can be read.

    The file may have been edited since the run. Where its line no longer reads as `location.text`, only that text is
    shown, without neighbours that may not belong to it.
    """
    lines = _cell_lines(location) if location.cell is not None else _file_lines(location.file)
    index = location.line - 1
    known = 0 <= index < len(lines)
    if not known or (location.text and lines[index].strip() != location.text.strip()):
        if not location.text.strip():
            return None
        return Excerpt(location.line, (location.text,), 0, *marked(location, location.text))
    if not lines[index].strip():
        return None
    begin, end = max(0, index - context), min(len(lines), index + context + 1)
    return Excerpt(begin + 1, tuple(lines[begin:end]), index - begin, *marked(location, lines[index]))


def marked(location: Location, line: str) -> tuple[int, int]:
    """Return begin and end of the marked part of `line`: the given columns, else all of its code."""
    whole_start, whole_end = len(line) - len(line.lstrip()), max(len(line.rstrip()), 1)
    start = whole_start if location.column is None else location.column
    end = whole_end if location.end_column is None else min(location.end_column, whole_end)
    if not 0 <= start < whole_end:
        start = min(whole_start, whole_end - 1)
    return start, max(end, start + 1)


def _file_lines(file: str) -> list[str]:
    try:
        return [line.rstrip("\r\n") for line in linecache.getlines(file)]
    except (OSError, ValueError):  # such as a name with a null byte, given to compile() by the program
        return []


def _cell_lines(location: Location) -> list[str]:
    """Return the lines of a code cell: from the notebook on disk, or from what the kernel registered for the file."""
    if not location.file.endswith(".ipynb"):
        return _file_lines(location.file)
    try:
        with open(location.file, encoding="utf-8") as stream:
            cells = [cell for cell in json.load(stream)["cells"] if cell["cell_type"] == "code"]
        source = cells[(location.cell or 0) - 1]["source"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return []
    return (source if isinstance(source, str) else "".join(source)).split("\n")
