"""Relativistic losses: the discriminator says how much more real a real sample looks than a generated one."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import replicas
from ganmedic.losses.adversarial import AdversarialLoss
from ganmedic.losses.scores import mean_of


class Relativistic(AdversarialLoss):
    """Real sample i against generated sample i.

    L_D = E softplus(-(r - f)), L_G = E softplus(-(f - r)). A generated sample is judged beside a real one, so a generator that
    drops modes keeps a gradient. With R1 and R2 penalties in every step it is the loss of R3GAN.

    The generator's step needs real samples, fresh ones or those of the discriminator's step, and the gradient goes through
    the discriminator on both. Batches are of one size.

    Example:
        >>> loss = Relativistic()
        >>> real, fake = tf.constant([1.0, 0.0]), tf.constant([0.0, 0.0])
        >>> round(float(loss.discriminator(real, fake)), 6), round(float(loss.generator(real, fake)), 6)
        (0.503204, 1.003204)

    References:
        Jolicoeur-Martineau 2018, *The relativistic discriminator: a key element missing from standard GAN*, arXiv 1807.00734,
        section 4.1. Huang et al. 2024, *The GAN is dead; long live the GAN! A Modern GAN Baseline*, arXiv 2501.05441, section 2.
    """

    compares = True
    needs_real = True
    pairs = True

    def _discriminator_terms(self, real: Any, fake: Any) -> tuple[Any, ...]:
        return (tf.reduce_mean(tf.nn.softplus(fake - real)),)

    def _generator(self, real: Any, fake: Any, weight: Any) -> Any:
        return mean_of(tf.nn.softplus(real - fake), weight)


class _AverageLoss(AdversarialLoss):
    """½ of what real samples and of what generated ones cost, each against the mean score of the other kind."""

    compares = True
    needs_real = True

    def _discriminator_terms(self, real: Any, fake: Any) -> tuple[Any, ...]:
        above, below = self._raised(real - _mean(fake)), self._raised(_mean(real) - fake)
        return 0.5 * tf.reduce_mean(above), 0.5 * tf.reduce_mean(below)

    def _generator(self, real: Any, fake: Any, weight: Any) -> Any:
        # The same game with the sides changed.
        above, below = self._raised(fake - _mean(real)), self._raised(_mean(fake, weight) - real)
        return 0.5 * (mean_of(above, weight) + tf.reduce_mean(below))

    def _raised(self, margin: Any) -> Any:
        """What a sample costs that is to lie above the mean of the others, by how far it does."""
        raise TypeError(f"{type(self).__name__} does not say what a margin costs: define _raised.")


class RelativisticAverage(_AverageLoss):
    """Each sample against the mean score of the other kind, by cross-entropy.

    L_D = ½ [E softplus(-(r - f̄)) + E softplus(f - r̄)], L_G = ½ [E softplus(r - f̄) + E softplus(-(f - r̄))]. Both terms
    are in the generator's loss. The means are taken over the batches of all replicas. Other libraries leave the ½ out.

    Example:
        >>> round(float(RelativisticAverage().discriminator(tf.constant([1.0, 0.0]), tf.constant([0.0, 0.0]))), 6)
        0.488641

    References:
        Jolicoeur-Martineau 2018, *The relativistic discriminator*, arXiv 1807.00734, section 4.2.
    """

    def _raised(self, margin: Any) -> Any:
        return tf.nn.softplus(-margin)


class RelativisticAverageLeastSquares(_AverageLoss):
    """Each sample against the mean score of the other kind, by squares.

    L_D = ½ [E (r - f̄ - 1)² + E (f - r̄ + 1)²], L_G = ½ [E (r - f̄ + 1)² + E (f - r̄ - 1)²].

    Example:
        >>> loss = RelativisticAverageLeastSquares()
        >>> float(loss.discriminator(tf.constant([1.0, 0.0]), tf.constant([0.0, 0.0])))
        0.375

    References:
        Jolicoeur-Martineau 2018, *The relativistic discriminator*, arXiv 1807.00734, appendix.
    """

    def _raised(self, margin: Any) -> Any:
        return tf.square(margin - 1.0)


class RelativisticAverageHinge(_AverageLoss):
    """Each sample against the mean score of the other kind, by hinge.

    L_D = ½ [E relu(1 - (r - f̄)) + E relu(1 + (f - r̄))], L_G = ½ [E relu(1 + (r - f̄)) + E relu(1 - (f - r̄))].

    Example:
        >>> loss = RelativisticAverageHinge()
        >>> float(loss.discriminator(tf.constant([1.0, 0.0]), tf.constant([0.0, 0.0])))
        0.5

    References:
        Jolicoeur-Martineau 2018, *The relativistic discriminator*, arXiv 1807.00734, appendix.
    """

    def _raised(self, margin: Any) -> Any:
        return tf.nn.relu(1.0 - margin)


def _mean(scores: Any, weight: Any = None) -> Any:
    return replicas.mean(mean_of(scores, weight))
