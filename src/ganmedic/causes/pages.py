"""The manual page of each cause, made from the docstring of its module.

Imports no TensorFlow: the pages are read by ``ganmedic explain`` and by the documentation.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from difflib import get_close_matches

from ganmedic.causes.table import CAUSES

#: The headings of every page, in this order.
HEADINGS: tuple[str, ...] = (
    "What it means",
    "How it is recognised",
    "Why it hurts",
    "Not to be confused with",
    "Remedy, and what it changes",
    "Example",
    "References",
)


@dataclass(frozen=True, slots=True)
class Page:
    """The manual page of one cause.

    Attributes:
        slug: name of the cause, e.g. ``non-differentiable-op``.
        family: ``missing``, ``vanishing``, ``exploding``, ``dynamics`` or ``data``.
        title: one line that states the fault, without a full stop.
        markdown: the whole page, beginning with the title as its heading.
    """

    slug: str
    family: str
    title: str
    markdown: str


def pages() -> dict[str, Page]:
    """All pages by slug, in the order of the table."""
    return {found.slug: found for found in map(_read, CAUSES)}


def page(slug: str) -> Page:
    """The page of one cause.

    Raises:
        KeyError: if there is no such cause; the message names the ones that are spelled most alike.
    """
    if slug.replace("-", "_") in CAUSES and "_" not in slug:
        return _read(slug.replace("-", "_"))
    known = [name.replace("_", "-") for name in CAUSES]
    alike = get_close_matches(slug.lower().replace("_", "-"), known, n=3)
    advice = f"Did you mean {' or '.join(alike)}?" if alike else f"The causes are {', '.join(known)}."
    raise KeyError(f"There is no cause named {slug!r}. {advice}")


def _read(name: str) -> Page:
    module = importlib.import_module(f"ganmedic.causes.{name}")
    if module.__doc__ is None:
        raise RuntimeError(
            f"The page of {module.SLUG} is the docstring of {module.__name__}, and this Python keeps no docstrings. "
            "Run it without -OO (or PYTHONOPTIMIZE=2)."
        )
    heading = f"# {module.TITLE}\n\nCause `{module.SLUG}`, of the family *{module.FAMILY}*.\n\n"
    return Page(module.SLUG, module.FAMILY, module.TITLE, heading + inspect.cleandoc(module.__doc__) + "\n")
