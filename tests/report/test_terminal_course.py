"""The course of a run in the terminal: small curves, scores, and what the run was too short for."""

from __future__ import annotations

import io
import math

from rich.console import Console

from ganmedic.finding import Course, Diagnosis, Judgement
from ganmedic.report.terminal import render_diagnosis
from ganmedic.report.terminal_course import sparkline


def printed(diagnosis: Diagnosis) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    render_diagnosis(console, diagnosis)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return " ".join(text.split())


def test_a_curve_rises_from_its_lowest_to_its_highest_mark():
    assert sparkline([0.0, 1.0, 2.0, 3.0]) == "▁▃▆█"
    assert sparkline([0.0, 10.0], plain=True) == "_^"


def test_a_flat_curve_stays_low_and_what_is_not_finite_is_marked():
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([1.0, math.nan, math.inf]) == "▁!!"


def test_a_long_curve_is_short():
    assert len(sparkline([float(index) for index in range(60)])) == 8


def test_losses_scores_and_a_run_that_is_too_short_are_told():
    text = printed(
        Diagnosis(
            courses=(Course("critic", "discriminator", 40, (0.7, 0.2), (1.0, 3.0), movement=0.01),),
            judgements=(Judgement(39, 1.5, -1.5, 0.97, 0.4),),
            too_short="the generator had 40 updates",
        )
    )
    assert "critic (discriminator)" in text
    assert "0.7 to 0.2" in text
    assert "1 %" in text
    assert "97 %" in text
    assert "samples spread 0.40" in text
    assert "the generator had 40 updates" in text


def test_nothing_is_printed_of_a_run_without_training():
    assert "gradient norm" not in printed(Diagnosis())
