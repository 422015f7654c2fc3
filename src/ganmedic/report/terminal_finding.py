"""Prints one finding: what is wrong, the line of code, the gradient's way, what was seen, and the correction.

Colour only repeats what the words say, so that the text reads the same in a log file.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from ganmedic.finding import Finding, Location, Remedy
from ganmedic.report.gradient_path import Station, stations
from ganmedic.report.printer import Part, Printer
from ganmedic.report.source import Excerpt, excerpt
from ganmedic.report.visible import visible_lines
from ganmedic.report.words import (
    CHANGES_OBJECTIVE,
    affected,
    by_place,
    certainty,
    listing,
    place,
    remedy_place,
)

SEVERITY_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_DIM = "dim"
_MARGIN = "blue"
#: Columns kept free on either side of the marked part when a long line is clipped.
_CLIP_CONTEXT = 8
#: A reference shows its line of code only where so many columns are left for it.
_LEAST_CODE = 16


def render_finding(console: Console, finding: Finding, *, number: int | None = None) -> None:
    """Print a finding in full.

    Args:
        console: where to print; without colour and in ASCII if that is all it can do.
        finding: what to print.
        number: running number to put in front of it, for findings that are printed as they become known.
    """
    print_finding(Printer(console), finding, number=number)


def print_finding(out: Printer, finding: Finding, *, number: int | None = None, follows: str = "") -> None:
    """Print a finding; `follows` names the causes it is a consequence of."""
    out.prose(*_headline(finding, number))
    _print_code(out, finding.locations)
    if finding.path:
        out.line()
        _print_path(out, finding)
    if finding.variables or finding.evidence:
        out.line()
        _print_seen(out, finding)
    if finding.remedies:
        out.line()
    for position, remedy in enumerate(finding.remedies):
        _print_remedy(out, finding, remedy, "fix" if position == 0 else "or")
    out.line()
    if follows:
        out.prose(("follows from:", "bold"), f" {follows}", indent=2)
    if finding.explains:
        out.prose(("also explains:", "bold"), f" {', '.join(finding.explains)}", indent=2)
    out.prose(("more:", "bold"), f" ganmedic explain {finding.cause}", indent=2)
    out.line()


def label(finding: Finding) -> list[Part]:
    """Return `error[slug]`, followed by `(likely)` where the finding is not sure."""
    sure = certainty(finding.confidence)
    name = (f"{finding.severity}[{finding.cause}]", SEVERITY_STYLES[finding.severity])
    return [name, f" ({sure})"] if sure else [name]


def _headline(finding: Finding, number: int | None) -> list[Part]:
    counted: list[Part] = [] if number is None else [(f"#{number} ", "bold")]
    return [*counted, *label(finding), ": ", (finding.summary, "bold")]


def _print_code(out: Printer, locations: tuple[Location, ...]) -> None:
    """Print the first place with its code, and the others as references below it."""
    places = by_place(locations)
    if not places:
        return
    (main, roles), others = places[0], places[1:]
    width = _print_excerpt(out, main, roles)
    if others:
        out.line((f"{' ' * width} |", _MARGIN))
    names = [out.safe(place(location)) for location, _ in others]
    column = max(map(cell_len, names), default=0)
    for name, (location, words) in zip(names, others, strict=True):
        text = f"{name}{' ' * (column - cell_len(name))}  {out.safe(words)}"
        code, room = out.safe(location.text.strip()), out.room - width - cell_len(text) - 6
        shown = f":  {_clip(out, code, 0, room)}" if code and room >= _LEAST_CODE else ""
        out.line((f"{' ' * width} = ", _MARGIN), text, (shown, _DIM))


def _print_excerpt(out: Printer, location: Location, roles: str) -> int:
    """Print the place with its lines of code and the mark under them; return the width of the line numbers."""
    code = excerpt(location)
    width = 2 if code is None else len(str(code.first + len(code.lines) - 1))
    inside = f" in {location.function}" if location.function and location.function != "<module>" else ""
    out.line((f"{' ' * width}--> ", _MARGIN), place(location), (inside, _DIM))
    if code is None:
        return width
    _print_lines(out, code, width, roles)
    return width


def _print_lines(out: Printer, code: Excerpt, width: int, roles: str) -> None:
    line = code.lines[code.at]
    start = cell_len(out.safe(line[: code.start]))
    end = max(cell_len(out.safe(line[: code.end])), start + 1)
    room = max(out.room - width - 3, 2 * _CLIP_CONTEXT)
    offset = 0 if cell_len(out.safe(line)) <= room else max(0, min(start - _CLIP_CONTEXT, end + _CLIP_CONTEXT - room))
    margin = (f"{' ' * width} |", _MARGIN)
    out.line(margin)
    for index, text in enumerate(code.lines):
        shown = _clip(out, out.safe(text), offset, room).rstrip()
        out.line((f"{code.first + index:>{width}} |", _MARGIN), f" {shown}" if shown else "")
        if index == code.at:
            for mark in _marks(start - offset, end - offset, roles, room):
                out.line(margin, f" {mark[: len(mark) - len(mark.lstrip())]}", (mark.lstrip(), "bold red"))


def _marks(start: int, end: int, roles: str, room: int) -> list[str]:
    """Return the carets with the roles behind them, or on a line of their own where they do not fit."""
    carets = " " * start + "^" * (min(end, room) - start)
    if len(carets) + 1 + len(roles) <= room:
        return [f"{carets} {roles}"]
    return [carets, " " * max(0, min(start, room - len(roles))) + roles]


def _clip(out: Printer, text: str, offset: int, room: int) -> str:
    """Return the part of `text` that fits into `room` columns from `offset` on, with dots where some is missing."""
    dots = out.glyphs.ellipsis
    shown = _behind(text, offset)
    if offset and shown:
        shown = dots + _behind(shown, len(dots))
    return shown if cell_len(shown) <= room else set_cell_size(shown, room - len(dots)) + dots


def _behind(text: str, columns: int) -> str:
    """Return `text` without its first `columns` columns; of a wide character cut in two a space is left."""
    cut = len(set_cell_size(text, columns)) if cell_len(text) > columns else len(text)
    return " " * (cell_len(text[:cut]) - columns) + text[cut:]


def _print_path(out: Printer, finding: Finding) -> None:
    out.prose(("the gradient's way back from the loss:", "bold"), indent=2)
    for index, station in enumerate(stations(finding.path)):
        out.prose(*_station(out, station, first=index == 0), indent=4, hang=5)


def _station(out: Printer, station: Station, *, first: bool) -> list[Part]:
    glyphs, step = out.glyphs, station.step
    if step is None:
        return [
            f"{glyphs.dotted_way if station.past_cut else glyphs.way}  ",
            (f"{glyphs.ellipsis} {station.label}", _DIM),
        ]
    if station.is_cut:
        lead: Part = (f"{glyphs.cut}  CUT: ", "bold red")
    elif first:
        lead = ""
    elif station.past_cut:
        lead = f"{glyphs.dotted_last if station.last else glyphs.dotted_station} "
    else:
        lead = f"{glyphs.last if station.last else glyphs.station} "
    where = f"  ({place(step.location)})" if step.location else ""
    detail = f": {step.detail}" if step.detail else ""
    return [lead, (station.label, "bold red" if station.is_cut else ""), detail, (where, _DIM)]


def _print_seen(out: Printer, finding: Finding) -> None:
    """Print which variables suffer, and what was seen."""
    words = affected(finding)
    if words:
        out.prose(("affects:", "bold"), f" {words}:", indent=2)
        out.prose(listing(finding.variables), indent=4, hang=0)
    if finding.evidence:
        out.prose(("seen:", "bold"), indent=2)
        out.items(finding.evidence, indent=4)


def _print_remedy(out: Printer, finding: Finding, remedy: Remedy, word: str) -> None:
    out.prose((f"{word}:", "bold green"), f" {remedy.text}", indent=2)
    where = remedy_place(remedy, finding)
    if where:
        out.prose((f"at {where}", _DIM), indent=4)
    if remedy.code:
        for line in visible_lines(remedy.code.strip("\n")):
            out.line("    ", (f"+ {line}".rstrip(), "green"))
    if not remedy.keeps_objective:
        out.prose(CHANGES_OBJECTIVE, indent=4)
