"""Reading between pixels against SciPy, its adjoint, and the reason for not using TensorFlow's projective transformation."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from ganmedic.augmentation.resampling import bilinear, pixels

pytestmark = pytest.mark.tensorflow

MATRICES = {
    "identity": ([[1, 0], [0, 1]], [0, 0]),
    "shift": ([[1, 0], [0, 1]], [1.25, -2.5]),
    "zoom": ([[1.5, 0], [0, 0.6]], [-3.3, 1.2]),
    "rotation": ([[0.8, -0.6], [0.6, 0.8]], [4.1, -2.7]),
    "far": ([[3.0, 1.0], [-2.0, 4.0]], [-30.5, 41.3]),
}


def places(matrix, offset, height, width):
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
    moved = np.einsum("ij,jhw->ihw", np.asarray(matrix, float), grid) + np.reshape(offset, (2, 1, 1))
    return tf.constant(moved[:1]), tf.constant(moved[1:])


@pytest.mark.parametrize(("border", "mode"), [("reflect", "mirror"), ("zero", "grid-constant")])
@pytest.mark.parametrize("name", MATRICES)
def test_against_scipy(name, border, mode):
    matrix, offset = MATRICES[name]
    image = np.random.default_rng(0).normal(size=(7, 9))
    ours = bilinear(tf.constant(image[None, :, :, None]), *places(matrix, offset, 7, 9), border=border)
    expected = ndimage.affine_transform(image, matrix, offset, order=1, mode=mode)
    np.testing.assert_allclose(ours[0, :, :, 0], expected, atol=1e-12)


def test_whole_places_give_the_pixels_to_the_last_bit(images):
    rows, columns = (tf.cast(grid, tf.float32)[tf.newaxis] for grid in tf.meshgrid(range(10), range(12), indexing="ij"))
    rows, columns = tf.repeat(rows, 8, axis=0), tf.repeat(columns, 8, axis=0)
    np.testing.assert_array_equal(bilinear(tf.constant(images), rows, columns), images)


def test_one_row_is_its_own_mirror():
    line = tf.reshape(tf.range(4.0), (1, 1, 4, 1))
    rows, columns = tf.constant([[[-2, 0, 3]]]), tf.constant([[[0, 4, -1]]])
    np.testing.assert_array_equal(tf.squeeze(pixels(line, rows, columns)), [0, 2, 1])


def adjoint_error(transform, shape):
    """Largest difference of the registered gradient from the transposed matrix, in units of its largest entry."""
    size = int(np.prod(shape))
    matrix = tf.reshape(transform(tf.reshape(tf.eye(size), (size, *shape))), (size, size))
    incoming = tf.random.stateless_normal((1, *shape), (1, 2))
    zeros = tf.zeros((1, *shape))
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        result = transform(zeros)
    gradient = tape.gradient(result, zeros, output_gradients=incoming)
    expected = tf.linalg.matvec(matrix, tf.reshape(incoming, [-1]))
    return float(tf.reduce_max(tf.abs(tf.reshape(gradient, [-1]) - expected)) / tf.reduce_max(tf.abs(expected)))


def test_the_gradient_is_the_adjoint_and_that_of_the_projective_transformation_is_not():
    zoom = [[1.5, 0], [0, 1.5]], [-1.25, -1.25]
    rows, columns = (tf.cast(place, tf.float32) for place in places(*zoom, 6, 6))

    def ours(batch):
        return bilinear(batch, tf.repeat(rows, len(batch), 0), tf.repeat(columns, len(batch), 0), border="zero")

    def theirs(batch):
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=batch,
            transforms=[[1.5, 0, -1.25, 0, 1.5, -1.25, 0, 0]],
            output_shape=[6, 6],
            fill_value=0.0,
            interpolation="BILINEAR",
        )

    assert adjoint_error(ours, (6, 6, 1)) < 1e-6
    assert adjoint_error(theirs, (6, 6, 1)) > 0.1
