"""The networks of StyleGAN2: the arguments, and the generator."""

from __future__ import annotations

import math
from typing import Any

import keras

from ganmedic import checking
from ganmedic.layers import BlurUpsample2D, EqualizedLearningRate, ModulatedConv2D, NoiseInjection, PixelNormalization
from ganmedic.networks._arguments import SMALLEST, checked_common, checked_resolution, stage_sizes
from ganmedic.networks._ends import embedded, finished, head_dtype, latents_and_labels, model
from ganmedic.networks._weights import Seeds
from ganmedic.networks.pair import Networks
from ganmedic.networks.scaled_leaky_relu import ScaledLeakyReLU
from ganmedic.networks.starting_maps import LearnedMaps
from ganmedic.networks.style_discriminator import style_discriminator

_OWNER = "style"
ARCHITECTURES = ("skip", "residual")
#: StyleGAN2's widths are min(32768/size, 512): 64 times as many channels times pixels as the widest stage has channels.
_WIDTH_BASE = 64
_NARROWEST = 16


def style(
    resolution: int = 64,
    channels: int = 3,
    *,
    width: int | None = None,
    width_base: int | None = None,
    latent_size: int | None = None,
    classes: int | None = None,
    output: str = "linear",
    architecture: str = "skip",
    mapping_layers: int = 8,
    mapping_multiplier: float = 0.01,
    noise: bool = True,
    minibatch_group: int | None = 4,
    seed: int | None = None,
) -> Networks:
    """StyleGAN2's pair: a mapping network, modulated convolutions and a residual discriminator.

    Latents are scaled to unit length a number, and dense layers make a style w of them; w steers every convolution of the
    synthesis, which begins with learned 4x4 maps. All kernels have an equalised learning rate, that of the mapping is 100
    times lower. With `skip` each size adds its colours to the enlarged image of the size before, so the gradient reaches every
    size past all later ones; with `residual` the feature maps go on beside a 1x1 branch. The discriminator is residual,
    sizes change through a (1, 3, 3, 1) filter, and near its end it sees how much the samples of a batch differ.

    Of size s there are min(width_base/s, width) channels, 16 at least; 32768 and 512 are the paper's (its configuration F).
    It deviates in: no style mixing and no moving average of w (truncation is for sampling); classes by a projection discriminator
    (Miyato, Koyama 2018), where StyleGAN2-ADA has a second mapping network; and half precision is Keras' policy for all convolutions,
    not for the four highest resolutions alone. Under float16 activations are clipped to ±256, as in StyleGAN2-ADA.

    Args:
        resolution: of the images, a power of two from 16 to 1024.
        channels: whole number from 1 to 16.
        width: whole number from 4, channels of the widest stages; 32 for None, 512 is the paper's.
        width_base: whole number from 1; 64 · width for None.
        latent_size: whole number from 1, of latents and of w; `width` for None, as in the paper.
        classes: whole number from 2; None without labels.
        output: last activation of the generator: `linear`, as in the paper, `tanh` or `sigmoid`.
        architecture: of the generator, `skip` or `residual`.
        mapping_layers: whole number from 1; 8 in the paper, 2 in some configurations of StyleGAN2-ADA.
        mapping_multiplier: above 0; of the learning rate of the mapping network.
        noise: whether each convolution is followed by noise of a learned strength, which starts at 0.
        minibatch_group: whole number from 2, samples whose spread the discriminator is shown; None for none.
            Samples of a group influence each other's scores.
        seed: whole number from 0; None for other weights each time.

    Returns:
        The networks, built.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> pair = style(16, 3, width=16, mapping_layers=2, seed=1)
        >>> pair.discriminator(pair.generator(np.ones((2, 16), "float32"))).shape
        TensorShape([2, 1])

    References:
        Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, *Analyzing and Improving the Image Quality of StyleGAN*, 2020
        (arXiv:1912.04958), sections 2 to 4. Karras, Laine, Aila, *A Style-Based Generator Architecture for Generative
        Adversarial Networks*, 2019 (arXiv:1812.04948). Karras et al., *Training Generative Adversarial Networks with Limited
        Data*, 2020 (arXiv:2006.06676), appendix C.
    """
    resolution = checked_resolution(_OWNER, resolution)
    checked_common(_OWNER, channels, classes, output, seed)
    width = checking.whole(_OWNER, "width", 32 if width is None else width, low=4)
    base = checking.whole(_OWNER, "width_base", _WIDTH_BASE * width if width_base is None else width_base)
    latent_size = checking.whole(_OWNER, "latent_size", width if latent_size is None else latent_size)
    checking.choice(_OWNER, "architecture", architecture, ARCHITECTURES)
    checking.whole(_OWNER, "mapping_layers", mapping_layers)
    checking.number(_OWNER, "mapping_multiplier", mapping_multiplier, above=0.0)
    checking.flag(_OWNER, "noise", noise)
    if minibatch_group is not None:
        hint = "Take None for a discriminator that sees samples one by one."
        checking.whole(_OWNER, "minibatch_group", minibatch_group, low=2, hint=hint)
    widths = {size: max(min(width, _NARROWEST), min(base // size, width)) for size in stage_sizes(resolution)}
    synthesis = _Synthesis(widths, channels, architecture, noise, Seeds(seed, 0))
    return Networks(
        synthesis.generator(latent_size, classes, output, mapping_layers, mapping_multiplier),
        style_discriminator(widths, channels, classes, minibatch_group, Seeds(seed, 1)),
    )


class _Synthesis:
    """Makes the generator, layer by layer.

    Args:
        widths: channels by size, 4 upwards.
    """

    def __init__(self, widths: dict[int, int], channels: int, architecture: str, noise: bool, seeds: Seeds) -> None:
        self.widths, self.channels = widths, channels
        self.architecture, self.noise, self.seeds = architecture, noise, seeds

    def generator(
        self, latent_size: int, classes: int | None, output: str, mapping_layers: int, mapping_multiplier: float
    ) -> keras.Model:
        """The whole of it."""
        latents, labels = latents_and_labels(latent_size, classes)
        styles = self._mapped(latents, labels, classes, mapping_layers, mapping_multiplier)
        values = LearnedMaps(self.widths[SMALLEST], SMALLEST, self.seeds.next(), name="maps_4")(styles)
        values = self._convolved(values, styles, SMALLEST, "conv_4")
        images = self._colours(values, styles, SMALLEST) if self.architecture == "skip" else None
        for size in list(self.widths)[1:]:
            branch, gain = None, math.sqrt(2.0)
            if images is None:
                branch, gain = self._branch(values, size), 1.0
            values = self._convolved(values, styles, size, f"conv_{size}_up", resample="up")
            values = self._convolved(values, styles, size, f"conv_{size}", gain=gain)
            if images is None:
                values = keras.layers.Add(name=f"sum_{size}")([values, branch])
            else:
                larger = BlurUpsample2D(dtype=head_dtype(), name=f"image_{size}_up")(images)
                colours = self._colours(values, styles, size)
                images = keras.layers.Add(dtype=head_dtype(), name=f"image_{size}")([larger, colours])
        if images is None:
            images = self._colours(values, styles, max(self.widths))
        return model("generator", latents, labels, finished(images, output))

    def _mapped(self, latents: Any, labels: Any, classes: int | None, layers: int, multiplier: float) -> Any:
        """The styles, in float32 at least."""
        dtype, size = head_dtype(), int(latents.shape[-1])
        values = PixelNormalization(dtype=dtype, name="latents_normalised")(latents)
        if labels is not None and classes is not None:
            embedding = embedded(labels, classes, size, 1.0, self.seeds)
            embedding = PixelNormalization(dtype=dtype, name="class_normalised")(embedding)
            values = keras.layers.Concatenate(dtype=dtype, name="latents_and_class")([values, embedding])
        for place in range(1, layers + 1):
            inner = keras.layers.Dense(size, dtype=dtype, name=f"mapping_{place}_dense")
            name = f"mapping_{place}"
            values = EqualizedLearningRate(inner, 1.0, multiplier, seed=self.seeds.next(), name=name)(values)
            values = ScaledLeakyReLU(dtype=dtype, name=f"{name}_active")(values)
        return values

    def _convolved(
        self,
        values: Any,
        styles: Any,
        size: int,
        name: str,
        *,
        resample: str | None = None,
        gain: float = math.sqrt(2.0),
    ) -> Any:
        """A modulated 3x3 convolution, noise and activation."""
        layer = ModulatedConv2D(self.widths[size], 3, resample=resample, name=name)
        values = layer([values, styles])
        self._draw_again(layer)
        if self.noise:
            values = NoiseInjection(per_channel=False, seed=self.seeds.next(), name=f"{name}_noise")(values)
        return ScaledLeakyReLU(gain=gain, name=f"{name}_active")(values)

    def _colours(self, values: Any, styles: Any, size: int) -> Any:
        layer = ModulatedConv2D(self.channels, 1, demodulate=False, name=f"colours_{size}")
        colours = layer([values, styles])
        self._draw_again(layer)
        return colours

    def _branch(self, values: Any, size: int) -> Any:
        inner = keras.layers.Conv2D(self.widths[size], 1, use_bias=False, name=f"branch_{size}_conv")
        values = EqualizedLearningRate(inner, math.sqrt(0.5), seed=self.seeds.next(), name=f"branch_{size}")(values)
        return BlurUpsample2D(name=f"branch_{size}_up")(values)

    def _draw_again(self, layer: ModulatedConv2D) -> None:
        """The layer draws its kernels with seeds of Keras' choice; where there is a seed, they are drawn by it."""
        for variable in (layer.kernel, layer.affine.layer.kernel):
            seed = self.seeds.next()
            if seed is not None:
                initializer = keras.initializers.RandomNormal(0.0, 1.0, seed=seed)
                variable.assign(initializer(variable.shape, dtype=variable.dtype))
