"""What lies inside a discriminator: its layers, and those that let samples of a batch influence each other."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf


def layers_of(network: Any) -> Iterator[Any]:
    """All Keras layers of a network in their order, nested ones too; of a function those it closes over, or is bound or applied to.

    What a function reads from a module's globals is found by its name there. Layers that it makes itself are not found.
    """
    seen: set[int] = set()
    waiting = list(_roots(network, 0))
    while waiting:
        layer = waiting.pop(0)
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer
            waiting[:0] = _children(layer)


def batch_normalised(network: Any) -> str | None:
    """Name of the first layer that normalises by the batch in training; None if there is none.

    Only a Keras network is looked into: what a function runs, and in which mode, is seen when it runs (`Calls`).
    """
    if isinstance(network, keras.layers.Layer):
        for layer in layers_of(network):
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
                return str(layer.name)
    return None


def batch_coupling(network: Any, training: bool = True) -> str | None:
    """Name of the first layer that lets samples of a batch influence each other; None if none is known."""
    for layer in layers_of(network):
        frozen = not (training and layer.trainable)
        if isinstance(layer, keras.layers.BatchNormalization) and not frozen:
            return str(layer.name)
        if getattr(layer, "couples_samples", False):
            return str(layer.name)
    return None


class Calls:
    """Notes, while a discriminator is called, in which mode its layers run that run differently in training.

    Attributes:
        normalised: name of a layer that normalised by the batch; None if none did.
        idle: name of a layer that ran in inference mode; None if none did.
    """

    def __init__(self) -> None:
        self.normalised: str | None = None
        self.idle: str | None = None

    @contextlib.contextmanager
    def of(self, network: Any) -> Iterator[None]:
        """Notes calls inside the block; the layers are as they were behind it."""
        noted = [layer for layer in layers_of(network) if _depends_on_training(layer) and "call" not in vars(layer)]
        for layer in noted:
            # Past Keras' own bookkeeping of attributes: it is no part of the layer.
            vars(layer)["call"] = self._noting(layer)
        try:
            yield
        finally:
            for layer in noted:
                vars(layer).pop("call", None)

    def _noting(self, layer: Any) -> Any:
        original, signature = layer.call, inspect.signature(layer.call)

        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
        def call(*arguments: Any, **options: Any) -> Any:
            training = signature.bind(*arguments, **options).arguments.get("training")
            if training and layer.trainable and isinstance(layer, keras.layers.BatchNormalization):
                self.normalised = self.normalised or str(layer.name)
            if not training and layer.trainable:
                self.idle = self.idle or str(layer.name)
            return original(*arguments, **options)

        return call


def _depends_on_training(layer: Any) -> bool:
    kinds = (keras.layers.BatchNormalization, keras.layers.SpectralNormalization, keras.layers.Dropout)
    return isinstance(layer, kinds) or bool(getattr(layer, "bounds_spectral_norm", False))


def takes_training(network: Any) -> bool:
    """Whether it can be called with `training=`."""
    called = network.call if isinstance(network, keras.layers.Layer) else network
    try:
        parameters = inspect.signature(called).parameters.values()
        return any(each.name == "training" or each.kind is each.VAR_KEYWORD for each in parameters)
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
    if isinstance(owner, keras.layers.Layer):
        yield owner
    elif owner is not None:
        yield from _held_by(owner)
    try:
        closed = inspect.getclosurevars(inspect.unwrap(inner))
    except (TypeError, ValueError):
        return
    for value in (*closed.nonlocals.values(), *closed.globals.values()):
        if isinstance(value, keras.layers.Layer) or inspect.isfunction(value):
            yield from _roots(value, depth + 1)
        elif not inspect.ismodule(value) and not isinstance(value, type):
            yield from _held_by(value)


def _held_by(owner: Any) -> Iterator[Any]:
    """The networks that a plain object holds: a GAN that is a class of its own."""
    yield from (value for value in getattr(owner, "__dict__", {}).values() if isinstance(value, keras.layers.Layer))
