"""How many steps each player has before it is the other's turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ganmedic import checking
from ganmedic.correction import Correction


class Turns(Correction):
    """So many discriminator steps, then so many generator steps, and again.

    Args:
        discriminator_steps: n_critic; 5 for Wasserstein critics.
        generator_steps: 1, or 2 as in PacGAN's experiments.

    Raises:
        ValueError, TypeError: an argument is no whole number of at least 1.

    Example:
        >>> [str(player)[0] for player in Turns(2).round()]
        ['d', 'd', 'g']

    References:
        Arjovsky, Chintala, Bottou 2017, *Wasserstein GAN*, arXiv 1701.07875, algorithm 1.
    """

    def __init__(self, discriminator_steps: int = 5, generator_steps: int = 1) -> None:
        super().__init__()
        self.discriminator_steps = checking.whole("Turns", "discriminator_steps", discriminator_steps)
        self.generator_steps = checking.whole("Turns", "generator_steps", generator_steps)

    def round(self) -> Iterator[str]:
        """Whose steps make one round, in order: `discriminator`, `generator`. Each step is to have a batch of its own."""
        yield from ["discriminator"] * self.discriminator_steps
        yield from ["generator"] * self.generator_steps

    def player(self, step: Any) -> Any:
        """Whether a step, 0-based, whole number or integer tensor, is the discriminator's."""
        return step % (self.discriminator_steps + self.generator_steps) < self.discriminator_steps
