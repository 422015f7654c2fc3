"""A normalisation as a Keras layer: inside `tf.data`, inside the model, and saved with it.

A model that is saved with its normalisation cannot be fed data that were scaled otherwise, and a generator that ends in
the inverse gives samples as the data were. Importing this module makes the layer known to `keras.saving.load_model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ganmedic.data.normalisation import Normalisation
from ganmedic.data.per_channel import refuse_other_channels


@keras.saving.register_keras_serializable(package="ganmedic")
class Normalise(keras.layers.Layer):  # type: ignore[misc]
    """Normalises a batch, or brings normalised samples back.

    forth: `y = (x - offset) / scale`; back: `x = y scale + offset`. It has no weights, keeps nothing of a batch, and the
    gradient passes through it. It is computed in float32 (float64 for float64 input) and then cast to the layer's compute
    type, so that data of mean 1e6 survive `mixed_float16`. A float32 cannot hold such an offset to the last digit;
    what it leaves over is subtracted separately.

    Args:
        normalisation: what to do, or the dictionary that its `to_dict` gave.
        inverse: whether to bring samples back.
        **options: those of every Keras layer, `name` and `dtype` among them.

    Raises:
        ValueError: float32 cannot hold the scale or offset of a channel.

    Example:
        >>> images = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
        >>> layer = Normalise(Normalisation.fit(images, to="tanh", source_range=(0, 255)))
        >>> np.ravel(layer(images)).tolist()
        [-1.0, -0.6000000238418579, 1.0]
        >>> np.ravel(layer.inverse()(layer(images))).round().tolist()
        [0.0, 51.0, 255.0]
    """

    def __init__(
        self, normalisation: Normalisation | Mapping[str, Any], *, inverse: bool = False, **options: Any
    ) -> None:
        # Keras would otherwise cast the input to the compute type first, and float16 ends at 65504.
        super().__init__(**{"trainable": False, **options, "autocast": False})
        if not isinstance(normalisation, Normalisation):
            normalisation = Normalisation.from_dict(normalisation)
        self.normalisation = normalisation
        self.inverts = inverse
        self.supports_masking = True
        self._refuse_beyond_float32()
        self.built = True

    def _refuse_beyond_float32(self) -> None:
        largest, smallest = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
        for name, numbers in (("offset", self.normalisation.offset), ("scale", self.normalisation.scale)):
            for channel, number in enumerate(numbers):
                if abs(number) > largest or (name == "scale" and number < smallest):
                    raise ValueError(
                        f"The {name} of channel {channel} is {number:g}; float32 holds {smallest:g} to {largest:g}. "
                        "Scale the data by a power of ten before they are measured."
                    )

    def call(self, inputs: Any) -> Any:
        """Normalises, or brings back: tensor (n, ..., channels) of any real type, of the shape that was measured."""
        wide = keras.backend.standardize_dtype(inputs.dtype) == "float64"
        dtype = "float64" if wide else "float32"
        values = ops.cast(inputs, dtype)
        # A data set made from a generator knows no rank.
        shape = None if getattr(inputs.shape, "rank", 0) is None else tuple(inputs.shape)
        if shape is not None:
            refuse_other_channels(shape, self.normalisation.channels, self.normalisation.axis)
        offset, rest, scale = self._constants(np.dtype(dtype), shape)
        # The rest is divided before it is taken off: two subtractions in a row would be folded into one, and rounded.
        result = (values + rest) * scale + offset if self.inverts else (values - offset) / scale - rest
        return ops.cast(result, self.compute_dtype)

    def _constants(
        self, dtype: np.dtype[Any], shape: tuple[int | None, ...] | None
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Offset, what it leaves over (in units of the scale) and scale, shaped to be broadcast along the channels."""
        exact, scale = np.array(self.normalisation.offset), np.array(self.normalisation.scale)
        rounded = exact.astype(dtype)
        rest = (exact - rounded) / scale
        axis = self.normalisation.axis
        if axis >= 0 and shape is None:
            raise ValueError(
                f"Data of unknown rank came; with channels on axis {axis}, counted from the front, it must be known. "
                f"Fit with an axis counted from the back, or set the shape: dataset.map(lambda x: tf.ensure_shape(x, ...))."
            )
        behind = -axis - 1 if shape is None or axis < 0 else len(shape) - axis - 1
        form = (-1,) + (1,) * behind
        rounded, rest, scale = (_shortest(numbers.astype(dtype), form) for numbers in (rounded, rest, scale))
        return rounded, rest, scale

    def inverse(self, **options: Any) -> Normalise:
        """The layer that undoes this one. The way back to the data gives float32 unless `dtype` says otherwise."""
        return Normalise(self.normalisation, inverse=not self.inverts, **{"dtype": "float32", **options})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs, the normalisation included."""
        return {**super().get_config(), "normalisation": self.normalisation.to_dict(), "inverse": self.inverts}


def _shortest(numbers: NDArray[Any], form: tuple[int, ...]) -> NDArray[Any]:
    """A scalar where all channels have the same number: broadcasting three channels takes several times as long."""
    return numbers[0] if (numbers == numbers[0]).all() else numbers.reshape(form)
