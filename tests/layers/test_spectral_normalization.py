"""Spectral normalisation against NumPy's singular values."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic.layers import SpectralNormalization

pytestmark = pytest.mark.tensorflow

KERNELS = {
    "dense": (lambda **options: keras.layers.Dense(5, **options), (2, 7)),
    "conv": (lambda **options: keras.layers.Conv2D(5, 3, **options), (2, 6, 6, 4)),
    "transpose": (lambda **options: keras.layers.Conv2DTranspose(5, 3, 2, **options), (2, 4, 4, 3)),
    "depthwise": (lambda **options: keras.layers.DepthwiseConv2D(3, depth_multiplier=2, **options), (2, 6, 6, 3)),
    "embedding": (lambda **options: keras.layers.Embedding(6, 4, **options), (2, 3)),
}


def as_matrix(layer: keras.layers.Layer) -> Any:
    """(everything else, units), written down apart from the package."""
    if isinstance(layer, keras.layers.Embedding):
        return layer.embeddings.numpy()
    kernel = layer.kernel.numpy()
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return kernel.reshape(9, 6)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return np.stack([kernel[:, :, unit, :].ravel() for unit in range(kernel.shape[2])], axis=1)
    return kernel.reshape(-1, kernel.shape[-1])


@pytest.mark.parametrize("kind", KERNELS)
@pytest.mark.parametrize("training", [None, False, True])
def test_output_is_that_of_the_kernel_over_its_singular_value(kind: str, training: bool | None):
    make, shape = KERNELS[kind]
    wrapper = SpectralNormalization(make())
    inputs = np.random.default_rng(0).integers(0, 6, shape) if kind == "embedding" else np.ones(shape, "float32")
    got = wrapper(inputs, training=training)
    plain = make()
    plain.build(shape)
    weight = wrapper.layer.weights[0]
    plain.weights[0].assign(weight.numpy() / np.linalg.svd(as_matrix(wrapper.layer), compute_uv=False)[0])
    np.testing.assert_allclose(got, plain(inputs), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (576, 64), (2304, 256), (16, 256), (100, 1)])
def test_first_call_is_normalised_within_a_hundredth(shape: tuple[int, int]):
    keras.utils.set_random_seed(1)
    wrapper = SpectralNormalization(keras.layers.Dense(shape[1], use_bias=False, kernel_initializer="random_normal"))
    scale = wrapper(np.eye(1, shape[0], dtype="float32")).numpy()[0, 0] / wrapper.layer.kernel.numpy()[0, 0]
    effective = np.asarray(wrapper.layer.kernel.numpy(), "float64") * scale
    largest = np.sqrt(np.linalg.eigvalsh(effective.T @ effective)[-1])
    assert largest == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("kind", KERNELS)
def test_training_calls_leave_the_stored_kernel_as_it_is(kind: str):
    make, shape = KERNELS[kind]
    wrapper = SpectralNormalization(make())
    inputs = np.ones(shape, "int32" if kind == "embedding" else "float32")
    wrapper(inputs)
    weight = wrapper.layer.weights[0]
    before = weight.numpy().tobytes()
    for _ in range(20):
        wrapper(inputs, training=True)
    assert weight.numpy().tobytes() == before


def test_vector_moves_in_training_alone_and_inference_repeats_the_training_call():
    wrapper = SpectralNormalization(keras.layers.Dense(5))
    inputs = np.random.default_rng(0).normal(size=(3, 7)).astype("float32")
    wrapper(inputs)
    wrapper.layer.kernel.assign(np.random.default_rng(1).normal(size=(7, 5)))
    start = wrapper.left_vector.numpy()
    for training in (None, False):
        wrapper(inputs, training=training)
        np.testing.assert_array_equal(wrapper.left_vector.numpy(), start)
    output = wrapper(inputs, training=True)
    assert np.abs(wrapper.left_vector.numpy() - start).max() > 1e-3
    np.testing.assert_array_equal(wrapper(inputs, training=False), output)


def test_one_training_call_is_one_power_iteration():
    wrapper = SpectralNormalization(keras.layers.Dense(3))
    wrapper.build((None, 4))
    matrix = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    wrapper.layer.kernel.assign(matrix)
    left = np.array([1.0, 0.0, 0.0], "float32")
    wrapper.left_vector.assign(left)
    wrapper(np.ones((1, 4), "float32"), training=True)
    expected = matrix.T @ (matrix @ left)
    np.testing.assert_allclose(wrapper.left_vector.numpy(), expected / np.linalg.norm(expected), rtol=1e-5)


@pytest.mark.parametrize("kind", ["dense", "conv", "transpose"])
def test_gradient_is_that_of_the_paper(kind: str):
    make, shape = KERNELS[kind]
    wrapper = SpectralNormalization(make(use_bias=False, dtype="float64"))
    inputs = np.random.default_rng(0).normal(size=shape)
    wrapper(inputs)
    wrapper.converge(5000)
    kernel = wrapper.layer.kernel
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.square(wrapper(inputs)))
    gradient = tape.gradient(total, kernel.value).numpy()
    plain = make(use_bias=False, dtype="float64")
    plain.build(shape)

    def value(weight: Any) -> float:
        kernel_before = kernel.numpy()
        kernel.assign(weight)
        sigma = np.linalg.svd(as_matrix(wrapper.layer), compute_uv=False)[0]
        kernel.assign(kernel_before)
        plain.kernel.assign(weight / sigma)
        return float(tf.reduce_sum(tf.square(plain(inputs))))

    direction = np.random.default_rng(2).normal(size=kernel.shape)
    start, step = kernel.numpy(), 1e-5
    numeric = (value(start + step * direction) - value(start - step * direction)) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(numeric, rel=1e-6)
    # The used kernel does not depend on the scale of the stored one, so the gradient is at right angles to it.
    assert np.sum(gradient * start) == pytest.approx(0.0, abs=1e-9 * np.abs(gradient).max())


def test_kernel_of_zeros_stays_zero_and_can_leave_it():
    wrapper = SpectralNormalization(keras.layers.Dense(3, kernel_initializer="zeros", use_bias=False))
    inputs = np.ones((2, 4), "float32")
    with tf.GradientTape() as tape:
        output = wrapper(inputs, training=True)
    assert not output.numpy().any()
    np.testing.assert_allclose(tape.gradient(output, wrapper.layer.kernel.value), np.full((4, 3), 2.0))
    wrapper.layer.kernel.assign(np.random.default_rng(0).normal(size=(4, 3)))
    for _ in range(60):
        output = wrapper(np.eye(4, dtype="float32"), training=True)
    assert np.linalg.norm(output.numpy(), 2) == pytest.approx(1.0, abs=1e-3)


def test_frozen_inner_layer():
    wrapper = SpectralNormalization(keras.layers.Dense(3, trainable=False))
    output = wrapper(np.eye(4, dtype="float32"), training=True)
    assert wrapper.trainable_variables == []
    assert np.linalg.norm(output.numpy(), 2) == pytest.approx(1.0, abs=1e-3)


@keras.saving.register_keras_serializable(package="tests")
class CountingDense(keras.layers.Dense):
    """Counts its calls, and adds a loss."""

    def build(self, input_shape: Any) -> None:
        self.calls = self.add_weight(name="calls", shape=(), initializer="zeros", trainable=False)
        self.dropout = keras.layers.Dropout(0.5, seed=1)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        self.calls.assign_add(1.0)
        return self.dropout(super().call(inputs), training=training)


def test_state_and_losses_of_the_inner_layer_are_kept():
    wrapper = SpectralNormalization(CountingDense(50, activity_regularizer="l2"))
    inputs = np.ones((2, 4), "float32")
    masks = [wrapper(inputs, training=True).numpy() == 0 for _ in range(3)]
    assert float(wrapper.layer.calls.value) == 3.0
    assert (masks[0] != masks[1]).any()
    assert len(wrapper.losses) == 1
    assert float(wrapper.losses[0]) > 0
    values = [[variable.numpy() for variable in kind] for kind in (wrapper.trainable_variables,)]
    others = [variable.numpy() for variable in wrapper.non_trainable_variables]
    _, after = wrapper.stateless_call(*values, others, tf.constant(inputs), training=True)
    assert float(wrapper.layer.calls.value) == 3.0
    place = [variable is wrapper.layer.calls for variable in wrapper.non_trainable_variables].index(True)
    assert float(after[place]) == 4.0


def test_kernel_is_divided_at_full_precision_under_a_mixed_policy():
    wrapper = SpectralNormalization(keras.layers.Dense(3, dtype="mixed_float16", use_bias=False))
    wrapper.build((None, 4))
    # In float16 these would be infinite and zero.
    for scale in (1e6, 1e-9):
        kernel = np.random.default_rng(0).normal(size=(4, 3)) * scale
        wrapper.layer.kernel.assign(kernel)
        wrapper.converge()
        np.testing.assert_allclose(
            wrapper(np.eye(4, dtype="float16")), kernel / np.linalg.norm(kernel, 2), rtol=2e-3, atol=1e-3
        )


def test_first_call_inside_of_a_function_is_normalised():
    wrapper = SpectralNormalization(keras.layers.Dense(30, use_bias=False))
    output = tf.function(wrapper)(np.eye(40, dtype="float32"))
    assert np.linalg.norm(output.numpy(), 2) == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(wrapper(np.eye(40, dtype="float32")), output, rtol=1e-5, atol=1e-6)


class Critic(keras.Model):
    """Says nothing of its output's shape, so Keras finds it by a symbolic call, with weights that have no value yet."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = SpectralNormalization(keras.layers.Dense(30, use_bias=False))

    def call(self, inputs: Any) -> Any:
        return self.scores(inputs)


