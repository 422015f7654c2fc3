"""The bar, and the plain lines where there is none."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pytest
from rich.console import Console

from ganmedic.training.showing import progress as module
from ganmedic.training.showing.figure_words import duration_words, name_words, value_words
from ganmedic.training.showing.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: `clock[0]` is the time."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def plain() -> Console:
    return Console(file=io.StringIO(), width=200)


def steps_told(console: Console) -> list[int]:
    return [int(step) for step in re.findall(r"^step (\d+)", console.file.getvalue(), re.MULTILINE)]


def test_plain_lines_come_at_growing_intervals(clock) -> None:
    console = plain()
    with Progress(1_000_000, console=console) as progress:
        for step in range(1, 5001):
            clock[0] += 1.0
            progress.update(step, d_loss=0.5)
    told = steps_told(console)
    assert told[0] == 1
    assert told[-1] == 5000
    gaps = np.diff(told[:-1])
    assert gaps[0] >= 10
    assert (np.diff(gaps) >= 0).all()
    assert gaps.max() == 600
    assert len(told) < 25


def test_plain_lines_come_with_every_twentieth_of_the_steps_but_not_within_10_seconds(clock) -> None:
    for seconds, most in ((1.0, 11), (3.0, 6), (0.001, 0)):
        console = plain()
        with Progress(100, console=console) as progress:
            for step in range(1, 101):
                clock[0] += seconds
                progress.update(step)
        gaps = np.diff(steps_told(console)[:-1])
        assert (gaps * seconds >= 10).all()
        assert gaps.max(initial=0) <= most
        assert steps_told(console)[-1] == 100


def test_a_line_has_the_figures_and_the_time_left(clock) -> None:
    console = plain()
    with Progress(200, start_step=100, console=console) as progress:
        clock[0] += 20.0
        progress.update(110, d_loss=0.69314, fake_score=np.float32(-1.5), images_per_second=12504.2)
    line = console.file.getvalue().splitlines()[0]
    # 10 steps in 20 seconds, 90 to go.
    assert line == "step 110 of 200 (55 %), D loss 0.693, fake score -1.5, images/s 12504, 3:00 left"


@pytest.mark.parametrize("terminal", [False, True])
def test_nan_is_told_at_once_and_named_until_the_end(clock, terminal: bool) -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=terminal)
    with Progress(100, console=console) as progress:
        progress.update(1, g_loss=0.5)
        progress.update(2, g_loss=math.nan)
        progress.update(3, g_loss=0.5)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())
    assert "G loss is NaN at step 2." in text
    assert text.rstrip().splitlines()[-1].endswith("G loss is NaN at step 2")
    assert "step 3 of 100" in text


def test_figures_are_read_only_when_they_are_shown(clock) -> None:
    class Tensor:
        read = 0

        def __float__(self) -> float:
            Tensor.read += 1
            return 0.5

    with Progress(10_000, console=Console(file=io.StringIO(), width=200, force_terminal=True)) as progress:
        for step in range(1, 1001):
            clock[0] += 0.01
            progress.update(step, d_loss=Tensor())
    # 10 seconds, five times a second, and the end.
    assert Tensor.read == pytest.approx(51, abs=3)


def test_what_is_said_stands_above_the_bar_and_is_not_taken_for_markup(clock) -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with Progress(10, console=console) as progress:
        progress.update(1, d_loss=0.5)
        progress.say("step 1: \x1b[2J[bold]halved[/bold]")
        progress.update(2, d_loss=0.5)
    text = console.file.getvalue()
    assert "step 1: \\x1b[2J[bold]halved[/bold]" in text
    assert text.index("halved") < text.rindex("step 2 of 10")


def test_an_error_goes_through_and_the_terminal_is_left_as_it_was(clock) -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)

    def interrupted() -> None:
        with Progress(10, console=console) as progress:
            progress.update(4, d_loss=0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    text = console.file.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "step 4 of 10" in text
    with pytest.raises(ValueError, match="total_steps is 0"):
        Progress(0)


def test_words() -> None:
    assert [duration_words(seconds) for seconds in (0, 42.4, 3909, 90_000, math.inf)] == [
        "0:00",
        "0:42",
        "1:05:09",
        "1 d 1:00:00",
        "-",
    ]
    assert [value_words(value) for value in (0.0123456, 123456.0, 1.5e9, -math.inf)] == [
        "0.0123",
        "123456",
        "1.5e+09",
        "-inf",
    ]
    assert [name_words(name) for name in ("d_loss", "g_path_length", "augmentation_probability")] == [
        "D loss",
        "G path length",
        "augmentation probability",
    ]
