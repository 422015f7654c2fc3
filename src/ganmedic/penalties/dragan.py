"""DRAGAN: a gradient penalty around the real samples."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.penalties.evaluation import Evaluation, norms
from ganmedic.penalties.penalty import Penalty
from ganmedic.precision import widened
from ganmedic.randomness import RandomStream
from ganmedic.scheduled import Schedule


class Dragan(Penalty):
    """λ E (‖∇ D(x + δ)‖ - k)², x real, δ = ½ · std(x) · U[0, 1) for each entry.

    std(x) is that of all entries of the batch, over all replicas. Only real samples are used.

    Args:
        weight: λ, or a schedule.
        target: k, above 0.
        spread: by how many standard deviations of the batch a sample is moved at most; 0.5 as in the authors' code.
        seed: of the noise.

    Draws:
        `noise=` in the call, float tensor of the shape of `real`, from 0 to 1, instead of drawn numbers.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> float(Dragan(seed=0)(lambda x: 3.0 * x[:, :1], tf.random.normal([4, 2])))
        40.0

    References:
        Kodali et al. 2017, *On Convergence and Stability of GANs*, arXiv 1705.07215, section 2.3, algorithm 1.
    """

    per_sample = True
    draws = ("noise",)

    def __init__(
        self, weight: Schedule = 10.0, target: float = 1.0, spread: float = 0.5, seed: int | None = None
    ) -> None:
        super().__init__(weight)
        self.target = checking.number("Dragan", "target", target, above=0.0)
        self.spread = checking.number("Dragan", "spread", spread, above=0.0)
        self.seed = seed
        self._random = RandomStream(seed)

    def unweighted(self, evaluation: Evaluation, noise: Any = None, **extras: Any) -> Any:
        """E (‖∇ D(x + δ)‖ - k)²."""
        real = evaluation.real
        noise = self._random.uniform(tf.shape(real), real.dtype) if noise is None else tf.cast(noise, real.dtype)
        moved = real + self.spread * _deviation(real) * noise
        return tf.reduce_mean(tf.square(norms(evaluation.gradient_at(tf.stop_gradient(moved))) - self.target))


def _deviation(samples: Any) -> Any:
    """Standard deviation of all entries, over all replicas; computed in float32 at least."""
    wide = widened(samples)
    mean = replicas.mean(tf.reduce_mean(wide))
    return tf.cast(tf.sqrt(replicas.mean(tf.reduce_mean(tf.square(wide - mean)))), samples.dtype)
