"""Resampling through a smoothing filter: no checkerboard on the way up, no aliasing on the way down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from ganmedic import checking
from ganmedic.layers._images import check_images
from ganmedic.layers._resampling import blurred_larger, blurred_smaller, checked_kernel


class _Blur(keras.layers.Layer):  # type: ignore[misc]
    """What both directions have in common: the arguments and their checks."""

    def __init__(self, kernel: Sequence[float] = (1, 3, 3, 1), factor: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.kernel = checked_kernel(type(self).__name__, "kernel", kernel)
        self.factor = checking.whole(type(self).__name__, "factor", factor)

    def build(self, input_shape: Any) -> None:
        """Checks the shape; there are no weights."""
        self.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs."""
        return {**super().get_config(), "kernel": list(self.kernel), "factor": self.factor}


@keras.saving.register_keras_serializable(package="ganmedic")
class BlurUpsample2D(_Blur):
    """Enlarges images: zeros are put between the pixels, then a filter smooths.

    With a transposed convolution or nearest neighbours a generator leaves checkerboards and edges of its own grid in the
    samples; a discriminator sees them at once. Each channel is treated by itself:

        y = factor² · (k kᵀ / (Σk)²) * (x with factor - 1 zeros after each row and column)

    Beyond the border the image counts as zero, as in StyleGAN2, so the outermost pixels are darker. Elsewhere a constant
    image stays constant if the sums of every `factor`-th tap are equal, as in (1, 1), (1, 2, 1) and (1, 3, 3, 1); (1, 1, 1)
    makes a checkerboard, and (1,) leaves the zeros in.

    Args:
        kernel: numbers k, one or more, whose sum is not 0; the filter along an axis. StyleGAN2 has (1, 3, 3, 1), R3GAN (1, 2, 1).
        factor: whole number from 1.
        **options: those of every Keras layer.

    Input: float tensor (batch, height, width, channels). Output: (batch, height · factor, width · factor, channels).

    Raises:
        TypeError, ValueError: an argument is out of its range, or the input is not of rank 4.

    Example:
        >>> images = np.ones((1, 3, 3, 1), "float32")
        >>> BlurUpsample2D()(images).numpy()[0, 2, :, 0].tolist()
        [0.75, 1.0, 1.0, 1.0, 1.0, 0.75]

    References:
        Karras et al., *Analyzing and Improving the Image Quality of StyleGAN*, 2020 (arXiv:1912.04958), and its code
        (`upsample_2d`); Zhang, *Making Convolutional Networks Shift-Invariant Again*, 2019 (arXiv:1904.11486).
    """

    def call(self, inputs: Any) -> Any:
        """Float tensor (batch, height, width, channels), enlarged."""
        return blurred_larger(inputs, self.kernel, self.factor)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, height · factor, width · factor, channels)."""
        channels = check_images("BlurUpsample2D", input_shape)
        sizes = (None if size is None else size * self.factor for size in input_shape[1:3])
        return (input_shape[0], *sizes, channels)


@keras.saving.register_keras_serializable(package="ganmedic")
class BlurDownsample2D(_Blur):
    """Makes images smaller: a filter smooths, then every `factor`-th pixel is kept.

    A strided convolution or pooling folds fine detail into coarse patterns that are not in the image, and the gradient it
    gives back to the generator reaches some pixels more than others. Each channel is treated by itself:

        y = every factor-th row and column of (k kᵀ / (Σk)²) * x

    Beyond the border the image counts as zero, as in StyleGAN2.

    Args:
        kernel: numbers k, one or more, whose sum is not 0; the filter along an axis. StyleGAN2 has (1, 3, 3, 1), R3GAN (1, 2, 1).
        factor: whole number from 1.
        **options: those of every Keras layer.

    Input: float tensor (batch, height, width, channels). Output: height and width over the factor, rounded down.

    Raises:
        TypeError, ValueError: an argument is out of its range, or the input is not of rank 4 or smaller than the factor.

    Example:
        >>> images = np.arange(6.0, dtype="float32").reshape(1, 1, 6, 1) * np.ones((1, 6, 1, 1), "float32")
        >>> BlurDownsample2D((1, 1))(images).numpy()[0, 1, :, 0].tolist()
        [0.5, 2.5, 4.5]

    References:
        Karras et al., *Analyzing and Improving the Image Quality of StyleGAN*, 2020 (arXiv:1912.04958), and its code
        (`downsample_2d`); Zhang, *Making Convolutional Networks Shift-Invariant Again*, 2019 (arXiv:1904.11486).
    """

    def call(self, inputs: Any) -> Any:
        """Float tensor (batch, height, width, channels), made smaller."""
        return blurred_smaller(inputs, self.kernel, self.factor)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, height // factor, width // factor, channels)."""
        channels = check_images("BlurDownsample2D", input_shape)
        for size in input_shape[1:3]:
            if size is not None and size < self.factor:
                raise ValueError(
                    f"BlurDownsample2D: an input of shape {tuple(input_shape)} came; height and width of at least the factor, "
                    f"{self.factor}, are expected. Leave out a resampling before, or give larger images."
                )
        sizes = (None if size is None else size // self.factor for size in input_shape[1:3])
        return (input_shape[0], *sizes, channels)
