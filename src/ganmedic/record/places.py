"""Names of places in notebooks: each code cell is a file of its own to Python."""

from __future__ import annotations

import re

_CELL_PLACE = re.compile(r"(?P<path>.+)#cell-(?P<cell>[1-9][0-9]*)", re.DOTALL)


def split_place(filename: str) -> tuple[str, int | None]:
    """Turn the file name of a code object into the file a person knows.

    Args:
        filename: ``co_filename`` of a frame.

    Returns:
        The path and the 1-based number of the code cell; ``None`` for anything but a notebook's cell.
    """
    match = _CELL_PLACE.fullmatch(filename)
    return (match["path"], int(match["cell"])) if match else (filename, None)
