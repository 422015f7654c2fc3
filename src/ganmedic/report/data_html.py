"""Writes an audit of data as one page: no scripts, nothing from outside, pictures and histograms within."""

from __future__ import annotations

import base64
import os
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ganmedic.data.result import Audit, Channel, Picture
from ganmedic.report import data_words as words
from ganmedic.report.files import write_atomically
from ganmedic.report.visible import visible

_BARS, _WIDTH, _HEIGHT = 64, 192, 32


def audit_html(audit: Audit) -> str:
    """Return the audit as HTML to put into a page."""
    return _environment().get_template("data_audit.html.j2").render(audit=audit)


def write_html(audit: Audit, path: str | os.PathLike[str]) -> None:
    """Write the page, whole or not at all.

    Raises:
        ReportNotWrittenError: the folder does not exist or is not writable.
    """
    write_atomically(path, _environment().get_template("data_page.html.j2").render(audit=audit))


@cache
def _environment() -> Environment:
    """The templates. What is filled in is escaped for HTML, and control characters in it are written out."""
    environment = Environment(
        loader=PackageLoader("ganmedic.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(words=words, histogram=_histogram, source=_source)
    return environment


def _shown(value: object) -> Any:
    return visible(str(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _source(picture: Picture) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.png).decode('ascii')}"


def _histogram(channel: Channel) -> Markup:
    """The histogram as a drawing; it holds numbers only."""
    heights = words.heights(channel, _BARS)
    if not heights:
        return Markup("")
    width = _WIDTH / len(heights)
    bars = [
        f'<rect x="{place * width:.2f}" y="{_HEIGHT * (1 - height):.2f}" width="{max(width - 0.4, 0.4):.2f}" '
        f'height="{_HEIGHT * height:.2f}"/>'
        for place, height in enumerate(heights)
        if height
    ]
    return Markup(f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="histogram">{"".join(bars)}</svg>')
