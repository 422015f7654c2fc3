"""Keras, for the extractors that are networks; the rest of the metrics works without."""

from __future__ import annotations

from typing import Any


def keras_for(owner: str) -> Any:
    """The module `keras`.

    Raises:
        ImportError: Keras or TensorFlow is not installed.
    """
    try:
        import keras
    except ModuleNotFoundError as missing:
        if missing.name not in ("tensorflow", "keras"):
            raise
        raise ImportError(
            f"{owner} is a network of Keras, and {missing.name} is not installed. "
            'Install it with: pip install "ganmedic[tensorflow]", or use extractor="random", which needs neither.'
        ) from missing
    return keras
