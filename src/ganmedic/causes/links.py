"""Which cause brings about which: the root of a chain is told first and names what it explains."""

from __future__ import annotations

from collections.abc import Mapping

_NOT_FINITE = ("learning-rate-too-high", "exploding-gradients", "unbounded-critic")
_DATA = ("range-mismatch", "bad-normalisation", "unnormalised-data")
_AHEAD = ("discriminator-saturated", "learning-rate-too-high", "exploding-gradients", "unbounded-critic")
_GAME = ("mode-collapse", "ignores-noise", "oscillation", "discriminator-too-weak")
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
    "non-finite-data": (*_NOT_FINITE, "log-of-zero", "norm-at-zero", "fp16-overflow", *_DATA, *_GAME),
    "unnormalised-data": (
        *_NOT_FINITE,
        *_FLAT,
        *_AHEAD,
        *_GAME,
        "range-mismatch",
        "clip-too-tight",
        "penalty-miscomputed",
    ),
    "bad-normalisation": (*_NOT_FINITE, *_FLAT, *_AHEAD, *_GAME, "range-mismatch", "low-diversity", "clip-too-tight"),
    "range-mismatch": (*_FLAT, *_AHEAD, *_GAME),
    "low-diversity": (*_AHEAD, "mode-collapse", "discriminator-overfits", "oscillation"),
    "unshuffled-data": ("oscillation", "mode-collapse", "discriminator-too-weak"),
    "wrong-loss-sign": (*_NOT_FINITE, *_FLAT, *_AHEAD, *_GAME, "saturating-generator-loss"),
    "bad-targets": (*_NOT_FINITE, *_FLAT, *_AHEAD, "oscillation", "discriminator-too-weak", "mode-collapse"),
    "discriminator-overfits": (*_AHEAD,),
    "discriminator-shortcut": (*_FLAT, *_AHEAD, "mode-collapse", "ignores-noise"),
    "batchnorm-misuse": (*_FLAT, *_AHEAD, "ignores-noise", "mode-collapse", "discriminator-too-weak", "oscillation"),
    "ignores-noise": ("mode-collapse",),
    "sampling-mismatch": ("mode-collapse", "discriminator-overfits"),
    "loss-weight-imbalance": ("mode-collapse",),
    "discriminator-too-weak": ("mode-collapse",),
    "oscillation": ("learning-rate-too-high",),
}


#: Whatever keeps a network from learning shows in the game: samples that are all alike, a discriminator that knows nothing.
_SYMPTOMS = (
    "mode-collapse",
    "ignores-noise",
    "discriminator-too-weak",
    "discriminator-overfits",
    "discriminator-shortcut",
)
_GRADIENTS = (
    "variable-unused",
    "non-differentiable-op",
    "left-tensorflow",
    "outside-tape",
    "stop-gradient",
    "frozen",
    "unbuilt-variables",
    "wrong-pairing",
    "not-applied",
    "variables-left-out",
    "state-write",
    "no-second-order-gradient",
    "log-of-zero",
    "norm-at-zero",
    "fp16-overflow",
    "penalty-miscomputed",
    "unbounded-critic",
    "learning-rate-too-high",
    "exploding-gradients",
    "logits-mismatch",
    "output-loss-mismatch",
    "saturating-generator-loss",
    "discriminator-saturated",
    "dead-relu",
    "depth-attenuation",
    "weight-clipping",
    "clip-too-tight",
    "fp16-underflow",
)


def explained_by(cause: str, others: frozenset[str]) -> tuple[str, ...]:
    """What a cause explains of the other causes that were found, directly or through another of them."""
    found: dict[str, None] = {}
    queue = [cause]
    while queue:
        root = queue.pop()
        for onward in (*EXPLAINS.get(root, ()), *(_SYMPTOMS if root in _GRADIENTS else ())):
            if onward in others and onward not in found and onward != cause:
                found[onward] = None
                queue.append(onward)
    return tuple(found)
