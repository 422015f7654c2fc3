"""What turns samples into the features that metrics compare; each has a `name` that goes into every score.

    features = ganmedic.metrics.extractors.get("random")
    classifier = ganmedic.metrics.extractors.train_classifier(images, labels)

No name but that of what was used: a Fréchet distance of random features says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ganmedic import checking
from ganmedic.metrics.arguments import refuse_unknown
from ganmedic.metrics.extractors.classifier import Classifier, load_classifier
from ganmedic.metrics.extractors.extractor import Extractor, Features
from ganmedic.metrics.extractors.inception import Inception
from ganmedic.metrics.extractors.pixels import Pixels
from ganmedic.metrics.extractors.random_features import RandomFeatures
from ganmedic.metrics.extractors.training_classifier import train_classifier

__all__ = [
    "Classifier",
    "Extractor",
    "Features",
    "Inception",
    "Pixels",
    "RandomFeatures",
    "get",
    "load_classifier",
    "names",
    "train_classifier",
]

_MEMBERS: dict[str, Callable[..., Extractor]] = {
    "random": RandomFeatures,
    "classifier": load_classifier,
    "inception": Inception,
    "pixels": Pixels,
}


def names() -> tuple[str, ...]:
    """The names that `get` knows."""
    return tuple(_MEMBERS)


def get(identifier: Any, **arguments: Any) -> Any:
    """The extractor of a name, with arguments; an extractor is given back as it is.

    Args:
        identifier: one of `names()`, or a callable with a `name`, see `Features`.
        arguments: `seed` and `filters` for `"random"`, `path` for `"classifier"`, `weights_file` and `download` for `"inception"`.

    Raises:
        ValueError: there is no such name, or a classifier is asked for without its file.
        TypeError: no name and no extractor came, or an argument is unknown.
    """
    if isinstance(identifier, str):
        name = checking.choice("extractors", "the name", identifier, _MEMBERS)
        if name == "classifier" and "path" not in arguments:
            raise ValueError(
                "extractors: 'classifier' came without a path; the file of a trained classifier is expected. Train one with "
                "train_classifier(images, labels) and give what it returns, or get('classifier', path='classifier.keras')."
            )
        refuse_unknown(f"extractor {name!r}", arguments, list(inspect.signature(_MEMBERS[name]).parameters))
        return _MEMBERS[name](**arguments)
    if arguments:
        raise ValueError(
            f"extractors: arguments came with {identifier!r}, which is made already. "
            f"Give its name instead: {checking.listed(_MEMBERS)}."
        )
    if not callable(identifier) or not isinstance(getattr(identifier, "name", None), str):
        raise TypeError(
            f"extractors: {identifier!r} came; {checking.listed(_MEMBERS)}, or a callable with a name, is expected. "
            "Set extractor.name, which goes into every score."
        )
    return identifier
