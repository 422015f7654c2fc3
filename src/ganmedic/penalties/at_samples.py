"""R1 and R2: the gradient at the samples themselves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.penalties.evaluation import FAKE_GRADIENT, REAL_GRADIENT, Evaluation, squared_norms
from ganmedic.penalties.penalty import Penalty
from ganmedic.scheduled import Schedule


class R1(Penalty):
    """Zero-centred gradient penalty at real samples: γ/2 · E ‖∇ₓ D(x)‖², x real.

    The ½ is part of it; code that multiplies E ‖∇‖² itself by 10 has γ = 20. Nothing under a root, so it is smooth at zero.
    γ belongs to a resolution: the gradient of a score by single pixels shrinks as there are more of them.

    Args:
        weight: γ, 0 or more, or a Keras schedule. 10 is the paper's; `R1.weight_for` gives StyleGAN2-ADA's rule. R3GAN lets γ fall
            by a cosine: 0.05 to 0.005 on CIFAR, 2 to 0.2 at 64 pixels, 150 to 15 at 256 (FFHQ).

    Example:
        >>> x = tf.constant([[1.0, 2.0], [0.0, 1.0]])
        >>> float(R1(weight=1.0)(lambda x: tf.reduce_sum(x**2, axis=1), x))  # ½ · mean(4 + 16, 4)
        6.0

    References:
        Mescheder, Geiger, Nowozin 2018, *Which Training Methods for GANs do actually Converge?*, arXiv 1801.04406, equation 9.
        Huang et al. 2024, *The GAN is dead; long live the GAN!*, arXiv 2501.05441, section 2.2.
    """

    needs = frozenset({REAL_GRADIENT})
    per_sample = True

    def __init__(self, weight: Schedule = 10.0) -> None:
        super().__init__(weight)

    @staticmethod
    def weight_for(resolution: int, batch_size: int) -> float:
        """γ = 0.0002 · resolution² / batch size, a first guess (stylegan2-ada's `auto` configuration).

        Args:
            resolution: height of the images in pixels.
            batch_size: of the whole step, over all replicas.
        """
        checking.whole("R1.weight_for", "resolution", resolution)
        checking.whole("R1.weight_for", "batch_size", batch_size)
        return 0.0002 * resolution**2 / batch_size

    def unweighted(self, evaluation: Evaluation, **extras: Any) -> Any:
        """½ E ‖∇ D(x)‖²."""
        return 0.5 * tf.reduce_mean(squared_norms(evaluation.real_gradient))


class R2(Penalty):
    """Zero-centred gradient penalty at generated samples: γ/2 · E ‖∇ₓ D(x)‖², x = G(z).

    Args:
        weight: γ as for `R1`; R3GAN takes the same for both.

    Example:
        >>> fake = tf.constant([[1.0, 2.0], [0.0, 1.0]])
        >>> float(R2(weight=1.0)(lambda x: tf.reduce_sum(x**2, axis=1), None, fake))
        6.0

    References:
        Mescheder, Geiger, Nowozin 2018, *Which Training Methods for GANs do actually Converge?*, arXiv 1801.04406, equation 10.
    """

    needs = frozenset({FAKE_GRADIENT})
    per_sample = True

    def __init__(self, weight: Schedule = 10.0) -> None:
        super().__init__(weight)

    def unweighted(self, evaluation: Evaluation, **extras: Any) -> Any:
        """½ E ‖∇ D(G(z))‖²."""
        return 0.5 * tf.reduce_mean(squared_norms(evaluation.fake_gradient))
