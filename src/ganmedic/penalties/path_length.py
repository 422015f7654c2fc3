"""Path-length regularisation of the generator."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.networks_inside import takes_training
from ganmedic.penalties.evaluation import Evaluation
from ganmedic.penalties.penalty import Penalty
from ganmedic.precision import widened
from ganmedic.randomness import RandomStream
from ganmedic.scheduled import Schedule


class PathLength(Penalty):
    """E (‖Jᵀ y‖ - a)², J = ∂G/∂w, y ~ N(0, I)/√(pixels): a step in the latent space shall change every image as much.

    To be added to the generator's loss. a is a moving average of the lengths, a constant to the gradient. For latents
    (batch, layers, dim) the squared length is summed over the last axis and averaged over the layers, as in StyleGAN2.

    Called as `penalty(discriminator, real, fake, generator=generator, latents=w)`; the first three are not used and may be None.
    `generator` maps latents (of StyleGAN: the mapped ones, w) to samples.

    Args:
        weight: or a schedule; 2 in StyleGAN2, applied every fourth step (see `Lazy`).
        decay: by how much a moves to the mean length of this step, above 0 to 1.
        batch_shrink: one in so many latents is used, for it costs memory; 1 or more, 2 in StyleGAN2.
        seed: of y.

    Draws:
        `noise=` in the call, float tensor of the shape of the samples, takes the place of y before its division.

    Raises:
        ValueError: an argument is out of its range; in a call, `generator` or `latents` are missing.

    Example:
        >>> penalty = PathLength(weight=1.0, decay=1.0, seed=0)
        >>> noise, latents = tf.constant([[1.0], [3.0]]), tf.zeros([2, 1])
        >>> float(penalty(None, generator=lambda w: 2.0 * w, latents=latents, noise=noise))  # lengths 2 and 6, a = 4
        4.0

    References:
        Karras et al. 2019, *Analyzing and Improving the Image Quality of StyleGAN*, arXiv 1912.04958, equation 4 and appendix B.
    """

    player = "generator"
    extras = ("generator", "latents")
    draws = ("noise",)

    def __init__(
        self, weight: Schedule = 2.0, decay: float = 0.01, batch_shrink: int = 1, seed: int | None = None
    ) -> None:
        super().__init__(weight)
        self.decay = checking.number("PathLength", "decay", decay, above=0.0, high=1.0)
        self.batch_shrink = checking.whole("PathLength", "batch_shrink", batch_shrink)
        self.seed = seed
        self._random = RandomStream(seed)
        with tf.init_scope():
            self._average = tf.Variable(
                0.0, trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="path_length_average"
            )

    def unweighted(self, evaluation: Evaluation, noise: Any = None, **extras: Any) -> Any:
        """E (length - a)²."""
        if isinstance(extras["latents"], tuple | list | dict):
            raise ValueError(
                "PathLength: latents is a structure; one tensor is expected. Close over the rest: "
                "generator=lambda w: generator([w, labels])."
            )
        latents = tf.convert_to_tensor(extras["latents"])
        if not latents.dtype.is_floating or latents.shape.rank not in (2, 3):
            raise ValueError(
                f"PathLength: latents are {latents.dtype.name} of shape {latents.shape}; floating point numbers (batch, dim) "
                "or (batch, layers, dim) are expected."
            )
        if self.batch_shrink > 1:
            latents = latents[: tf.maximum(tf.shape(latents)[0] // self.batch_shrink, 1)]
        lengths = self._lengths(extras["generator"], latents, evaluation.training, noise)
        return tf.reduce_mean(tf.square(lengths - tf.cast(self._moved(lengths), lengths.dtype)))

    def _lengths(self, generator: Any, latents: Any, training: bool, noise: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(latents)
            samples = generator(latents, training=training) if takes_training(generator) else generator(latents)
            samples = widened(samples)
            pixels = math.prod(samples.shape[1:-1]) if samples.shape.rank > 2 else 1
            if noise is None:
                noise = self._random.normal(tf.shape(samples), samples.dtype)
            product = tf.reduce_sum(samples * tf.cast(noise, samples.dtype)) / math.sqrt(pixels)
        gradient = inner.gradient(product, latents)
        if gradient is None:
            raise ValueError(
                "The generator's samples do not depend on the latents that came, so there is no path to measure. "
                "Hand over the latents that the generator itself reads, and the generator from there on."
            )
        squares = tf.reduce_sum(tf.square(widened(gradient)), axis=-1)
        if squares.shape.rank == 2:
            squares = tf.reduce_mean(squares, axis=1)
        return tf.sqrt(squares + 1e-12)

    def _moved(self, lengths: Any) -> Any:
        seen = replicas.mean(tf.cast(tf.stop_gradient(tf.reduce_mean(lengths)), tf.float32))
        old = self._average.read_value()
        self._average.assign(tf.where(tf.math.is_finite(seen), old + self.decay * (seen - old), old))
        return self._average.read_value()
