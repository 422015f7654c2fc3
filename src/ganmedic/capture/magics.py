"""Turns a notebook cell into plain Python: magics and shell lines are taken out, line numbers stay.

Only IPython understands ``%matplotlib inline`` or ``!pip install``. None of them is part of the training, so a cell
runs without them and the report names what was left out. Magics that merely measure or silence Python code
(``%%time``, ``%%capture``, ``%time train()``) lose the magic and keep the code.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import NamedTuple

#: Cell magics whose body is Python that runs in the notebook's own namespace.
BODY_IS_PYTHON = frozenset({"capture", "memit", "prun", "time", "timeit", "wandb"})

#: Line magics that run the rest of their line as Python.
LINE_IS_PYTHON = frozenset({"memit", "prun", "time", "timeit"})

_LINE_MAGIC = re.compile(r"(?P<indent>\s*)[%!].*")
_ASSIGNED_MAGIC = re.compile(
    r"(?P<indent>\s*)(?P<targets>[^\W\d][\w.]*(?:\s*,\s*[^\W\d][\w.]*)*\s*=\s*)(?P<magic>[%!].*)"
)
_HELP = re.compile(r"(?P<indent>\s*)(?:\?{1,2}[\w.*]+|[\w.%*]+\?{1,2})\s*")
_BARE_INSTALL = re.compile(r"(?P<indent>\s*)(?:pip3?|conda|mamba)\s+install\b.*")
_PYTHON_IN_MAGIC = re.compile(r"%(?P<name>\w+)(?:\s+-[a-zA-Z](?:\s*\d+)?)*\s+(?P<code>[^-\s].*)")


class Skip(NamedTuple):
    """Something of a cell that is not run.

    Attributes:
        line: 1-based line of the cell.
        text: what stands there.
    """

    line: int
    text: str


def python_of(cell: str) -> tuple[str, tuple[Skip, ...]]:
    """Take the magics out of a cell.

    Args:
        cell: source of a code cell as it stands in the notebook.

    Returns:
        Python source with the same number of lines, and what was left out of it.
    """
    lines = cell.split("\n")
    first = _cell_magic_line(lines)
    while first is not None:
        name = lines[first].strip()[2:].split(maxsplit=1)[0:1]
        if name and name[0] in BODY_IS_PYTHON:
            lines[first] = ""
            first = _cell_magic_line(lines)
        else:
            return "\n" * (len(lines) - 1), (Skip(first + 1, f"{lines[first].strip()} (the whole cell)"),)
    if _is_python("\n".join(lines)):
        return "\n".join(lines), ()
    return _without_line_magics(lines)


def _cell_magic_line(lines: list[str]) -> int | None:
    """Index of the first line with something on it, if that is a cell magic."""
    for index, line in enumerate(lines):
        if line.strip():
            return index if line.startswith("%%") else None
    return None


def _is_python(source: str) -> bool:
    """Whether the source parses as it is: then no line of it is a magic, whatever it begins with."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _without_line_magics(lines: list[str]) -> tuple[str, tuple[Skip, ...]]:
    """Replace each magic that stands where a statement begins."""
    skipped: list[Skip] = []
    python: list[str] = []
    position = _Position()
    index = 0
    while index < len(lines):
        line = lines[index]
        height = 1
        if position.begins_statement:
            replacement = _replacement(line)
            if replacement is not None:
                # A magic goes on behind a backslash at the end of its line, whatever the line holds.
                while lines[index + height - 1].endswith("\\") and index + height < len(lines):
                    height += 1
                line, is_left_out = replacement
                if is_left_out:
                    skipped.append(Skip(index + 1, lines[index].strip()))
        python += [line] + [""] * (height - 1)
        position = position.after(line)
        index += height
    return "\n".join(python), tuple(skipped)


def _replacement(line: str) -> tuple[str, bool] | None:
    """Python to put in place of a magic line and whether something is left out; ``None`` if the line is no magic."""
    assigned = _ASSIGNED_MAGIC.fullmatch(line)
    if assigned:
        code = _python_in(assigned["magic"])
        value = code or ("[]" if assigned["magic"].startswith("!") else "None")
        return f"{assigned['indent']}{assigned['targets']}{value}", code is None
    for pattern in (_LINE_MAGIC, _HELP, _BARE_INSTALL):
        match = pattern.fullmatch(line)
        if match:
            code = _python_in(line.strip())
            return f"{match['indent']}{code or 'pass'}", code is None
    return None


def _python_in(magic: str) -> str | None:
    """The statement that a magic such as ``%time`` runs, if it is one of those."""
    match = _PYTHON_IN_MAGIC.fullmatch(magic)
    return match["code"] if match and match["name"] in LINE_IS_PYTHON else None


@dataclass(frozen=True, slots=True)
class _Position:
    """Where the end of a line leaves us: in brackets, in a string, behind a backslash, or at a new statement."""

    depth: int = 0
    quote: str = ""
    continued: bool = False

    @property
    def begins_statement(self) -> bool:
        return not (self.depth or self.quote or self.continued)

    def after(self, line: str) -> _Position:
        """The position behind one more line."""
        depth, quote, at = self.depth, self.quote, 0
        while at < len(line):
            character = line[at]
            if quote:
                if character == "\\":
                    at += 2
                elif line.startswith(quote, at):
                    at += len(quote)
                    quote = ""
                else:
                    at += 1
                continue
            if character == "#":
                return _Position(depth, "", False)
            if character in "\"'":
                quote = character * 3 if line.startswith(character * 3, at) else character
                at += len(quote)
                continue
            depth = max(0, depth + (character in "([{") - (character in ")]}"))
            at += 1
        continued = line.endswith("\\")
        if len(quote) == 1 and not continued:
            quote = ""
        return _Position(depth, quote, continued)
