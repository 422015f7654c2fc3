"""In which line of a TOML text each key stands; tomllib reads values, and forgets where they stood."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from ganmedic.settings.faults import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})' r"|'''.*?'''(?:'{0,2})" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'", re.DOTALL
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[^,\]}\n#]+")


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line, from 1 on, of each key, header and entry of a list.

    Args:
        text: TOML without faults.

    Example:
        >>> lines_of("[loss]\\nname = 'hinge'")[("loss", "name")]
        2
    """
    return _Lines(text).found


class _Lines:
    """Goes once through the text, from key to key."""

    def __init__(self, text: str) -> None:
        self.found: dict[KeyPath, int] = {}
        self._text, self._at = text, 0
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        # The number of the last entry of each list of tables.
        self._last: dict[KeyPath, int] = {}
        self._document()

    def _document(self) -> None:
        table: KeyPath = ()
        while self._skip() < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        many = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 2 if many else 1
        names = self._names()
        self._at += 2 if many else 1
        table: KeyPath = ()
        for position, name in enumerate(names, start=1):
            table = (*table, name)
            if many and position == len(names):
                self._last[table] = self._last.get(table, -1) + 1
            self.found.setdefault(table, line)
            if table in self._last:
                table = (*table, self._last[table])
        self.found.setdefault(table, line)
        return table

    def _pair(self, table: KeyPath) -> None:
        self._skip()
        line = self._line()
        for name in self._names():
            table = (*table, name)
            self.found.setdefault(table, line)
        self._at += 1  # the sign of equality
        self._value(table)

    def _names(self) -> list[str]:
        names = []
        while True:
            self._skip()
            match = _BARE.match(self._text, self._at) or _STRING.match(self._text, self._at)
            if match is None:
                raise ValueError(f"line {self._line()}: a key is expected")
            self._at = match.end()
            quoted = match[0][0] in "\"'"
            names.append(tomllib.loads(f"key = {match[0]}")["key"] if quoted else match[0])
            self._skip()
            if not self._text.startswith(".", self._at):
                return names
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip()
        first = self._text[self._at]
        if first in "[{":
            self._entries(path, "]" if first == "[" else "}")
            return
        match = (_STRING if first in "\"'" else _PLAIN).match(self._text, self._at)
        if match is None:
            raise ValueError(f"line {self._line()}: a value is expected")
        self._at = match.end()

    def _entries(self, path: KeyPath, end: str) -> None:
        self._at += 1
        index = 0
        while self._skip() >= 0 and self._text[self._at] != end:
            if end == "}":
                self._pair(path)
            else:
                self.found[(*path, index)] = self._line()
                self._value((*path, index))
            index += 1
            self._skip()
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _skip(self) -> int:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at

    def _line(self) -> int:
        return bisect_right(self._breaks, self._at - 1) + 1
