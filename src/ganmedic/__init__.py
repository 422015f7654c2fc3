"""ganmedic tells why a GAN does not learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ganmedic.examination import Examination
    from ganmedic.finding import OnFinding
    from ganmedic.monitor import Monitor

__version__ = "0.1.0"
__all__ = ["Monitor", "__version__", "watch"]


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
    """``Monitor`` needs Keras and is imported when it is asked for."""
    if name == "Monitor":
        from ganmedic.monitor import Monitor

        return Monitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
