"""Makes text from the user's program safe to show: nothing in it can move the cursor, hide or reorder other text."""

from __future__ import annotations

import unicodedata

#: Unicode categories that are written out: control, format (bidi, zero width), surrogate, line and paragraph separator.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "    "}


def visible(text: str) -> str:
    """Return `text` on one line, with every control character written out as an escape.

    An ANSI sequence, a bidi override or a line break in the name of a layer would otherwise recolour the terminal, turn
    the rest of the line round or forge a line of the report. A tab becomes four spaces.

    Examples:
        >>> print(visible("dense\\x1b[31m"))
        dense\\x1b[31m
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def visible_lines(text: str) -> list[str]:
    """Return `text` as lines, each of them made visible; for code and for messages of exceptions."""
    return [visible(line).rstrip() for line in text.replace("\r\n", "\n").split("\n")]


def encodable(text: str, encoding: str) -> str:
    """Return `text` with what `encoding` cannot express written as an escape, so that printing it cannot fail."""
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text.encode("ascii", "backslashreplace").decode("ascii")


def _shown(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
