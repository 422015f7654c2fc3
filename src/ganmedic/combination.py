"""Which loss goes with which penalties, clip and discriminator, and which combinations are known to fail."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from ganmedic import networks_inside
from ganmedic.clipping import Clip, Weights
from ganmedic.losses import (
    AdversarialLoss,
    Minimax,
    RelativisticAverage,
    RelativisticAverageHinge,
    RelativisticAverageLeastSquares,
    Wasserstein,
)
from ganmedic.penalties import GradientPenalty, Lazy, Penalty, Roth

_AVERAGES = (RelativisticAverage, RelativisticAverageHinge, RelativisticAverageLeastSquares)


class CombinationWarning(UserWarning):
    """Parts are put together that often fail together."""


def check(
    loss: AdversarialLoss,
    penalties: Iterable[Penalty] = (),
    *,
    clip: Clip | None = None,
    discriminator: Any = None,
    training: bool = True,
) -> None:
    """Refuses what is known to fail, and warns of what often does.

    Refused: a Wasserstein loss with nothing that keeps the critic Lipschitz; batch normalisation under a penalty of each sample's own
    gradient; lazy gradient penalties with a relativistic loss; a discriminator that ends in a sigmoid or softmax. Warned of: the
    minimax loss; gradient penalties with relativistic averages; Roth's regulariser with a loss it is not derived for; weight
    clipping beside a gradient penalty.

    Args:
        loss: the adversarial loss.
        penalties: of the discriminator.
        clip: of the discriminator's gradients or weights.
        discriminator: the network, as far as it is known. What a function runs is seen when it runs.
        training: whether it runs as in training.

    Raises:
        ValueError: the combination is refused; the message says why, and what to do.

    Example:
        >>> from ganmedic import losses, penalties
        >>> check(losses.get("wasserstein"), [penalties.get("gradient_penalty")])
    """
    given = list(penalties)
    for penalty in given:
        if not isinstance(penalty, Penalty):
            raise ValueError(f'{penalty!r} is no penalty; make one with penalties.get("r1").')
    inner = [penalty.penalty if isinstance(penalty, Lazy) else penalty for penalty in given]
    _refuse_bare_wasserstein(loss, inner, clip, discriminator)
    name = networks_inside.batch_normalised(discriminator) if training else None
    for penalty in inner:
        if penalty.per_sample and name is not None:
            raise ValueError(
                f"{type(penalty).__name__} penalises the gradient of each sample's own score, but the layer {name!r} "
                "(BatchNormalization) makes every score depend on the whole batch. Use LayerNormalization or GroupNormalization "
                "there, or none."
            )
    for lazy in given:
        if isinstance(lazy, Lazy) and lazy.every > 1 and lazy.per_sample and loss.needs_real:
            raise ValueError(
                f"A lazy gradient penalty with {type(loss).__name__}: R3GAN found complete convergence failure with penalties every "
                "8 steps (Huang et al. 2024, appendix). Apply the penalty in every step, or take 'non_saturating'."
            )
    _refuse_final_sigmoid(discriminator)
    for reason in _doubts(loss, inner, clip):
        warnings.warn(reason, CombinationWarning, stacklevel=2)


def _refuse_bare_wasserstein(loss: AdversarialLoss, penalties: list[Penalty], clip: Clip | None, network: Any) -> None:
    if not isinstance(loss, Wasserstein) or loss.bounded or isinstance(clip, Weights):
        return
    if any(penalty.per_sample for penalty in penalties) or any(_bounds_weights(network)):
        return
    raise ValueError(
        "The Wasserstein loss is bare: nothing keeps the critic Lipschitz, so its scores grow without end. Add "
        "penalties.get('gradient_penalty'), clip the critic's weights with clipping.get('weights', 0.01), or put its layers into "
        "layers.SpectralNormalization. Where something else bounds it, say so: losses.get('wasserstein', bounded=True)."
    )


def _bounds_weights(network: Any) -> Iterator[bool]:
    """Whether a layer keeps its own weights in bounds."""
    for layer in [] if network is None else networks_inside.layers_of(network):
        yield getattr(layer, "bounds_spectral_norm", False) or isinstance(layer, keras.layers.SpectralNormalization)
        kernels = (weight for weight in layer.trainable_variables if len(weight.shape) > 1)
        yield any(getattr(weight, "constraint", None) is not None for weight in kernels)


def _refuse_final_sigmoid(network: Any) -> None:
    """Only where the layer that gives the scores is known; elsewhere the losses see it in the scores."""
    last = network
    while isinstance(last, keras.Sequential) and last.layers:
        last = last.layers[-1]
    activation = getattr(last, "activation", None)
    if last is not network and activation in (keras.activations.sigmoid, keras.activations.softmax):
        raise ValueError(
            f"The discriminator ends in {activation.__name__} (layer {last.name!r}); raw scores are expected, for the losses apply "
            "their own sigmoid where they need one, and gradients through two vanish. Take the activation off that layer."
        )


def _doubts(loss: AdversarialLoss, penalties: list[Penalty], clip: Clip | None) -> Iterator[str]:
    if isinstance(loss, Minimax):
        yield (
            "The minimax loss: the generator's gradient vanishes as soon as the discriminator wins (Goodfellow et al. 2014, section 3). "
            "It is there to show that; train with 'non_saturating'."
        )
    between = any(isinstance(penalty, GradientPenalty) and penalty.target > 0 for penalty in penalties)
    if between and isinstance(loss, _AVERAGES):
        yield (
            f"{type(loss).__name__} with a gradient penalty: RaSGAN-GP diverged where RSGAN-GP did well (Jolicoeur-Martineau 2018, "
            "CIFAR-10: FID 331.86 and 25.60). Take 'relativistic', or R1 and R2."
        )
    if any(isinstance(penalty, Roth) for penalty in penalties) and not loss.cross_entropy:
        yield (
            f"Roth's regulariser with {type(loss).__name__}: its factors take σ(score) for the probability that a sample is real, "
            "which holds for cross-entropy losses. Take 'non_saturating', or R1 and R2."
        )
    if between and isinstance(clip, Weights):
        yield (
            "Weight clipping beside a gradient penalty: small weights hold the gradient below 1, and the penalty pulls it up to 1. "
            "Take one of them."
        )
