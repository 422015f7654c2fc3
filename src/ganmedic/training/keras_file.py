"""What of a GAN goes into a `.keras` file beside its networks: how it was compiled, and all that its training remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from ganmedic.training import state
from ganmedic.training.parts import Parts


def compile_config(parts: Parts, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `GAN.compile`, as plain data.

    Args:
        parts: what it made.
        arguments: those that are plain already.
    """
    plain = keras.saving.serialize_keras_object
    ways = (parts.turns, parts.skipping, parts.adaptive_weights, parts.noise, parts.top_k, parts.packing)
    same = parts.clips["generator"] is parts.clips["discriminator"]
    return {
        "loss": plain(parts.loss),
        "penalties": [plain(each) for each in parts.penalties()],
        "clip": _plain(parts.clips["generator"])
        if same
        else {name: _plain(clip) for name, clip in parts.clips.items()},
        "generator_optimizer": plain(parts.optimizers["generator"]),
        "discriminator_optimizer": plain(parts.optimizers["discriminator"]),
        "balance": [plain(each) for each in ways if each is not None],
        "ema": _plain(parts.ema),
        "augment": _plain(parts.augmentation),
        **arguments,
    }


def save(gan: Any, store: Any) -> None:
    """Writes what Keras itself does not keep."""
    for name, variable in _kept(gan).items():
        store[name.replace("/", "|")] = state.array_of(variable)


def load(gan: Any, store: Any) -> None:
    """Takes it back."""
    # A store of Keras has keys, and cannot be iterated over.
    names = list(store.keys())
    arrays = {name.replace("|", "/"): np.asarray(store[name]) for name in names}
    state.assign(_kept(gan), arrays, strict=gan.parts is not None and len(arrays) > 2)
    gan.restored()


def _kept(gan: Any) -> dict[str, Any]:
    if gan.parts is None:
        return {"steps": gan.steps, "random": gan.random.variables[0]}
    return state.variables_beside(gan)


def _plain(part: Any) -> Any:
    return None if part is None else keras.saving.serialize_keras_object(part)
