"""Equalised learning rate against a calculation by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganmedic.layers import EqualizedLearningRate, equalized_conv2d, equalized_dense

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("layer", "shape", "fan_in"),
    [
        (keras.layers.Dense(8), (5, 40), 40),
        (keras.layers.Conv2D(8, 3), (5, 6, 6, 4), 36),
        (keras.layers.Conv2D(8, 3, groups=2), (5, 6, 6, 4), 18),
        (keras.layers.Conv2DTranspose(8, 3), (5, 6, 6, 4), 36),
        (keras.layers.DepthwiseConv2D(3), (5, 6, 6, 40), 9),
    ],
)
def test_kernel_and_bias_are_scaled(layer: keras.layers.Layer, shape: tuple[int, ...], fan_in: int):
    wrapper = EqualizedLearningRate(layer, gain=1.5, learning_rate_multiplier=0.01, seed=3)
    inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    wrapper.build(shape)
    stored = layer.kernel.numpy()
    assert np.std(stored) == pytest.approx(100.0, rel=0.15)
    layer.bias.assign(np.random.default_rng(1).normal(size=layer.bias.shape))
    got = wrapper(inputs)
    layer.kernel.assign(stored * 0.01 * 1.5 / np.sqrt(fan_in))
    layer.bias.assign(layer.bias.numpy() * 0.01)
    np.testing.assert_allclose(got, layer(inputs), rtol=1e-4, atol=1e-5)


def test_embedding_looks_one_row_up():
    wrapper = EqualizedLearningRate(keras.layers.Embedding(5, 3), gain=2.0)
    output = wrapper(np.array([[4]]))
    np.testing.assert_allclose(output[0, 0], wrapper.layer.embeddings.numpy()[4] * 2.0, rtol=1e-6)


def test_signal_keeps_its_spread():
    keras.utils.set_random_seed(0)
    signal = np.random.default_rng(0).normal(size=(64, 256)).astype("float32")
    for _ in range(5):
        signal = equalized_dense(256, activation="relu")(signal)
    assert np.mean(np.square(signal)) == pytest.approx(1.0, rel=0.3)
    assert equalized_conv2d(3, 3, gain=1.0)(np.ones((1, 4, 4, 2), "float32")).shape == (1, 4, 4, 3)


def test_clone_has_weights_of_the_same_spread():
    wrapper = EqualizedLearningRate(keras.layers.Dense(100), learning_rate_multiplier=0.1)
    wrapper.build((None, 100))
    clone = EqualizedLearningRate.from_config(wrapper.get_config())
    clone.build((None, 100))
    assert np.std(clone.layer.kernel.numpy()) == pytest.approx(10.0, rel=0.05)
    assert np.abs(clone.layer.kernel.numpy() - wrapper.layer.kernel.numpy()).max() > 1.0


def test_initialiser_of_the_users_own_is_refused():
    with pytest.raises(ValueError, match=r"has the kernel_initializer HeNormal.*Leave the initialiser out"):
        EqualizedLearningRate(keras.layers.Dense(2, kernel_initializer="he_normal"))
    built = keras.layers.Dense(2)
    built.build((None, 3))
    with pytest.raises(ValueError, match="was built with the kernel_initializer GlorotUniform"):
        EqualizedLearningRate(built)
    with pytest.raises(ValueError, match="gain is 0; a number above 0 is expected"):
        EqualizedLearningRate(keras.layers.Dense(2), gain=0)
