"""How facts about data are put into words, the same ones for the terminal and the page."""

from __future__ import annotations

import math

from ganmedic.data.result import Audit, Channel
from ganmedic.report.words import plural

BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = " .:-=+*#@"


def verdict(audit: Audit) -> str:
    """One line: what was looked at, and whether something was found."""
    problems = [finding for finding in audit.findings if finding.severity != "note"]
    notes = len(audit.findings) - len(problems)
    beside = f"{plural(notes, 'note')}" if notes else "no notes"
    found = plural(len(problems), "finding") if problems else "nothing found"
    return f"{found}, {beside}, in {audit.samples:,} {'pictures' if audit.content == 'pictures' else 'rows'}"


def facts(audit: Audit) -> list[tuple[str, str]]:
    """Names and values of what is known of the whole set."""
    rows = [("data", f"{audit.title} ({audit.kind})"), ("samples", f"{audit.samples:,}")]
    if audit.unreadable_count:
        rows[-1] = ("samples", f"{audit.samples:,}, of which {audit.unreadable_count:,} could not be read")
    if audit.shapes:
        rows.append(("shapes", shapes(audit)))
    if audit.modes:
        rows.append(("colour modes", ", ".join(f"{mode} {count:,}" for mode, count in audit.modes.items())))
    if audit.dtype:
        rows.append(("values", audit.dtype))
    if audit.classes:
        rows.append(("classes", classes(audit)))
    rows.append(("duplicates", duplicates(audit)))
    if audit.looks:
        rows.append(("look", ", ".join(f"{count:,} {name}" for name, count in audit.looks.items())))
    rows += diversity(audit)
    return rows


def shapes(audit: Audit) -> str:
    several = [f"{' x '.join(map(str, shape))} ({count:,})" for shape, count in audit.shapes[:4]]
    more = f" and {audit.shape_count - 4:,} more" if audit.shape_count > 4 else ""
    return ", ".join(several) + more


def classes(audit: Audit) -> str:
    ordered = sorted(audit.classes.items(), key=lambda item: -item[1])
    several = [f"{name} {count:,}" for name, count in ordered[:8]]
    smallest = f", ..., {ordered[-1][0]} {ordered[-1][1]:,}" if len(ordered) > 8 else ""
    return f"{len(ordered)}: {', '.join(several)}{smallest}"


def duplicates(audit: Audit) -> str:
    near = f", {audit.near_extra:,} nearly the same" if audit.content == "pictures" else ""
    return f"{audit.exact_extra:,} copies{near}{'' if audit.duplicates_complete else ' (at least)'}"


def diversity(audit: Audit) -> list[tuple[str, str]]:
    measured, order = audit.diversity, audit.order
    if measured is None:
        return []
    return [
        (
            "diversity",
            f"Vendi score {measured.vendi:.2f} of {measured.samples:,} samples drawn by lot, {measured.vendi_half:.2f} of half of "
            f"them; the nearest neighbour is {measured.neighbour:.2f} times as far as any other sample",
        ),
        (
            "representative",
            f"two random halves of the sample differ by {measured.half_distance:.3f} of the spread"
            + (f"; the first tenth of the data from the rest by {order.drift:.3f}" if order is not None else ""),
        ),
    ]


def channel_cells(channel: Channel) -> tuple[str, ...]:
    """Mean, spread, ends, and what is not finite or empty."""
    numbers = (channel.mean, channel.spread, channel.minimum, channel.maximum)
    return (*(number(one) for one in numbers), f"{channel.nonfinite:,}", f"{channel.empty:,}")


def number(value: float) -> str:
    """A number as people read it."""
    return f"{value:.5g}" if math.isfinite(value) else "-"


def heights(channel: Channel, bars: int) -> list[float]:
    """The histogram brought to so many bars, each from 0 to 1."""
    if not channel.counts or not channel.count:
        return []
    step = max(1, math.ceil(len(channel.counts) / bars))
    sums = [sum(channel.counts[begin : begin + step]) for begin in range(0, len(channel.counts), step)]
    highest = max(sums)
    return [one / highest for one in sums] if highest else []


def sparkline(channel: Channel, glyphs: str, bars: int = 24) -> str:
    """The histogram in one line of text."""
    return "".join(
        glyphs[0] if height == 0 else glyphs[max(1, round(height * (len(glyphs) - 1)))]
        for height in heights(channel, bars)
    )


def ending(audit: Audit) -> str:
    return f"{audit.elapsed_seconds:.1f} s on {plural(audit.jobs, 'core')}"
