"""What every adversarial loss can be asked."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import replicas
from ganmedic.correction import Correction
from ganmedic.losses.scores import checked_scores, mean_of


class AdversarialLoss(Correction):
    """The loss of both players, as means over the batch of a replica.

    r = D(x) are the scores of real samples, f = D(G(z)) those of generated ones: raw, without a sigmoid, real on the positive
    side. Half precision is computed in float32. Scores of a patch discriminator, (batch, height, width, 1), are averaged
    over all patches.

    Attributes:
        compares: the loss knows only how real and generated scores lie to each other; shifting all of them changes nothing.
        needs_real: the generator's loss depends on the scores of real samples.
        pairs: real sample i is held against generated sample i, so both batches are of one size.
        cross_entropy: σ(score) is the probability that a sample is real.
    """

    compares = False
    needs_real = False
    pairs = False
    cross_entropy = False

    def discriminator(self, real_scores: Any, fake_scores: Any) -> Any:
        """The loss that the discriminator minimises.

        Args:
            real_scores: float tensor (batch, ...), raw scores of real samples.
            fake_scores: float tensor (batch, ...), raw scores of generated samples.

        Returns:
            Scalar; float64 for float64 scores, else float32.

        Raises:
            ValueError: shapes do not fit, no floating point numbers came, or the scores went through a sigmoid.
        """
        real, fake = checked_scores(self, real_scores, fake_scores)
        return tf.add_n(list(self._discriminator_terms(real, fake)))

    def discriminator_terms(self, real_scores: Any, fake_scores: Any) -> tuple[Any, Any]:
        """The two halves of the discriminator's loss: what real and what generated samples cost; their sum is the loss.

        Args and errors are those of `discriminator`.

        Returns:
            Two scalars.

        Raises:
            ValueError: the loss pairs real with generated samples, and has no such halves.
        """
        if self.pairs:
            raise ValueError(
                f"{type(self).__name__} holds each real sample against a generated one, so its loss has no half that belongs to "
                "either. Take 'relativistic_average'."
            )
        real, fake = checked_scores(self, real_scores, fake_scores)
        real_term, fake_term = self._discriminator_terms(real, fake)
        return real_term, fake_term

    def generator(self, real_scores: Any, fake_scores: Any, *, sample_weight: Any = None) -> Any:
        """The loss that the generator minimises.

        Args:
            real_scores: as for `discriminator`; None unless the loss `needs_real`. One that does needs those
                of this step, and no gradient is to be stopped on their way.
            fake_scores: float tensor (batch, ...), raw scores of generated samples.
            sample_weight: float tensor (batch,), how much each generated sample counts, 0 or more; the mean is divided by
                their sum. None counts all alike.

        Returns:
            Scalar; float64 for float64 scores, else float32.

        Raises:
            ValueError: as for `discriminator`, or real scores are missing that the loss needs.
        """
        real, fake = checked_scores(self, real_scores, fake_scores, real_needed=self.needs_real)
        return self._generator(real, fake, sample_weight)

    def margins(self, real_scores: Any, fake_scores: Any) -> tuple[Any, Any]:
        """By how much each sample is on its side of the discriminator's decision; negative where it is judged wrong.

        A loss with a decision boundary b of its own gives r - b and b - f. One that only compares gives r - f̄ and r̄ - f.

        Returns:
            Margins of the real and of the generated samples, of the shapes of the scores.
        """
        real, fake = checked_scores(self, real_scores, fake_scores, paired=False)
        if not self.compares:
            return real - self.boundary, self.boundary - fake
        fake_mean = replicas.mean(tf.reduce_mean(fake))
        real_mean = replicas.mean(tf.reduce_mean(real))
        return real - fake_mean, real_mean - fake

    def accuracy(self, real_scores: Any, fake_scores: Any) -> Any:
        """Share of samples that the discriminator judges right, 0 to 1; a tie is half right. Means the same for every loss."""
        real, fake = self.margins(real_scores, fake_scores)
        right = tf.reduce_mean(tf.sign(real)) + tf.reduce_mean(tf.sign(fake))
        return replicas.mean(0.5 + 0.25 * right)

    def overfitting(self, real_scores: Any, fake_scores: Any) -> Any:
        """r_t = E[sign(margin of the real samples)], -1 to 1 (Karras et al. 2020, arXiv 2006.06676, equation 1)."""
        return replicas.mean(tf.reduce_mean(tf.sign(self.margins(real_scores, fake_scores)[0])))

    @property
    def boundary(self) -> float:
        """The score at which the discriminator is undecided; for a loss that compares there is none, and 0 stands for it."""
        return 0.0

    def _discriminator_terms(self, real: Any, fake: Any) -> tuple[Any, ...]:
        """Scalars whose sum the discriminator minimises; what a subclass defines."""
        raise TypeError(
            f"{type(self).__name__} does not say what its discriminator minimises: define _discriminator_terms."
        )

    def _generator(self, real: Any, fake: Any, weight: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not say what its generator minimises: define _generator.")


class AbsoluteLoss(AdversarialLoss):
    """A loss that judges each sample by its own score."""

    def _discriminator_terms(self, real: Any, fake: Any) -> tuple[Any, ...]:
        return tf.reduce_mean(self._real_term(real)), tf.reduce_mean(self._fake_term(fake))

    def _generator(self, real: Any, fake: Any, weight: Any) -> Any:
        return mean_of(self._generator_term(fake), weight)

    def _real_term(self, real: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not say what a real score costs: define _real_term.")

    def _fake_term(self, fake: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not say what a generated score costs: define _fake_term.")

    def _generator_term(self, fake: Any) -> Any:
        raise TypeError(
            f"{type(self).__name__} does not say what the generator pays for a score: define _generator_term."
        )
