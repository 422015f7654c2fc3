"""Weights between the two halves of the discriminator's loss, from their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.correction import Correction
from ganmedic.gradients import squared_norm
from ganmedic.precision import widened


class AdaptiveWeights(Correction):
    """The discriminator's step helps the half that is behind and does not hurt the other (awGAN, normalised).

    With the gradients a of the loss on real samples and b of that on generated ones, â = a/‖a‖, b̂ = b/‖b‖ and the shares s_r, s_f of
    real samples, and of generated ones, that are called real:

        real samples are judged badly (s_r < s_f - δ or s_r < α₁):     â and b̂ without its part against â
        generated ones are (s_r > α₂, and not badly):                  b̂ and â without its part against b̂
        neither:                                                       â + b̂

    each weight with ε added. Where both gradients agree (a·b > 0) the half that is not helped has the weight ε alone. The paper's s is
    the mean of σ(score); here the share of samples on the real side of the loss's own boundary, so that it fits every loss.

    The step has a length of about 1 whatever the gradients are, so it is meant for optimizers that adapt to it, such as Adam.

        with tf.GradientTape(persistent=True) as tape:
            ...
            real_loss, fake_loss = loss.discriminator_terms(real_scores, fake_scores)
        gradients = weights(loss, real_scores, fake_scores, tape.gradient(real_loss, v), tape.gradient(fake_loss, v))

    Args:
        low: α₁, 0 to 1.
        high: α₂, `low` to 1.
        margin: δ, 0 or more.
        epsilon: ε, 0 or more.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    References:
        Zadorozhnyy, Cheng, Ye 2021, *Adaptive Weighted Discriminator for Training Generative Adversarial Networks*, CVPR,
        arXiv 2012.03149, algorithm 1.
    """

    def __init__(self, low: float = 0.5, high: float = 0.75, margin: float = 0.05, epsilon: float = 0.05) -> None:
        super().__init__()
        name = "AdaptiveWeights"
        self.low = checking.number(name, "low", low, low=0.0, high=1.0)
        self.high = checking.number(name, "high", high, low=self.low, high=1.0)
        self.margin = checking.number(name, "margin", margin, low=0.0)
        self.epsilon = checking.number(name, "epsilon", epsilon, low=0.0)

    def weights(self, loss: Any, real_scores: Any, fake_scores: Any, inner: Any, real_norm: Any, fake_norm: Any) -> Any:
        """w_r and w_f, float32 (2,).

        Args:
            loss: the adversarial loss, for its decision boundary.
            real_scores, fake_scores: raw scores of this step.
            inner: a·b, scalar.
            real_norm, fake_norm: ‖a‖ and ‖b‖, scalars.
        """
        real, fake = loss.margins(real_scores, fake_scores)
        called_real = replicas.mean(0.5 + 0.5 * tf.reduce_mean(tf.sign(tf.stop_gradient(real))))
        called_fake = replicas.mean(0.5 - 0.5 * tf.reduce_mean(tf.sign(tf.stop_gradient(fake))))
        called_real, called_fake = tf.cast(called_real, tf.float32), tf.cast(called_fake, tf.float32)
        behind = tf.logical_or(called_real < called_fake - self.margin, called_real < self.low)
        ahead = tf.logical_and(called_real > self.high, tf.logical_not(behind))
        inner, real_norm, fake_norm = (tf.cast(each, tf.float32) for each in (inner, real_norm, fake_norm))
        against = tf.nn.relu(-inner)
        plain_real, plain_fake = tf.math.reciprocal_no_nan(real_norm), tf.math.reciprocal_no_nan(fake_norm)
        # Of the other half only so much that what stands against the helped one is taken off.
        kept_fake = tf.math.divide_no_nan(against, fake_norm**2 * real_norm)
        kept_real = tf.math.divide_no_nan(against, real_norm**2 * fake_norm)
        real_weight = tf.where(ahead, kept_real, plain_real)
        fake_weight = tf.where(behind, kept_fake, plain_fake)
        return tf.stack([real_weight, fake_weight]) + self.epsilon

    def __call__(
        self,
        loss: Any,
        real_scores: Any,
        fake_scores: Any,
        real_gradients: Sequence[Any],
        fake_gradients: Sequence[Any],
    ) -> list[Any]:
        """The gradients of the weighted loss.

        Args:
            loss: the adversarial loss.
            real_scores, fake_scores: raw scores of this step.
            real_gradients: of the loss on real samples by the discriminator's variables.
            fake_gradients: of the loss on generated samples by the same.

        Returns:
            w_r a + w_f b, for each variable; None where neither has a gradient. Sparse ones become dense.

        Raises:
            ValueError: the numbers of gradients differ.
        """
        if len(real_gradients) != len(fake_gradients):
            raise ValueError(
                f"AdaptiveWeights: {len(real_gradients)} gradients of the loss on real samples and {len(fake_gradients)} of that on "
                "generated ones came; one each is expected for every variable, None where there is none."
            )
        real = [widened(tf.convert_to_tensor(g)) if g is not None else None for g in real_gradients]
        fake = [widened(tf.convert_to_tensor(g)) if g is not None else None for g in fake_gradients]
        both = [(a, b) for a, b in zip(real, fake, strict=True) if a is not None and b is not None]
        inner = tf.add_n([tf.reduce_sum(a * b) for a, b in both]) if both else tf.zeros([])
        real_norm, fake_norm = (
            tf.sqrt(tf.add_n([squared_norm(g) for g in each if g is not None])) for each in (real, fake)
        )
        weight = self.weights(loss, real_scores, fake_scores, inner, real_norm, fake_norm)

        def joined(a: Any, b: Any) -> Any:
            parts = [tf.cast(weight[i], g.dtype) * g for i, g in enumerate((a, b)) if g is not None]
            return tf.add_n(parts) if parts else None

        return [joined(a, b) for a, b in zip(real, fake, strict=True)]
