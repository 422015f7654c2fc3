"""How much time may go into looking closely, by the names that a program chooses from. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """What running steps again may cost.

    Attributes:
        seconds: that may be spent in any run.
        share: of the time that the program has run so far, 0 to 1, beyond that.
        least: so many looks at each gradient call are taken whatever they cost.
    """

    seconds: float
    share: float
    least: int


#: Presets by name.
PRESETS = {"light": Budget(seconds=1.5, share=0.01, least=1), "full": Budget(seconds=4.0, share=0.06, least=3)}


def check_preset(name: str) -> None:
    """Raises ValueError where there is no preset of a name."""
    if name not in PRESETS:
        raise ValueError(f"preset is {name!r}; expected {' or '.join(map(repr, PRESETS))}.")
