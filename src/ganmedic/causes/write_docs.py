"""Writes the page of each cause, and their index, as Markdown files.

python -m ganmedic.causes.write_docs docs/causes            writes them
python -m ganmedic.causes.write_docs docs/causes --check    exit status 1 if one of them is out of date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ganmedic.causes.pages import pages

NOTICE = "<!-- Made by `python -m ganmedic.causes.write_docs docs/causes`. Edit src/ganmedic/causes/{source}. -->\n\n"
INDEX_OPENING = """# Root causes

What ganmedic can name, one page a cause. The same text is printed by `ganmedic explain CAUSE`.
If you have an error message and no cause, look into the [questions](../faq.md).

"""


def documents() -> dict[str, str]:
    """The text of each file, by file name."""
    texts = {}
    index = NOTICE.format(source="table.py") + INDEX_OPENING
    family = ""
    for found in pages().values():
        source = found.slug.replace("-", "_") + ".py"
        texts[f"{found.slug}.md"] = NOTICE.format(source=source) + found.markdown
        if found.family != family:
            family = found.family
            index += f"## {family}\n\n| cause | what is wrong |\n|---|---|\n"
        index += f"| [{found.slug}]({found.slug}.md) | {found.title} |\n"
    texts["README.md"] = index
    return texts


def out_of_date(directory: Path) -> list[str]:
    """Names of the files in ``directory`` that are missing, differ from their cause, or belong to none."""
    expected = documents()
    present = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.md")}
    return sorted(name for name in expected.keys() | present.keys() if expected.get(name) != present.get(name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m ganmedic.causes.write_docs", description="Writes the cause pages.")
    parser.add_argument("directory", type=Path, help="where the pages are, e.g. docs/causes")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is out of date")
    options = parser.parse_args(arguments)
    directory: Path = options.directory
    if options.check:
        stale = out_of_date(directory)
        for name in stale:
            print(f"out of date: {directory / name}", file=sys.stderr)
        return 1 if stale else 0
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (directory / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
