"""docs/data.md names every finding, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganmedic.data import findings

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
SOURCES = sorted(Path(findings.__file__).parent.glob("*.py"))
SLUG = re.compile(r'(?:DataFinding|_copies)\([^"]*?"([a-z-]+)",')


def test_every_finding_is_on_the_page():
    slugs = {slug for source in SOURCES for slug in SLUG.findall(source.read_text())}
    assert {"range-mismatch", "near-duplicates", "odd-pictures"} <= slugs
    assert len(slugs) >= 25
    page = PAGE.read_text()
    assert {slug for slug in slugs if f"`{slug}`" not in page} == set()


def test_the_page_names_no_finding_that_is_not_there():
    sources = "".join(source.read_text() for source in SOURCES)
    table = PAGE.read_text().split("## What it finds")[1].split("\n\n`python")[0]
    named = [slug for row in table.splitlines()[4:] for slug in re.findall(r"`([a-z-]+)`", row.split("|")[1])]
    assert len(named) >= 25
    assert [slug for slug in named if f'"{slug}"' not in sources] == []


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
def test_the_example_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(PAGE), "exec"), {})
    assert (tmp_path / "audit.html").exists()
