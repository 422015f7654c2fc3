"""The balance between the two players.

    turns = ganmedic.balance.get("n_critic", 5)
    noise = ganmedic.balance.get("instance_noise", 0.1, steps=10_000)

`names()` lists the ways. `two_time_scales` gives the two optimizers.
"""

from __future__ import annotations

from ganmedic.balance.adaptive_weights import AdaptiveWeights
from ganmedic.balance.instance_noise import InstanceNoise
from ganmedic.balance.packing import Packing
from ganmedic.balance.skipping import UpdateSkipping
from ganmedic.balance.time_scales import two_time_scales
from ganmedic.balance.top_k import TopK
from ganmedic.balance.turns import Turns
from ganmedic.correction import Catalogue, Correction

__all__ = [
    "AdaptiveWeights",
    "InstanceNoise",
    "Packing",
    "TopK",
    "Turns",
    "UpdateSkipping",
    "get",
    "names",
    "two_time_scales",
]

_CATALOGUE: Catalogue[Correction] = Catalogue(
    "balance",
    Correction,
    {
        "n_critic": Turns,
        "update_skipping": UpdateSkipping,
        "adaptive_weights": AdaptiveWeights,
        "instance_noise": InstanceNoise,
        "top_k": TopK,
        "packing": Packing,
    },
)
get = _CATALOGUE.get
names = _CATALOGUE.names
