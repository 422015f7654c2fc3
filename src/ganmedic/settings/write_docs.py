"""Writes the reference of sections and keys into a page of the docs, behind its marker.

python -m ganmedic.settings.write_docs docs/train-config.md            writes it
python -m ganmedic.settings.write_docs docs/train-config.md --check    exit status 1 if it is out of date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ganmedic.report.files import write_atomically
from ganmedic.settings import reference

MARKER = (
    "<!-- Made by `python -m ganmedic.settings.write_docs docs/train-config.md`. Edit src/ganmedic/settings. -->\n\n"
)


def with_reference(page: str) -> str:
    """A page with what `reference` gives behind the marker.

    Raises:
        ValueError: the page has no marker.
    """
    before, marker, _ = page.partition(MARKER)
    if not marker:
        raise ValueError(f"The page has no line {MARKER.strip()!r}; put it where the reference is to begin.")
    return before + marker + reference()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ganmedic.settings.write_docs", description="Writes the tables of the configuration."
    )
    parser.add_argument("page", type=Path, help="the page, e.g. docs/train-config.md")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the page is out of date")
    options = parser.parse_args(arguments)
    page: Path = options.page
    before = page.read_text(encoding="utf-8")
    text = with_reference(before)
    if options.check:
        if text != before:
            print(f"out of date: {page}", file=sys.stderr)
        return int(text != before)
    write_atomically(page, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
