"""ganmedic tells why a GAN does not learn, and has what makes it learn.

The parts a GAN is made healthy with are imported when they are asked for: `ganmedic.losses`, `penalties`, `clipping`, `balance`,
`augmentation`, `layers`, `objectives`, and `ganmedic.update` for one step of one player.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ganmedic.accumulation import GradientAccumulation
    from ganmedic.averaging import ExponentialMovingAverage
    from ganmedic.examination import Examination
    from ganmedic.finding import OnFinding
    from ganmedic.guard import GradientGuard
    from ganmedic.monitor import Monitor
    from ganmedic.training.gan import GAN
    from ganmedic.updating import update

__version__ = "0.1.0"
__all__ = [
    "GAN",
    "ExponentialMovingAverage",
    "GradientAccumulation",
    "GradientGuard",
    "Monitor",
    "__version__",
    "update",
    "watch",
]

#: What needs TensorFlow or Keras, and the module it lives in.
_HOMES = {
    "GAN": "training.gan",
    "ExponentialMovingAverage": "averaging",
    "GradientAccumulation": "accumulation",
    "GradientGuard": "guard",
    "Monitor": "monitor",
    "update": "updating",
}
_PARTS = (
    "augmentation",
    "balance",
    "clipping",
    "combination",
    "data",
    "layers",
    "losses",
    "metrics",
    "networks",
    "objectives",
    "penalties",
    "precision",
    "settings",
    "training",
)


def watch(
    *,
    on_finding: OnFinding | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    record_path: str | Path | None = None,
    preset: str = "light",
) -> Examination:
    """Watches the training inside a ``with`` block.

    Args:
        on_finding: called with each finding the moment it is known.
        steps: ends the block after so many training steps.
        seconds: ends the block after so many seconds.
        record_path: where to keep the record; ``None`` to drop it.
        preset: ``light`` or ``full``. Beside the gradients of every step, steps are run again now and then to measure all
            that lies between; ``light`` lets that take 1.5 seconds in all and 1 % of the time beyond, and looks at each
            gradient call at least once, ``full`` 4 seconds and 6 %, and at least three times.

    Returns:
        The examination; its ``diagnosis()`` holds the findings and shows itself in a notebook.

    Raises:
        ValueError: ``steps`` or ``seconds`` is not above 0, or there is no such ``preset``.

    Example:
        with ganmedic.watch() as examination:
            train(generator, discriminator, dataset)
        examination.diagnosis()
    """
    from ganmedic.examination import Examination

    return Examination(on_finding=on_finding, steps=steps, seconds=seconds, record_path=record_path, preset=preset)


def __getattr__(name: str) -> Any:
    """What needs TensorFlow is imported when it is asked for."""
    if name in _HOMES:
        return getattr(_imported(_HOMES[name]), name)
    if name in _PARTS:
        return _imported(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_PARTS})


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(f"ganmedic.{module}")
    except ModuleNotFoundError as missing:
        if missing.name not in ("tensorflow", "keras"):
            raise
        raise ImportError(
            f"ganmedic.{module} works on TensorFlow and Keras, and {missing.name} is not installed. "
            'Install it with: pip install "ganmedic[tensorflow]"'
        ) from missing
