"""Which cause brings about which: the root of a chain is told first and names what it explains."""

from __future__ import annotations

from collections.abc import Mapping

_NOT_FINITE = ("learning-rate-too-high", "exploding-gradients", "unbounded-critic")
_FLAT = ("saturated-activation", "dead-relu", "depth-attenuation")

#: Slug of a cause -> slugs of what it brings about in the same run.
EXPLAINS: Mapping[str, tuple[str, ...]] = {
    "log-of-zero": _NOT_FINITE,
    "norm-at-zero": _NOT_FINITE,
    "fp16-overflow": _NOT_FINITE,
    "penalty-miscomputed": ("unbounded-critic", "exploding-gradients", "learning-rate-too-high"),
    "unbounded-critic": ("exploding-gradients", "learning-rate-too-high"),
    "learning-rate-too-high": ("exploding-gradients", *_FLAT),
    "exploding-gradients": ("saturated-activation",),
    "logits-mismatch": ("discriminator-saturated", "saturating-generator-loss", "output-loss-mismatch", *_FLAT),
    "output-loss-mismatch": ("discriminator-saturated", "saturated-activation"),
    "saturating-generator-loss": ("discriminator-saturated",),
    "discriminator-saturated": ("learning-rate-too-high", "saturated-activation"),
    "weight-clipping": ("depth-attenuation",),
    "dead-relu": ("depth-attenuation",),
    "saturated-activation": ("depth-attenuation", "discriminator-saturated"),
    "fp16-underflow": ("depth-attenuation", "dead-relu"),
}


def explained_by(cause: str, others: frozenset[str]) -> tuple[str, ...]:
    """What a cause explains of the other causes that were found, directly or through another of them."""
    found: dict[str, None] = {}
    queue = [cause]
    while queue:
        for onward in EXPLAINS.get(queue.pop(), ()):
            if onward in others and onward not in found and onward != cause:
                found[onward] = None
                queue.append(onward)
    return tuple(found)
