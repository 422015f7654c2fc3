"""Penalties and regularisers of the discriminator, of the generator, and of the game between them.

    penalty = ganmedic.penalties.get("r1", weight=10.0)
    with tf.GradientTape() as tape:
        d_loss = loss.discriminator(discriminator(real), discriminator(fake)) + penalty(discriminator, real, fake)

`names()` lists them, `Lazy` applies one every few steps. `ganmedic.objectives.discriminator_objective` works out loss and
penalties in shared passes.
"""

from __future__ import annotations

from ganmedic.correction import Catalogue
from ganmedic.penalties.at_samples import R1, R2
from ganmedic.penalties.consensus import Consensus
from ganmedic.penalties.consistency import BalancedConsistency, Consistency, LatentConsistency
from ganmedic.penalties.dragan import Dragan
from ganmedic.penalties.evaluation import Evaluation
from ganmedic.penalties.interpolated import GradientPenalty, OneSidedGradientPenalty
from ganmedic.penalties.lazy import Lazy, lazy_optimizer_arguments
from ganmedic.penalties.lecam import LeCam
from ganmedic.penalties.path_length import PathLength
from ganmedic.penalties.penalty import Penalty
from ganmedic.penalties.roth import Roth

__all__ = [
    "R1",
    "R2",
    "BalancedConsistency",
    "Consensus",
    "Consistency",
    "Dragan",
    "Evaluation",
    "GradientPenalty",
    "LatentConsistency",
    "Lazy",
    "LeCam",
    "OneSidedGradientPenalty",
    "PathLength",
    "Penalty",
    "Roth",
    "get",
    "lazy_optimizer_arguments",
    "names",
]

_CATALOGUE: Catalogue[Penalty] = Catalogue(
    "penalty",
    Penalty,
    {
        "gradient_penalty": GradientPenalty,
        "one_sided_gradient_penalty": OneSidedGradientPenalty,
        "r1": R1,
        "r2": R2,
        "dragan": Dragan,
        "roth": Roth,
        "lecam": LeCam,
        "consistency": Consistency,
        "balanced_consistency": BalancedConsistency,
        "latent_consistency": LatentConsistency,
        "path_length": PathLength,
        "consensus": Consensus,
        "lazy": Lazy,
    },
)
get = _CATALOGUE.get
names = _CATALOGUE.names
