"""Makes the table of rules of a SARIF log: one a cause, with the cause's own page as its help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganmedic.finding import Finding
from ganmedic.report.words import worst

#: GitHub cuts the two descriptions off here.
_MOST_CHARACTERS = 1024


def rules(findings: Sequence[Finding], pages: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rules in the order of their slugs: those of all `pages`, and those of the findings."""
    slugs = sorted({*pages, *(finding.cause for finding in findings)})
    return [_rule(slug, findings, pages.get(slug, "").strip()) for slug in slugs]


def _rule(slug: str, findings: Sequence[Finding], page: str) -> dict[str, Any]:
    short, full = _descriptions(slug, page)
    more = f"Run `ganmedic explain {slug}` for what it means and how it is mended."
    return {
        "id": slug,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "help": {"text": page or more, "markdown": page or more},
        "defaultConfiguration": {"level": worst([f.severity for f in findings if f.cause == slug]) or "warning"},
        "properties": {"tags": ["gan", "gradients"]},
    }


def _descriptions(slug: str, page: str) -> tuple[str, str]:
    """Return the title of the page and the first paragraph of its first section; without a page the slug in words."""
    paragraphs = [" ".join(part.split()) for part in page.split("\n\n") if part.strip()]
    if not paragraphs:
        words = slug.replace("-", " ")
        return words, words
    title, rest = paragraphs[0].lstrip("# ") or slug, paragraphs[1:]
    # What stands between the title and the first section says where the page belongs, not what it is about.
    section = next((index for index, text in enumerate(rest) if text.startswith("## ")), 0)
    body = next((text for text in rest[section:] if not text.startswith("#")), title)
    return title[:_MOST_CHARACTERS], body[:_MOST_CHARACTERS]
