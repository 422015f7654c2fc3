"""Data on their way to `GAN.fit`: batches, and the scaling that fits the generator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganmedic.data.normalisation import Normalisation
from ganmedic.data.output_range import ACTIVATION_RANGES, RangeWarning
from ganmedic.networks_inside import layers_of
from ganmedic.training import sampling

#: Floats without an end are scaled where they are further from zero mean and unit variance than this factor.
_FAR = 3.0
#: Data that leave out more than a quarter of the range were scaled for another one: [0, 1] under tanh.
_FILLED = 0.75
#: So many samples at most tell whether 8-bit values are colours.
_LOOKED_AT = 1000


def output_activation(generator: Any) -> str:
    """Name of the generator's last activation, as far as it is one whose range is known; else `linear`."""
    last = "linear"
    for layer in reversed(list(layers_of(generator))):
        if isinstance(layer, keras.layers.Reshape | keras.layers.Flatten | keras.Model):
            continue
        name = str(getattr(getattr(layer, "activation", None), "__name__", "linear"))
        last = name if name in ACTIVATION_RANGES else "linear"
        break
    return last


def declared(given: Any) -> Any:
    """The argument `normalisation` of a GAN, checked: a Normalisation, None or "auto".

    Raises:
        TypeError: it is something else.
    """
    if given is None or isinstance(given, Normalisation) or given == "auto":
        return given
    if isinstance(given, Mapping):
        return Normalisation.from_dict(dict(given))
    raise TypeError(
        f'GAN: normalisation is {given!r}; a ganmedic.data.Normalisation, "auto" or None is expected. Make one by Normalisation.fit.'
    )


def unpacked(data: Any, classes: int | None, layer: Any) -> tuple[Any, Any]:
    """One batch of `fit`: samples as the networks see them, float (batch, ...), and labels, int32 (batch,), or None.

    Args:
        data: samples, or (samples, labels).
        classes: number of classes; labels are passed over where it is None.
        layer: what normalises; None for data that are scaled already.

    Raises:
        ValueError: there are no labels, and the GAN has classes.
    """
    data = data[0] if isinstance(data, tuple | list) and len(data) == 1 else data
    real, labels = (data[0], data[1]) if isinstance(data, tuple | list) else (data, None)
    if classes is not None and labels is None:
        raise ValueError(
            f"GAN.fit: samples without labels came, and this GAN has {classes} classes. Give (samples, labels)."
        )
    real = tf.cast(real, tf.float32) if layer is None else layer(real)
    return real, None if classes is None else tf.cast(tf.reshape(labels, [-1]), tf.int32)


