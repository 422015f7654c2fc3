"""Spectral normalisation as a reparametrisation: the optimizer moves W, the layer computes with W / sigma(W)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganmedic import checking
from ganmedic.layers._reparametrised import Reparametrised
from ganmedic.precision import wide_dtype, widened

_OWNER = "SpectralNormalization"
#: From a random vector, sigma of Gaussian kernels up to (2304, 256) is found to within 1 % (tests/layers/test_spectral_normalization.py).
_ITERATIONS_AT_BUILD = 100
#: A kernel of a smaller norm counts as zero; it is left as it is.
_ZERO = 1e-12


@keras.saving.register_keras_serializable(package="ganmedic")
class SpectralNormalization(Reparametrised):
    """Divides the inner layer's weight by its largest singular value, so that the layer stretches nothing by more than 1.

    A discriminator of such layers (with 1-Lipschitz activations) has bounded gradients, which Wasserstein and hinge losses
    need. With the weight as a matrix W (units, everything else), u the vector that is kept and v = Wᵀu / ‖Wᵀu‖:

        sigma = uᵀ W v,    W_used = W / sigma,    ∂L/∂W = (G - ⟨G, W_used⟩ u vᵀ) / sigma,    G = ∂L/∂W_used

    u and v are constants for the gradient, W is not: the second term takes away the part that would only make W larger. The
    stored W is what the optimizer made it; W / sigma is never written back. u starts converged, so the first call is
    normalised already, and goes on by `power_iterations` at each call with `training=True`. Any other call changes nothing
    and gives what the last training call would give.

    For a convolution sigma is that of the kernel as a matrix (height · width · input channels, filters), as in the paper; the
    convolution's own norm can be larger by up to √(height · width). Units are the last axis, the last but one for transposed
    convolutions, the last two for depthwise ones.

    Args:
        layer: a `Dense`, convolution or `Embedding`.
        power_iterations: whole number from 1; iterations a training call.
        **options: those of every Keras layer; `dtype` is that of the inner layer.

    Raises:
        TypeError, ValueError: an argument is out of its range, or it is not clear which weight of the layer is meant.

    Example:
        >>> layer = SpectralNormalization(keras.layers.Dense(2, use_bias=False))
        >>> layer.build((None, 2))
        >>> layer.layer.kernel.assign([[4.0, 0.0], [0.0, 1.0]]).shape
        TensorShape([2, 2])
        >>> layer.converge()
        >>> layer(np.array([[1.0, 1.0]], "float32")).numpy().round(3).tolist()
        [[1.0, 0.25]]

    References:
        Miyato, Kataoka, Koyama, Yoshida, *Spectral Normalization for Generative Adversarial Networks*, 2018
        (arXiv:1802.05957), algorithm 1 and equation 12.
    """

    #: Whoever asks for a bounded critic is content.
    bounds_spectral_norm = True

    def __init__(self, layer: keras.layers.Layer, power_iterations: int = 1, **options: Any) -> None:
        super().__init__(layer, **options)
        self.power_iterations = checking.whole(_OWNER, "power_iterations", power_iterations)

    def build_more(self) -> None:
        """Makes u, converged for the kernel as it is."""
        start = np.random.default_rng(0).normal(size=self.num_units())

        def converged(shape: Any, dtype: str | None = None) -> Any:
            return _converged(self._matrix(), tf.constant(start, dtype), _ITERATIONS_AT_BUILD)

        self.left_vector = self.add_weight(
            name="left_vector",
            shape=(self.num_units(),),
            initializer=converged,
            dtype=wide_dtype(self.variable_dtype).name,
            trainable=False,
            autocast=False,
            # Every replica has the same kernel and the same u, and so works out the same.
            aggregation="only_first_replica",
        )

    def converge(self, iterations: int = _ITERATIONS_AT_BUILD) -> None:
        """Brings u to the kernel as it is now; for after the kernel was set by hand.

        Args:
            iterations: whole number from 1.
        """
        count = checking.whole(_OWNER, "iterations", iterations)
        self.left_vector.assign(_converged(self._matrix(), tf.convert_to_tensor(self.left_vector.value), count))

    def new_values(self, training: bool) -> list[tuple[keras.Variable, Any]]:
        """The weight over its largest singular value."""
        matrix = self._matrix()
        left = tf.convert_to_tensor(self.left_vector.value)
        if training:
            left = _iterated(tf.stop_gradient(matrix), left, self.power_iterations)
            self.left_vector.assign(left)
        left = tf.stop_gradient(left)
        right = tf.stop_gradient(_of_length_one(tf.linalg.matvec(matrix, left)))
        sigma = tf.reduce_sum(right * tf.linalg.matvec(matrix, left))
        sigma = tf.where(sigma > _ZERO, sigma, tf.ones_like(sigma))
        weight = self.weight_of_layer()
        return [(weight, tf.cast(widened(tf.convert_to_tensor(weight.value)) / sigma, weight.dtype))]

    def _matrix(self) -> Any:
        """The transpose of the paper's W: (everything else, units), float32 at least."""
        return self.as_matrix(widened(tf.convert_to_tensor(self.weight_of_layer().value)))

    def get_config(self) -> dict[str, Any]:
        """All that `from_config` needs, the inner layer included."""
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _iterated(matrix: Any, left: Any, count: int) -> Any:
    """u after `count` iterations; `matrix` is the transpose of the paper's W."""

    def iteration(step: Any, vector: Any) -> Any:
        right = _of_length_one(tf.linalg.matvec(matrix, vector))
        image = tf.linalg.matvec(matrix, right, transpose_a=True)
        # A kernel of zeros would make u zero for ever.
        return step + 1, tf.where(tf.norm(image) > _ZERO, _of_length_one(image), vector)

    left = _of_length_one(left)
    if count <= 3:
        for _ in range(count):
            left = iteration(0, left)[1]
        return left
    return tf.while_loop(lambda step, vector: step < count, iteration, (tf.constant(0), left))[1]


def _converged(matrix: Any, left: Any, count: int) -> Any:
    """As `_iterated`. In eager code NumPy does it: a hundred iterations of TensorFlow would take a second there."""
    if not tf.executing_eagerly():
        return _iterated(matrix, left, count)
    numbers, vector = matrix.numpy(), left.numpy()
    for _ in range(count):
        image = numbers.T @ (numbers @ vector)
        length = np.linalg.norm(image)
        if not length > _ZERO**2:
            break
        vector = image / length
    return tf.constant(vector, left.dtype)


def _of_length_one(vector: Any) -> Any:
    return vector / tf.maximum(tf.norm(vector), _ZERO)
