"""Clipping: gradients by value, norm, global norm, unit by unit or by their own history; and weights.

    clip = ganmedic.clipping.get("global_norm", 1.0)
    gradients = clip(tape.gradient(loss, variables), variables)
    clip.report()

A step with a gradient that is not finite is reported and never spread to the others. `names()` lists the ways, `suggest` says
which bounds are worth trying, from the gradients that were observed.
"""

from __future__ import annotations

from ganmedic.clipping.adaptive import Adaptive
from ganmedic.clipping.auto import Auto
from ganmedic.clipping.clip import Clip
from ganmedic.clipping.norms import GlobalNorm, Norm
from ganmedic.clipping.report import ClipReport
from ganmedic.clipping.suggesting import Suggestion, suggest
from ganmedic.clipping.value import Value
from ganmedic.clipping.weights import Weights
from ganmedic.correction import Catalogue

__all__ = [
    "Adaptive",
    "Auto",
    "Clip",
    "ClipReport",
    "GlobalNorm",
    "Norm",
    "Suggestion",
    "Value",
    "Weights",
    "get",
    "names",
    "suggest",
]

_CATALOGUE: Catalogue[Clip] = Catalogue(
    "clip",
    Clip,
    {
        "value": Value,
        "norm": Norm,
        "global_norm": GlobalNorm,
        "adaptive": Adaptive,
        "auto": Auto,
        "weights": Weights,
    },
)
get = _CATALOGUE.get
names = _CATALOGUE.names
