"""What a clip did, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ClipReport:
    """How often a clip acted, and how hard.

    Attributes:
        steps: calls.
        clipped: calls in which it changed something.
        mean_left: mean over these calls of the norm after divided by the norm before, 0 to 1; 1 where there were none.
            For `weights` the same of the weights.
        least_left: the smallest of them.
        non_finite_steps: calls with a gradient that was not finite.
        non_finite: in how many calls it was that of each variable; only variables that had one.
        threshold: bound of the last call, where it moves (`auto`) and one network was clipped, else None.
    """

    steps: int
    clipped: int
    mean_left: float
    least_left: float
    non_finite_steps: int
    non_finite: Mapping[str, int] = field(default_factory=dict)
    threshold: float | None = None

    @property
    def share_clipped(self) -> float:
        """Share of the calls in which it acted, 0 to 1."""
        return self.clipped / self.steps if self.steps else 0.0

    def __str__(self) -> str:
        if not self.steps:
            return "no step was clipped yet"
        text = f"acted in {self.clipped} of {self.steps} steps ({self.share_clipped:.0%})"
        if self.clipped:
            text += f", left {self.mean_left:.3g} of the norm on average, {self.least_left:.3g} at the least"
        if self.threshold is not None:
            text += f"; bound now {self.threshold:.3g}"
        if self.non_finite_steps:
            worst = sorted(self.non_finite, key=lambda name: -self.non_finite[name])
            named = ", ".join(f"{name} ({self.non_finite[name]})" for name in worst[:5])
            more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
            text += f"; not finite in {self.non_finite_steps} steps: {named}{more}"
        return text
