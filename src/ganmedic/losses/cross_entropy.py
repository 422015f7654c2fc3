"""Cross-entropy losses: the original zero-sum game, and the form that goes on learning when the discriminator wins."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.losses.adversarial import AbsoluteLoss
from ganmedic.randomness import RandomStream


class NonSaturating(AbsoluteLoss):
    """Cross-entropy for the discriminator, and for the generator the logarithm that does not saturate.

    L_D = (1-α) E softplus(-r) + α E softplus(r) + E softplus(f) and L_G = E softplus(-f), all from raw scores, so that no
    score is too large. ∂L_G/∂f = -σ(-f), which tends to -1 where the discriminator is sure.

    Args:
        label_smoothing: α, 0 to 0.5, one-sided: real samples have the target 1 - α, generated ones keep 0. (Keras'
            `label_smoothing` smooths both sides.) 0.1 in the paper.
        label_noise: 0 to 0.5; each real target is lowered further by a number uniform on [0, label_noise), so that it never
            exceeds 1. Together with `label_smoothing` at most 0.5.
        seed: of that noise; see `ganmedic.randomness.RandomStream`.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> loss = NonSaturating()
        >>> round(float(loss.generator(None, tf.constant([-0.5, 1.5, -2.0]))), 6)
        1.100806

    References:
        Goodfellow et al. 2014, *Generative Adversarial Nets*, arXiv 1406.2661, section 3.
        Salimans et al. 2016, *Improved Techniques for Training GANs*, arXiv 1606.03498, section 3.4 (label smoothing).
    """

    cross_entropy = True

    def __init__(self, label_smoothing: float = 0.0, label_noise: float = 0.0, seed: int | None = None) -> None:
        super().__init__()
        name = type(self).__name__
        hint = "A target beyond 0.5 calls real samples generated."
        self.label_smoothing = checking.number(name, "label_smoothing", label_smoothing, low=0.0, high=0.5, hint=hint)
        self.label_noise = checking.number(name, "label_noise", label_noise, low=0.0, high=0.5, hint=hint)
        checking.number(name, "label_smoothing + label_noise", label_smoothing + label_noise, high=0.5, hint=hint)
        self.seed = seed
        self._random = RandomStream(seed) if label_noise else None

    def _real_term(self, real: Any) -> Any:
        wrong = self.label_smoothing
        if self._random is not None:
            wrong += self.label_noise * tf.cast(self._random.uniform(tf.shape(real)), real.dtype)
        elif not wrong:
            return tf.nn.softplus(-real)
        # (1-α) softplus(-r) + α softplus(r), for softplus(r) = r + softplus(-r).
        return tf.nn.softplus(-real) + wrong * real

    def _fake_term(self, fake: Any) -> Any:
        return tf.nn.softplus(fake)

    def _generator_term(self, fake: Any) -> Any:
        return tf.nn.softplus(-fake)


class Minimax(NonSaturating):
    """The zero-sum game, to show why it is not used: the generator's gradient vanishes as soon as the discriminator wins.

    L_D as for the non-saturating loss, L_G = -E softplus(f); ∂L_G/∂f = -σ(f), 2e-9 at a score of -20. Computed from
    raw scores it is finite everywhere, where log(1 - σ(f)) is infinite from a score of about 17 on in float32.

    Args and errors are those of `NonSaturating`.

    Example:
        >>> round(float(Minimax().generator(None, tf.constant([-0.5, 1.5, -2.0]))), 6)
        -0.767473

    References:
        Goodfellow et al. 2014, *Generative Adversarial Nets*, arXiv 1406.2661, equation 1.
        Arjovsky, Bottou 2017, *Towards Principled Methods for Training GANs*, arXiv 1701.04862, theorem 2.4.
    """

    def _generator_term(self, fake: Any) -> Any:
        return -tf.nn.softplus(fake)
