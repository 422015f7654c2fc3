"""A layer that computes with other weights than it stores: w = f(v), where the optimizer moves v.

The inner layer runs as it is; inside a `keras.StatelessScope` it reads f(v) where it would read v. The stored weight is never
written to, and the gradient reaches it through f.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

# Keras offers no public way to read a weight at full precision from within a layer of a mixed policy.
from keras.src.backend import AutocastScope

_NAMES = ("kernel", "embeddings", "depthwise_kernel")
_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


class Reparametrised(keras.layers.Wrapper):  # type: ignore[misc]
    """Base of the wrappers that say in `new_values` what their inner layer computes with."""

    def __init__(self, layer: keras.layers.Layer, **options: Any) -> None:
        owner = type(self).__name__
        if not isinstance(layer, keras.layers.Layer) or isinstance(layer, keras.layers.Wrapper | keras.Model):
            raise TypeError(
                f"{owner}: layer is {layer!r}; a single layer with a kernel is expected, such as keras.layers.Conv2D(64, 3). "
                "Wrap each layer by itself, and other wrappers around it."
            )
        super().__init__(layer, **{"dtype": layer.dtype_policy, **options})
        if (self.compute_dtype, self.variable_dtype) != (layer.compute_dtype, layer.variable_dtype):
            raise ValueError(
                f"{owner}: dtype is {options['dtype']!r}, that of the inner layer {layer.dtype_policy.name!r}; "
                "they are expected to be the same. Give dtype to the inner layer alone."
            )
        self.supports_masking = layer.supports_masking

    def build(self, input_shape: Any) -> None:
        """Builds the inner layer, and refuses one of which it is not clear which weight is meant."""
        # The first call may be inside of a tf.function; what is built from the kernel needs its value.
        with tf.init_scope():
            super().build(input_shape)
            self.weight_of_layer()
            with AutocastScope(self.variable_dtype):
                self.build_more()

    def build_more(self) -> None:
        """Makes the weights of the wrapper itself; the inner layer has its own by now, read at full precision."""

    def new_values(self, training: bool) -> list[tuple[keras.Variable, Any]]:
        """The weights to replace and what the inner layer reads instead; called with weights at full precision."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """What the inner layer gives with its new weights."""
        with AutocastScope(self.variable_dtype):
            replaced = self.new_values(bool(training))
            new = {id(variable) for variable, _ in replaced}
            # The rest is named too: inside of an outer scope, that of `stateless_call`, its values are others than the stored.
            rest = [variable for variable in self.layer.variables if id(variable) not in new]
            mapping = [*replaced, *((variable, variable.value) for variable in rest)]
            scope = keras.StatelessScope(state_mapping=mapping, collect_losses=True)
            before = [scope.get_current_value(variable) for variable in rest]
        with scope:
            outputs = self.layer(inputs)
        # Inside of the scope updates of the inner layer's own state (a seed, a moving mean) and its losses were put aside.
        for variable, old in zip(rest, before, strict=True):
            updated = scope.get_current_value(variable)
            if updated is not old:
                variable.assign(updated)
        for loss in scope.losses:
            self.layer.add_loss(loss)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inner layer."""
        return self.layer.compute_output_shape(input_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """That of the inner layer."""
        return self.layer.compute_mask(inputs, previous_mask)

    def weight_of_layer(self) -> keras.Variable:
        """The stored weight that is meant: `kernel`, `embeddings` or `depthwise_kernel`.

        Raises:
            ValueError: the inner layer has none of them, or more than one.
        """
        layer = self.layer
        found = [name for name in _NAMES if isinstance(getattr(layer, name, None), keras.Variable)]
        if isinstance(layer, keras.layers.EinsumDense) or hasattr(layer, "pointwise_kernel") or len(found) != 1:
            raise ValueError(
                f"{type(self).__name__}: the inner layer is a {type(layer).__name__}, of which "
                f"{' and '.join(found) or 'no weight'} would be meant; a layer with one weight named kernel, embeddings or "
                "depthwise_kernel is expected, whose last axis are its units. Take Dense, Embedding or a convolution; for a "
                "separable convolution, a depthwise one and a 1x1 one."
            )
        return getattr(layer, found[0])

    def num_units(self) -> int:
        """How many outputs the weight feeds: columns of `as_matrix`."""
        shape = self.weight_of_layer().shape
        return math.prod(shape[axis] for axis in self._unit_axes(len(shape)))

    def as_matrix(self, weight: Any) -> Any:
        """The weight as a matrix (everything else, units); transposed convolutions keep their units last but one."""
        axes = self._unit_axes(len(weight.shape))
        others = [axis for axis in range(len(weight.shape)) if axis not in axes]
        return tf.reshape(tf.transpose(weight, [*others, *axes]), [-1, self.num_units()])

    def _unit_axes(self, rank: int) -> Sequence[int]:
        if isinstance(self.layer, _TRANSPOSED):
            return [rank - 2]
        return [rank - 2, rank - 1] if isinstance(self.layer, _DEPTHWISE) else [rank - 1]
