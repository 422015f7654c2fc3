"""The Wasserstein loss."""

from __future__ import annotations

from typing import Any

from ganmedic import checking
from ganmedic.losses.adversarial import AbsoluteLoss


class Wasserstein(AbsoluteLoss):
    """The mean scores are driven apart by the critic and together by the generator.

    L_D = E f - E r, L_G = -E f. Neither has a lower bound: without something that keeps the critic Lipschitz the scores
    grow for ever. Use it with a gradient penalty, `clipping.get("weights")` or spectral normalisation; whatever is handed
    to `ganmedic.combination.check` without one is refused.

    Args:
        bounded: says that the critic is kept Lipschitz by something that cannot be seen, a layer of your own for example.

    Example:
        >>> loss = Wasserstein()
        >>> round(float(loss.discriminator(tf.constant([2.0, -1.0, 0.5]), tf.constant([-0.5, 1.5, -2.0]))), 6)
        -0.833333

    References:
        Arjovsky, Chintala, Bottou 2017, *Wasserstein GAN*, arXiv 1701.07875, algorithm 1.
    """

    compares = True

    def __init__(self, bounded: bool = False) -> None:
        super().__init__()
        self.bounded = checking.flag("Wasserstein", "bounded", bounded)

    def _real_term(self, real: Any) -> Any:
        return -real

    def _fake_term(self, fake: Any) -> Any:
        return fake

    def _generator_term(self, fake: Any) -> Any:
        return -fake
