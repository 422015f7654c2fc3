"""The hinge loss."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.losses.adversarial import AbsoluteLoss


class Hinge(AbsoluteLoss):
    """The discriminator stops caring for samples that it judges right by a margin of 1; the generator never does.

    L_D = E relu(1 - r) + E relu(1 + f), L_G = -E f. There is no relu in the generator's loss: with one, samples beyond the
    margin would get no gradient.

    Example:
        >>> loss = Hinge()
        >>> round(float(loss.discriminator(tf.constant([2.0, -1.0, 0.5]), tf.constant([-0.5, 1.5, -2.0]))), 6)
        1.833333

    References:
        Lim, Ye 2017, *Geometric GAN*, arXiv 1705.02894. Miyato et al. 2018, *Spectral Normalization for Generative
        Adversarial Networks*, arXiv 1802.05957, equations 16 and 17.
    """

    def _real_term(self, real: Any) -> Any:
        return tf.nn.relu(1.0 - real)

    def _fake_term(self, fake: Any) -> Any:
        return tf.nn.relu(1.0 + fake)

    def _generator_term(self, fake: Any) -> Any:
        return -fake
