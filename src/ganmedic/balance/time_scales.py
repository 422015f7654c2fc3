"""Two time scales: a learning rate for each player."""

from __future__ import annotations

from typing import Any

import keras

from ganmedic import checking


def two_time_scales(
    discriminator: float = 4e-4, generator: float = 1e-4, beta_1: float = 0.0, beta_2: float = 0.9
) -> tuple[Any, Any]:
    """An Adam optimizer for each player (TTUR).

    Args:
        discriminator: learning rate, above 0; 4e-4 in SAGAN.
        generator: learning rate, above 0; 1e-4 in SAGAN.
        beta_1, beta_2: from 0 to below 1.

    Returns:
        The discriminator's and the generator's optimizer. They are two: one optimizer for both would mix their moments.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> [round(float(optimizer.learning_rate), 5) for optimizer in two_time_scales()]
        [0.0004, 0.0001]

    References:
        Heusel et al. 2017, *GANs Trained by a Two Time-Scale Update Rule*, arXiv 1706.08500, theorem 1.
        Zhang et al. 2018, *Self-Attention Generative Adversarial Networks*, arXiv 1805.08318, section 4.
    """
    who = "two_time_scales"
    rates = [
        checking.number(who, name, rate, above=0.0)
        for name, rate in (("discriminator", discriminator), ("generator", generator))
    ]
    first = checking.number(who, "beta_1", beta_1, low=0.0, below=1.0)
    second = checking.number(who, "beta_2", beta_2, low=0.0, below=1.0)
    made = [keras.optimizers.Adam(rate, beta_1=first, beta_2=second) for rate in rates]
    return made[0], made[1]
