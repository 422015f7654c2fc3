"""Prints the diagnosis at the end of an examination: the verdict first, then everything it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from ganmedic.finding import Diagnosis, Finding, Network, ScriptError
from ganmedic.report.printer import Part, Printer
from ganmedic.report.terminal_course import print_course
from ganmedic.report.terminal_finding import SEVERITY_STYLES, label, print_finding, render_finding
from ganmedic.report.visible import visible_lines
from ganmedic.report.words import ending, gradient_missing, optimizer_words, place, plural, roots, verdict

__all__ = ["render_diagnosis", "render_finding"]

#: So many lines of an exception's message are printed; the traceback has all of it.
_MESSAGE_LINES = 6


def render_diagnosis(console: Console, diagnosis: Diagnosis, *, shown: Sequence[Finding] = ()) -> None:
    """Print the diagnosis.

    Args:
        console: where to print.
        diagnosis: what to print.
        shown: findings that were printed in full already; they get one line. What the examination learns about a
            finding later on (more evidence, what it explains) does not make it another one.
    """
    out = Printer(console)
    out.prose(("ganmedic: ", "bold"), (verdict(diagnosis), _verdict_style(diagnosis)))
    if diagnosis.networks and not diagnosis.healthy:
        _print_networks(out, diagnosis.networks)
    if diagnosis.courses:
        print_course(out, diagnosis)
    _print_findings(out, diagnosis, shown)
    if diagnosis.error is not None:
        _print_error(out, diagnosis.error)
    if diagnosis.unchecked:
        _print_list(out, "not checked:", [f"{item.what}: {item.why}" for item in diagnosis.unchecked])
    if diagnosis.tool_errors:
        _print_list(out, _tool_error_title(diagnosis), diagnosis.tool_errors)
    out.prose(ending(diagnosis))


def _verdict_style(diagnosis: Diagnosis) -> str:
    if diagnosis.healthy:
        return "bold green" if diagnosis.steps and diagnosis.networks else "bold"
    return "bold red" if diagnosis.error or any(f.severity == "error" for f in diagnosis.findings) else "bold yellow"


def _print_networks(out: Printer, networks: Sequence[Network]) -> None:
    """Print the networks as a table: how many variables have a gradient and how many moved, by what, reading what.

    A name that does not say which part the network plays has the part beside it.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(out.text("network"), overflow="fold")
    for title in ("gradient", "moved"):
        table.add_column(out.text(title), justify="right", no_wrap=True)
    for title in ("optimizer", "reads"):
        table.add_column(out.text(title), overflow="fold")
    for network in networks:
        table.add_row(*(out.text(cell) for cell in _network_cells(network)))
    out.line()
    out.block(table, indent=2)
    out.line()


def _network_cells(network: Network) -> list[Part]:
    part = "" if network.role in (network.name, "other") else f" ({network.role})"
    moved = "?" if network.moved is None else str(network.moved)
    return [
        f"{network.name}{part}",
        (f"{network.with_gradient} of {network.variables}", "bold red" if gradient_missing(network) else ""),
        (moved, "bold red" if network.trained and network.moved == 0 and network.variables else ""),
        optimizer_words(network),
        ", ".join(network.reads) or "-",
    ]


def _print_findings(out: Printer, diagnosis: Diagnosis, shown: Sequence[Finding]) -> None:
    known = {_identity(finding) for finding in shown}
    after_reference = False
    for finding in diagnosis.findings:
        follows = ", ".join(roots(diagnosis, finding))
        reference = _identity(finding) in known
        if after_reference and not reference:
            out.line()
        after_reference = reference
        if reference:
            _print_reference(out, finding, follows)
        else:
            print_finding(out, finding, follows=follows)
    if after_reference:
        out.line()


def _print_reference(out: Printer, finding: Finding, follows: str) -> None:
    where = f" {place(finding.locations[0])}" if finding.locations else ""
    because = f", follows from {follows}" if follows else ""
    out.prose(*label(finding), f"{where}: shown above{because}")


def _identity(finding: Finding) -> tuple[str, str, str]:
    return finding.cause, finding.network, place(finding.locations[0]) if finding.locations else ""


def _print_error(out: Printer, error: ScriptError) -> None:
    lines = visible_lines(error.message.strip())
    out.prose(("the script ended with ", "bold"), (error.type, SEVERITY_STYLES["error"]), f": {lines[0]}")
    for line in lines[1:_MESSAGE_LINES]:
        out.prose(line, indent=4)
    if len(lines) > _MESSAGE_LINES:
        out.prose(f"{out.glyphs.ellipsis} {plural(len(lines) - _MESSAGE_LINES, 'more line')}", indent=4)
    if error.location is not None:
        out.line("  at ", place(error.location))
    if error.explained_by:
        out.prose(f"explained by {error.explained_by}", indent=2)
    else:
        out.prose("no finding explains this", indent=2)
    out.line()


def _print_list(out: Printer, title: str, items: Sequence[str]) -> None:
    out.prose((title, "bold"))
    out.items(items, indent=2)
    out.line()


def _tool_error_title(diagnosis: Diagnosis) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in diagnosis.versions.items())
    return f"ganmedic itself failed in part, and went on without it{f' ({versions})' if versions else ''}:"
