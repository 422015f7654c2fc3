"""The residual networks of R3GAN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from ganmedic import checking
from ganmedic.layers import BlurDownsample2D, BlurUpsample2D
from ganmedic.networks._arguments import (
    SMALLEST,
    checked_common,
    checked_resolution,
    per_stage,
    stage_sizes,
    stage_width,
)
from ganmedic.networks._ends import (
    embedded,
    finished,
    head_dtype,
    latents_and_labels,
    model,
    samples_and_labels,
    with_classes,
)
from ganmedic.networks._weights import LEAKY_GAIN, SLOPE, Seeds
from ganmedic.networks.grouped_convolution import GroupedConv2D
from ganmedic.networks.pair import Networks
from ganmedic.networks.starting_maps import ScaledMaps

_OWNER = "resnet"
#: R3GAN's published configurations have 16 channels a group at every stage: 96 groups of 2 · 768 channels, 48 of 2 · 384.
_CHANNELS_A_GROUP = 16
#: Up to this size its stages are of full width; each one beyond has half of the one before.
_WIDEST_UNTIL = 32
_FILTER = (1, 2, 1)


@dataclass(frozen=True)
class _Stage:
    """The blocks at one size of the feature maps."""

    size: int
    width: int
    hidden: int
    groups: int
    blocks: int


def resnet(
    resolution: int = 64,
    channels: int = 3,
    *,
    width: int | None = None,
    latent_size: int | None = None,
    classes: int | None = None,
    output: str = "linear",
    blocks: int | Sequence[int] = 2,
    cardinality: int | Sequence[int] | None = None,
    expansion: int = 2,
    seed: int | None = None,
) -> Networks:
    """R3GAN's pair: a modern residual network without normalisation, the same on both sides.

    A block is x + W₃ φ(b₂ + W₂ φ(b₁ + W₁ x)): 1x1 to `expansion` times the width, 3x3 in groups, 1x1 back, φ a LeakyReLU of slope
    0.2. W₃ starts at 0, so every block starts as the identity and the gradient passes it whole, whatever the depth; W₁ and W₂
    start at N(0, g²/fan_in) with g = √(2/(1 + 0.2²)) · L^(-1/4), L the number of blocks of the network (fix-up: an update moves
    the output by as much at any depth). So in the first step W₁ and W₂ have a gradient of exactly 0; from the second on they
    have one. Sizes change by a [1, 2, 1] filter, with a 1x1 convolution where the width changes.

    The generator begins with learned 4x4 maps, one a channel, scaled by a linear function of the latents; the discriminator ends
    with one learned 4x4 map a channel, and a linear function. Its loss is relativistic with R1 and R2 at every step. Classes are
    embedded: beside the latents; and the discriminator's score is the product of the embedding and its last vector.

    Stages of 4 to 32 pixels have `width` channels, the next ones half of the one before, 16 at least. That is the published
    schedule for 32, 64 and 256 pixels at a width of 768 (1536 for ImageNet); 512 and 1024 pixels go on in the same way.
    It deviates in that half precision is Keras' policy for the whole network (but for samples, scores and embeddings), where R3GAN
    leaves 4x4 stages in float32, and in the borders of 16 channels.

    Args:
        resolution: of the images, a power of two from 16 to 1024.
        channels: whole number from 1 to 16.
        width: whole number from 4, channels of the widest stages; 32 for None, 768 is the paper's.
        latent_size: whole number from 1; 64 for None, as in the paper.
        classes: whole number from 2; None without labels.
        output: last activation of the generator: `linear`, as in the paper, `tanh` or `sigmoid`.
        blocks: whole number from 1, of each stage; or one for each stage, from 4 pixels upwards.
        cardinality: number of groups of the 3x3 convolutions, or one for each stage; it divides `expansion` times the width.
            None for groups of 16 channels, as in the paper.
        expansion: whole number from 1; how much wider a block is inside.
        seed: whole number from 0; None for other weights each time.

    Returns:
        The networks, built.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> pair = resnet(16, 1, width=16, classes=3, seed=1)
        >>> labels = tf.constant([0, 2])
        >>> images = pair.generator([tf.zeros((2, 64)), labels])
        >>> pair.discriminator([images, labels]).shape
        TensorShape([2, 1])

    References:
        Huang, Gokaslan, Kuleshov, Tompkin, *The GAN is dead; long live the GAN! A Modern GAN Baseline*, 2024
        (arXiv:2501.05441), section 3, and its code (brownvc/R3GAN). Zhang, Dauphin, Ma, *Fixup Initialization: Residual Learning
        Without Normalization*, 2019 (arXiv:1901.09321), section 3.
    """
    resolution = checked_resolution(_OWNER, resolution)
    checked_common(_OWNER, channels, classes, output, seed)
    width = checking.whole(_OWNER, "width", 32 if width is None else width, low=4)
    latent_size = checking.whole(_OWNER, "latent_size", 64 if latent_size is None else latent_size)
    checking.whole(_OWNER, "expansion", expansion)
    stages = _stages(resolution, width, blocks, cardinality, expansion)
    return Networks(
        _generator(stages, channels, latent_size, classes, output, Seeds(seed, 0)),
        _discriminator(stages, channels, classes, Seeds(seed, 1)),
    )


def _stages(
    resolution: int,
    width: int,
    blocks: int | Sequence[int],
    cardinality: int | Sequence[int] | None,
    expansion: int,
) -> list[_Stage]:
    sizes = stage_sizes(resolution)
    counts = per_stage(_OWNER, "blocks", blocks, len(sizes))
    given = None if cardinality is None else per_stage(_OWNER, "cardinality", cardinality, len(sizes))
    stages = []
    for place, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        own = stage_width(width, size, _WIDEST_UNTIL)
        hidden = own * expansion
        groups = _groups(hidden) if given is None else given[place]
        if hidden % groups:
            raise ValueError(
                f"{_OWNER}: cardinality is {groups} at {size} pixels, where {hidden} channels are convolved in groups; a divisor of "
                f"{hidden} is expected. Leave it None for groups of {_CHANNELS_A_GROUP} channels, or give one number for each stage."
            )
        stages.append(_Stage(size, own, hidden, groups, count))
    return stages


def _groups(hidden: int) -> int:
    """Groups of 16 channels, or of a few more where 16 does not divide them."""
    most = max(1, hidden // _CHANNELS_A_GROUP)
    return max(groups for groups in range(1, most + 1) if hidden % groups == 0)


def _generator(
    stages: list[_Stage], channels: int, latent_size: int, classes: int | None, output: str, seeds: Seeds
) -> keras.Model:
    latents, labels = latents_and_labels(latent_size, classes)
    # As a linear function of a one-hot label, with as many inputs as classes.
    spread = 1.0 / math.sqrt(classes or 1)
    values = with_classes(latents, labels, classes, latent_size, spread, seeds)
    values = _linear(values, stages[0].width, seeds, "scales")
    values = ScaledMaps(SMALLEST, seeds.next(), name="maps_4")(values)
    total = sum(stage.blocks for stage in stages)
    for stage in stages:
        if stage.size != SMALLEST:
            values = _resized(values, stage.width, seeds, f"to_{stage.size}")
            values = BlurUpsample2D(_FILTER, name=f"up_{stage.size}")(values)
        values = _blocks(values, stage, total, seeds)
    values = _convolution(values, channels, seeds, "colours")
    return model("generator", latents, labels, finished(values, output))


def _discriminator(stages: list[_Stage], channels: int, classes: int | None, seeds: Seeds) -> keras.Model:
    resolution = stages[-1].size
    samples, labels = samples_and_labels((resolution, resolution, channels), classes)
    values = _convolution(samples, stages[-1].width, seeds, "features")
    total = sum(stage.blocks for stage in stages)
    for stage in reversed(stages):
        if stage.size != resolution:
            values = BlurDownsample2D(_FILTER, name=f"down_{stage.size}")(values)
            values = _resized(values, stage.width, seeds, f"to_{stage.size}")
        values = _blocks(values, stage, total, seeds)
    values = keras.layers.DepthwiseConv2D(
        SMALLEST, use_bias=False, depthwise_initializer=seeds.scaled(SMALLEST * SMALLEST), name="maps_4"
    )(values)
    values = keras.layers.Flatten(name="row")(values)
    if labels is None or classes is None:
        return model("discriminator", samples, None, _linear(values, 1, seeds, "score"))
    # As long as the first stage is wide, as in the code of R3GAN; its spread there is 1/√(classes · length).
    size = stages[0].width
    embedding = embedded(labels, classes, size, 1.0 / math.sqrt(classes * size), seeds)
    vector = _linear(values, size, seeds, "vector")
    return model(
        "discriminator",
        samples,
        labels,
        keras.layers.Dot(axes=1, dtype=head_dtype(), name="score")([embedding, vector]),
    )


def _blocks(values: Any, stage: _Stage, total: int, seeds: Seeds) -> Any:
    """The residual blocks of a stage."""
    # Three layers a block: L^(-1/(2 · 3 - 2)).
    gain = LEAKY_GAIN * total ** (-1.0 / 4.0)
    for place in range(1, stage.blocks + 1):
        name = f"block_{stage.size}_{place}"
        inner = _convolution(values, stage.hidden, seeds, f"{name}_wider", gain=gain, use_bias=True)
        inner = keras.layers.LeakyReLU(SLOPE, name=f"{name}_active_1")(inner)
        kernel = seeds.scaled(9 * stage.hidden // stage.groups, gain)
        inner = GroupedConv2D(
            stage.hidden, 3, padding="same", groups=stage.groups, kernel_initializer=kernel, name=f"{name}_grouped"
        )(inner)
        inner = keras.layers.LeakyReLU(SLOPE, name=f"{name}_active_2")(inner)
        inner = _convolution(inner, stage.width, seeds, f"{name}_back", gain=0.0)
        values = keras.layers.Add(name=name)([values, inner])
    return values


def _resized(values: Any, width: int, seeds: Seeds, name: str) -> Any:
    """A 1x1 convolution where the width is another."""
    return values if int(values.shape[-1]) == width else _convolution(values, width, seeds, name)


def _convolution(
    values: Any, filters: int, seeds: Seeds, name: str, *, gain: float = 1.0, use_bias: bool = False
) -> Any:
    """A 1x1 convolution whose kernel starts at N(0, gain²/fan_in)."""
    kernel = seeds.scaled(int(values.shape[-1]), gain)
    return keras.layers.Conv2D(filters, 1, use_bias=use_bias, kernel_initializer=kernel, name=name)(values)


def _linear(values: Any, units: int, seeds: Seeds, name: str) -> Any:
    """A linear function in float32 at least: it makes scales and scores."""
    kernel = seeds.scaled(int(values.shape[-1]))
    return keras.layers.Dense(units, use_bias=False, kernel_initializer=kernel, dtype=head_dtype(), name=name)(values)
