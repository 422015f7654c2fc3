"""What lies inside a discriminator: its layers, and those that let samples of a batch influence each other."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any

import keras


def layers_of(network: Any) -> Iterator[Any]:
    """All Keras layers of a network, nested ones too; of a function those it closes over, or is bound or applied to.

    What a function reads from a module's globals is found by its name there. Layers that it makes itself are not found.
    """
    seen: set[int] = set()
    waiting = list(_roots(network, 0))
    while waiting:
        layer = waiting.pop(0)
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer
            waiting.extend(_children(layer))


def refuse_batch_normalisation(discriminator: Any, who: str) -> None:
    """Refuses batch normalisation under a penalty of each sample's own gradient.

    With batch statistics the score of sample i depends on every sample, and the gradient by sample i collects all of them.

    Raises:
        ValueError: such a layer is in training mode.
    """
    for layer in layers_of(discriminator):
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            raise ValueError(
                f"{who} penalises the gradient of each sample's own score, but the layer {layer.name!r} "
                "(BatchNormalization) makes every score depend on the whole batch (Gulrajani et al. 2017, section 4: no batch "
                "normalisation in the critic). Use LayerNormalization or GroupNormalization there, or none."
            )


def batch_coupling(discriminator: Any) -> str | None:
    """Name of the first layer that lets samples of a batch influence each other; None if none is known."""
    for layer in layers_of(discriminator):
        if isinstance(layer, keras.layers.BatchNormalization) or getattr(layer, "couples_samples", False):
            return str(layer.name)
    return None


def takes_training(network: Any) -> bool:
    """Whether it can be called with `training=`."""
    called = network.call if isinstance(network, keras.layers.Layer) else network
    try:
        return "training" in inspect.signature(called).parameters
    except (TypeError, ValueError):
        return False


def _children(layer: Any) -> Iterator[Any]:
    held = layer.layers if isinstance(layer, keras.Model) else list(vars(layer).values())
    for value in held:
        each = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else (value,)
        yield from (part for part in each if isinstance(part, keras.layers.Layer))


def _roots(network: Any, depth: int) -> Iterator[Any]:
    if isinstance(network, keras.layers.Layer):
        yield network
        return
    if depth > 3 or not callable(network):
        return
    inner = getattr(network, "python_function", network)  # of a tf.function
    if isinstance(inner, functools.partial):
        for part in (inner.func, *inner.args, *inner.keywords.values()):
            yield from _roots(part, depth + 1)
        return
    owner = getattr(inner, "__self__", None)
    if owner is not None:
        yield from _roots(owner, depth + 1)
    try:
        closed = inspect.getclosurevars(inspect.unwrap(inner))
    except (TypeError, ValueError):
        return
    for value in (*closed.nonlocals.values(), *closed.globals.values()):
        if isinstance(value, keras.layers.Layer) or inspect.isfunction(value):
            yield from _roots(value, depth + 1)
