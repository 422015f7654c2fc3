"""Shows findings in a notebook: one piece of HTML each, with its style, without scripts or anything from outside."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ganmedic.finding import Diagnosis, Finding, Location
from ganmedic.report import gradient_path, words
from ganmedic.report.source import excerpt
from ganmedic.report.visible import visible, visible_lines


def finding_html(finding: Finding) -> str:
    """Return a finding as HTML to put into a page."""
    return _render("finding.html.j2", finding=finding, follows="")


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Return the diagnosis as HTML to put into a page: verdict, networks, findings, and what else there is to say."""
    return _render("diagnosis.html.j2", diagnosis=diagnosis)


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    """Return the environment of the templates.

    Everything that is filled in is escaped for HTML, and `finalize` writes out the control characters (bidi overrides
    among them) that HTML would let through.
    """
    environment = Environment(
        loader=PackageLoader("ganmedic.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(
        words=words,
        excerpt=_marked_lines,
        stations=gradient_path.stations,
        lines=visible_lines,
        changes=words.CHANGES_OBJECTIVE,
    )
    return environment


def _shown(value: object) -> object:
    """Make plain text visible; what the templates made themselves is `Markup` and stays."""
    return visible(str(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _marked_lines(location: Location) -> list[tuple[int, str, str, str]]:
    """Return number, text before the mark, marked text and text behind it, for each line around a place."""
    code = excerpt(location)
    if code is None:
        return []
    rows = []
    for index, line in enumerate(code.lines):
        start, end = (code.start, code.end) if index == code.at else (len(line), len(line))
        rows.append((code.first + index, line[:start], line[start:end], line[end:]))
    return rows
