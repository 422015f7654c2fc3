"""Gradient penalties between real and generated samples."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.penalties.evaluation import REAL_SCORES, Evaluation, norms, squared_norms
from ganmedic.penalties.penalty import Penalty
from ganmedic.randomness import RandomStream
from ganmedic.scheduled import Schedule


class GradientPenalty(Penalty):
    """WGAN-GP: λ/k² · E (‖∇ D(x̂)‖ - k)² + ε_drift · E r², x̂ = ε x + (1 - ε) G(z).

    ε is uniform on [0, 1), one number a sample, the same for all its pixels: x̂ lies on the segment between the two. The norm is
    over all axes of a sample. At a gradient of zero the penalty is k² and its derivative 0, not NaN.

    Args:
        weight: λ, or a schedule; 10 in the paper, 0.1 in its code for toy data.
        target: k, 0 or more; 0 penalises the squared norm itself (Thanh-Tung et al. 2019, arXiv 1902.03984).
        drift: ε_drift, keeps the scores near 0; 0.001 in Karras et al. 2017.
        seed: of ε.

    Draws:
        `epsilon=` in the call, float tensor (batch,) of numbers from 0 to 1, instead of drawn ones.

    Raises:
        ValueError: an argument is out of its range; in a call, real and generated samples are of different shapes.

    Example:
        >>> real, fake = tf.zeros([4, 2]), tf.ones([4, 2])
        >>> float(GradientPenalty(seed=0)(lambda x: 3.0 * x[:, :1], real, fake))  # 10 · (3 - 1)²
        40.0

    References:
        Gulrajani et al. 2017, *Improved Training of Wasserstein GANs*, arXiv 1704.00028, equation 3 and algorithm 1.
        Karras et al. 2017, *Progressive Growing of GANs*, arXiv 1710.10196, appendix A.1 (drift).
    """

    per_sample = True
    draws = ("epsilon",)

    def __init__(
        self, weight: Schedule = 10.0, target: float = 1.0, drift: float = 0.0, seed: int | None = None
    ) -> None:
        super().__init__(weight)
        name = type(self).__name__
        self.target = checking.number(name, "target", target, low=0.0)
        self.drift = checking.number(name, "drift", drift, low=0.0)
        self.seed = seed
        self._random = RandomStream(seed)
        self.needs = frozenset({REAL_SCORES}) if self.drift else frozenset()

    def unweighted(self, evaluation: Evaluation, epsilon: Any = None, **extras: Any) -> Any:
        """E (‖∇ D(x̂)‖ - k)² / k²."""
        return tf.reduce_mean(self._excess(evaluation.gradient_at(self._between(evaluation, epsilon))))

    def of(self, evaluation: Evaluation, **extras: Any) -> Any:
        """The same from a shared evaluation. The drift is not multiplied by `weight`."""
        value = super().of(evaluation, **extras)
        if self.drift:
            value += self.drift * tf.reduce_mean(tf.square(tf.cast(evaluation.real_scores, value.dtype)))
        return value

    def _between(self, evaluation: Evaluation, epsilon: Any) -> Any:
        real, fake = evaluation.real, tf.cast(evaluation.fake, evaluation.real.dtype)
        if not real.shape.is_compatible_with(fake.shape):
            raise ValueError(
                f"{type(self).__name__} draws a segment from each real sample to a generated one; real is of shape {real.shape}, "
                f"fake of {fake.shape}. Make both of one size (drop_remainder=True)."
            )
        one_a_sample = tf.concat([tf.shape(real)[:1], tf.ones([real.shape.rank - 1], tf.int32)], axis=0)
        if epsilon is None:
            epsilon = self._random.uniform(one_a_sample, real.dtype)
        else:
            epsilon = tf.reshape(tf.cast(epsilon, real.dtype), one_a_sample)
        return epsilon * real + (1.0 - epsilon) * fake

    def _excess(self, gradient: Any) -> Any:
        if self.target == 0.0:
            return squared_norms(gradient)
        return tf.square(norms(gradient) - self.target) / self.target**2


class OneSidedGradientPenalty(GradientPenalty):
    """WGAN-LP: λ/k² · E max(0, ‖∇ D(x̂)‖ - k)²: gradients smaller than k cost nothing.

    Args and errors are those of `GradientPenalty`, but `target` is above 0.

    Example:
        >>> penalty = OneSidedGradientPenalty(seed=0)
        >>> float(penalty(lambda x: 0.5 * x[:, :1], tf.zeros([4, 2]), tf.ones([4, 2])))
        0.0

    References:
        Petzka, Fischer, Lukovnikov 2017, *On the regularization of Wasserstein GANs*, arXiv 1709.08894, equation 8.
    """

    def __init__(
        self, weight: Schedule = 10.0, target: float = 1.0, drift: float = 0.0, seed: int | None = None
    ) -> None:
        hint = "Without a free side take 'gradient_penalty' with target=0."
        checking.number("OneSidedGradientPenalty", "target", target, above=0.0, hint=hint)
        super().__init__(weight, target, drift, seed)

    def _excess(self, gradient: Any) -> Any:
        return tf.square(tf.nn.relu(norms(gradient) - self.target)) / self.target**2
