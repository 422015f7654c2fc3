"""How far a run is: a bar on a terminal, a plain line now and then where there is none."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import numpy as np
from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from ganmedic import checking
from ganmedic.report.printer import Part, Printer
from ganmedic.training.showing.figure_words import duration_words, name_words, value_words

#: Seconds between two pictures of the bar.
_BETWEEN = 0.2
#: Seconds between two plain lines: at first, how much more each time, and at most.
_FIRST_GAP, _GROWTH, _LONGEST_GAP = 10.0, 1.5, 600.0
#: Where this share of the steps is done, a plain line is due, if the first gap has passed.
_SHARE = 0.05
_BROKEN = "bold red"


class Progress:
    """Shows the steps of a run as they are done; a context manager.

    On a terminal there is a bar with the time left and the last figures. Elsewhere there is a line when the first step is done, at
    the end, and between them at growing intervals: after 10 seconds, then 15, up to 10 minutes, or when 5 % more of the
    steps are done; never within 10 seconds of the last one. A figure that is NaN or infinite is named until the end.

    Args:
        total_steps: of the whole training, at least 1.
        start_step: steps that were done before, when training is taken up again.
        console: where to show it; by default stderr.

    Raises:
        TypeError, ValueError: a number of steps is none.

    Example:
        >>> import sys
        >>> with Progress(4, console=Console(file=sys.stdout)) as progress:
        ...     progress.update(1, d_loss=0.6931)
        step 1 of 4 (25 %), D loss 0.693
    """

    def __init__(self, total_steps: int, start_step: int = 0, console: Console | None = None) -> None:
        self.total_steps = checking.whole("Progress", "total_steps", total_steps)
        self.start_step = checking.whole("Progress", "start_step", start_step, low=0, high=self.total_steps)
        self.console = Console(stderr=True) if console is None else console
        self._out = Printer(self.console)
        self._bar = _SteppedBar(self.console, self._out) if self.console.is_terminal else None
        self._step = self.start_step
        self._figures: dict[str, Any] = {}
        self._broken = ""
        self._started = self._next = time.monotonic()
        self._gap = _FIRST_GAP
        self._told_step = -1
        self._last_line = 0.0
        self._next_share = 0.0

    def __enter__(self) -> Self:
        self._started = self._next = time.monotonic()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("", total=self.total_steps, completed=self.start_step)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show()
        if self._bar is not None:
            self._bar.stop()

    def update(self, step: int, **figures: Any) -> None:
        """Tells that a step is done; cheap enough for every one.

        Args:
            step: steps done since the beginning of the training.
            **figures: `d_loss`, `g_loss`, `real_score`, `fake_score`, `d_gradient_norm`, `g_gradient_norm`, `images_per_second` and
                others: numbers, or scalar tensors, which are read when they are shown only. Those of the last call are shown.
        """
        self._step, self._figures = step, figures
        if not self._broken:
            self._look_for_broken(figures)
        now = time.monotonic()
        if now < self._next:
            return
        if self._bar is not None:
            self._next = now + _BETWEEN
            self._show()
        elif self._due(now):
            self._show()

    def say(self, text: str) -> None:
        """Prints a paragraph above the bar, or among the plain lines."""
        for line in text.splitlines() or [""]:
            self._out.prose(line)

    def _due(self, now: float) -> bool:
        """Whether a plain line is; then the next one is planned."""
        done = self._step / self.total_steps
        if self._told_step >= 0 and now < self._last_line + self._gap and done < self._next_share:
            return False
        if self._told_step >= 0:
            self._gap = min(self._gap * _GROWTH, _LONGEST_GAP)
        self._last_line, self._next = now, now + _FIRST_GAP
        self._next_share = done + _SHARE
        return True

    def _look_for_broken(self, figures: dict[str, Any]) -> None:
        # Tensors stay where they are until they are shown: reading one in every step would wait for the device.
        for name, value in figures.items():
            if isinstance(value, float | np.floating) and not math.isfinite(value):
                self._broken = f"{name_words(name)} is {value_words(float(value))} at step {self._step}"
                self._next = 0.0
                self.say(f"{self._broken}.")
                return

    def _show(self) -> None:
        figures = {name: float(value) for name, value in self._figures.items()}
        if not self._broken:
            self._look_for_broken(figures)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._step, parts=_parts(figures, self._broken))
        elif self._step != self._told_step and self._step != self.start_step:
            left = self._left()
            words = [f"{name} {value}" for name, value, _ in _told(figures)]
            if math.isfinite(left) and self._step < self.total_steps:
                words.append(f"{duration_words(left)} left")
            if self._broken:
                words.append(self._broken)
            share = f"{100 * self._step / self.total_steps:.0f} %"
            self._out.line(", ".join([f"step {self._step} of {self.total_steps} ({share})", *words]))
            self._told_step = self._step

    def _left(self) -> float:
        """Seconds; not known until steps took a second in all."""
        elapsed, done = time.monotonic() - self._started, self._step - self.start_step
        return elapsed / done * (self.total_steps - self._step) if done and elapsed > 1.0 else math.inf


class _Left(ProgressColumn):
    """The time left, by the speed of the last steps."""

    def render(self, task: Task) -> Text:
        left = math.inf if task.time_remaining is None else task.time_remaining
        return Text(f"{duration_words(left)} left", style="cyan")


class _SteppedBar(Bar):
    """A bar with the figures in the lines below."""

    def __init__(self, console: Console, out: Printer) -> None:
        self._out = out
        super().__init__(
            SpinnerColumn("dots" if out.encoding.lower().startswith("utf") else "line"),
            TextColumn("step {task.completed:.0f} of {task.total:.0f}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:.0f} %"),
            _Left(),
            console=console,
            refresh_per_second=4,
            expand=False,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        for task in self.tasks:
            if task.fields.get("parts"):
                yield self._out.text("  ", *task.fields["parts"])


def _told(figures: dict[str, float]) -> list[tuple[str, str, str]]:
    """Name, value and style of each figure."""
    return [
        (name_words(name), value_words(value), "" if math.isfinite(value) else _BROKEN)
        for name, value in figures.items()
    ]


def _parts(figures: dict[str, float], broken: str) -> list[Part]:
    parts: list[Part] = []
    for name, value, style in _told(figures):
        parts += [("   " if parts else "", ""), (f"{name} ", "dim"), (value, style or "bold")]
    if broken:
        parts += [("   " if parts else "", ""), (broken, _BROKEN)]
    return parts
