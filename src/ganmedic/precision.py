"""Half precision: where it is left, and loss scaling for two optimizers.

Under `mixed_float16` a custom loop scales the loss of each player by that player's own optimizer, and whatever reads a gradient in
between, a clip above all, has to see it unscaled:

    generator_optimizer = precision.loss_scaling(keras.optimizers.Adam(2e-4))
    with tf.GradientTape() as tape:
        g_loss = ...
        scaled = precision.scaled(generator_optimizer, g_loss)
    gradients = tape.gradient(scaled, generator.trainable_variables)
    ganmedic.update(generator_optimizer, gradients, generator.trainable_variables, clip=clip)   # unscales, clips, applies
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

#: Optimizers for which a loss was scaled.
_SCALED: weakref.WeakSet[Any] = weakref.WeakSet()


def wide_dtype(dtype: Any) -> Any:
    """The type in which sums, norms and exponentials of this type are computed: float64 for float64, else float32."""
    return tf.float64 if tf.as_dtype(dtype) == tf.float64 else tf.float32


def widened(tensor: Any) -> Any:
    """The tensor in its wide type."""
    tensor = tf.convert_to_tensor(tensor)
    return tf.cast(tensor, wide_dtype(tensor.dtype))


def loss_scaling(optimizer: Any, *, always: bool = False, **options: Any) -> Any:
    """The optimizer with loss scaling, where the global policy is `mixed_float16`.

    `compile` wraps only an argument called `optimizer`; the two of a GAN go without, and gradients below 6e-8 are lost.

    Args:
        optimizer: a Keras optimizer; one that scales already comes back as it is.
        always: whether it is wrapped under any policy.
        **options: of `keras.optimizers.LossScaleOptimizer`, `initial_scale` and `dynamic_growth_steps`.

    Raises:
        TypeError: no Keras optimizer came.
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(
            f"loss_scaling: {optimizer!r} came; a Keras optimizer is expected, such as keras.optimizers.Adam()."
        )
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    half = keras.mixed_precision.dtype_policy().compute_dtype == "float16"
    return keras.optimizers.LossScaleOptimizer(optimizer, **options) if half or always else optimizer


def scaled(optimizer: Any, loss: Any) -> Any:
    """The loss times the optimizer's scale, to be differentiated in place of it."""
    _SCALED.add(optimizer)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) and not optimizer.built:
        # Its scale is made when it is built, with the first update; until then it is this one.
        return loss * tf.cast(optimizer.initial_scale, loss.dtype)
    return optimizer.scale_loss(loss)


def warn_of_unscaled(optimizer: Any) -> None:
    """Warns, once, of an optimizer that takes a scale off gradients whose loss was never given it."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) and optimizer not in _SCALED:
        _SCALED.add(optimizer)
        warnings.warn(
            "This optimizer scales losses, and no loss was scaled for it: its updates would be up to 32768 times too small. "
            "Differentiate ganmedic.precision.scaled(optimizer, loss) in place of the loss. (Where optimizer.scale_loss was "
            "called instead, all is well.)",
            stacklevel=3,
        )


def scale_of(optimizer: Any) -> Any:
    """What the optimizer expects gradients to be multiplied by: float32 scalar; None where it expects nothing."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        scale = optimizer.dynamic_scale if optimizer.built else optimizer.initial_scale
        return tf.cast(tf.convert_to_tensor(scale), tf.float32)
    factor = getattr(optimizer, "loss_scale_factor", None)
    return None if factor is None else tf.constant(factor, tf.float32)


def unscaled(optimizer: Any, gradients: Sequence[Any]) -> list[Any]:
    """Gradients of a scaled loss as they would be without scaling; None stays None, half precision becomes float32."""
    scale = scale_of(optimizer)
    return list(gradients) if scale is None else multiplied(gradients, 1.0 / scale)


def multiplied(gradients: Sequence[Any], factor: Any) -> list[Any]:
    """Gradients times a float32 scalar, in at least float32; None stays None, sparse ones stay sparse."""

    def one(gradient: Any) -> Any:
        if gradient is None:
            return None
        if isinstance(gradient, tf.IndexedSlices):
            values = widened(gradient.values)
            return tf.IndexedSlices(values * tf.cast(factor, values.dtype), gradient.indices, gradient.dense_shape)
        values = widened(gradient)
        return values * tf.cast(factor, values.dtype)

    return [one(gradient) for gradient in gradients]
