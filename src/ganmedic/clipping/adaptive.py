"""Adaptive gradient clipping: each unit's gradient is held in proportion to its weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.clipping.clip import Clip, Clipped, Ledger
from ganmedic.clipping.measured import Measured, norm_of_norms
from ganmedic.gradients import merged, squared_norm, with_values
from ganmedic.networks_inside import layers_of
from ganmedic.precision import widened


class Adaptive(Clip):
    """AGC: where ‖G_i‖ > λ · max(‖W_i‖, ε), G_i becomes λ · max(‖W_i‖, ε) / ‖G_i‖ · G_i, for each unit i.

    A unit is an entry of a kernel's output axis: the LAST axis of Keras' Dense and Conv kernels, the last but one of
    Conv2DTranspose kernels (height, width, out, in), the last two of a DepthwiseConv2D kernel. The norms go over all other axes.
    A bias, or a vector of gains, is one unit, as in the public implementations. A row of a sparse gradient is one unit.

    Which kernel is transposed, and which layer is the last one (it is left out, as in the paper), only the network tells:
    call `bind` once. Without it, every kernel has its units on the last axis, and none is left out.

    Args:
        bound: λ, above 0; 0.01 in the paper.
        epsilon: ε, the least norm of weights that counts; above 0.
        non_finite: `keep` or `zero`, see `Clip`.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> kernel = tf.Variable([[3.0, 0.0], [4.0, 0.0]])
        >>> Adaptive(0.25)([tf.constant([[0.0, 1.0], [2.0, 0.0]])], [kernel])[0].numpy().tolist()[1]
        [1.25, 0.0]

    References:
        Brock et al. 2021, *High-Performance Large-Scale Image Recognition Without Normalization*, arXiv 2102.06171, equation 3.
    """

    def __init__(self, bound: float = 0.01, epsilon: float = 1e-3, non_finite: str = "keep") -> None:
        super().__init__(non_finite)
        self.bound = checking.number("Adaptive", "bound", bound, above=0.0)
        self.epsilon = checking.number("Adaptive", "epsilon", epsilon, above=0.0)
        self._layouts = _Layouts()

    def bind(self, *networks: Any, include_last: bool = False) -> Adaptive:
        """Reads from built networks where each kernel has its units, and which layer is the last.

        Args:
            networks: Keras networks whose gradients it will clip.
            include_last: whether the last layer with a kernel is clipped, too.

        Returns:
            The clip itself.

        Raises:
            TypeError: no Keras network came.
        """
        for network in networks:
            if not isinstance(network, keras.layers.Layer):
                raise TypeError(f"Adaptive.bind: {network!r} came; a Keras network is expected.")
            self._layouts.add(network, include_last)
        return self

    def _clipped(self, gradients: list[Any], measured: Measured, variables: list[Any], ledger: Ledger) -> Clipped:
        made = [self._one(gradient, variable) for gradient, variable in zip(gradients, variables, strict=True)]
        dtype = measured.norms.dtype
        after = tf.sqrt(tf.stack([tf.cast(squared_norm(each), dtype) for each in made]))
        after = tf.where(measured.finite, after, tf.zeros_like(after))
        left = tf.math.divide_no_nan(norm_of_norms(after), measured.global_norm)
        return Clipped(made, tf.minimum(left, 1.0), tf.reduce_any(after < measured.norms * (1.0 - 1e-6)))

    def _one(self, gradient: Any, variable: Any) -> Any:
        if self._layouts.is_left_out(variable):
            return gradient
        weights = tf.convert_to_tensor(variable)
        if isinstance(gradient, tf.IndexedSlices):
            rows = merged(gradient)
            values = self._held(widened(rows.values), widened(tf.gather(weights, rows.indices)), [0])
            return with_values(rows, values)
        axes = self._layouts.units_of(variable, weights.shape.rank)
        return with_values(gradient, self._held(widened(gradient), widened(weights), axes))

    def _held(self, gradient: Any, weights: Any, units: list[int]) -> Any:
        others = [axis for axis in range(gradient.shape.rank) if axis not in units]
        size = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=others, keepdims=True))
        weight = tf.sqrt(tf.reduce_sum(tf.square(weights), axis=others, keepdims=True))
        bound = self.bound * tf.maximum(tf.cast(weight, size.dtype), self.epsilon)
        return gradient * tf.where(size > bound, tf.math.divide_no_nan(bound, size), tf.ones_like(size))


class _Layouts:
    """Where the kernels of bound networks have their units; held by identity, so that no name decides."""

    def __init__(self) -> None:
        self._units: dict[int, tuple[Any, list[int]]] = {}
        self._left_out: dict[int, Any] = {}

    def add(self, network: Any, include_last: bool) -> None:
        last = None
        for layer, kernel in _kernels(network):
            rank = len(kernel.shape)
            if isinstance(
                layer, keras.layers.Conv1DTranspose | keras.layers.Conv2DTranspose | keras.layers.Conv3DTranspose
            ):
                self._units[id(kernel)] = (kernel, [rank - 2])
            elif isinstance(layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D):
                self._units[id(kernel)] = (kernel, [rank - 2, rank - 1])
            last = layer
        if last is not None and not include_last:
            self._left_out.update({id(variable): variable for variable in last.trainable_variables})

    def is_left_out(self, variable: Any) -> bool:
        return id(variable) in self._left_out

    def units_of(self, variable: Any, rank: int) -> list[int]:
        if rank <= 1:
            return []
        return self._units.get(id(variable), (None, [rank - 1]))[1]


def _kernels(network: Any) -> Iterator[tuple[Any, Any]]:
    for layer in layers_of(network):
        kernel = getattr(layer, "kernel", None)
        if kernel is not None and hasattr(kernel, "path"):
            yield layer, kernel
