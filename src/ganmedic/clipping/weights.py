"""Weight clipping: the critic of the first Wasserstein GAN."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking
from ganmedic.clipping.clip import BoundedClip, Clipped, Ledger
from ganmedic.clipping.measured import Measured


@keras.saving.register_keras_serializable(package="ganmedic")
class Within(keras.constraints.Constraint):  # type: ignore[misc]
    """Each weight into [-bound, bound]; Keras optimizers apply it after each of their steps.

    Args:
        bound: above 0.
    """

    def __init__(self, bound: float) -> None:
        self.bound = checking.number("Within", "bound", bound, above=0.0)

    def __call__(self, weights: Any) -> Any:
        """Tensor of any shape, bounded."""
        return keras.ops.clip(weights, -self.bound, self.bound)

    def get_config(self) -> dict[str, Any]:
        """The bound."""
        return {"bound": self.bound}


class Weights(BoundedClip):
    """w ← clip(w, -c, c), which keeps a critic Lipschitz, and most of its weights at ±c.

    Gradients pass unchanged. The weights are clipped where the clip is called, and again by `after_update(variables)`, to be
    called after the optimizer's step: only then the critic that is scored next is within its bounds. `constrain(network)`
    leaves that to the optimizer, once and for all. A bound that is too tight starves the generator: if the loss stands still,
    try a gradient penalty.

    Args:
        bound: c, above 0; 0.01 in the paper, with RMSprop(5e-5) and five critic steps.
        non_finite: `keep` or `zero`, of the gradients, see `Clip`.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> clip, critic = Weights(0.25), [tf.Variable([0.5, -0.125])]
        >>> clip.after_update(critic)
        >>> critic[0].numpy().tolist()
        [0.25, -0.125]

    References:
        Arjovsky, Chintala, Bottou 2017, *Wasserstein GAN*, arXiv 1701.07875, algorithm 1.
    """

    def __init__(self, bound: float = 0.01, non_finite: str = "keep") -> None:
        super().__init__(bound, non_finite)

    def after_update(self, variables: Any) -> None:
        """Clips the weights as they stand."""
        for variable in tf.nest.flatten(variables):
            variable.assign(tf.clip_by_value(tf.convert_to_tensor(variable), -self.bound, self.bound))

    def constrain(self, network: Any) -> None:
        """Sets the bound as the constraint of every trainable variable of a built Keras network."""
        for variable in network.trainable_variables:
            variable.constraint = Within(self.bound)

    def _clipped(self, gradients: list[Any], measured: Measured, variables: list[Any], ledger: Ledger) -> Clipped:
        before = [tf.cast(tf.convert_to_tensor(variable), measured.norms.dtype) for variable in variables]
        self.after_update(variables)
        after = [tf.clip_by_value(weights, -self.bound, self.bound) for weights in before]
        left = tf.math.divide_no_nan(tf.linalg.global_norm(after), tf.linalg.global_norm(before))
        return Clipped(gradients, tf.minimum(left, 1.0), left < 1.0 - 1e-6)
