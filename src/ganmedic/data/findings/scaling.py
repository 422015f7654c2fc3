"""Values that were never scaled, or were scaled in a way that went wrong. Arrays and pipelines are held to it; raw files are raw."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ganmedic.data.facts import Facts
from ganmedic.data.result import DataFinding

#: Networks are made for values around 1. Beyond this size data were not normalised.
_LARGE = 20.0
#: So far may the spreads of the columns be apart.
_APART = 100.0
#: Pictures that fill less were divided by 255 twice, or shifted after they had been scaled.
_FLAT = 0.02
_CODE = "normalisation = ganmedic.data.Normalisation.fit(data, to='tanh', source_range=(0, 255))"


def find(facts: Facts) -> Iterator[DataFinding]:
    low, high = facts.lowest, facts.highest
    if not math.isfinite(high - low) or facts.source.encoded:
        return
    if facts.pictures:
        yield from _pictures(facts, low, high)
    else:
        yield from _columns(facts, low, high)


def _pictures(facts: Facts, low: float, high: float) -> Iterator[DataFinding]:
    fed = not facts.source.rereadable
    size = max(abs(low), abs(high))
    reason = _went_wrong(facts, low, high)
    if reason:
        yield DataFinding(
            "bad-normalisation",
            "warning",
            f"The pictures reach from {low:.4g} to {high:.4g}: {reason}.",
            "What tells the pictures apart lies in a sliver of the range, or is lost: the discriminator sees the range and not the "
            "content, and what the generator makes can fit only by chance.",
            "Normalise once, in floats, from the values as they were: (x - 127.5) / 127.5 for tanh, x / 255 for sigmoid.",
            _CODE,
            numbers={"lowest": low, "highest": high},
        )
    elif size > _LARGE and (not facts.integers or fed):
        yield DataFinding(
            "unnormalised-data",
            "warning",
            f"The pictures reach from {low:.4g} to {high:.4g}{', as floats' if not facts.integers else ''}: they were never scaled.",
            "Inputs of this size saturate the first layers and make gradients large; no tanh or sigmoid generator can produce them, so "
            "the discriminator tells real from fake by the size alone.",
            "Bring them to the range of the generator's last activation.",
            _CODE,
            numbers={"lowest": low, "highest": high},
        )


def _went_wrong(facts: Facts, low: float, high: float) -> str:
    if low == high:
        return ""
    if facts.integers:
        values = _values_of_bytes(facts)
        if values == {0, 1} and facts.gathered.dtype != "bool":
            return "the values are 0 and 1 only, as a division of whole numbers (x // 255) or a cast after x / 255 leaves them"
        if values and len(values) <= 4 and {0, 1, 255} <= values | {0} and 255 in values and 1 in values:
            return "the values are 0, 1 and 255 only, as a cast of [-1, 1] to bytes leaves them (-1 became 255)"
        return ""
    if low >= 0 and high < _FLAT:
        return "they fill next to nothing of the range, as after two divisions by 255"
    if high - low < _FLAT:
        return "they fill next to nothing of the range, as when pictures that were scaled already are divided by 127.5 or 255 again"
    if abs(high - 1) < 0.02 and any(abs(low - repeated) < 0.02 for repeated in (-3, -7, -15)):
        return "these are the ends that (x - 0.5) / 0.5 leaves when it is applied more than once"
    return ""


def _values_of_bytes(facts: Facts) -> set[int]:
    values: set[int] = set()
    for channel in facts.channels:
        if len(channel.edges) < 2 or channel.edges[1] - channel.edges[0] > 1:
            return set()
        values |= {int(edge) for edge, count in zip(channel.edges[:-1], channel.counts, strict=True) if count}
        if len(values) > 4:
            return set()
    return values


def _columns(facts: Facts, low: float, high: float) -> Iterator[DataFinding]:
    known = [channel for channel in facts.channels if channel.count > 1 and channel.spread > 0]
    if not known:
        return
    widest, narrowest = max(known, key=lambda one: one.spread), min(known, key=lambda one: one.spread)
    far = widest.spread / narrowest.spread
    large = [channel for channel in known if max(abs(channel.minimum), abs(channel.maximum)) > _LARGE]
    if not large and far <= _APART:
        return
    raw = facts.source.kind not in ("NumPy array", "NumPy archive") and facts.source.rereadable
    apart = f", and the spread of {widest.name} is {far:,.0f} times that of {narrowest.name}" if far > _APART else ""
    yield DataFinding(
        "unnormalised-data",
        "note" if raw else "warning",
        f"{len(large)} of {len(facts.channels)} columns hold values beyond {_LARGE:g} (in all from {low:.4g} to {high:.4g}){apart}.",
        "The columns with the largest numbers decide what the discriminator looks at, and the generator learns the others last or never.",
        "Bring each column to zero mean and unit variance, or to the range of the generator's last activation.",
        "normalisation = ganmedic.data.Normalisation.fit(table, to='standard')",
        numbers={"lowest": low, "highest": high, "spreads_apart": far},
    )
