"""Sound runs that a naive rule would suspect: gradients that are None, values that stand still, paths that are cut."""

from __future__ import annotations

from causes.fault import benign
from causes.gan import Gan
from record.building import Script


@benign
def a_gan_with_detached_fakes() -> Script:
    run = Gan()
    run.train()
    return run
