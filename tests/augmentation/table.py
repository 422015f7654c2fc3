"""Every augmentation and pipeline that the conformance tests run over, by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ganmedic.augmentation import AdaptiveAugmentation, Augmentation, DiffAugment

TABLE: dict[str, Callable[[], Augmentation]] = {
    "color": lambda: DiffAugment("color", seed=3),
    "translation": lambda: DiffAugment("translation", seed=3),
    "cutout": lambda: DiffAugment("cutout", seed=3),
    "flip": lambda: DiffAugment("flip", seed=3),
    "diff_augment": lambda: DiffAugment("color,translation,cutout,flip", seed=3),
    "b": lambda: AdaptiveAugmentation(initial_probability=0.7, pipeline="b", seed=3),
    "g": lambda: AdaptiveAugmentation(initial_probability=0.7, pipeline="g", seed=3),
    "c": lambda: AdaptiveAugmentation(initial_probability=0.7, pipeline="c", seed=3),
    "bgcno": lambda: AdaptiveAugmentation(initial_probability=0.7, pipeline="bgcno", seed=3),
}

#: What needs less than a function for each line of the table.
WHOLE = ("diff_augment", "bgcno")

every = pytest.mark.parametrize("make", TABLE.values(), ids=TABLE.keys())
whole = pytest.mark.parametrize("make", [TABLE[name] for name in WHOLE], ids=WHOLE)
