"""The parts of the library as a configuration knows them: names, arguments, defaults and bounds, without importing TensorFlow.

A test holds these tables against the classes themselves, so that they stay alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganmedic.settings.kinds import Choice, Flag, Number, Or, Scalar, Whole, Words
from ganmedic.settings.tables import REQUIRED, Description, Key, PartKind, relation

_POSITIVE = Number(above=0.0)
_NOT_NEGATIVE = Number(low=0.0)
_SHARE = Number(low=0.0, high=1.0)
_DECAY = Number(low=0.0, below=1.0)
_SEED = Key(Whole(low=0), None, "seed of its random numbers", "follows from run.seed", 1)


def _weight(default: float, kind: Scalar = _NOT_NEGATIVE) -> Key:
    return Key(kind, default, "how much it counts")


# Losses

_HALF = Number(low=0.0, high=0.5, hint="A target beyond 0.5 calls real samples generated.")
_TARGETS = "Real is the positive side: (0, 1, 1) and (-1, 1, 0) are usual."


def _labels(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    smoothing, noise = arguments["label_smoothing"], arguments["label_noise"]
    expected = f"together with label_smoothing = {smoothing} at most 0.5 is expected. A target beyond 0.5 calls real samples generated."
    return relation(smoothing + noise <= 0.5, "label_noise", noise, expected)


def _targets(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    fake = arguments["fake_target"]
    for name in ("real_target", "generator_target"):
        expected = f"a number above fake_target, {fake:g}, is expected. {_TARGETS}"
        yield from relation(arguments[name] > fake, name, arguments[name], expected)


def _cross_entropy(about: str) -> Description:
    return Description(
        about,
        {
            "label_smoothing": Key(_HALF, 0.0, "how far the target of real samples is lowered"),
            "label_noise": Key(_HALF, 0.0, "by how much more, at random"),
            "seed": _SEED,
        },
        traits=frozenset({"cross_entropy"}),
        relations=_labels,
    )


def _average(about: str) -> Description:
    return Description(about, traits=frozenset({"compares", "needs_real"}))


LOSSES: dict[str, Description] = {
    "relativistic": Description(
        "real sample i against generated sample i; with R1 and R2 the loss of R3GAN",
        traits=frozenset({"compares", "needs_real", "pairs"}),
    ),
    "non_saturating": _cross_entropy("cross-entropy, with the generator's loss that does not saturate"),
    "hinge": Description("scores beyond the margin of 1 cost nothing"),
    "wasserstein": Description(
        "mean scores driven apart; needs a penalty, clipped weights or spectral normalisation",
        {"bounded": Key(Flag(), False, "says that something unseen keeps the critic Lipschitz")},
        traits=frozenset({"compares"}),
    ),
    "least_squares": Description(
        "scores are drawn to targets",
        {
            "fake_target": Key(Number(), 0.0, "the discriminator's target of generated samples"),
            "real_target": Key(Number(), 1.0, "the discriminator's target of real samples"),
            "generator_target": Key(Number(), 1.0, "what the generator wants its samples to score"),
        },
        relations=_targets,
    ),
    "relativistic_average": _average("each sample against the mean of the other kind, by cross-entropy"),
    "relativistic_average_least_squares": _average("each sample against the mean of the other kind, by squares"),
    "relativistic_average_hinge": _average("each sample against the mean of the other kind, by hinge"),
    "minimax": _cross_entropy("the zero-sum game, whose generator stops learning; to show that"),
}

# Penalties

_GRADIENT = frozenset({"per_sample"})
_AUTO = Or("auto", _NOT_NEGATIVE)


def _interpolated(about: str, target: Number) -> Description:
    arguments = {
        "weight": _weight(10.0),
        "target": Key(target, 1.0, "the norm that the gradient is held to"),
        "drift": Key(_NOT_NEGATIVE, 0.0, "weight of the squared scores, which keeps them near 0"),
        "seed": _SEED,
    }
    return Description(about, arguments, traits=_GRADIENT)


PENALTIES: dict[str, Description] = {
    "r1": Description(
        "gradient at real samples, drawn to 0",
        {"weight": Key(_AUTO, 10.0, "how much it counts; 'auto' by resolution and batch")},
        traits=_GRADIENT,
    ),
    "r2": Description(
        "gradient at generated samples, drawn to 0",
        {"weight": Key(_AUTO, 10.0, "how much it counts; 'auto' by resolution and batch")},
        traits=_GRADIENT,
    ),
    "gradient_penalty": _interpolated(
        "gradient between real and generated samples, held to 1 (WGAN-GP)", _NOT_NEGATIVE
    ),
    "one_sided_gradient_penalty": _interpolated(
        "the same, of gradients above the target only",
        Number(above=0.0, hint="For 0 take 'gradient_penalty'."),
    ),
    "dragan": Description(
        "gradient around real samples, held to 1",
        {
            "weight": _weight(10.0),
            "target": Key(_POSITIVE, 1.0, "the norm that the gradient is held to"),
            "spread": Key(_POSITIVE, 0.5, "how far around, in standard deviations of the batch"),
            "seed": _SEED,
        },
        traits=_GRADIENT,
    ),
    "roth": Description(
        "gradient at both, by how sure the discriminator is", {"weight": _weight(0.1)}, traits=_GRADIENT
    ),
    "lecam": Description(
        "scores held to where those of the other kind have been; for small data",
        {
            "weight": _weight(0.3),
            "decay": Key(_DECAY, 0.99, "of the moving averages of the scores"),
            "start": Key(Whole(low=0), 1000, "first step in which it counts"),
        },
        traits=frozenset({"remembers_scores"}),
    ),
    "consistency": Description(
        "a real sample and its shifted or mirrored copy get one score",
        {"weight": _weight(10.0), "seed": _SEED},
        left_out=("augment",),
    ),
    "balanced_consistency": Description(
        "the same for real and generated samples",
        {
            "weight": _weight(10.0),
            "fake_weight": Key(_NOT_NEGATIVE, 10.0, "how much generated samples count"),
            "seed": _SEED,
        },
        left_out=("augment",),
    ),
    "latent_consistency": Description(
        "near latents: one score, but different samples",
        {
            "weight": _weight(20.0),
            "generator_weight": Key(_NOT_NEGATIVE, 0.5, "how much it counts for the generator"),
            "spread": Key(_POSITIVE, 0.05, "standard deviation between near latents"),
            "seed": _SEED,
        },
    ),
    "path_length": Description(
        "a step in latent space changes the sample by one length everywhere; of the generator",
        {
            "weight": _weight(2.0),
            "decay": Key(Number(above=0.0, high=1.0), 0.01, "how fast the mean length follows"),
            "batch_shrink": Key(Whole(), 1, "one in so many latents is used"),
            "seed": _SEED,
        },
    ),
    "consensus": Description("both players are drawn to where neither wants to move", {"weight": _weight(10.0)}),
}
PENALTIES["lazy"] = Description(
    "a penalty in every k-th step only, k times as strong",
    {
        "penalty": Key(
            PartKind(
                "penalty", {name: each for name, each in PENALTIES.items() if "remembers_scores" not in each.traits}
            ),
            REQUIRED,
            "penalty that is applied",
        ),
        "every": Key(Whole(), 16, "k; 1 applies it in every step"),
    },
)

# Clips

_NON_FINITE = Key(Choice(("keep", "zero")), "keep", "what becomes of gradients that are not finite")


def _bounded(about: str, default: float = 1.0, what: str = "the bound") -> Description:
    return Description(about, {"bound": Key(_POSITIVE, default, what), "non_finite": _NON_FINITE})


CLIPS: dict[str, Description] = {
    "global_norm": _bounded("all gradients together; the direction of the step stays"),
    "norm": _bounded("each gradient by its own norm"),
    "value": _bounded("each entry of each gradient"),
    "adaptive": Description(
        "each unit's gradient in proportion to its weights (AGC)",
        {
            "bound": Key(_POSITIVE, 0.01, "largest gradient, as a part of the weights"),
            "epsilon": Key(_POSITIVE, 0.001, "least norm of weights that counts"),
            "non_finite": _NON_FINITE,
        },
    ),
    "auto": Description(
        "at a percentile of the norms so far (AutoClip)",
        {
            "percentile": Key(Number(above=0.0, high=100.0), 10.0, "of the norms; at 10 nine steps of ten are clipped"),
            "history": Key(Whole(low=2), 1000, "how many steps are remembered"),
            "non_finite": _NON_FINITE,
        },
    ),
    "weights": _bounded("the weights instead of the gradients; a Wasserstein critic's", 0.01, "largest weight"),
}

# Balance


def _below_high(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    low, high = arguments["low"], arguments["high"]
    return relation(low < high, "low", low, f"a number below high, {high:g}, is expected.")


def _up_to_high(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    low, high = arguments["low"], arguments["high"]
    return relation(low <= high, "low", low, f"a number of at most high, {high:g}, is expected.")


BALANCE: dict[str, Description] = {
    "update_skipping": Description(
        "the player that is ahead waits",
        {
            "low": Key(Number(low=0.0, below=1.0), 0.5, "accuracy below which the generator waits"),
            "high": Key(Number(above=0.0, high=1.0), 0.95, "accuracy above which the discriminator waits"),
            "decay": Key(_DECAY, 0.9, "of the moving average of the accuracy"),
            "patience": Key(Whole(), 20, "steps in a row that a player waits at most"),
        },
        relations=_below_high,
    ),
    "adaptive_weights": Description(
        "the half of the discriminator's loss that is behind is helped (awGAN)",
        {
            "low": Key(_SHARE, 0.5, "share of real samples called real below which they are helped"),
            "high": Key(_SHARE, 0.75, "and above which generated ones are"),
            "margin": Key(_NOT_NEGATIVE, 0.05, "by how much the share of generated samples may lie above"),
            "epsilon": Key(_NOT_NEGATIVE, 0.05, "least weight of either half"),
        },
        relations=_up_to_high,
    ),
    "instance_noise": Description(
        "noise on what the discriminator sees, falling to 0",
        {
            "spread": Key(_NOT_NEGATIVE, 0.1, "standard deviation at the beginning, of normalised samples"),
            "steps": Key(Whole(), 10_000, "rounds after which it is 0"),
            "seed": _SEED,
        },
    ),
    "top_k": Description(
        "the generator learns from its best samples only",
        {
            "decay": Key(Number(above=0.0, high=1.0), 0.99, "of the share that counts, an epoch"),
            "least": Key(Number(above=0.0, high=1.0), 0.5, "smallest share"),
        },
    ),
}

# Augmentation

_GROUPS = "bgcno"


def _probabilities(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    first, most = arguments["initial_probability"], arguments["max_probability"]
    expected = f"a number of at most max_probability, {most:g}, is expected."
    return relation(first <= most, "initial_probability", first, expected)


AUGMENTATIONS: dict[str, Description] = {
    "none": Description("no augmentation"),
    "diff_augment": Description(
        "the same few transformations all the time (DiffAugment); 100 to 10 000 images",
        {
            "policy": Key(
                Words(("color", "translation", "cutout", "flip"), ","),
                "color,translation,cutout",
                "which, separated by commas",
            ),
            "seed": _SEED,
        },
    ),
    "adaptive": Description(
        "as much as the discriminator's overfitting calls for (ADA); 1000 to 100 000 images",
        {
            "target": Key(Number(above=-1.0, below=1.0), 0.6, "overfitting at which the probability stays"),
            "interval": Key(Whole(), 4, "batches between two changes"),
            "images": Key(_POSITIVE, 500_000.0, "real images in which the probability can go from 0 to 1"),
            "initial_probability": Key(_SHARE, 0.0, "probability at the beginning"),
            "max_probability": Key(Number(above=0.0, high=1.0), 1.0, "largest probability"),
            "pipeline": Key(
                Words(tuple(_GROUPS), ordered=True),
                "bgc",
                "b: blits, g: geometry, c: colour, n: noise, o: cutout",
            ),
            "seed": _SEED,
        },
        relations=_probabilities,
    ),
}

# Optimizers of Keras

_ADAM = {
    "beta_1": Key(_DECAY, 0.0, "decay of the mean of the gradients (momentum)"),
    "beta_2": Key(_DECAY, 0.99, "decay of the mean of their squares"),
    "epsilon": Key(_POSITIVE, 1e-8, "added to the root that is divided by"),
}
_MOMENTUM = Key(_DECAY, 0.0, "part of the last step that is kept in the next")
OPTIMIZERS: dict[str, Description] = {
    "adam": Description("Adam", _ADAM),
    "adamw": Description(
        "Adam with decoupled weight decay",
        {
            **_ADAM,
            "weight_decay": Key(
                _NOT_NEGATIVE, 0.0, "part of each weight that is taken off a step, times the learning rate"
            ),
        },
    ),
    "rmsprop": Description(
        "RMSprop", {"rho": Key(_DECAY, 0.9, "decay of the mean of the squared gradients"), "momentum": _MOMENTUM}
    ),
    "sgd": Description("gradient descent", {"momentum": _MOMENTUM}),
}