def normalisation_for(data: Any, activation: str) -> Normalisation | None:
    """How data are brought to what the generator can give; None where they are there already.

    Integers of eight bits are taken as colours, 0 to 255. Floats that fill the activation's range stay as they are; others are
    measured and brought to it; under an activation with one end, such as ReLU, to 0 and 1 where they leave it; under one without
    ends, to zero mean and unit variance where they are far from it.

    Args:
        data: array (n, ...), or a batched `tf.data.Dataset` of samples or (samples, labels).
        activation: the generator's last one.

    Raises:
        ValueError: they cannot be scaled, for example because some are not finite.
    """
    low, high = ACTIVATION_RANGES[activation]
    bounded = bool(np.isfinite(high - low))
    if isinstance(data, tf.data.Dataset):
        return _of_dataset(data, activation, bounded)
    array = np.asarray(data)
    if array.dtype == np.uint8:
        return Normalisation.fit(
            array[:: max(1, len(array) // _LOOKED_AT)], to=activation if bounded else "tanh", source_range=(0, 255)
        )
    if array.dtype.kind not in "fiub":
        raise ValueError(f"The samples are {array.dtype}; real numbers are expected.")
    if bounded:
        measured = Normalisation.fit(array, to=activation)
        return None if _fills(float(min(measured.minimum)), float(max(measured.maximum)), low, high) else measured
    whole = Normalisation.fit(array, to="standard")
    if np.isfinite(low):
        return Normalisation.fit(array, to=(low, low + 1.0)) if min(whole.minimum) < low or _is_far(whole) else None
    return whole if _is_far(whole) else None


def _of_dataset(data: Any, activation: str, bounded: bool) -> Normalisation | None:
    first = next(iter(data.take(1)), None)
    if first is None:
        raise ValueError("The tf.data.Dataset has no element; batches of samples are expected.")
    batch = np.asarray(first[0] if isinstance(first, tuple | list) else first)
    if batch.dtype == np.uint8:
        return Normalisation.fit(batch, to=activation if bounded else "tanh", source_range=(0, 255))
    low, high = ACTIVATION_RANGES[activation]
    lowest, highest = float(np.min(batch)), float(np.max(batch))
    if bounded and (lowest < low - 1e-6 or highest > high + 1e-6):
        raise ValueError(
            f"The first batch reaches from {lowest:.4g} to {highest:.4g}, the generator's {activation} from {low:g} to {high:g}: the "
            "discriminator would tell them apart by the range. Scale the data, or hand over how: "
            "GAN(..., normalisation=ganmedic.data.Normalisation.fit(samples, to="
            f'"{activation}")).'
        )
    if bounded and not _fills(lowest, highest, low, high):
        warnings.warn(
            f"The first batch reaches from {lowest:.4g} to {highest:.4g}, the generator's {activation} from {low:g} to {high:g}: the rest of "
            "its range is never real. Scale the data, or hand over how, as GAN(..., "
            f'normalisation=ganmedic.data.Normalisation.fit(samples, to="{activation}")).',
            RangeWarning,
            stacklevel=4,
        )
    if not bounded and _is_far(Normalisation.fit(batch, to="standard")):
        warnings.warn(
            f"The first batch reaches from {lowest:.4g} to {highest:.4g}. A generator learns such data slowly: scale them, or hand over "
            'how, as GAN(..., normalisation=ganmedic.data.Normalisation.fit(samples, to="standard")).',
            RangeWarning,
            stacklevel=4,
        )
    return None


def _fills(lowest: float, highest: float, low: float, high: float) -> bool:
    """Whether data lie within a range and leave no large part of it out."""
    inside = lowest >= low - 1e-6 and highest <= high + 1e-6
    return inside and highest - lowest >= _FILLED * (high - low)


def _is_far(measured: Normalisation) -> bool:
    mean, spread = np.array(measured.mean), np.array(measured.spread)
    return bool(np.any(spread > _FAR) or np.any((spread > 0) & (spread < 1 / _FAR)) or np.any(np.abs(mean) > _FAR))


def accept_arrays(samples: Any, labels: Any, sample_shape: tuple[int, ...], classes: int | None) -> None:
    """Refuses samples of another shape than the generator gives, and labels that are none.

    Raises:
        ValueError: of what they are.
    """
    if tuple(samples.shape[1:]) != sample_shape:
        raise ValueError(
            f"GAN.fit: samples of shape {tuple(samples.shape)} came; (n, {', '.join(map(str, sample_shape))}) is expected, "
            "the shape that the generator gives. Resize or reshape them, or make networks for this shape."
        )
    if classes is not None and labels is None:
        raise ValueError(
            f"GAN.fit: no labels came, and this GAN has {classes} classes. Give them: fit(samples, labels)."
        )
    if classes is not None:
        sampling.labels_for(len(samples), classes, np.asarray(labels).reshape(-1))


def accept_spec(spec: Any, sample_shape: tuple[int, ...]) -> None:
    """Refuses a `tf.data.Dataset` of other elements than batches of samples.

    Raises:
        ValueError: of what they are.
    """
    first = spec[0] if isinstance(spec, tuple | list) else spec
    shape = getattr(first, "shape", None)
    if shape is not None and shape.rank is not None and not shape[1:].is_compatible_with(sample_shape):
        raise ValueError(
            f"GAN.fit: the dataset gives {tuple(shape)}; (batch, {', '.join(map(str, sample_shape))}) is expected, the shape "
            "that the generator gives. Is it batched? dataset.batch(64, drop_remainder=True)"
        )


def batches(samples: Any, labels: Any, batch_size: int, seed: int) -> Any:
    """Arrays as a shuffled `tf.data.Dataset` of whole batches, in another order each epoch.

    Raises:
        ValueError: there are fewer samples than a batch, or not as many labels.
    """
    count = len(samples)
    if labels is not None and len(labels) != count:
        raise ValueError(f"GAN.fit: {count} samples and {len(labels)} labels came; one label for each is expected.")
    if count < batch_size:
        raise ValueError(
            f"GAN.fit: {count} samples came, fewer than the batch size, {batch_size}. Give a smaller batch_size, or more samples."
        )
    arrays = samples if labels is None else (samples, np.asarray(labels).astype(np.int32))
    dataset = tf.data.Dataset.from_tensor_slices(arrays)
    dataset = dataset.shuffle(count, seed=seed, reshuffle_each_iteration=True)
    return dataset.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
