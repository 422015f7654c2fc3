"""Points and rows of tables: generated ones over real ones, or column beside column."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic.training.showing import figures
from ganmedic.training.showing.figures import INK, ORANGE, count_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: More points than these are only darker.
_POINTS = 5000
_PANELS, _ACROSS = 16, 4
_BINS = 40
_REAL = "#9AA5B1"


def scatter(samples: ArrayLike, real: ArrayLike | None = None) -> Figure:
    """Draws points of two dimensions in the plane, others as one histogram a column.

    The limits are those of the real points, so that pictures of different steps can be compared; how many generated ones lie outside
    is said. Of more than 16 columns those are shown whose distributions differ most: by the distance of Kolmogorov and Smirnov, the
    largest difference of the shares below any value.

    Args:
        samples: generated points, array (n, columns) or (n,).
        real: real ones, array (m, columns), for the background.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: these are no points, there is none, or real and generated ones have not as many columns.
        ImportError: matplotlib is missing.
    """
    generated = _points("samples", samples)
    data = None if real is None else _points("real", real)
    if data is not None and data.shape[1] != generated.shape[1]:
        raise ValueError(
            f"scatter: samples have {generated.shape[1]} columns and real ones {data.shape[1]}; as many are expected. "
            "Bring both into the same units: generate() gives those of the data."
        )
    return _plane(generated, data) if generated.shape[1] == 2 else _histograms(generated, data)


def save_scatter(
    path: str | os.PathLike[str],
    samples: ArrayLike,
    real: ArrayLike | None = None,
    *,
    step: int | None = None,
    seed: int | None = None,
) -> None:
    """Writes `scatter` as PNG, all of it or nothing.

    Args:
        path: of the PNG; its folder exists.
        samples, real: those of `scatter`.
        step: the training step that the samples are from, kept in the file.
        seed: the seed they were made with, kept in the file.

    Raises:
        ValueError, ImportError: those of `scatter`.
        OSError: the file cannot be written.
    """
    figures.save_figure(scatter(samples, real), path, step=step, seed=seed)


def _points(name: str, values: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(values)
    points = given[:, None] if given.ndim == 1 else given
    if points.ndim != 2 or not points.size or points.dtype.kind not in "buif":
        raise ValueError(
            f"scatter: {name} is an array {given.shape} of {given.dtype}; real numbers (n, columns) are expected, at least one row. "
            "Images are shown by grid."
        )
    return points.astype(np.float64)


def _finite(points: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = points[np.isfinite(points).all(axis=1)]
    return result


def _thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points[:: math.ceil(len(points) / _POINTS)] if len(points) else points


def _ends(values: NDArray[np.float64], share: float) -> tuple[float, float]:
    """Limits that hold the values but for a share at either end, with a margin."""
    if not values.size:
        return -1.0, 1.0
    low, high = (float(end) for end in np.percentile(values, [100 * share, 100 - 100 * share]))
    pad = 0.12 * (high - low) or max(abs(low) * 0.1, 0.5)
    return low - pad, high + pad


def _plane(generated: NDArray[np.float64], data: NDArray[np.float64] | None) -> Figure:
    figure = figures.new_figure(6.0, 6.3)
    axes = figure.add_axes((0.1, 0.08, 0.87, 0.82))
    points = _finite(generated)
    behind = points if data is None else _finite(data)
    limits = [_ends(behind[:, axis], 0.001) for axis in (0, 1)]
    if data is not None:
        _dots(axes, _thinned(behind), _REAL, "real", 0.5)
    _dots(axes, _thinned(points), ORANGE, "generated", 0.65)
    inside = np.ones(len(points), np.bool_)
    for axis, (low, high) in enumerate(limits):
        inside &= (points[:, axis] >= low) & (points[:, axis] <= high)
    figures.plain(axes, _told(generated, points, int((~inside).sum())))
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    axes.set_xlabel("column 0", fontsize=8.5, color=INK)
    axes.set_ylabel("column 1", fontsize=8.5, color=INK)
    spans = [high - low for low, high in limits]
    if max(spans) < 4 * min(spans):
        axes.set_aspect("equal", adjustable="box")
    _key(figure, axes)
    return figure


def _dots(axes: Axes, points: NDArray[np.float64], colour: str, label: str, opacity: float) -> None:
    side = 14.0 if len(points) < 500 else 6.0
    axes.scatter(points[:, 0], points[:, 1], s=side, color=colour, alpha=opacity, linewidths=0, label=label)


def _told(generated: NDArray[np.float64], finite: NDArray[np.float64], outside: int) -> str:
    words = [f"{count_words(len(generated))} generated"]
    if outside:
        words.append(f"{count_words(outside)} outside of the picture")
    if len(finite) < len(generated):
        words.append(f"{count_words(len(generated) - len(finite))} not finite")
    return ", ".join(words)


def _key(figure: Figure, axes: Axes) -> None:
    key = figure.legend(
        *axes.get_legend_handles_labels(), loc="upper right", fontsize=9, frameon=False, ncols=2, handlelength=1.4
    )
    for handle in key.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)


def _histograms(generated: NDArray[np.float64], data: NDArray[np.float64] | None) -> Figure:
    points = _finite(generated)
    behind = None if data is None else _finite(data)
    chosen = _columns(points, behind, generated.shape[1])
    across = min(_ACROSS, len(chosen))
    down = math.ceil(len(chosen) / across)
    width, height = max(2.6 * across, 5.2), 2.0 * down + 0.6
    figure = figures.new_figure(width, height)
    layout = figure.add_gridspec(
        down, across, left=0.35 / width, right=1 - 0.2 / width, top=1 - 0.75 / height, bottom=0.35 / height,
        hspace=0.55, wspace=0.18,
    )  # fmt: skip
    for place, column in enumerate(chosen):
        axes = figure.add_subplot(layout[place // across, place % across])
        _histogram(axes, points[:, column], None if behind is None else behind[:, column], column)
    words = _told(generated, points, 0)
    if len(chosen) < generated.shape[1]:
        which = "the first" if behind is None else "those that differ most"
        words += f"; {len(chosen)} of {generated.shape[1]} columns, {which}"
    figure.text(0.35 / width, 1 - 0.12 / height, words, fontsize=9.5, va="top", color=INK, fontweight="bold")
    _key(figure, figure.axes[0])
    return figure


def _columns(points: NDArray[np.float64], behind: NDArray[np.float64] | None, count: int) -> list[int]:
    if count <= _PANELS or behind is None or not len(points) or not len(behind):
        return list(range(min(count, _PANELS)))
    apart = [_distance(points[:, column], behind[:, column]) for column in range(count)]
    return [int(column) for column in np.argsort(apart, kind="stable")[::-1][:_PANELS]]


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The largest difference between the shares below a value."""
    values = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(set_), values, side="right") / len(set_) for set_ in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def _histogram(axes: Axes, values: NDArray[np.float64], real: NDArray[np.float64] | None, column: int) -> None:
    low, high = _ends(values if real is None or not len(real) else real, 0.001)
    edges = np.linspace(low, high, _BINS + 1)
    outside = float(np.mean((values < low) | (values > high))) if len(values) else 0.0
    figures.plain(axes, f"column {column}")
    if outside:
        axes.text(1.0, 1.03, f"{outside:.1%} outside", transform=axes.transAxes, fontsize=7.5, ha="right", color=ORANGE)
    if real is not None:
        _bars(axes, real, edges, {"fill": True, "color": _REAL, "alpha": 0.7, "label": "real"})
    _bars(axes, values, edges, {"color": ORANGE, "linewidth": 1.5, "label": "generated"})
    axes.set_xlim(low, high)
    axes.set_ylim(bottom=0.0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)


def _bars(axes: Axes, values: NDArray[np.float64], edges: NDArray[np.float64], style: dict[str, Any]) -> None:
    # Shares of all values, so that what lies outside is missing in the picture.
    shares = np.histogram(values, edges)[0] / max(len(values), 1)
    axes.stairs(shares, edges, **style)
