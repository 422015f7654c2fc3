"""Prints the course of a run small: a row of figures and two curves a network, and what the discriminator said."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from ganmedic.finding import Course, Diagnosis, Judgement
from ganmedic.report.printer import Printer

#: Heights of a curve in one line, for terminals that show them and for those that do not.
_BLOCKS, _PLAIN = "▁▂▃▄▅▆▇█", "_.-=^"
_WIDTH = 8
#: So many looks are told.
_LOOKS = 3


def print_course(out: Printer, diagnosis: Diagnosis) -> None:
    """Print losses, gradients and scores of a run."""
    rows = [one for one in diagnosis.courses if one.losses][:6]
    if not rows:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(out.text("training"), overflow="fold", min_width=9, max_width=24)
    for title in ("loss", "gradient norm", "step"):
        table.add_column(out.text(title), no_wrap=True)
    for row in rows:
        moved = f"{100 * row.movement:.2g} %" if math.isfinite(row.movement) else "-"
        cells = (_name(row), _curve(out, row.losses), _curve(out, row.gradients), moved)
        table.add_row(*(out.text(cell) for cell in cells))
    out.line()
    out.block(table, indent=2)
    if diagnosis.judgements:
        out.prose(_scores(diagnosis.judgements), indent=2)
    if diagnosis.too_short:
        out.prose(diagnosis.too_short, indent=2)
    out.line()


def _name(row: Course) -> str:
    part = "" if row.role in (row.network, "other") else f" ({row.role})"
    return f"{row.network}{part}"


def _curve(out: Printer, values: Sequence[float]) -> str:
    """``▁▃▇ 0.69 to 1.2``: a curve, its first and its last value."""
    return f"{sparkline(values, out.glyphs.ellipsis == '...')} {_figure(values[0])} to {_figure(values[-1])}"


def sparkline(values: Sequence[float], plain: bool = False) -> str:
    """A curve in one line of at most 8 characters; ``!`` where a value is not finite.

    Args:
        plain: with ASCII characters only.
    """
    heights = _PLAIN if plain else _BLOCKS
    step = max(1, math.ceil(len(values) / _WIDTH))
    groups = [values[begin : begin + step] for begin in range(0, len(values), step)]
    means = [sum(group) / len(group) for group in groups]
    known = [mean for mean in means if math.isfinite(mean)]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def mark(mean: float) -> str:
        if not math.isfinite(mean):
            return "!"
        share = (mean - low) / (high - low) if high > low else 0.0
        return heights[min(len(heights) - 1, int(share * len(heights)))]

    return "".join(map(mark, means))


def _figure(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "NaN" if math.isnan(value) else "inf"


def _scores(judgements: Sequence[Judgement]) -> str:
    """The scores at the first look, in the middle and at the last."""
    picked = sorted({0, len(judgements) // 2, len(judgements) - 1})[:_LOOKS]
    said = [_said(judgements[index]) for index in picked]
    return f"scores real / fake, and how often real is above fake: {'; '.join(said)}"


def _said(one: Judgement) -> str:
    spread = f", samples spread {one.diversity:.2f} of the real" if math.isfinite(one.diversity) else ""
    return f"step {one.step}: {_figure(one.real)} / {_figure(one.fake)}, {100 * one.separation:.0f} %{spread}"
