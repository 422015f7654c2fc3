"""DCGAN: strided convolutions, from 16 to 1024 pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras

from ganmedic import checking
from ganmedic.layers import PixelNormalization
from ganmedic.networks._arguments import SMALLEST, checked_common, checked_resolution, stage_sizes, stage_width
from ganmedic.networks._ends import (
    CLASS_SPREAD,
    finished,
    head_dtype,
    latents_and_labels,
    model,
    projected_score,
    samples_and_labels,
    with_classes,
)
from ganmedic.networks._weights import LEAKY_GAIN, SLOPE, Seeds
from ganmedic.networks.pair import Networks

_OWNER = "dcgan"
#: What a layer may be followed by.
NORMALISATIONS = ("none", "batch", "layer", "group", "pixel")
#: Channels that share their statistics in group normalisation (Wu, He 2018, section 4.1).
_CHANNELS_A_GROUP = 16


def dcgan(
    resolution: int = 64,
    channels: int = 3,
    *,
    width: int | None = None,
    latent_size: int | None = None,
    classes: int | None = None,
    output: str = "linear",
    normalisation: str = "none",
    generator_normalisation: str = "batch",
    kernel_size: int = 4,
    initial_spread: float | None = None,
    seed: int | None = None,
) -> Networks:
    """The networks of DCGAN, with as many strided convolutions as the resolution takes.

    The generator: a dense layer to 4x4, then transposed convolutions of stride 2 with ReLU. The discriminator: convolutions of
    stride 2 with LeakyReLU of slope 0.2 down to 4x4, then a dense layer. Of size s, 4 to resolution/2, there are
    width · 4/s channels, 16 at least. With classes, the generator reads a learned vector of the class beside the latents, and
    the discriminator is a projection discriminator on the mean over the 4x4 positions.

    From the paper it deviates where R1, R2 and higher resolutions ask for it:

    - The discriminator has no normalisation. Batch normalisation makes a score depend on the whole batch, and penalties on each
      sample's own gradient are wrong with it; `normalisation="batch"` is the paper's.
    - N(0, 0.02²) suits a layer that is normalised, or one with some 4000 inputs to a unit; in a narrow or deep network without
      normalisation it loses two thirds of the signal a layer. So a layer without normalisation behind it starts at
      N(0, 2/((1 + slope²) fan_in)), the last ones at N(0, 1/fan_in). `initial_spread=0.02` is the paper's.
    - Raw scores in place of a sigmoid; the last activation of the generator is an argument (the paper's: `output="tanh"`).

    Args:
        resolution: of the images, a power of two from 16 to 1024.
        channels: whole number from 1 to 16.
        width: whole number from 4, channels at 4x4; 256 for None, 1024 is the paper's.
        latent_size: whole number from 1; 100 for None, as in the paper.
        classes: whole number from 2; None without labels.
        output: last activation of the generator: `linear`, `tanh` or `sigmoid`.
        normalisation: of the discriminator, behind all its convolutions but the first: `none`, `batch`, `layer` (over all positions
            and channels of a sample), `group` (16 channels at a time) or `pixel`.
        generator_normalisation: of the generator, behind all its layers but the last.
        kernel_size: whole number from 2; 4, or 5 as in the paper's figure. An odd one overlaps unevenly at stride 2.
        initial_spread: above 0; standard deviation of every kernel at the start, or None for the rule above.
        seed: whole number from 0; None for other weights each time.

    Returns:
        The networks, built.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> pair = dcgan(32, 1, width=32, seed=1)
        >>> pair.discriminator(pair.generator(np.zeros((2, 100), "float32"))).shape
        TensorShape([2, 1])

    References:
        Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks*,
        2016 (arXiv:1511.06434), sections 3 and 4. Miyato, Koyama, *cGANs with Projection Discriminator*, 2018
        (arXiv:1802.05637). No batch normalisation under a penalty: Gulrajani et al. 2017 (arXiv:1704.00028), section 4.
    """
    resolution = checked_resolution(_OWNER, resolution)
    checked_common(_OWNER, channels, classes, output, seed)
    width = checking.whole(_OWNER, "width", 256 if width is None else width, low=4)
    latent_size = checking.whole(_OWNER, "latent_size", 100 if latent_size is None else latent_size)
    checking.choice(_OWNER, "normalisation", normalisation, NORMALISATIONS)
    checking.choice(_OWNER, "generator_normalisation", generator_normalisation, NORMALISATIONS)
    checking.whole(_OWNER, "kernel_size", kernel_size, low=2)
    if initial_spread is not None:
        checking.number(_OWNER, "initial_spread", initial_spread, above=0.0)
    plan = _Plan(resolution, channels, width, classes, kernel_size, initial_spread)
    generator_weights, discriminator_weights = Seeds(seed, 0), Seeds(seed, 1)
    return Networks(
        _generator(plan, latent_size, output, generator_normalisation, generator_weights),
        _discriminator(plan, normalisation, discriminator_weights),
    )


class _Plan:
    """What both networks are made by."""

    def __init__(
        self,
        resolution: int,
        channels: int,
        width: int,
        classes: int | None,
        kernel_size: int,
        initial_spread: float | None,
    ) -> None:
        self.resolution, self.channels, self.classes = resolution, channels, classes
        self.kernel_size, self.initial_spread = kernel_size, initial_spread
        self.sizes = stage_sizes(resolution // 2)
        self.widths = [stage_width(width, size, SMALLEST) for size in self.sizes]

    def kernel(self, seeds: Seeds, fan_in: float, gain: float, normalised: bool) -> Any:
        """Where a kernel starts, by how many inputs a unit has and what comes behind."""
        if self.initial_spread is not None:
            return seeds.normal(self.initial_spread)
        return seeds.normal(0.02) if normalised else seeds.normal(gain / math.sqrt(fan_in))


def _generator(plan: _Plan, latent_size: int, output: str, normalisation: str, seeds: Seeds) -> keras.Model:
    latents, labels = latents_and_labels(latent_size, plan.classes)
    normalised = normalisation != "none"
    values = with_classes(latents, labels, plan.classes, latent_size, CLASS_SPREAD, seeds)
    kernel = plan.kernel(seeds, int(values.shape[-1]), math.sqrt(2.0), normalised)
    units = SMALLEST * SMALLEST * plan.widths[0]
    values = keras.layers.Dense(units, use_bias=not normalised, kernel_initializer=kernel, name="to_4")(values)
    values = keras.layers.Reshape((SMALLEST, SMALLEST, plan.widths[0]), name="maps_4")(values)
    values = _normalised(values, normalisation, "norm_4")
    values = keras.layers.ReLU(name="active_4")(values)
    for size, filters in zip([*plan.sizes[1:], plan.resolution], [*plan.widths[1:], plan.channels], strict=True):
        last = size == plan.resolution
        # Of a kernel k with stride 2, each pixel sees k/2 taps along an axis.
        fan_in = (plan.kernel_size / 2) ** 2 * int(values.shape[-1])
        kernel = plan.kernel(seeds, fan_in, 1.0 if last else math.sqrt(2.0), normalised and not last)
        values = keras.layers.Conv2DTranspose(
            filters,
            plan.kernel_size,
            strides=2,
            padding="same",
            use_bias=last or not normalised,
            kernel_initializer=kernel,
            name=f"to_{size}",
        )(values)
        if not last:
            values = _normalised(values, normalisation, f"norm_{size}")
            values = keras.layers.ReLU(name=f"active_{size}")(values)
    return model("generator", latents, labels, finished(values, output))


def _discriminator(plan: _Plan, normalisation: str, seeds: Seeds) -> keras.Model:
    shape = (plan.resolution, plan.resolution, plan.channels)
    values, labels = samples_and_labels(shape, plan.classes)
    samples = values
    for size, filters in zip(plan.sizes[::-1], plan.widths[::-1], strict=True):
        normalised = normalisation != "none" and size != plan.sizes[-1]
        kernel = plan.kernel(seeds, plan.kernel_size**2 * int(values.shape[-1]), LEAKY_GAIN, normalised)
        values = keras.layers.Conv2D(
            filters,
            plan.kernel_size,
            strides=2,
            padding="same",
            use_bias=not normalised,
            kernel_initializer=kernel,
            name=f"to_{size}",
        )(values)
        if normalised:
            values = _normalised(values, normalisation, f"norm_{size}")
        values = keras.layers.LeakyReLU(SLOPE, name=f"active_{size}")(values)
    row = keras.layers.Flatten(name="row")(values)
    kernel = plan.kernel(seeds, int(row.shape[-1]), 1.0, False)
    score = keras.layers.Dense(1, kernel_initializer=kernel, dtype=head_dtype(), name="score")(row)
    if labels is not None:
        row = keras.layers.GlobalAveragePooling2D(dtype=head_dtype(), name="mean_features")(values)
    return model("discriminator", samples, labels, projected_score(row, score, labels, plan.classes, seeds))


def _normalised(values: Any, normalisation: str, name: str) -> Any:
    """The values behind the normalisation of a name."""
    channels = int(values.shape[-1])
    makers: dict[str, Callable[[], Any]] = {
        # The momentum and epsilon of the public implementations; Keras' own forget ten times more slowly.
        "batch": lambda: keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name),
        "layer": lambda: keras.layers.GroupNormalization(1, epsilon=1e-5, name=name),
        "group": lambda: keras.layers.GroupNormalization(_groups(channels), epsilon=1e-5, name=name),
        "pixel": lambda: PixelNormalization(name=name),
    }
    return values if normalisation == "none" else makers[normalisation]()(values)


def _groups(channels: int) -> int:
    """The number of groups nearest to 16 channels each that divides the channels."""
    most = max(1, channels // _CHANNELS_A_GROUP)
    return max(groups for groups in range(1, most + 1) if channels % groups == 0)
