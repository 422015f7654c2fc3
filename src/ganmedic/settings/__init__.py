"""The configuration of `ganmedic train`: read, checked and written without TensorFlow.

    settings = ganmedic.settings.load("train.toml")
    settings = ganmedic.settings.for_data("images", **{"training.steps": 500})
    settings = ganmedic.settings.changed(settings, {"loss.name": "hinge"})
    print(ganmedic.settings.dumps(settings))

`settings.loss`, `clip.generator`, `augmentation` and each of `penalties` is a `Part`: its name and all its arguments, for
`losses.get(part.name, **part.arguments)` or `part.build(losses.get)`. What cannot be is told at once, all of it, in a `SettingsError`.
"""

from __future__ import annotations

from ganmedic.settings.changing import changed, for_data
from ganmedic.settings.describing import reference
from ganmedic.settings.faults import Fault, SettingsError
from ganmedic.settings.reading import load
from ganmedic.settings.sections import Optimizer, Settings
from ganmedic.settings.tables import Part
from ganmedic.settings.writing import dumps

__all__ = [
    "Fault",
    "Optimizer",
    "Part",
    "Settings",
    "SettingsError",
    "changed",
    "dumps",
    "for_data",
    "load",
    "reference",
]
