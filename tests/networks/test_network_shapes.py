"""What the networks are: shapes, widths and parameters at every resolution, their seeds, and what they refuse."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from ganmedic import networks

pytestmark = pytest.mark.tensorflow

RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)


def parameters(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def halving(width: int, resolution: int, widest_until: int) -> list[int]:
    """Widths of the sizes 4, 8, ... up to the resolution."""
    sizes = [2**power for power in range(2, resolution.bit_length())]
    return [max(min(16, width), width * widest_until // max(widest_until, size)) for size in sizes]


# --- parameters, counted by hand ------------------------------------------------------------------------------------------


def dcgan_parameters(resolution: int, colours: int, width: int) -> tuple[int, int]:
    widths = halving(width, resolution // 2, 4)
    # Kernels without bias where batch normalisation follows: its scale and shift are 2 a channel.
    generator = 100 * 16 * widths[0] + 2 * widths[0]
    for before, after in itertools.pairwise(widths):
        generator += 16 * before * after + 2 * after
    generator += 16 * widths[-1] * colours + colours
    discriminator = 16 * widths[0] + 1
    for before, after in zip([colours, *widths[:0:-1]], widths[::-1], strict=True):
        discriminator += 16 * before * after + after
    return generator, discriminator


def resnet_parameters(resolution: int, colours: int, width: int) -> tuple[int, int]:
    widths = halving(width, resolution, 32)
    body = 0
    for own in widths:
        inside = 2 * own
        a_group = 16 if inside % 16 == 0 else inside
        body += 2 * ((own * inside + inside) + (9 * a_group * inside + inside) + inside * own)
    body += sum(one * two for one, two in itertools.pairwise(widths) if one != two)
    generator = 64 * widths[0] + 16 * widths[0] + body + widths[-1] * colours
    discriminator = colours * widths[-1] + body + 16 * widths[0] + widths[0]
    return generator, discriminator


def style_parameters(resolution: int, colours: int, width: int) -> tuple[int, int]:
    widths = halving(width, resolution, 64)
    latent = width
    generator = 8 * (latent * latent + latent) + 16 * widths[0]
    convolutions = [(widths[0], widths[0])]
    for before, after in itertools.pairwise(widths):
        convolutions += [(before, after), (after, after)]
    for before, after in convolutions:
        generator += (latent * before + before) + 9 * before * after + 1 + after
    for own in widths:
        generator += (latent * own + own) + own * colours + colours
    discriminator = colours * widths[-1] + widths[-1]
    for own, narrower in zip(widths[:0:-1], widths[-2::-1], strict=True):
        discriminator += 9 * own * own + own + 9 * own * narrower + narrower + own * narrower
    first = widths[0]
    discriminator += 9 * (first + 1) * first + first + 16 * first * first + first + first + 1
    return generator, discriminator


COUNTED: dict[str, Callable[[int, int, int], tuple[int, int]]] = {
    "dcgan": dcgan_parameters,
    "resnet": resnet_parameters,
    "style": style_parameters,
}


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("name", list(COUNTED))
def test_shapes_match_and_parameters_are_those_counted_by_hand(name: str, resolution: int):
    # Wide enough that widths are halved on the way where it costs little, and narrow beyond.
    width, channels = (64, 3) if resolution <= 128 else (8, 1)
    pair = networks.get(name, resolution=resolution, channels=channels, width=width)
    assert pair.generator.output_shape == pair.discriminator.input_shape == (None, resolution, resolution, channels)
    assert pair.discriminator.output_shape == (None, 1)
    assert pair.sample_shape == (resolution, resolution, channels)
    assert pair.generator.input_shape == (None, pair.latent_size)
    assert (parameters(pair.generator), parameters(pair.discriminator)) == COUNTED[name](resolution, channels, width)


def test_style_at_full_width_has_the_parameters_that_its_authors_print():
    # The table that StyleGAN2-ADA prints at 1024 pixels; its mapping has two layers of 262,656 parameters, ours eight.
    generator, discriminator = style_parameters(1024, 3, 512)
    assert (generator - 6 * 262_656, discriminator) == (28_794_124, 29_012_513)


def test_resnet_has_the_published_widths_and_groups():
    pair = networks.resnet(256, width=768 // 24, blocks=1, expansion=48)
    # Narrow outside and of full width inside: what counts for the groups is how wide a block is inside.
    grouped = [layer for layer in pair.generator.layers if isinstance(layer, networks.GroupedConv2D)]
    assert [layer.filters for layer in grouped][:5] == [1536, 1536, 1536, 1536, 768]
    assert [layer.groups for layer in grouped][:5] == [96, 96, 96, 96, 48]


def test_dense_takes_points_images_and_one_number():
    for shape, expected in (((2,), (2,)), (5, (5,)), ((4, 3, 2), (4, 3, 2))):
        pair = networks.dense(shape, width=8, depth=2, latent_size=3)
        assert pair.generator.output_shape == pair.discriminator.input_shape == (None, *expected)
        entries = math.prod(expected)
        assert parameters(pair.generator) == (3 * 8 + 8) + (8 * 8 + 8) + (8 * entries + entries)
        assert parameters(pair.discriminator) == (entries * 8 + 8) + (8 * 8 + 8) + (8 + 1)
    assert networks.get("dense", resolution=10, channels=1).sample_shape == (10, 10, 1)
    assert networks.get("dense", shape=(7,)).sample_shape == (7,)


@pytest.mark.parametrize("name", networks.names())
def test_seed_decides_the_weights_and_no_two_kernels_are_alike(name: str):
    def made(seed: int | None) -> list[np.ndarray]:
        pair = networks.get(name, resolution=16, width=16, classes=3, seed=seed)
        models = (pair.generator, pair.discriminator)
        return [variable.numpy() for model in models for variable in model.trainable_variables]

    one, same, other, unseeded = made(4), made(4), made(5), made(None)
    for first, second in zip(one, same, strict=True):
        np.testing.assert_array_equal(first, second)
    drawn = [place for place, value in enumerate(one) if np.unique(value).size > 1]
    assert len(drawn) >= 8
    for place in drawn:
        assert not np.array_equal(one[place], other[place])
        assert not np.array_equal(one[place], unseeded[place])
    # Kernels of one size that shared a seed would be multiples of each other.
    for place in drawn:
        for later in drawn:
            if place < later and one[place].size == one[later].size:
                assert abs(np.corrcoef(one[place].ravel(), one[later].ravel())[0, 1]) < 0.9


def spread(model: keras.Model, layer: str) -> float:
    return float(np.std(max(model.get_layer(layer).weights, key=lambda one: math.prod(one.shape)).numpy()))


def test_kernels_start_with_the_spread_of_the_papers():
    pair = networks.resnet(32, width=32, blocks=(1, 2, 1, 1), seed=1)
    # He's gain for a slope of 0.2, and five blocks of three layers: 5^(-1/4).
    gain = math.sqrt(2.0 / 1.04) * 5**-0.25
    for model in (pair.generator, pair.discriminator):
        assert spread(model, "block_8_2_wider") == pytest.approx(gain / math.sqrt(32), rel=0.1)
        assert spread(model, "block_8_2_grouped") == pytest.approx(gain / math.sqrt(9 * 16), rel=0.1)
        assert spread(model, "block_8_2_back") == 0.0
    assert spread(pair.generator, "maps_4") == pytest.approx(1.0, rel=0.1)
    assert spread(pair.discriminator, "maps_4") == pytest.approx(1 / 4, rel=0.1)

    pair = networks.style(16, width=32, seed=1)
    assert spread(pair.generator, "conv_8") == pytest.approx(1.0, rel=0.1)
    assert spread(pair.generator, "mapping_2") == pytest.approx(100.0, rel=0.1)
    assert spread(pair.discriminator, "block_8_down") == pytest.approx(1.0, rel=0.1)

    pair = networks.dcgan(32, width=64, seed=1)
    assert spread(pair.generator, "to_8") == pytest.approx(0.02, rel=0.1)
    assert spread(pair.generator, "to_32") == pytest.approx(1 / math.sqrt(4 * 16), rel=0.1)
    assert spread(pair.discriminator, "to_4") == pytest.approx(math.sqrt(2 / 1.04 / (16 * 32)), rel=0.1)
    paper = networks.dcgan(32, width=64, normalisation="batch", initial_spread=0.02, seed=1)
    assert spread(paper.discriminator, "to_4") == pytest.approx(0.02, rel=0.1)
    normalised = [one for one in paper.discriminator.layers if isinstance(one, keras.layers.BatchNormalization)]
    # All its convolutions but the first; the default has none.
    assert len(normalised) == 2
    assert not any(isinstance(one, keras.layers.BatchNormalization) for one in pair.discriminator.layers)


@pytest.mark.parametrize(
    ("name", "options", "error", "said"),
    [
        ("resnet", {"resolution": 100}, ValueError, ("resolution is 100", "16, 32, 64", "nearest is 128")),
        ("dcgan", {"resolution": 8}, ValueError, ("resolution is 8", "from 16 to 1024")),
        ("style", {"resolution": 64.0}, TypeError, ("resolution is 64.0", "whole number")),
        ("style", {"channels": 0}, ValueError, ("channels is 0", "from 1 to 16")),
        ("dcgan", {"classes": 1}, ValueError, ("classes is 1", "at least 2", "None")),
        ("dense", {"latent_size": 0}, ValueError, ("latent_size is 0", "at least 1")),
        ("resnet", {"output": "relu"}, ValueError, ("output is 'relu'", "'tanh'")),
        ("resnet", {"seed": -1}, ValueError, ("seed is -1",)),
        ("resnet", {"blocks": (1, 2)}, ValueError, ("blocks is (1, 2)", "5 stages")),
        ("resnet", {"cardinality": 7}, ValueError, ("cardinality is 7 at 4 pixels", "divisor of 64")),
        ("style", {"architecture": "resnet"}, ValueError, ("architecture is 'resnet'", "'residual'")),
        ("dcgan", {"normalisation": "bach"}, ValueError, ("normalisation is 'bach'", "Did you mean 'batch'")),
        ("dense", {"shape": ()}, TypeError, ("shape is ()", "(28, 28, 1)")),
        ("resnet", {"block": 1}, TypeError, ("no argument 'block'", "Did you mean 'blocks'")),
        ("resent", {}, ValueError, ("there is no 'resent'", "Did you mean 'resnet'")),
    ],
)
def test_messages_say_what_came_and_what_is_expected(name: str, options: dict[str, Any], error: Any, said: Any):
    with pytest.raises(error) as caught:
        networks.get(name, **options)
    assert all(part in str(caught.value) for part in said), str(caught.value)
