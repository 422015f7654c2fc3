"""Reads a configuration from a file, and says in which line each fault is."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from ganmedic.settings.building import built
from ganmedic.settings.faults import Fault, KeyPath, SettingsError, shown
from ganmedic.settings.lines import lines_of
from ganmedic.settings.sections import Settings

#: A written-out configuration has 10 000 bytes.
_LARGEST_BYTES = 64 * 1024
_PLACE = re.compile(r" \((?:at line (\d+), column (\d+)|at end of document)\)$")
_DIGITS = re.compile(r"\d{4300}")
#: So much of a faulty line is looked at.
_LONGEST_ROW = 500
#: What a line of faulty TOML often is, and what it should be.
_HABITS = (
    (r"=\s*(True|False)\b", "true and false are written in small letters"),
    (r"=\s*(None|null|nil|~)\s*(#|$)", "TOML has no such value: to leave a key unset, leave it out"),
    (r"""^\s*["'\w.-]+\s*:""", "a key and its value are joined by =, not by a colon"),
    (r'"[^"]*\\[^"]*"', "in double quotes \\ begins a special character: take / or 'single quotes' for a path"),
    (r"=\s*[A-Za-z_./~][^\"'\[{]*$", "text stands in quotes"),
    (r"=\s*(#|$)", "a value is missing: to leave a key unset, leave it out"),
)


def load(path: str | os.PathLike[str]) -> Settings:
    """Reads a TOML file and checks all of it.

    Relative paths in it, `data.path`, `run.folder` and the files of `networks`, are relative to its folder.

    Args:
        path: the file.

    Returns:
        The settings, with everything that the file leaves out at its default; their paths are absolute.

    Raises:
        SettingsError: the file cannot be read, is no TOML, or has keys or values that cannot be. Every fault is told, with its line.

    Example:
        >>> load("no-such-file.toml")
        Traceback (most recent call last):
        ganmedic.settings.faults.SettingsError: no-such-file.toml: there is no such file; ...
    """
    file = Path(path)
    text = _text(file)
    tables = _tables(file, text)
    if not tables:
        raise _failure(
            file,
            'this is empty; at least a data set is expected. Write:\n\n[data]\npath = "folder or file of the data"',
        )
    try:
        settings, faults = built(tables, Path(os.path.abspath(file)).parent)
    except RecursionError:
        raise _failure(file, "tables and lists are nested too deeply. Take the inner ones out.") from None
    if faults.found:
        lines = _lines(text)
        placed = [Fault(fault.path, fault.text, _nearest_line(lines, fault.path)) for fault in faults.found]
        raise SettingsError(sorted(placed, key=lambda fault: fault.line or 0), file)
    return settings


def _text(file: Path) -> str:
    content = _content(file)
    if content.startswith(b"\x80") or (b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff"))):
        raise _failure(
            file,
            "this is a binary file, a pickle perhaps; a configuration in text, TOML, is expected. Nothing was run.",
        )
    if len(content) > _LARGEST_BYTES:
        raise _failure(
            file,
            f"this has more than {_LARGEST_BYTES // 1024} kB; a configuration of a few kB is expected. Is it the data?",
        )
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        text = "this is not UTF-8; a text file in UTF-8 is expected. Save it in that encoding, or give the file that you meant."
        raise _failure(file, text, line) from None


def _content(file: Path) -> bytes:
    """At most one byte more than a configuration may have."""
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            inside = any(file.glob("*.toml"))
            hint = "Name the file in it." if inside else "To train on it, name it as path in the [data] of such a file."
            raise _failure(file, f"this is a folder; a configuration, a TOML file, is expected. {hint}")
        if not stat.S_ISREG(mode):
            raise _failure(file, "this is no regular file; a TOML file is expected. Copy it into one.")
        with file.open("rb") as opened:
            return opened.read(_LARGEST_BYTES + 1)
    except SettingsError:
        raise
    except FileNotFoundError:
        raise _failure(file, f"there is no such file; a TOML file is expected. {_beside(file)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _failure(
            file, f"this cannot be read ({reason}); a TOML file is expected. Look at its path and permissions."
        ) from error


def _beside(file: Path) -> str:
    """What to do where a file is missing."""
    try:
        others = sorted(other.name for other in file.parent.glob("*.toml"))[:5]
    except OSError:
        others = []
    return f"In its folder are {', '.join(map(shown, others))}." if others else "Look at its path."


def _tables(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _failure(file, "tables and lists are nested too deeply. Take the inner ones out.") from None
    except ValueError as error:
        raise _no_toml(file, text, str(error)) from None


def _no_toml(file: Path, text: str, reason: str) -> SettingsError:
    """What tomllib says, with the line that it means and what that line should be."""
    place, rows = _PLACE.search(reason), text.split("\n")
    digits = next((number for number, row in enumerate(rows, start=1) if _DIGITS.search(row)), None)
    if place is None and digits is not None:
        return _failure(file, "a number of thousands of digits is no setting. Take it out.", digits)
    said, number, column = reason, len(rows), ""
    if place is not None:
        said = reason.removesuffix(place[0])
        number, column = (int(place[1]), f" in column {place[2]}") if place[1] else (len(rows), "")
    row = rows[number - 1][:_LONGEST_ROW]
    # A line that is not finished is noticed in the next one.
    if not row.strip() and number > 1:
        row = rows[number - 2][:_LONGEST_ROW]
    return _failure(file, f"this is no TOML: {said}{column}, in {shown(row.strip())}. {_advice(row, said)}", number)


def _advice(row: str, reason: str) -> str:
    if "overwrite" in reason or "twice" in reason:
        return "The key or section is there twice; each is expected once. Take one out."
    habits = [advice for pattern, advice in _HABITS if re.search(pattern, row)]
    return (
        f"{habits[0][0].upper()}{habits[0][1:]}." if habits else "A line is key = value, a [section], or a # comment."
    )


def _lines(text: str) -> dict[KeyPath, int]:
    try:
        return lines_of(text)
    except (ValueError, IndexError, RecursionError):
        return {}  # The faults themselves matter more than their lines.


def _nearest_line(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of a key, or of the table that it is missing in."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _failure(file: Path, text: str, line: int | None = None) -> SettingsError:
    return SettingsError([Fault((), text, line)], file)
