"""The grouped convolution against one convolution a group, and against TensorFlow's own where that can be run."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic.networks import GroupedConv2D, grouped_convolution

pytestmark = pytest.mark.tensorflow


def layer_and_images(channels: int, filters: int, groups: int, **options: Any) -> tuple[GroupedConv2D, Any]:
    initializer = keras.initializers.RandomNormal(seed=1)
    layer = GroupedConv2D(filters, 3, groups=groups, kernel_initializer=initializer, bias_initializer="ones", **options)
    layer.build((None, 6, 5, channels))
    return layer, tf.constant(np.random.default_rng(2).normal(size=(2, 6, 5, channels)).astype("float32"))


def one_by_one(layer: GroupedConv2D, images: Any, kernel: Any) -> Any:
    """The definition: each group of filters convolves its group of channels."""
    inputs, kernels = tf.split(images, layer.groups, -1), tf.split(kernel, layer.groups, -1)
    strides, padding = list(layer.strides), layer.padding.upper()
    parts = [tf.nn.conv2d(one, weights, strides, padding) for one, weights in zip(inputs, kernels, strict=True)]
    return tf.concat(parts, -1) + 1.0


def with_penalty(function: Any, images: Any, kernel: Any) -> list[Any]:
    """Outputs, the gradient by the images, and the kernel's gradient of a penalty on it."""
    with tf.GradientTape() as outer:
        outer.watch(kernel)
        with tf.GradientTape() as inner:
            inner.watch(images)
            outputs = function(images, kernel)
            total = tf.reduce_sum(tf.tanh(outputs))
        slope = inner.gradient(total, images)
        penalty = tf.reduce_sum(tf.square(slope))
    return [outputs, slope, outer.gradient(penalty, kernel)]


# 16 and 4 channels a group are put together in pairs and in eights, 3 groups stay apart, 40 are beyond the limit, 1 is plain.
@pytest.mark.parametrize(
    ("channels", "filters", "groups", "options"),
    [
        (64, 64, 4, {"padding": "same"}),
        (64, 32, 16, {"padding": "same", "strides": 2}),
        (48, 48, 3, {"padding": "valid"}),
        (80, 6, 2, {"padding": "same"}),
        (5, 7, 1, {"padding": "same"}),
    ],
)
def test_values_and_both_gradients_are_those_of_the_definition(
    channels: int, filters: int, groups: int, options: dict[str, Any]
):
    layer, images = layer_and_images(channels, filters, groups, **options)
    kernel = tf.identity(layer.kernel.value)
    assert layer.count_params() == 9 * (channels // groups) * filters + filters

    def ours(inputs: Any, weights: Any) -> Any:
        return layer.convolution_op(inputs, weights) + layer.bias.value

    expected = with_penalty(lambda inputs, weights: one_by_one(layer, inputs, weights), images, kernel)
    for got, wanted in zip(with_penalty(ours, images, kernel), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer(images), expected[0], rtol=1e-4, atol=1e-5)
    traced = tf.function(lambda inputs: with_penalty(ours, inputs, kernel))(images)
    for got, wanted in zip(traced, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_native_form_takes_the_same_kernel_for_the_same_numbers(monkeypatch: pytest.MonkeyPatch):
    layer, images = layer_and_images(64, 64, 4, padding="same")
    split = layer(images)
    monkeypatch.setattr(grouped_convolution, "on_gpu", lambda: True)
    calls = []
    original = tf.nn.conv2d
    monkeypatch.setattr(tf.nn, "conv2d", lambda *given, **named: calls.append(1) or original(*given, **named))
    np.testing.assert_allclose(layer(images), split, rtol=1e-4, atol=1e-5)
    assert len(calls) == 1


def test_a_layer_pinned_to_a_cpu_is_split_where_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch):
    assert not grouped_convolution.on_gpu()
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["a GPU"])
    seen = []

    @tf.function
    def traced() -> Any:
        seen.append(grouped_convolution.on_gpu())
        with tf.device("/CPU:0"):
            seen.append(grouped_convolution.on_gpu())
        return tf.zeros([])

    traced()
    assert seen == [True, False]


def test_comes_back_from_its_configuration_and_refuses_channels_first():
    layer, images = layer_and_images(8, 4, 2, padding="same", name="grouped")
    again = GroupedConv2D.from_config(layer.get_config())
    np.testing.assert_array_equal(again(images), layer(images))
    with pytest.raises(ValueError, match=r"channels_first.*channels_last.*expected"):
        GroupedConv2D(4, 3, groups=2, data_format="channels_first")
