"""Values that are missing, not finite, always the same, or far from all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganmedic.data.facts import Facts
from ganmedic.data.picture import NONFINITE
from ganmedic.data.result import Channel, DataFinding

#: A column of which so many rows share one value says next to nothing.
_NEARLY_ALL = 0.995
#: A value further out than so many times the range that holds 98 % of the column.
_FAR = 20.0
#: For pictures: so many standard deviations; 8-bit pictures cannot get there.
_FAR_PIXELS = 50.0


def find(facts: Facts) -> Iterator[DataFinding]:
    yield from _nonfinite(facts)
    if facts.pictures:
        yield from _constant_channels(facts)
    else:
        yield from _missing(facts)
        yield from _constant(facts)
        yield from _words(facts)
    yield from _extreme(facts)


def _nonfinite(facts: Facts) -> Iterator[DataFinding]:
    bad = [channel for channel in facts.channels if channel.nonfinite > 0]
    if not bad:
        return
    count = sum(channel.nonfinite for channel in bad)
    records = facts.gathered.records
    struck = (
        np.flatnonzero(records["flags"] & NONFINITE) if len(records) else np.array(facts.gathered.nonfinite, np.int64)
    )
    yield DataFinding(
        "non-finite-data",
        "error",
        f"{count:,} values are NaN or infinite, in {_names(bad)}.",
        "One of them in a batch makes the loss NaN, and after the next update every weight of both networks.",
        "Mend or drop these samples, and look for what made them: a division by a spread of 0, a logarithm of 0, an empty cell.",
        "data = data[np.isfinite(data.reshape(len(data), -1)).all(axis=1)]",
        numbers={"values": count, "channels": len(bad)},
        samples=facts.names(struck),
    )


def _missing(facts: Facts) -> Iterator[DataFinding]:
    empty = [channel for channel in facts.channels if channel.empty]
    words = {name: column.empty for name, column in facts.gathered.words.items() if column.empty}
    count = sum(channel.empty for channel in empty) + sum(words.values())
    if not count:
        return
    where = [f"{channel.name} ({channel.empty:,})" for channel in empty] + [
        f"{name} ({n:,})" for name, n in words.items()
    ]
    yield DataFinding(
        "missing-values",
        "warning",
        f"{count:,} cells hold no value, or no number in a column of numbers: {_some(where)}.",
        "Most readers make NaN of an empty cell, and one NaN in a batch makes the loss NaN.",
        "Drop these rows or fill the cells before training, with a column beside it that says where.",
        "table = table.dropna()",
        numbers={"cells": count, "columns": len(empty) + len(words)},
    )


def _constant(facts: Facts) -> Iterator[DataFinding]:
    constant = [channel for channel in facts.channels if channel.count > 1 and channel.minimum == channel.maximum]
    hollow = [channel for channel in facts.channels if channel.count == 0]
    nearly = [
        channel
        for channel in facts.channels
        if channel not in constant and channel.count >= 200 and (channel.commonest or (0.0, 0.0))[1] >= _NEARLY_ALL
    ]
    if constant or hollow:
        yield DataFinding(
            "constant-columns",
            "warning",
            f"{len(constant) + len(hollow)} of {len(facts.channels)} columns hold one value only, or none: {_names(constant + hollow)}.",
            "A spread of 0 turns a standardised column into NaN. Where it does not, the discriminator gets a sure sign of fake: any "
            "value that is not exactly this one.",
            "Leave these columns out, and put them back into what is generated.",
            numbers={"columns": len(constant) + len(hollow)},
        )
    if nearly:
        values = [f"{channel.name} ({100 * (channel.commonest or (0, 0))[1]:.1f} %)" for channel in nearly]
        yield DataFinding(
            "near-constant-columns",
            "note",
            f"{len(nearly)} columns have the same value in nearly every row: {_some(values)}.",
            "The rare values fall out of what the generator makes: leaving them out costs it next to nothing.",
            "Leave the column out, or draw batches in which the rare values are as frequent as the others.",
            numbers={"columns": len(nearly)},
        )


def _constant_channels(facts: Facts) -> Iterator[DataFinding]:
    constant = [channel for channel in facts.channels if channel.count > 1 and channel.minimum == channel.maximum]
    if constant and facts.read > 1 and len(constant) < len(facts.channels):
        yield DataFinding(
            "constant-channels",
            "warning",
            f"{_names(constant)}: the same value in every pixel of every picture.",
            "A channel without content costs both networks capacity, and any other value in it gives a generated picture away.",
            "Leave the channel out.",
            numbers={"channels": len(constant)},
        )
    histograms = {(channel.counts, channel.edges[:1]) for channel in facts.channels}
    if len(facts.channels) == 3 and len(histograms) == 1 and not constant:
        yield DataFinding(
            "grey-as-colour",
            "note",
            "Red, green and blue have the very same values: these are grey pictures stored as colour.",
            "A generator has to learn that three channels agree; the discriminator sees at once where they do not.",
            "Load them with one channel.",
            "tf.io.decode_image(data, channels=1)",
        )


def _words(facts: Facts) -> Iterator[DataFinding]:
    words = facts.gathered.words
    if words:
        several = [
            f"{name} ({len(column.counts)} words{' and more' if column.others else ''})"
            for name, column in words.items()
        ]
        yield DataFinding(
            "text-columns",
            "note",
            f"{len(words)} columns hold words: {_some(several)}.",
            "A network reads numbers. Numbers in the order of the alphabet would pretend that words lie between others.",
            "Encode each word as a column of its own (one-hot), and let the generator end in a softmax over them.",
            numbers={"columns": len(words)},
        )


def _extreme(facts: Facts) -> Iterator[DataFinding]:
    found: list[tuple[Channel, float]] = []
    for place, channel in enumerate(facts.channels):
        if channel.count < 20 or not channel.spread > 0:
            continue
        if len(facts.rows):
            column = facts.rows[:, place]
            column = column[np.isfinite(column)]
            low, high = np.quantile(column, [0.01, 0.99]) if len(column) else (0.0, 0.0)
            if high <= low:
                continue
            reach = max(channel.maximum - high, low - channel.minimum) / (high - low)
            if reach > _FAR:
                found.append((channel, reach))
        elif not facts.integers:
            reach = max(channel.maximum - channel.mean, channel.mean - channel.minimum) / channel.spread
            if reach > _FAR_PIXELS:
                found.append((channel, reach))
    if found:
        worst = max(found, key=lambda one: one[1])
        ends = f"{worst[0].minimum:.4g} to {worst[0].maximum:.4g}"
        yield DataFinding(
            "extreme-values",
            "warning",
            f"{len(found)} of {len(facts.channels)} channels or columns have values far from all others, {worst[0].name} most: it "
            f"reaches from {ends} with a mean of {worst[0].mean:.4g}.",
            "Scaled by its ends, everything else becomes nearly one value; scaled by its spread, single samples make the gradients "
            "jump.",
            "Look where they come from (a code for 'missing' such as -999, another unit, a division by almost 0); clip them, or take "
            "the logarithm.",
            "data = np.clip(data, *np.quantile(data, [0.001, 0.999], axis=0))",
            numbers={"columns": len(found), "reach": worst[1]},
        )


def _names(channels: list[Channel]) -> str:
    return _some([channel.name for channel in channels])


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
