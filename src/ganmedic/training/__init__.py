"""Training a GAN that stays healthy: the model, its parts, and the run that looks after it.

    gan = ganmedic.GAN(generator, discriminator)
    gan.fit(images, callbacks=[ganmedic.training.TensorBoard("logs")])
    ganmedic.training.export(gan, "export")

What is asked for is imported then; `showing` and the files of a run do without TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganmedic.training.exporting import export
    from ganmedic.training.gan import GAN
    from ganmedic.training.tensorboard import TensorBoard

__all__ = ["GAN", "TensorBoard", "export"]

_HOMES = {"GAN": "gan", "TensorBoard": "tensorboard", "export": "exporting"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
