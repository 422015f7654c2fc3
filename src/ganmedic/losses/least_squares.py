"""The least-squares loss."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.losses.adversarial import AbsoluteLoss


class LeastSquares(AbsoluteLoss):
    """Scores are drawn to targets, from both sides.

    L_D = ½ E (r - b)² + ½ E (f - a)², L_G = ½ E (f - c)², on raw scores. Where b - c = 1 and b - a = 2, as for
    (a, b, c) = (-1, 1, 0), the generator minimises a Pearson χ² divergence.

    Args:
        fake_target: a.
        real_target: b, above a: real is the positive side.
        generator_target: c, above a: what the generator wants its samples to score.

    Raises:
        TypeError, ValueError: a target is no finite number, or the order is another.

    Example:
        >>> round(float(LeastSquares().generator(None, tf.constant([-0.5, 1.5, -2.0]))), 6)
        1.916667

    References:
        Mao et al. 2016, *Least Squares Generative Adversarial Networks*, arXiv 1611.04076, equations 2, 8 and 9.
    """

    def __init__(self, fake_target: float = 0.0, real_target: float = 1.0, generator_target: float = 1.0) -> None:
        super().__init__()
        hint = "Real is the positive side: (0, 1, 1) and (-1, 1, 0) are usual."
        self.fake_target = checking.number("LeastSquares", "fake_target", fake_target)
        self.real_target = checking.number("LeastSquares", "real_target", real_target, above=fake_target, hint=hint)
        self.generator_target = checking.number(
            "LeastSquares", "generator_target", generator_target, above=fake_target, hint=hint
        )

    @property
    def boundary(self) -> float:
        """(a + b) / 2."""
        return (self.fake_target + self.real_target) / 2

    def _real_term(self, real: Any) -> Any:
        return 0.5 * tf.square(real - self.real_target)

    def _fake_term(self, fake: Any) -> Any:
        return 0.5 * tf.square(fake - self.fake_target)

    def _generator_term(self, fake: Any) -> Any:
        return 0.5 * tf.square(fake - self.generator_target)
