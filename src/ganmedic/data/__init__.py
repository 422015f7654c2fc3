"""Data for a GAN: where it comes from, what is in it, and how it is normalised.

    from ganmedic import data
    data.audit("images/").findings
    data.Normalisation.fit(images, to="tanh")

What is asked for is imported then; TensorFlow only by `Normalise`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganmedic.data.auditing import audit
    from ganmedic.data.diversity import vendi_score
    from ganmedic.data.moments import Moments
    from ganmedic.data.normalisation import Normalisation
    from ganmedic.data.normalising_layer import Normalise
    from ganmedic.data.result import Audit, DataFinding
    from ganmedic.data.sources import DataError, open_source

__all__ = [
    "Audit",
    "DataError",
    "DataFinding",
    "Moments",
    "Normalisation",
    "Normalise",
    "audit",
    "open_source",
    "vendi_score",
]

_HOMES = {
    "Audit": "result",
    "DataError": "sources",
    "DataFinding": "result",
    "Moments": "moments",
    "Normalisation": "normalisation",
    "Normalise": "normalising_layer",
    "audit": "auditing",
    "open_source": "sources",
    "vendi_score": "diversity",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
