"""Consistency regularisation: what does not change a sample shall not change its score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.augmentation import DiffAugment
from ganmedic.networks_inside import takes_training
from ganmedic.penalties.evaluation import FAKE_SCORES, REAL_SCORES, Evaluation
from ganmedic.penalties.penalty import Penalty
from ganmedic.precision import widened
from ganmedic.randomness import RandomStream
from ganmedic.scheduled import Schedule, Scheduled, schedule

Augment = Callable[[Any], Any]


class Consistency(Penalty):
    """CR: λ E (D(x) - D(T x))², x real, T an augmentation.

    Args:
        weight: λ, or a schedule.
        augment: T, a differentiable function of a batch that keeps its shape, registered with Keras if it is to be saved; None
            for flips and translations of images, as in the paper.
        seed: of that default.

    Raises:
        ValueError: in a call, samples are no images and `augment` is not given.

    Example:
        >>> float(Consistency(weight=1.0, augment=lambda x: x + 2.0)(lambda x: x, tf.zeros([3, 1])))
        4.0

    References:
        Zhang et al. 2019, *Consistency Regularization for Generative Adversarial Networks*, arXiv 1910.12027, equation 4.
    """

    needs = frozenset({REAL_SCORES})

    def __init__(self, weight: Schedule = 10.0, augment: Augment | None = None, seed: int | None = None) -> None:
        super().__init__(weight)
        self.augment, self.seed = augment, seed
        if augment is not None and not callable(augment):
            raise TypeError(
                f"{type(self).__name__}: augment is {augment!r}; a function of a batch is expected, such as "
                'ganmedic.augmentation.get("diff_augment").'
            )
        self._applied = augment or DiffAugment("flip,translation", seed=seed)

    def unweighted(self, evaluation: Evaluation, **extras: Any) -> Any:
        """E (D(x) - D(T x))²."""
        return self._at(evaluation.real, evaluation.real_scores, evaluation, "real")

    def _at(self, samples: Any, scores: Any, evaluation: Evaluation, kind: str) -> Any:
        if self.augment is None and samples.shape.rank != 4:
            raise ValueError(
                f"{type(self).__name__}: samples are of shape {samples.shape}; flips and translations need images "
                "(batch, height, width, channels). Say what leaves a sample what it is: augment=my_function."
            )
        augmented = self._applied(samples)
        if not augmented.shape.is_compatible_with(samples.shape):
            raise ValueError(
                f"{type(self).__name__}: augment makes {augmented.shape} of {samples.shape}; it is to keep the shape."
            )
        return tf.reduce_mean(tf.square(widened(scores) - widened(evaluation.scores_at(augmented, like=kind))))


class BalancedConsistency(Consistency):
    """bCR: λ_real E (D(x) - D(T x))² + λ_fake E (D(G(z)) - D(T G(z)))².

    Args:
        weight: λ_real, or a schedule.
        fake_weight: λ_fake, or a schedule.
        augment, seed: as for `Consistency`.

    References:
        Zhao et al. 2020, *Improved Consistency Regularization for GANs*, arXiv 2002.04724, algorithm 1.
    """

    needs = frozenset({REAL_SCORES, FAKE_SCORES})

    def __init__(
        self,
        weight: Schedule = 10.0,
        fake_weight: Schedule = 10.0,
        augment: Augment | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(weight, augment, seed)
        self.fake_weight = schedule("BalancedConsistency", "fake_weight", fake_weight)
        self._fake_value = Scheduled(self.fake_weight)

    def of(self, evaluation: Evaluation, **extras: Any) -> Any:
        """The same from a shared evaluation."""
        real = super().of(evaluation, **extras)
        fake = self._at(evaluation.fake, evaluation.fake_scores, evaluation, "fake")
        weight = self._fake_value.next() if evaluation.training else self._fake_value.now()
        return real + tf.cast(weight, fake.dtype) * tf.cast(fake, real.dtype)


class LatentConsistency(Penalty):
    """zCR: nearby latents shall score alike, and yet look different.

    λ_D E (D(G(z)) - D(G(z + δ)))², δ ~ N(0, σ²), for the discriminator; `of_generator` gives -λ_G E ‖G(z) - G(z + δ)‖² for the
    generator. The norm is the mean over a sample's entries, so that λ_G does not depend on the resolution.

    Called as `penalty(discriminator, None, None, generator=generator, latents=z)`; the samples are made inside.

    Args:
        weight: λ_D, or a schedule; 20 in StudioGAN.
        generator_weight: λ_G, or a schedule; 0.5 in StudioGAN.
        spread: σ, above 0; 0.05 in StudioGAN.
        seed: of δ.

    Draws:
        `noise=` in the call, float tensor of the shape of the latents, takes the place of δ / σ.

    References:
        Zhao et al. 2020, *Improved Consistency Regularization for GANs*, arXiv 2002.04724, algorithm 2.
    """

    player = "both"
    extras = ("generator", "latents")
    draws = ("noise",)

    def __init__(
        self,
        weight: Schedule = 20.0,
        generator_weight: Schedule = 0.5,
        spread: float = 0.05,
        seed: int | None = None,
    ) -> None:
        super().__init__(weight)
        self.generator_weight = schedule("LatentConsistency", "generator_weight", generator_weight)
        self.spread = checking.number("LatentConsistency", "spread", spread, above=0.0)
        self.seed = seed
        self._random = RandomStream(seed)
        self._generator_value = Scheduled(self.generator_weight)

    def unweighted(self, evaluation: Evaluation, noise: Any = None, **extras: Any) -> Any:
        """E (D(G(z)) - D(G(z + δ)))²."""
        samples, moved = self._both(extras["generator"], extras["latents"], evaluation.training, noise)
        scores, others = (evaluation.scores_at(each, like="fake") for each in (samples, moved))
        return tf.reduce_mean(tf.square(widened(scores) - widened(others)))

    def for_generator(self, evaluation: Evaluation, **extras: Any) -> Any:
        """The generator's half, see `of_generator`."""
        noise = extras.get("noise")
        return self.of_generator(extras["generator"], extras["latents"], training=evaluation.training, noise=noise)

    def of_generator(self, generator: Any, latents: Any, *, training: bool = True, noise: Any = None) -> Any:
        """The term to add to the generator's loss, negative.

        Args:
            generator: maps latents to samples.
            latents: float tensor (batch, dim).
            training: handed to a generator that takes it.
            noise: float tensor of the shape of `latents`, takes the place of what would be drawn.

        Returns:
            Scalar, float32 or float64.
        """
        samples, moved = self._both(generator, latents, training, noise)
        distance = tf.reduce_mean(tf.square(widened(samples) - widened(moved)))
        return -tf.cast(self._generator_value.next(), distance.dtype) * distance

    def _both(self, generator: Any, latents: Any, training: bool, noise: Any) -> tuple[Any, Any]:
        if isinstance(latents, tuple | list | dict):
            raise ValueError(
                "LatentConsistency: latents is a structure; one tensor is expected. Close over the rest: "
                "generator=lambda z: generator([z, labels])."
            )
        latents = tf.convert_to_tensor(latents)
        if noise is None:
            noise = self._random.normal(tf.shape(latents), latents.dtype)
        options = {"training": training} if takes_training(generator) else {}
        moved = latents + self.spread * tf.cast(noise, latents.dtype)
        return generator(latents, **options), generator(moved, **options)