def test_model_that_is_built_by_a_symbolic_call():
    critic = Critic()
    assert critic(keras.Input((40,))).shape == (None, 30)
    output = critic(np.eye(40, dtype="float32"))
    assert np.linalg.norm(output.numpy(), 2) == pytest.approx(1.0, abs=0.01)


def test_layer_without_a_clear_weight_is_refused():
    for layer, shape in (
        (keras.layers.SeparableConv2D(3, 3), (None, 5, 5, 2)),
        (keras.layers.LayerNormalization(), (None, 4)),
        (keras.layers.EinsumDense("ab,bc->ac", 3), (None, 4)),
    ):
        with pytest.raises(ValueError, match=r"inner layer is a .*\n?.*is expected.*Take Dense, Embedding"):
            SpectralNormalization(layer).build(shape)
    with pytest.raises(TypeError, match="a single layer with a kernel is expected"):
        SpectralNormalization(keras.layers.TimeDistributed(keras.layers.Dense(2)))
    with pytest.raises(ValueError, match="Give dtype to the inner layer"):
        SpectralNormalization(keras.layers.Dense(2), dtype="float64")
    with pytest.raises(ValueError, match="power_iterations is 0; a whole number of at least 1 is expected"):
        SpectralNormalization(keras.layers.Dense(2), power_iterations=0)
