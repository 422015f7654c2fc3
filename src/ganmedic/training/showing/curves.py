"""The course of a run in one picture: losses, scores, gradient norms, speed, and everything else its history has."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ganmedic.training.showing import figures
from ganmedic.training.showing.envelope import Envelope, envelope
from ganmedic.training.showing.figures import BLUE, FRAME, GREEN, INK, ORANGE, PALE, PURPLE, count_words
from ganmedic.training.showing.history import History, read_history

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Title, unit, whether on a scale of powers of ten, and the columns with their names and colours.
_MAIN: tuple[tuple[str, str, bool, tuple[tuple[str, str, str], ...]], ...] = (
    ("Losses", "loss", False, (("d_loss", "discriminator", BLUE), ("g_loss", "generator", ORANGE))),
    (
        "Discriminator's scores",
        "mean score",
        False,
        (("real_score", "real", GREEN), ("fake_score", "generated", PURPLE)),
    ),
    (
        "Gradient norms",
        "norm",
        True,
        (("d_gradient_norm", "discriminator", BLUE), ("g_gradient_norm", "generator", ORANGE)),
    ),
    ("Speed", "images / s", False, (("images_per_second", "", INK),)),
)
_OWNERS = {"d": ("discriminator", BLUE), "g": ("generator", ORANGE)}
_FURTHER_ACROSS = 3
#: Heights in inches.
_HEAD, _TALL, _LOW, _KEY_LINE = 0.6, 2.5, 1.9, 0.19
#: Values beyond so many times the spread of the middle 96 % are not given room; it is said that they are there.
_ROOM = 1.0
#: The box around a remark inside a panel.
_NOTE = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": FRAME, "linewidth": 0.6, "alpha": 0.9}


def save_curves(
    history_csv_path: str | os.PathLike[str],
    png_path: str | os.PathLike[str],
    interventions: Sequence[Mapping[str, Any]] = (),
    title: str | None = None,
) -> None:
    """Draws a run's history as PNG.

    Bands reach from the smallest to the largest value around a step, lines are running medians. Triangles stand where a value was
    NaN or infinite. Numbered vertical lines are interventions, with their words below.

    Args:
        history_csv_path: `history.csv` of a run; it may still grow.
        png_path: where to write, all of it or nothing.
        interventions: each with `step` and `change`, what was changed in words.
        title: above all panels.

    Raises:
        OSError: the history cannot be read, or the PNG not be written.
        ValueError: the history has no column `step`.
        ImportError: matplotlib is missing.
    """
    history = read_history(history_csv_path)
    further = [name for name in history.columns if all(name != known for *_, lines in _MAIN for known, *_ in lines)]
    # A column that was never measured, such as a penalty that was taken away, gets no room.
    further = [name for name in further if np.isfinite(history.columns[name]).any() or history.broken[name].any()]
    rows_below = math.ceil(len(further) / _FURTHER_ACROSS)
    key = [
        f"{place}   step {count_words(each['step'])}: {each['change']}" for place, each in enumerate(interventions, 1)
    ]
    key_height = _KEY_LINE * len(key) + (0.15 if key else 0.0)
    height = _HEAD + 2 * _TALL + rows_below * _LOW + key_height + 0.1
    figure = figures.new_figure(11.0, height)
    figure.text(
        0.012, 1 - 0.16 / height, figures.shown(title or "Training", 110), fontsize=13, va="top", color=INK,
        fontweight="bold", parse_math=False,
    )  # fmt: skip
    figure.text(0.988, 1 - 0.2 / height, _scope(history), fontsize=8.5, va="top", ha="right", color=PALE)
    layout = figure.add_gridspec(
        2 + rows_below, 6, height_ratios=[_TALL] * 2 + [_LOW] * rows_below, left=0.065, right=0.97,
        top=1 - (_HEAD + 0.12) / height, bottom=(key_height + 0.5) / height, hspace=0.48, wspace=1.0,
    )  # fmt: skip
    marks = [float(each["step"]) for each in interventions]
    for place, (name, unit, powers, lines) in enumerate(_MAIN):
        axes = figure.add_subplot(layout[place // 2, place % 2 * 3 : place % 2 * 3 + 3])
        _panel(axes, history, name, unit, powers, lines, marks)
    for place, column in enumerate(further):
        row, across = divmod(place, _FURTHER_ACROSS)
        axes = figure.add_subplot(layout[2 + row, across * 2 : across * 2 + 2])
        name, colour = _named(column)
        _panel(axes, history, name, "", _spans_powers(history, column), ((column, "", colour),), marks)
        axes.locator_params(axis="x", nbins=3)
    for place, line in enumerate(key):
        where = (key_height - _KEY_LINE * (place + 0.4)) / height
        figure.text(0.065, where, figures.shown(line), fontsize=8.5, va="top", color=INK, parse_math=False)
    last = int(history.steps[-1]) if history.steps.size else None
    figures.save_figure(figure, png_path, step=last)


def _scope(history: History) -> str:
    if not history.steps.size:
        return "no step is recorded yet"
    words = f"steps {count_words(history.steps[0])} to {count_words(history.steps[-1])}"
    lost = "1 line" if history.skipped == 1 else f"{count_words(history.skipped)} lines"
    return f"{words}; {lost} of the history could not be read" if history.skipped else words


def _named(column: str) -> tuple[str, str]:
    """A further column in words, and its colour: `d_R1` is `R1 (discriminator)`."""
    letter, _, rest = column.partition("_")
    if letter in _OWNERS and rest:
        owner, colour = _OWNERS[letter]
        return f"{rest.replace('_', ' ')} ({owner})", colour
    return column.replace("_", " "), "#444444"


def _spans_powers(history: History, column: str) -> bool:
    values = history.columns[column]
    positive = values[np.isfinite(values)]
    if not positive.size or positive.min() <= 0:
        return False
    low, high = np.percentile(positive, [2, 98])
    return bool(high > 300 * low)


def _panel(
    axes: Axes,
    history: History,
    name: str,
    unit: str,
    powers: bool,
    lines: Sequence[tuple[str, str, str]],
    marks: Sequence[float],
) -> None:
    figures.plain(axes, name)
    axes.set_autoscale_on(False)
    axes.set_ylabel(unit, fontsize=8.5, color=INK)
    axes.set_xlabel("step", fontsize=8.5, color=INK, labelpad=1)
    drawn: list[Envelope] = []
    broken, zeros, first_broken = 0, 0, math.inf
    for column, label, colour in lines:
        if column not in history.columns:
            continue
        values = history.columns[column]
        if powers:
            zeros += int((values == 0).sum())
            values = np.where(values > 0, values, np.nan)
        series = envelope(history.steps, values, history.broken[column])
        drawn.append(series)
        _line(axes, series, label, colour)
        if history.broken[column].any():
            broken += int(history.broken[column].sum())
            first_broken = min(first_broken, float(history.steps[history.broken[column].argmax()]))
    _span(axes, history, marks)
    if powers and any(np.isfinite(series.highest).any() for series in drawn):
        axes.set_yscale("log")
    _room(axes, drawn, powers)
    _mark_broken(axes, drawn, broken, first_broken)
    if zeros:
        words = "1 value is 0" if zeros == 1 else f"{count_words(zeros)} values are 0"
        axes.text(0.99, 0.09, words, transform=axes.transAxes, fontsize=8, ha="right", color="black", bbox=_NOTE)
    if not any(series.steps.size for series in drawn):
        axes.set_yticks([])
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", fontsize=9, color=PALE)
    for place, step in enumerate(marks, 1):
        axes.axvline(step, color=PALE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5)
        axes.annotate(
            str(place), (step, 1.0), xycoords=("data", "axes fraction"), xytext=(0, -1), textcoords="offset points",
            fontsize=7, ha="center", va="top", color="white",
            bbox={"boxstyle": "round,pad=0.22", "facecolor": PALE, "edgecolor": "none"},
        )  # fmt: skip
    if any(label for _, label, _ in lines) and drawn:
        legend = axes.legend(
            loc="lower right", bbox_to_anchor=(1.01, 0.985), ncols=2, fontsize=8.5, frameon=False, handlelength=1.2,
            borderpad=0.1, columnspacing=1.2,
        )  # fmt: skip
        for handle in legend.get_lines():
            handle.set_linewidth(2.5)


def _line(axes: Axes, series: Envelope, label: str, colour: str) -> None:
    axes.fill_between(series.steps, series.lowest, series.highest, color=colour, alpha=0.22, linewidth=0)
    # A single value between two that are missing has no line; a dot shows it.
    lonely = len(series.steps) < 3
    axes.plot(series.steps, series.median, color=colour, linewidth=1.5, label=label, marker="o" if lonely else "", ms=4)


def _span(axes: Axes, history: History, marks: Sequence[float]) -> None:
    """All panels have the same steps, from the first to the last."""
    ends = [*history.steps[[0, -1]], *marks] if history.steps.size else [*marks, 0.0, 1.0]
    low, high = min(ends), max(ends)
    pad = (high - low) * 0.015 or 1.0
    axes.set_xlim(low - pad, high + pad)
    axes.xaxis.set_major_formatter(lambda step, _: count_words(step) if step == int(step) else "")
    axes.locator_params(axis="x", nbins=6, integer=True)


def _room(axes: Axes, drawn: Sequence[Envelope], powers: bool) -> None:
    """Limits in which the course is seen: what spikes far beyond is cut, and an arrow with its value says so."""
    lows = np.concatenate([series.lowest for series in drawn]) if drawn else np.zeros(0)
    highs = np.concatenate([series.highest for series in drawn]) if drawn else np.zeros(0)
    kept = np.isfinite(lows)
    if not kept.any():
        axes.set_ylim(*((0.1, 10.0) if powers else (0.0, 1.0)))
        return
    lows, highs = (np.log10(ends[kept]) if powers else ends[kept] for ends in (lows, highs))
    inner_low, inner_high = float(np.percentile(lows, 2)), float(np.percentile(highs, 98))
    spread = max(inner_high - inner_low, 0.05 * max(abs(inner_low), abs(inner_high)), 1e-6)
    low = max(float(lows.min()), inner_low - _ROOM * spread)
    high = min(float(highs.max()), inner_high + _ROOM * spread)
    pad = 0.06 * max(high - low, spread)
    # Room for the triangles and the numbers of the interventions.
    limits = (low - 1.6 * pad, high + 2 * pad)
    axes.set_ylim(*(10.0**end for end in limits) if powers else limits)
    for extreme, bound, top in ((float(highs.max()), high, True), (float(lows.min()), low, False)):
        if (extreme > bound) if top else (extreme < bound):
            value = 10.0**extreme if powers else extreme
            axes.text(
                0.995, 0.97 if top else 0.03, f"{'up' if top else 'down'} to {value:.3g}", transform=axes.transAxes,
                fontsize=7.5, ha="right", va="top" if top else "bottom", color=PALE,
            )  # fmt: skip


def _mark_broken(axes: Axes, drawn: Sequence[Envelope], count: int, first: float) -> None:
    if not count:
        return
    steps = np.concatenate([series.steps[series.broken] for series in drawn])
    axes.plot(
        steps, np.full(len(steps), 0.025), transform=axes.get_xaxis_transform(), linestyle="", marker="^", ms=5.5,
        color="black", clip_on=False, zorder=5,
    )  # fmt: skip
    words = "1 value not finite" if count == 1 else f"{count_words(count)} values not finite"
    axes.text(
        0.01, 0.09, f"{words}, first at step {count_words(first)}", transform=axes.transAxes, fontsize=8, color="black",
        bbox=_NOTE,
    )  # fmt: skip
