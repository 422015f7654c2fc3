"""Each layer without an inner one against an independent calculation in NumPy."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic.layers import (
    BlurDownsample2D,
    BlurUpsample2D,
    MinibatchStandardDeviation,
    ModulatedConv2D,
    NoiseInjection,
    PixelNormalization,
    SelfAttention2D,
)

pytestmark = pytest.mark.tensorflow

RANDOM = np.random.default_rng(4)


def images(*shape: int) -> Any:
    return RANDOM.normal(size=shape)


@pytest.mark.parametrize(("batch", "group_size", "group"), [(8, 4, 4), (6, 4, 3), (5, 4, 1), (2, 4, 2), (6, None, 6)])
@pytest.mark.parametrize("known", [True, False])
def test_minibatch_standard_deviation(batch: int, group_size: int | None, group: int, known: bool):
    data = images(batch, 3, 2, 4)
    layer = MinibatchStandardDeviation(group_size, num_channels=2, dtype="float64")
    call: Any = layer if known else tf.function(layer, input_signature=[tf.TensorSpec([None, 3, 2, 4], tf.float64)])
    output = np.asarray(call(data))
    np.testing.assert_array_equal(output[..., :4], data)
    for sample in range(batch):
        members = [other for other in range(batch) if other % (batch // group) == sample % (batch // group)]
        assert len(members) == group
        for block in range(2):
            spread = np.sqrt(np.var(data[members][..., 2 * block : 2 * block + 2], axis=0) + 1e-8).mean()
            np.testing.assert_allclose(output[sample, :, :, 4 + block], spread, rtol=1e-12)


def test_minibatch_standard_deviation_of_vectors():
    output = MinibatchStandardDeviation(dtype="float64")(np.array([[1.0, 7.0], [5.0, 7.0]]))
    # Deviations 2 and 0, the latter with 1e-8 inside of the root.
    np.testing.assert_allclose(output, [[1.0, 7.0, 1.00005], [5.0, 7.0, 1.00005]], rtol=1e-8)


def test_minibatch_standard_deviation_refuses_channels_that_do_not_divide():
    with pytest.raises(ValueError, match=r"num_channels is 3 and 4 channels came; a divisor .* Take num_channels=1"):
        MinibatchStandardDeviation(num_channels=3)(images(2, 4))


def test_pixel_normalization():
    data = images(2, 3, 3, 5)
    expected = data / np.sqrt(np.mean(data**2, axis=-1, keepdims=True) + 0.1)
    np.testing.assert_allclose(PixelNormalization(0.1, dtype="float64")(data), expected, rtol=1e-12)


def blurred(channel: Any, taps: Any, factor: int, up: bool) -> Any:
    """By the full convolution of NumPy along each axis, cut out where StyleGAN2 cuts."""
    excess = len(taps) - factor
    start = (excess + 1) // 2 + (factor - 1 if up else 0)
    gain = factor if up else 1

    def line(values: Any) -> Any:
        if up:
            values = np.ravel(np.stack([values, *[np.zeros_like(values)] * (factor - 1)], axis=1))
        size = len(values) if up else len(values) // factor * factor
        full = np.convolve(values, np.asarray(taps) / sum(taps) * gain)
        first = len(taps) - 1 - start
        full, first = np.pad(full, [max(0, -first), factor]), max(0, first)
        return full[first : first + size : 1 if up else factor]

    return np.apply_along_axis(line, 1, np.apply_along_axis(line, 0, channel))


@pytest.mark.parametrize("taps", [(1.0,), (1, 1), (1, 2, 1), (1, 3, 3, 1), (1, 2, 5), (1, 2, -0.5, 4, 3)])
@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("kind", [BlurUpsample2D, BlurDownsample2D])
def test_blur(taps: Any, factor: int, kind: Any):
    data = images(2, 6, 7, 2)
    got = np.asarray(kind(taps, factor, dtype="float64")(data))
    for sample in range(2):
        for channel in range(2):
            expected = blurred(data[sample, ..., channel], taps, factor, kind is BlurUpsample2D)
            np.testing.assert_allclose(got[sample, ..., channel], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("taps", [(1, 1), (1, 2, 1), (1, 3, 3, 1)])
def test_constant_image_stays_constant_away_from_the_border(taps: Any):
    constant = np.full((1, 8, 8, 1), 3.0)
    for layer in (BlurUpsample2D(taps), BlurDownsample2D(taps)):
        output = np.asarray(layer(constant))
        np.testing.assert_allclose(output[0, 1:-1, 1:-1, 0], 3.0, rtol=1e-6)


def test_blur_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="whose sum is 0; taps that can be normalised"):
        BlurUpsample2D((1, -1))
    with pytest.raises(ValueError, match="height and width of at least the factor, 4, are expected"):
        BlurDownsample2D(factor=4)(images(1, 3, 8, 1))
    with pytest.raises(ValueError, match=r"an input of shape \(1, 3\) came; images .* are expected"):
        BlurUpsample2D()(images(1, 3))


@pytest.mark.parametrize("spectral", [False, True])
def test_self_attention(spectral: bool):
    data = images(2, 3, 2, 4)
    layer = SelfAttention2D(2, 4, spectral_normalization=spectral, dtype="float64")
    layer.build(data.shape)
    layer.gamma.assign(0.7)

    def matrix(convolution: Any) -> Any:
        if not spectral:
            return convolution.kernel.numpy()[0, 0]
        weight = convolution.layer.kernel.numpy()[0, 0]
        convolution.converge(3000)
        return weight / np.linalg.norm(weight, 2)

    f, g = matrix(layer.key_convolution), matrix(layer.query_convolution)
    h, v = matrix(layer.value_convolution), matrix(layer.output_convolution)
    assert (f.shape, h.shape, v.shape) == ((4, 2), (4, 1), (1, 4))
    output = np.asarray(layer(data))
    for sample, result in zip(data.reshape(2, 6, 4), output.reshape(2, 6, 4), strict=True):
        for j in range(6):
            scores = np.array([(sample[i] @ f) @ (sample[j] @ g) for i in range(6)])
            weights = np.exp(scores) / np.exp(scores).sum()
            mixed = sum(weights[i] * (sample[i] @ h) for i in range(6))
            np.testing.assert_allclose(result[j], 0.7 * (mixed @ v) + sample[j], rtol=1e-8)


def test_noise_is_standard_normal_and_differs_between_samples_and_calls():
    layer = NoiseInjection(seed=3)
    zeros = np.zeros((4, 64, 64, 2), "float32")
    layer.build(zeros.shape)
    layer.strength.assign([1.0, -2.0])
    first, second = layer(zeros, training=True).numpy(), layer(zeros, training=True).numpy()
    np.testing.assert_allclose(first[..., 1], -2.0 * first[..., 0], rtol=1e-6)
    for noise in (first[..., 0], second[..., 0]):
        assert noise.mean() == pytest.approx(0.0, abs=0.04)
        assert noise.std() == pytest.approx(1.0, abs=0.03)
        assert np.mean(noise**4) == pytest.approx(3.0, abs=0.3)
    assert abs(np.corrcoef(first[0, ..., 0].ravel(), first[1, ..., 0].ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(first[..., 0].ravel(), second[..., 0].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize(("inference", "changes"), [("random", True), ("fixed", False), ("none", False)])
def test_noise_without_training(inference: str, changes: bool):
    layer = NoiseInjection(seed=3, inference=inference)
    zeros = np.zeros((2, 4, 4, 1), "float32")
    layer.build(zeros.shape)
    layer.strength.assign([1.0])
    first, second = layer(zeros).numpy(), layer(zeros, training=False).numpy()
    assert (first != second).any() == changes
    assert first.any() == (inference != "none")
    assert (layer(zeros, training=True).numpy() != first).all()
    again = NoiseInjection(seed=3, inference=inference)
    again.build(zeros.shape)
    again.strength.assign([1.0])
    np.testing.assert_array_equal(again(zeros), first)


def conv_same(picture: Any, kernel: Any) -> Any:
    """Cross-correlation of one picture (h, w, in) with (k, k, in, out), zeros beyond the border."""
    size = kernel.shape[0]
    wide = np.pad(picture, [[size // 2] * 2, [size // 2] * 2, [0, 0]])
    rows, columns = picture.shape[:2]
    patches = np.array([[wide[y : y + size, x : x + size] for x in range(columns)] for y in range(rows)])
    return np.einsum("yxabi,abio->yxo", patches, kernel)


def modulated(layer: ModulatedConv2D, style: Any) -> Any:
    """The kernel of one sample, by equations 1 to 3."""
    affine = layer.affine.layer
    scale = style @ (affine.kernel.numpy() / np.sqrt(len(style))) + affine.bias.numpy()
    weight = layer.kernel.numpy() / np.sqrt(np.prod(layer.kernel.shape[:3]))
    weight = scale[None, None, :, None] * weight
    return weight / np.sqrt(np.sum(weight**2, axis=(0, 1, 2)) + 1e-8) if layer.demodulate else weight


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("size", [1, 3])
def test_modulated_convolution(demodulate: bool, size: int):
    data, styles = images(3, 5, 4, 4), images(3, 6)
    layer = ModulatedConv2D(2, size, demodulate, dtype="float64")
    layer.build([data.shape, styles.shape])
    layer.bias.assign([0.5, -1.0])
    output = np.asarray(layer([data, styles]))
    for picture, style, got in zip(data, styles, output, strict=True):
        without_bias = got - np.array([0.5, -1.0])
        np.testing.assert_allclose(without_bias, conv_same(picture, modulated(layer, style)), rtol=1e-9)


@pytest.mark.parametrize("resample", ["up", "down"])
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("taps", [(1, 1), (1, 2, 1), (1, 3, 3, 1), (1, 2, 3, 4)])
def test_modulated_convolution_resamples_as_the_blur_layers_do(resample: str, size: int, taps: Any):
    data, styles = images(2, 16, 16, 3), images(2, 4)
    layer = ModulatedConv2D(2, size, resample=resample, resample_kernel=taps, dtype="float64")
    output = np.asarray(layer([data, styles]))
    for sample in range(2):
        kernel = modulated(layer, styles[sample])
        if resample == "up":
            wide = np.asarray(BlurUpsample2D(taps, dtype="float64")(data[sample : sample + 1]))[0]
            expected = conv_same(wide, kernel)
        else:
            convolved = conv_same(data[sample], kernel)
            expected = np.asarray(BlurDownsample2D(taps, dtype="float64")(convolved[None]))[0]
        # At the border it matters which of the two comes first.
        inside = slice(4, -4) if resample == "up" else slice(3, -3)
        np.testing.assert_allclose(output[sample][inside, inside], expected[inside, inside], rtol=1e-8, atol=1e-10)


def test_modulated_convolution_in_float16_survives_large_styles():
    data, styles = images(2, 4, 4, 8).astype("float32") * 1e3, images(2, 6).astype("float32") * 1e4
    keras.utils.set_random_seed(0)
    exact = ModulatedConv2D(3, 3)
    exact.build([data.shape, styles.shape])
    narrow = ModulatedConv2D(3, 3, dtype="mixed_float16")
    narrow.build([data.shape, styles.shape])
    narrow.set_weights(exact.get_weights())
    expected = exact([data, styles]).numpy()
    np.testing.assert_allclose(narrow([data, styles]), expected, atol=0.01 * np.abs(expected).max())


def test_modulated_convolution_refuses_other_inputs():
    with pytest.raises(ValueError, match=r"a list of images .* Call it as layer\(\[images, styles\]\)"):
        ModulatedConv2D(2, 3)(images(2, 4, 4, 3))
    with pytest.raises(ValueError, match=r"kernel_size is 4; an odd number is expected"):
        ModulatedConv2D(2, 4)
    with pytest.raises(ValueError, match=r"resample is 'upp'; 'up' or 'down' is expected. Did you mean 'up'"):
        ModulatedConv2D(2, 3, resample="upp")
