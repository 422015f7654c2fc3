"""All that a training consists of, as arrays by name: what a checkpoint keeps, and what going back restores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ganmedic import checking

#: How the name of a learning rate ends.
LEARNING_RATE = "learning_rate"
#: NumPy has no such type; the bits are kept as those of this one.
_BITS = {"bfloat16": np.uint16}


def variables_of(gan: Any) -> dict[str, Any]:
    """Every variable of a compiled GAN: networks, optimizers, what the parts remember, the random stream, the step.

    Names are places, for what Keras calls a layer depends on how many were made before; they stay the same while parts are added or
    taken away.
    """
    found: dict[str, Any] = {}
    for player in ("generator", "discriminator"):
        for place, variable in enumerate(getattr(gan, player).variables):
            found[f"{player}/{place:04d}"] = variable
    return {**found, **variables_beside(gan)}


def variables_beside(gan: Any) -> dict[str, Any]:
    """The same without the networks' own."""
    found: dict[str, Any] = {"steps": gan.steps, "random": gan.random.variables[0]}
    for player, optimizer in gan.parts.optimizers.items():
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        for place, variable in enumerate(inner.variables):
            is_rate = variable.path.rsplit("/", 1)[-1] == "learning_rate"
            name = LEARNING_RATE if is_rate else format(place, "04d")
            found[f"{player}_optimizer/{type(inner).__name__} {name}"] = variable
        if inner is not optimizer:
            known = {id(variable) for variable in inner.variables}
            scaling = [variable for variable in optimizer.variables if id(variable) not in known]
            found.update({f"{player}_scaler/{place:04d}": variable for place, variable in enumerate(scaling)})
    for name, part in gan.parts.remembering():
        for place, variable in enumerate(part.variables):
            found[f"{name}/{place:04d}"] = variable
    # The sums of the figures belong to an epoch, which begins anew.
    found["row/last"] = gan.row.last
    return found


def snapshot(gan: Any) -> dict[str, NDArray[Any]]:
    """The values of all variables, copied."""
    return {name: array_of(variable) for name, variable in variables_of(gan).items()}


def restore(gan: Any, arrays: Mapping[str, Any], *, strict: bool = True) -> None:
    """Gives all variables their values, or none.

    Args:
        gan: compiled as the one the values are of.
        arrays: what `snapshot` gave.
        strict: whether every variable must be there, of its shape, and no other; without, what does not fit keeps its value.

    Raises:
        ValueError: names or shapes differ; nothing was changed.
    """
    assign(variables_of(gan), arrays, strict=strict)
    gan.restored()


def assign(variables: Mapping[str, Any], arrays: Mapping[str, Any], *, strict: bool = True) -> None:
    """Gives variables their values, or none of them; see `restore`."""
    missing = [name for name in variables if name not in arrays]
    unknown = [name for name in arrays if name not in variables]
    if strict and (missing or unknown):
        kind, names = ("has no", missing) if missing else ("has besides", unknown)
        raise ValueError(
            f"The state {kind} {checking.listed(names[:3])}{' and others' if len(names) > 3 else ''}; the state of a GAN with the same "
            "networks, optimizers and parts is expected. Make the GAN as it was when the state was kept."
        )
    pairs = []
    for name, variable in variables.items():
        if name not in arrays:
            continue
        value = np.asarray(arrays[name])
        if value.shape != tuple(variable.shape):
            if not strict:
                continue
            raise ValueError(
                f"The state holds {name} of shape {value.shape}; {tuple(variable.shape)} is expected. Another network?"
            )
        pairs.append((variable, value))
    for variable, value in pairs:
        variable.assign(_revived(value, variable))


def array_of(variable: Any) -> NDArray[Any]:
    """The value of a variable as an array that a file can hold."""
    value = np.array(tf.convert_to_tensor(variable))
    bits = _BITS.get(value.dtype.name)
    return value if bits is None else value.view(bits)


def _revived(value: NDArray[Any], variable: Any) -> Any:
    dtype = tf.as_dtype(variable.dtype)
    if dtype.name in _BITS and value.dtype == _BITS[dtype.name]:
        return tf.bitcast(tf.constant(value), dtype)
    return tf.cast(tf.constant(value), dtype)
