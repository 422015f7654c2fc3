"""Augmentation for GANs that have little data: what D sees is transformed, real and fake alike, and the gradient passes.

A discriminator that has seen each of few images many times knows them by heart, and its gradient no longer tells the generator
anything. Augmenting the real images alone does not help: the generator learns to make augmented images. Here D sees real and
fake through the same kind of transformation, in the step of D and in that of G, so that it is the unaugmented
distributions that have to match.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganmedic.augmentation.adaptive import AdaptiveAugmentation
from ganmedic.augmentation.augmentation import Augmentation
from ganmedic.augmentation.diff_augment import DiffAugment
from ganmedic.correction import Catalogue

#: Every augmentation by its name.
AUGMENTATIONS: Catalogue[Augmentation] = Catalogue(
    "augmentation", Augmentation, {"diff_augment": DiffAugment, "adaptive": AdaptiveAugmentation}
)


def get(identifier: str | Augmentation | Mapping[str, Any], *arguments: Any, **options: Any) -> Augmentation:
    """The augmentation of a name; arguments and errors as for `Catalogue.get`.

    Example:
        >>> get("diff_augment", policy="translation")
        DiffAugment(policy='translation', seed=None)
    """
    return AUGMENTATIONS.get(identifier, *arguments, **options)


def names() -> tuple[str, ...]:
    """The names that `get` knows."""
    return AUGMENTATIONS.names()


__all__ = ["AUGMENTATIONS", "AdaptiveAugmentation", "Augmentation", "DiffAugment", "get", "names"]
