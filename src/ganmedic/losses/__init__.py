"""Adversarial losses: one convention for all, checked against their papers.

    loss = ganmedic.losses.get("hinge")
    d_loss = loss.discriminator(real_scores, fake_scores)
    g_loss = loss.generator(real_scores, fake_scores)

The discriminator gives raw scores, without a sigmoid, and real is the positive side everywhere. `names()` lists the losses,
`WeightedTerms` and `GradientShares` weigh an adversarial loss against other terms.
"""

from __future__ import annotations

from ganmedic.correction import Catalogue
from ganmedic.losses.adversarial import AdversarialLoss
from ganmedic.losses.cross_entropy import Minimax, NonSaturating
from ganmedic.losses.gradient_shares import GradientShares
from ganmedic.losses.hinge import Hinge
from ganmedic.losses.least_squares import LeastSquares
from ganmedic.losses.relativistic import (
    Relativistic,
    RelativisticAverage,
    RelativisticAverageHinge,
    RelativisticAverageLeastSquares,
)
from ganmedic.losses.wasserstein import Wasserstein
from ganmedic.losses.weighted_terms import WeightedTerms

__all__ = [
    "AdversarialLoss",
    "GradientShares",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Relativistic",
    "RelativisticAverage",
    "RelativisticAverageHinge",
    "RelativisticAverageLeastSquares",
    "Wasserstein",
    "WeightedTerms",
    "get",
    "names",
]

_CATALOGUE: Catalogue[AdversarialLoss] = Catalogue(
    "loss",
    AdversarialLoss,
    {
        "minimax": Minimax,
        "non_saturating": NonSaturating,
        "least_squares": LeastSquares,
        "wasserstein": Wasserstein,
        "hinge": Hinge,
        "relativistic": Relativistic,
        "relativistic_average": RelativisticAverage,
        "relativistic_average_least_squares": RelativisticAverageLeastSquares,
        "relativistic_average_hinge": RelativisticAverageHinge,
    },
)
get = _CATALOGUE.get
names = _CATALOGUE.names
