"""Prints an audit of data: the findings, then the facts they rest on."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from ganmedic.data.result import Audit, DataFinding
from ganmedic.report import data_words as words
from ganmedic.report.printer import UNICODE, Printer
from ganmedic.report.terminal_finding import SEVERITY_STYLES

_CHANNELS, _SAMPLES, _UNREADABLE = 24, 5, 10


def render_audit(console: Console, audit: Audit) -> None:
    """Print the audit; names of files and columns come from the data and are made visible on their way."""
    out = Printer(console)
    style = "bold green" if audit.healthy else "bold yellow"
    if any(finding.severity == "error" for finding in audit.findings):
        style = "bold red"
    out.prose(("ganmedic: ", "bold"), (words.verdict(audit), style))
    out.line()
    for finding in audit.findings:
        _print_finding(out, finding)
    for name, value in words.facts(audit):
        out.prose((f"{name}: ", "bold"), value)
    _print_channels(out, audit)
    if audit.unreadable:
        out.prose(("could not be read:", "bold"))
        out.items([f"{name}: {reason}" for name, reason in audit.unreadable[:_UNREADABLE]], indent=2)
        if audit.unreadable_count > _UNREADABLE:
            out.prose(f"and {audit.unreadable_count - _UNREADABLE:,} more", indent=2)
    for note in audit.notes:
        out.prose(("note: ", "bold"), note)
    out.prose(words.ending(audit))


def _print_finding(out: Printer, finding: DataFinding) -> None:
    out.prose(
        (f"{finding.severity}[{finding.slug}]", SEVERITY_STYLES[finding.severity]), (f": {finding.summary}", "bold")
    )
    out.prose(finding.meaning, indent=2, hang=0)
    if finding.samples:
        out.items(finding.samples[:_SAMPLES], indent=2)
        if len(finding.samples) > _SAMPLES:
            out.line(f"  - {out.glyphs.ellipsis}")
    out.prose(("fix: ", "bold"), finding.remedy, indent=2)
    if finding.code:
        out.line("      ", finding.code)
    out.line()


def _print_channels(out: Printer, audit: Audit) -> None:
    if not audit.channels:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(out.text("channel" if audit.content == "pictures" else "column"), overflow="fold")
    shown = ["mean", "spread", "lowest", "highest", "not finite", "empty"]
    keep = [
        place
        for place in range(6)
        if place < 4 or any(getattr(one, ("nonfinite", "empty")[place - 4]) for one in audit.channels)
    ]
    for place in keep:
        table.add_column(out.text(shown[place]), justify="right", no_wrap=True)
    table.add_column(out.text("histogram"), no_wrap=True)
    glyphs = words.BARS if out.glyphs is UNICODE else words.ASCII_BARS
    for channel in audit.channels[:_CHANNELS]:
        cells = words.channel_cells(channel)
        table.add_row(
            out.text(channel.name),
            *(out.text(cells[place]) for place in keep),
            out.text(words.sparkline(channel, glyphs)),
        )
    out.block(table, indent=2)
    if len(audit.channels) > _CHANNELS:
        out.prose(f"and {len(audit.channels) - _CHANNELS:,} more", indent=2)
