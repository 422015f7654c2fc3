"""The figures of a step in words, short enough for a line."""

from __future__ import annotations

import math

_WORDS = {
    "d_loss": "D loss",
    "g_loss": "G loss",
    "real_score": "real score",
    "fake_score": "fake score",
    "d_gradient_norm": "D gradient",
    "g_gradient_norm": "G gradient",
    "images_per_second": "images/s",
}


def name_words(name: str) -> str:
    """Return `D loss` for `d_loss`; `D R1` for `d_R1`."""
    if name in _WORDS:
        return _WORDS[name]
    letter, _, rest = name.partition("_")
    return f"{letter.upper()} {rest.replace('_', ' ')}" if letter in "dg" and rest else name.replace("_", " ")


def value_words(value: float) -> str:
    """Return a number with three digits that count: `0.693`, `12504`, `3.1e-07`, `NaN`, `-inf`.

    Examples:
        >>> [value_words(value) for value in (0.6931, 12504.0, 3.1e-7, 0.0, math.nan)]
        ['0.693', '12504', '3.1e-07', '0', 'NaN']
    """
    if math.isnan(value):
        return "NaN"
    if 1000 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def duration_words(seconds: float) -> str:
    """Return `0:42`, `1:05:10` or `3 d 4:00:00`; `-` where it is not known."""
    if not math.isfinite(seconds) or seconds < 0:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = f"{hours}:{minutes:02d}:{rest:02d}" if hours or days else f"{minutes}:{rest:02d}"
    return f"{days} d {clock}" if days else clock
