"""The metrics by name."""

from __future__ import annotations

import inspect
from typing import Any

from ganmedic import checking
from ganmedic.metrics.arguments import refuse_unknown
from ganmedic.metrics.density_coverage import DensityCoverage
from ganmedic.metrics.frechet import Frechet
from ganmedic.metrics.kid import KID
from ganmedic.metrics.metric import Metric
from ganmedic.metrics.mode_coverage import Modes
from ganmedic.metrics.precision_recall import PrecisionRecall
from ganmedic.metrics.similarity import MultiScaleSimilarity
from ganmedic.metrics.sliced_wasserstein import SlicedWasserstein
from ganmedic.metrics.vendi import Vendi

MEMBERS: dict[str, type[Metric]] = {
    "density_coverage": DensityCoverage,
    "frechet": Frechet,
    "kid": KID,
    "mode_coverage": Modes,
    "ms_ssim": MultiScaleSimilarity,
    "precision_recall": PrecisionRecall,
    "sliced_wasserstein": SlicedWasserstein,
    "vendi": Vendi,
}


def names() -> tuple[str, ...]:
    """The names that `get` knows."""
    return tuple(MEMBERS)


def get(identifier: str | Metric, **arguments: Any) -> Metric:
    """The metric of a name, with arguments; a metric is given back as it is.

    Args:
        identifier: one of `names()`, or a metric.
        arguments: those of the metric, and `extractor`, `seed`, `intervals`, `value_range`.

    Raises:
        ValueError: no metric has this name, or arguments came with one that is made already.
        TypeError: neither a name nor a metric came, or an argument is unknown or missing.

    Example:
        >>> get("kid", subsets=10).subsets
        10
    """
    if isinstance(identifier, str):
        member = MEMBERS[checking.choice("metrics", "the name", identifier, MEMBERS)]
        owner = f"metric {identifier!r}"
        refuse_unknown(owner, arguments, member.arguments())
        parameters = inspect.signature(member.__init__).parameters
        missing = [name for name in _required(parameters) if name not in arguments]
        if missing:
            raise TypeError(
                f"{owner} came without {' and '.join(missing)}, which only you know; it takes {', '.join(member.arguments())}. "
                f"Make it with metrics.get({identifier!r}, {', '.join(f'{name}=...' for name in missing)})."
            )
        return member(**arguments)
    if arguments:
        raise ValueError(
            f"metrics: arguments came with {identifier!r}, which is made already. "
            f"Give its name instead: one of {checking.listed(MEMBERS)}."
        )
    if not isinstance(identifier, Metric):
        raise TypeError(f"metrics: {identifier!r} came; a metric or its name is expected: {checking.listed(MEMBERS)}.")
    return identifier


def _required(parameters: Any) -> list[str]:
    return [
        name
        for name, parameter in parameters.items()
        if name != "self" and parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty
    ]
