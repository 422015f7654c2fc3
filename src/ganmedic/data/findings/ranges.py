"""Do the values lie where the generator can produce them?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ganmedic.data.against import Against
from ganmedic.data.facts import Facts
from ganmedic.data.histogram import Histogram
from ganmedic.data.output_range import percent
from ganmedic.data.result import Channel, DataFinding

#: So far beyond an end, as a part of the data's own range, is rounding.
_SLACK = 1e-6
#: Data that fill less of the generator's range are scaled to another one.
_FILLED = 0.6


def find(facts: Facts) -> Iterator[DataFinding]:
    against, low, high = facts.against, facts.lowest, facts.highest
    if against is None or not math.isfinite(high - low):
        return
    if facts.value_range == (0.0, 255.0) and facts.source.rereadable:
        yield from _bytes(against)
        return
    if not math.isfinite(against.low) and not math.isfinite(against.high):
        yield from _under_linear(facts, against)
        return
    slack = _SLACK * (high - low)
    if low < against.low - slack or high > against.high + slack:
        yield _outside(facts, against)
    elif against.bounded and high - low < _FILLED * (against.high - against.low):
        yield _unused(facts, against)


def _bytes(against: Against) -> Iterator[DataFinding]:
    """Pictures as bytes are brought to the range when they are loaded."""
    low, high = (against.low, against.high) if against.bounded else (-1.0, 1.0)
    yield DataFinding(
        "normalise-on-loading",
        "note",
        f"The values are bytes from 0 to 255; the generator gives {_words(against)}.",
        "Bytes lie there as they should; what counts is what training is fed. --against can be asked of the pipeline itself: "
        "ganmedic.data.audit(dataset, against=...).",
        "Normalise them while they are loaded, with the statistics that --stats writes.",
        f"images = tf.cast(images, tf.float32) * {(high - low) / 255:.8g} + {low:g}",
    )


def _outside(facts: Facts, against: Against) -> DataFinding:
    low, high = facts.lowest, facts.highest
    share = _share_outside(facts.channels, against)
    standard = is_standardised(facts.channels)
    how = "Data of zero mean and unit variance under" if standard else "The data do not lie within"
    return DataFinding(
        "range-mismatch",
        "error" if share > 0.5 else "warning",
        f"{how} a generator that gives {_words(against)}: they reach from {low:.4g} to {high:.4g}, and {percent(share)} of the "
        "values can never be generated.",
        "The discriminator tells real from fake by the range alone, which teaches the generator nothing; the generator is driven to the "
        f"ends of its activation, where the gradient vanishes{' (standardised data have no ends, and no bounded activation covers them)' if standard else ''}.",
        "Bring the data to the generator's range, or let the generator end in a linear layer.",
        _fit(against),
        numbers={"lowest": low, "highest": high, "share_outside": share},
    )


def _unused(facts: Facts, against: Against) -> DataFinding:
    low, high = facts.lowest, facts.highest
    share = (high - low) / (against.high - against.low)
    return DataFinding(
        "range-mismatch",
        "warning",
        f"The data reach from {low:.4g} to {high:.4g} and fill {percent(share)} of what the generator gives ({_words(against)}).",
        "At first everything it makes outside of that part is told apart by its range alone, and where the data end within the "
        "activation's steep part, it has no help in producing ends such as pure black.",
        "Bring the data to the whole range.",
        _fit(against),
        numbers={"lowest": low, "highest": high, "share_filled": share},
    )


def _under_linear(facts: Facts, against: Against) -> Iterator[DataFinding]:
    """A linear generator can give anything; it starts near 0 with a spread near 1."""
    off = [
        channel
        for channel in facts.channels
        if channel.count > 1
        and channel.spread > 0
        and (abs(channel.mean) > 3 * max(channel.spread, 1.0) or not 0.05 < channel.spread < 20)
    ]
    if off:
        worst = max(off, key=lambda channel: abs(math.log(channel.spread)) + abs(channel.mean) / channel.spread)
        yield DataFinding(
            "range-mismatch",
            "warning",
            f"{len(off)} of {len(facts.channels)} channels or columns are far from zero mean and unit variance, {worst.name} most: mean "
            f"{worst.mean:.4g}, spread {worst.spread:.4g}.",
            "A linear output starts near 0 with a spread near 1. Until its bias has gone all the way, the discriminator needs no other "
            "feature, and its gradients have the size of that distance.",
            "Bring each column to zero mean and unit variance.",
            _fit(against),
            numbers={"columns": len(off)},
        )


def is_standardised(channels: tuple[Channel, ...]) -> bool:
    """Whether most channels have a mean near 0, a spread near 1, and values on both sides."""
    known = [channel for channel in channels if channel.count > 1 and channel.spread > 0]
    good = [one for one in known if abs(one.mean) < 0.15 and 0.8 < one.spread < 1.25 and one.minimum < 0 < one.maximum]
    return bool(known) and len(good) >= 0.8 * len(known)


def _share_outside(channels: tuple[Channel, ...], against: Against) -> float:
    outside = total = 0.0
    for channel in channels:
        if channel.count and channel.counts:
            histogram = Histogram.of_bins(channel.edges, channel.counts)
            outside += histogram.share_outside(against.low, against.high) * channel.count
            total += channel.count
    return outside / total if total else 0.0


def _words(against: Against) -> str:
    if not against.bounded:
        return f"{against.name} ({against.low:g} to {against.high:g})"
    ends = f"{against.low:g} to {against.high:g}"
    return ends if against.name[0] in "-.0123456789" else f"{against.name} ({ends})"


def _fit(against: Against) -> str:
    to = against.to if against.bounded else "linear"
    return f"normalisation = ganmedic.data.Normalisation.fit(data, to={to!r})"
