"""What all plots of a run share: colours, plain axes, text that nothing in it can turn into something else, writing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ganmedic.report.visible import visible
from ganmedic.training.showing.needs import need
from ganmedic.training.showing.pictures import metadata
from ganmedic.training.showing.replacing import replaced

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Told apart by people who see few colours: Okabe, Ito 2008, *Color Universal Design*, https://jfly.uni-koeln.de/color/.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#56B4E9"
INK, PALE, FRAME = "#222222", "#777777", "#BBBBBB"
_RESOLUTION = 110


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, that is drawn without a window and known to no one else.

    Raises:
        ImportError: matplotlib is missing.
    """
    figure: Figure = need("matplotlib.figure", "A plot").Figure(
        figsize=(width, height), dpi=_RESOLUTION, facecolor="white"
    )
    need("matplotlib.backends.backend_agg", "A plot").FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes, title: str) -> None:
    """Gives axes their title and takes away what carries no information."""
    axes.set_title(shown(title), fontsize=9.5, loc="left", color=INK, fontweight="bold", parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FRAME)
    axes.tick_params(labelsize=8, colors=PALE, labelcolor=INK, length=3)
    axes.grid(True, color="#EEEEEE", linewidth=0.7)
    axes.set_axisbelow(True)


def shown(text: str, limit: int = 160) -> str:
    """Text from outside as one line without control characters, and not endless."""
    line = visible(text)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def save_figure(
    figure: Figure, path: str | os.PathLike[str], *, step: int | None = None, seed: int | None = None
) -> None:
    """Writes a figure as PNG, all of it or nothing; OSError if it cannot be written."""
    with replaced(path) as temporary:
        write_figure(figure, temporary, step=step, seed=seed)


def write_figure(figure: Figure, target: Any, *, step: int | None = None, seed: int | None = None) -> None:
    """Writes a figure as PNG to a path or a binary stream, with step and seed as text inside."""
    figure.savefig(target, format="png", metadata=metadata(step, seed))


def count_words(count: float) -> str:
    """Return `12 000`: a number that is read, not computed with."""
    return f"{count:,.0f}".replace(",", "\u202f")
